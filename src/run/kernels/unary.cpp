#include "ops/unary.h"

#include "run/map.h"

namespace remodel {
namespace {

using math::Pair;

template <auto f>
void run_real(Call& call) {
  const Tensor& x = call.in(0);
  map_reals(call.pool, x, call.out(0, x.dtype(), x.shape()), real_function<f>);
}

// Angles far from 0 take another path, one by one.
template <auto near, double (*whole)(double)>
void angle_block(double* values, const double*) {
  double given[real_block];
  std::memcpy(given, values, sizeof given);
  real_function<[](Pair x, const double*) { return near(math::detail::near_angle(x)); }>(values, nullptr);
  for (int64_t i = 0; i < real_block; ++i)
    if (!(std::fabs(given[i]) <= math::detail::near_limit) || given[i] == 0) values[i] = whole(given[i]);
}
template <auto near, double (*whole)(double)>
void run_angle(Call& call) {
  const Tensor& x = call.in(0);
  map_reals(call.pool, x, call.out(0, x.dtype(), x.shape()), angle_block<near, whole>);
}

// Adding 2^52 to a smaller magnitude rounds it to a whole number; from there on all doubles are whole.
Pair round_of(Pair x) {
  Pair a = math::detail::absolute(x), whole = math::detail::with_sign((a + 0x1p52) - 0x1p52, x);
  return a < 0x1p52 ? whole : x;
}
Pair floor_of(Pair x) {
  Pair whole = round_of(x);
  return math::detail::with_sign(whole > x ? whole - 1 : whole, x);
}

template <class T>
struct AbsOf {
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>)
      return std::fabs(x);
    else if constexpr (std::is_unsigned_v<T>)
      return x;
    else
      return x < 0 ? static_cast<T>(-static_cast<std::make_unsigned_t<T>>(x)) : x;
  }
};
template <class T>
struct NegOf {
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>)
      return -x;
    else
      return static_cast<T>(-static_cast<std::make_unsigned_t<T>>(x));
  }
};
template <class T>
struct SignOf {
  T operator()(T x) const {
    if constexpr (std::is_unsigned_v<T>)
      return x > 0 ? 1 : 0;
    else
      return x > 0 ? T(1) : x < 0 ? T(-1) : x;
  }
};

template <template <class> class F>
void run_number(Call& call) {
  const Tensor& x = call.in(0);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  with_whole_number(x.dtype(),
                    [&]<class T>(T) { map_stretches(call.pool, {&x}, y, unary_stretch<T, T, F<T>>); });
}

template <class T>
struct IsNanOf {
  uint8_t operator()(T x) const { return x != x; }
};
template <class T>
struct IsInfOf {
  T low, high;
  explicit IsInfOf(const double* bounds) : low(static_cast<T>(bounds[0])), high(static_cast<T>(bounds[1])) {}
  uint8_t operator()(T x) const { return static_cast<uint8_t>((x == low) | (x == high)); }
};

template <template <class> class F>
void run_test(Call& call, const double* numbers) {
  const Tensor& x = call.in(0);
  Tensor& y = call.out(0, DType::boolean, x.shape());
  with_float(x.dtype(), [&]<class T>(T) {
    map_stretches(call.pool, {&x}, y, unary_stretch<T, uint8_t, F<T>>, numbers);
  });
}
void run_is_nan(Call& call) { run_test<IsNanOf>(call, nullptr); }
void run_is_inf(Call& call) {
  const auto& op = call.op<IsInf>();
  // NaN equals nothing.
  double bounds[] = {op.negative ? -math::infinity : math::not_a_number,
                     op.positive ? math::infinity : math::not_a_number};
  run_test<IsInfOf>(call, bounds);
}

struct NotOf {
  uint8_t operator()(uint8_t x) const { return x == 0; }
};
void run_not(Call& call) {
  const Tensor& x = call.in(0);
  map_stretches(call.pool, {&x}, call.out(0, x.dtype(), x.shape()), unary_stretch<uint8_t, uint8_t, NotOf>);
}

template <class T>
struct BitNotOf {
  T operator()(T x) const { return static_cast<T>(~x); }
};
void run_bit_not(Call& call) {
  const Tensor& x = call.in(0);
  if (!is_integer(x.dtype())) fail("it computes on integers, not on {}", name_of(x.dtype()));
  Tensor& y = call.out(0, x.dtype(), x.shape());
  with_bits(x.dtype(), [&]<class T>(T) {
    if constexpr (std::is_integral_v<T>) map_stretches(call.pool, {&x}, y, unary_stretch<T, T, BitNotOf<T>>);
  });
}

}  // namespace

void add_unary_kernels(Kernels& kernels) {
  kernels.add<Abs>(run_number<AbsOf>);
  kernels.add<Neg>(run_number<NegOf>);
  kernels.add<Sign>(run_number<SignOf>);
  kernels.add<Sqrt>(run_real<[](Pair x, const double*) { return math::detail::root(x); }>);
  kernels.add<Reciprocal>(run_real<[](Pair x, const double*) { return 1 / x; }>);
  kernels.add<Exp>(run_real<[](Pair x, const double*) { return math::exp(x); }>);
  kernels.add<Log>(run_real<[](Pair x, const double*) { return math::log(x); }>);
  kernels.add<Sin>(run_angle<math::detail::sin_of<Pair>, math::sin>);
  kernels.add<Cos>(run_angle<math::detail::cos_of<Pair>, math::cos>);
  kernels.add<Tan>(run_angle<math::detail::tan_of<Pair>, math::tan>);
  kernels.add<Asin>(run_real<[](Pair x, const double*) { return math::asin(x); }>);
  kernels.add<Acos>(run_real<[](Pair x, const double*) { return math::acos(x); }>);
  kernels.add<Atan>(run_real<[](Pair x, const double*) { return math::atan(x); }>);
  kernels.add<Sinh>(run_real<[](Pair x, const double*) { return math::sinh(x); }>);
  kernels.add<Cosh>(run_real<[](Pair x, const double*) { return math::cosh(x); }>);
  kernels.add<Tanh>(run_real<[](Pair x, const double*) { return math::tanh(x); }>);
  kernels.add<Asinh>(run_real<[](Pair x, const double*) { return math::asinh(x); }>);
  kernels.add<Acosh>(run_real<[](Pair x, const double*) { return math::acosh(x); }>);
  kernels.add<Atanh>(run_real<[](Pair x, const double*) { return math::atanh(x); }>);
  kernels.add<Erf>(run_real<[](Pair x, const double*) { return math::erf(x); }>);
  kernels.add<Ceil>(run_real<[](Pair x, const double*) { return -floor_of(-x); }>);
  kernels.add<Floor>(run_real<[](Pair x, const double*) { return floor_of(x); }>);
  kernels.add<Round>(run_real<[](Pair x, const double*) { return round_of(x); }>);
  kernels.add<IsNan>(run_is_nan);
  kernels.add<IsInf>(run_is_inf);
  kernels.add<Not>(run_not);
  kernels.add<BitNot>(run_bit_not);
}

}  // namespace remodel
