#include "ops/activation.h"

#include <array>

#include "run/lines.h"
#include "run/map.h"

namespace remodel {
namespace {

using math::Pair;

template <class T>
struct ReluOf {
  T operator()(T x) const { return x < T(0) ? T(0) : x; }
};
template <class T>
struct ClampOf {
  T low, high;
  explicit ClampOf(const double* bounds)
      : low(saturated<T>(std::ceil(bounds[0]))), high(saturated<T>(std::floor(bounds[1]))) {
    if constexpr (std::is_floating_point_v<T>)
      low = static_cast<T>(bounds[0]), high = static_cast<T>(bounds[1]);
  }
  T operator()(T x) const {
    T above = x < low ? low : x;
    return above > high ? high : above;
  }
};
template <class T>
struct LeakyReluOf {
  T alpha;
  explicit LeakyReluOf(const double* numbers) : alpha(static_cast<T>(numbers[0])) {}
  T operator()(T x) const {
    T scaled = alpha * x;
    return x < 0 ? scaled : x;
  }
};
template <class T>
struct PreluOf {
  static constexpr bool fast = true;
  T operator()(T x, T slope) const {
    T scaled = std::is_integral_v<T> ? static_cast<T>(static_cast<uint64_t>(x) * static_cast<uint64_t>(slope))
                                     : slope * x;
    return x < T(0) ? scaled : x;
  }
};

void run_relu(Call& call) {
  const Tensor& x = call.in(0);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  with_whole_number(x.dtype(),
                    [&]<class T>(T) { map_stretches(call.pool, {&x}, y, unary_stretch<T, T, ReluOf<T>>); });
}
void run_clamp(Call& call) {
  const Tensor& x = call.in(0);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  double bounds[] = {call.op<Clamp>().low, call.op<Clamp>().high};
  with_whole_number(x.dtype(), [&]<class T>(T) {
    map_stretches(call.pool, {&x}, y, unary_stretch<T, T, ClampOf<T>>, bounds);
  });
}
void run_leaky_relu(Call& call) {
  const Tensor& x = call.in(0);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  with_float(x.dtype(), [&]<class T>(T) {
    map_stretches(call.pool, {&x}, y, unary_stretch<T, T, LeakyReluOf<T>>, &call.op<LeakyRelu>().alpha);
  });
}
void run_prelu(Call& call) {
  auto [x, slope, shape] = operands(call);
  Tensor& y = call.out(0, x.dtype(), shape);
  std::vector<const Tensor*> both = {&x, &slope};
  with_whole_number(
      x.dtype(), [&]<class T>(T) { map_stretches(call.pool, both, y, binary_stretch<T, T, T, PreluOf<T>>); });
}

Pair threshold(Pair x, const double* n) { return x > n[0] ? x : n[1]; }
Pair shrink(Pair x, const double* n) {
  Pair middle = x > n[0] ? x - n[1] : 0.;
  return x < -n[0] ? x + n[1] : middle;
}
Pair elu(Pair x, const double* n) { return x < 0 ? n[0] * math::expm1(x) : x; }
Pair selu(Pair x, const double* n) { return n[1] * elu(x, n); }
Pair celu(Pair x, const double* n) {
  Pair curve = n[0] * math::expm1(x / n[0]);
  return (x < 0 ? 0. : x) + (curve > 0 ? 0. : curve);
}
Pair sigmoid(Pair x, const double*) { return math::sigmoid(x); }
Pair hard_sigmoid(Pair x, const double* n) {
  Pair line = n[0] * x + n[1];
  line = line > 1 ? 1. : line;
  return line < 0 ? 0. : line;
}
Pair hard_swish(Pair x, const double*) {
  const double sixth[] = {1. / 6, 0.5};
  return x * hard_sigmoid(x, sixth);
}
Pair swish(Pair x, const double* n) { return x * math::sigmoid(n[0] * x); }
Pair gelu(Pair x, const double*) { return 0.5 * x * (1 + math::erf(x * 0.7071067811865476)); }
Pair gelu_tanh(Pair x, const double*) {
  return 0.5 * x * (1 + math::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}
Pair softplus(Pair x, const double*) { return math::softplus(x); }
Pair softsign(Pair x, const double*) { return x / (1 + math::detail::absolute(x)); }
Pair mish(Pair x, const double*) { return x * math::tanh(math::softplus(x)); }

// `numbers` gives the function's from the op's fields.
template <auto f, auto numbers>
void run_real(Call& call) {
  const Tensor& x = call.in(0);
  auto given = numbers(call);
  map_reals(call.pool, x, call.out(0, x.dtype(), x.shape()), real_function<f>, given.data());
}
template <auto f>
void run_real(Call& call) {
  run_real<f, [](Call&) { return std::array<double, 1>{}; }>(call);
}
// The fields of the op, in order.
template <auto f, class Op, auto... field>
void run_with(Call& call) {
  run_real<f, [](Call& at) { return std::array{at.op<Op>().*field...}; }>(call);
}

void run_gelu(Call& call) {
  call.op<Gelu>().form == Gelu::Form::erf ? run_real<gelu>(call) : run_real<gelu_tanh>(call);
}

// e^(beta * (x - largest)) of a line, and their sum.
struct Exponents {
  std::vector<double> given, powers;
  double largest, sum = 0;

  template <class T>
  Exponents(const T* from, int64_t size, int64_t step, double beta)
      : given(size), powers((size + 1) / 2 * 2) {
    for (int64_t i = 0; i < size; ++i) given[i] = from[i * step];
    largest = given[0];
    // With a negative beta the smallest one has the largest power.
    for (double x : given) largest = (beta < 0 ? x < largest : x > largest) ? x : largest;
    for (int64_t i = 0; i < size; ++i) powers[i] = beta * (given[i] - largest);
    for (size_t i = 0; i < powers.size(); i += 2) {
      Pair pair;
      std::memcpy(&pair, &powers[i], sizeof pair);
      pair = math::exp(pair);
      std::memcpy(&powers[i], &pair, sizeof pair);
    }
    for (int64_t i = 0; i < size; ++i) sum += powers[i];
  }
};

template <class F>
void run_lines(Call& call, int64_t axis, F line) {
  const Tensor& x = call.in(0);
  Lines lines(x.shape(), axis);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  if (x.count() == 0) return;
  with_float(x.dtype(), [&]<class T>(T) {
    lines.for_each(call.pool, [&](int64_t, int64_t start) {
      line(x.as<T>() + start, y.to<T>() + start, lines.size, lines.step);
    });
  });
}

void run_softmax(Call& call) {
  const auto& op = call.op<Softmax>();
  run_lines(call, op.axis, [&]<class T>(const T* from, T* to, int64_t size, int64_t step) {
    Exponents line(from, size, step, op.beta);
    for (int64_t i = 0; i < size; ++i) to[i * step] = static_cast<T>(line.powers[i] / line.sum);
  });
}
void run_log_softmax(Call& call) {
  run_lines(call, call.op<LogSoftmax>().axis, []<class T>(const T* from, T* to, int64_t size, int64_t step) {
    Exponents line(from, size, step, 1);
    double log = math::log(line.sum);
    for (int64_t i = 0; i < size; ++i) to[i * step] = static_cast<T>(line.given[i] - line.largest - log);
  });
}
void run_hardmax(Call& call) {
  run_lines(call, call.op<Hardmax>().axis, []<class T>(const T* from, T* to, int64_t size, int64_t step) {
    int64_t best = 0;
    for (int64_t i = 1; i < size; ++i)
      if (from[i * step] > from[best * step]) best = i;
    for (int64_t i = 0; i < size; ++i) to[i * step] = i == best ? T(1) : T(0);
  });
}

}  // namespace

void add_activation_kernels(Kernels& kernels) {
  kernels.add<Relu>(run_relu);
  kernels.add<Clamp>(run_clamp);
  kernels.add<LeakyRelu>(run_leaky_relu);
  kernels.add<Prelu>(run_prelu);
  kernels.add<Threshold>(run_with<threshold, Threshold, &Threshold::at, &Threshold::otherwise>);
  kernels.add<Shrink>(run_with<shrink, Shrink, &Shrink::lambda, &Shrink::bias>);
  kernels.add<Elu>(run_with<elu, Elu, &Elu::alpha>);
  kernels.add<Selu>(run_with<selu, Selu, &Selu::alpha, &Selu::gain>);
  kernels.add<Celu>(run_with<celu, Celu, &Celu::alpha>);
  kernels.add<Sigmoid>(run_real<sigmoid>);
  kernels.add<HardSigmoid>(run_with<hard_sigmoid, HardSigmoid, &HardSigmoid::alpha, &HardSigmoid::beta>);
  kernels.add<HardSwish>(run_real<hard_swish>);
  kernels.add<Swish>(run_with<swish, Swish, &Swish::beta>);
  kernels.add<Gelu>(run_gelu);
  kernels.add<Softplus>(run_real<softplus>);
  kernels.add<Softsign>(run_real<softsign>);
  kernels.add<Mish>(run_real<mish>);
  kernels.add<Softmax>(run_softmax);
  kernels.add<LogSoftmax>(run_log_softmax);
  kernels.add<Hardmax>(run_hardmax);
}

}  // namespace remodel
