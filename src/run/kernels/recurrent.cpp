#include "ops/recurrent.h"

#include <algorithm>
#include <cmath>

#include "run/elementwise.h"
#include "run/math.h"
#include "run/product.h"

namespace remodel {
namespace {

using Apply = double (*)(double x, double alpha, double beta);

Apply find_apply(std::string_view name) {
  static const std::pair<std::string_view, Apply> table[] = {
      {"sigmoid", [](double x, double, double) { return math::sigmoid(x); }},
      {"tanh", [](double x, double, double) { return math::tanh(x); }},
      {"relu", [](double x, double, double) { return x < 0 ? 0 : x; }},
      {"affine", [](double x, double alpha, double beta) { return alpha * x + beta; }},
      {"leaky_relu", [](double x, double alpha, double) { return x < 0 ? alpha * x : x; }},
      {"thresholded_relu", [](double x, double alpha, double) { return x < alpha ? 0 : x; }},
      {"scaled_tanh", [](double x, double alpha, double beta) { return alpha * math::tanh(beta * x); }},
      {"hard_sigmoid",
       [](double x, double alpha, double beta) { return std::fmin(std::fmax(alpha * x + beta, 0.0), 1.0); }},
      {"elu", [](double x, double alpha, double) { return x < 0 ? alpha * math::expm1(x) : x; }},
      {"softsign", [](double x, double, double) { return x / (1 + std::abs(x)); }},
      {"softplus", [](double x, double, double) { return math::softplus(x); }},
  };
  for (auto [known, apply] : table)
    if (known == name) return apply;
  fail("the activation '{}' is not known", name);
}

// One activation with its parameters, on values of type T.
struct Function {
  Apply apply;
  double alpha, beta, clip;
  template <class T>
  T operator()(T x) const {
    if (clip > 0) x = std::min(std::max(x, static_cast<T>(-clip)), static_cast<T>(clip));
    return static_cast<T>(apply(x, alpha, beta));
  }
};

// The operands of one call and one direction of it at a time.
template <class T>
class Layer {
 public:
  // `lengths_at`: which operand has the lengths.
  Layer(Call& call, const Recurrent& op, int64_t gates, int64_t functions, size_t lengths_at)
      : call_(call), op_(op), gates_(gates), functions_(functions) {
    const Tensor &x = call.in(0), &w = call.in(1), &r = call.in(2);
    if (x.rank() != 3 || w.rank() != 3 || r.rank() != 3) fail("its first three operands must have rank 3");
    time = x.dim(op.batch_major ? 1 : 0), batch = x.dim(op.batch_major ? 0 : 1);
    input = x.dim(2), hidden = r.dim(2), directions = op.directions();
    check(w, {directions, gates * hidden, input});
    check(r, {directions, gates * hidden, hidden});
    if (call.has(3)) check(call.in(3), {directions, 2 * gates * hidden});
    lengths.assign(batch, time);
    if (call.has(lengths_at)) {
      check(call.in(lengths_at), {batch});
      lengths = call.in(lengths_at).ints();
      for (int64_t length : lengths)
        if (length < 0 || length > time) fail("a length of {} in {} steps", length, time);
    }
    from_input_.resize(count_of({time, batch, gates, hidden}));
    from_hidden_.resize(batch * gates * hidden);
    y_ = call.out(
        0, x.dtype(),
        op.batch_major ? Shape{batch, time, directions, hidden} : Shape{time, directions, batch, hidden});
    std::fill_n(y_.template to<T>(), y_.count(), T(0));
  }

  static void check(const Tensor& operand, const Shape& wanted) {
    if (operand.shape() != wanted)
      fail("an operand is {}, but should be {}", text_of(operand.shape()), text_of(wanted));
  }

  // [directions, batch, hidden] as a result, starting from an operand or zero.
  Tensor state(size_t result, size_t operand) {
    Tensor made = call_.out(result, y_.dtype(), {directions, batch, hidden});
    if (call_.has(operand)) {
      check(call_.in(operand), made.shape());
      std::copy_n(call_.in(operand).template as<T>(), made.count(), made.template to<T>());
    } else {
      std::fill_n(made.template to<T>(), made.count(), T(0));
    }
    return made;
  }

  Function function(int64_t direction, int64_t k) const {
    size_t at = direction * functions_ + k;
    if (at >= op_.activations.size() || at >= op_.alphas.size() || at >= op_.betas.size())
      fail("an activation is missing");
    return {find_apply(op_.activations[at]), op_.alphas[at], op_.betas[at], op_.clip};
  }

  const T* weights(int64_t direction) const {
    return call_.in(2).template as<T>() + direction * gates_ * hidden * hidden;
  }
  // The bias that goes with r, or null.
  const T* hidden_bias(int64_t direction) const {
    return call_.has(3) ? call_.in(3).template as<T>() + (2 * direction + 1) * gates_ * hidden : nullptr;
  }

  // w x + b for all steps; the bias of r is in it for gates below `with_hidden_bias`.
  void begin(int64_t direction, int64_t with_hidden_bias) {
    const T* w = call_.in(1).template as<T>() + direction * gates_ * hidden * input;
    int64_t columns = gates_ * hidden;
    product<T>(call_, time * batch, columns, input, {call_.in(0).template as<T>(), input, 1}, {w, 1, input},
               from_input_.data(), columns);
    if (!call_.has(3)) return;
    const T *mine = call_.in(3).template as<T>() + 2 * direction * columns, *other = hidden_bias(direction);
    for (int64_t row = 0; row < time * batch; ++row)
      for (int64_t j = 0; j < columns; ++j)
        from_input_[row * columns + j] += mine[j] + (j < with_hidden_bias * hidden ? other[j] : T(0));
  }

  // The step that row `b` of the batch takes as its `s`th.
  int64_t step_of(int64_t direction, int64_t b, int64_t s) const {
    bool backward = op_.direction == Direction::backward || direction == 1;
    return backward ? lengths[b] - 1 - s : s;
  }
  const T* gates_at(int64_t t, int64_t b) const {
    return from_input_.data() + (op_.batch_major ? b * time + t : t * batch + b) * gates_ * hidden;
  }
  T* result_at(int64_t direction, int64_t t, int64_t b) {
    int64_t row =
        op_.batch_major ? (b * time + t) * directions + direction : (t * directions + direction) * batch + b;
    return y_.template to<T>() + row * hidden;
  }

  // h * r for gates first .. last, as rows [batch, gates * hidden].
  const T* recur(int64_t direction, const T* h, int64_t first, int64_t last) {
    T* to = from_hidden_.data() + first * hidden;
    const T* r = weights(direction) + first * hidden * hidden;
    product<T>(call_, batch, (last - first) * hidden, hidden, {h, hidden, 1}, {r, 1, hidden}, to,
               gates_ * hidden);
    return from_hidden_.data();
  }

  int64_t time, batch, input, hidden, directions;
  std::vector<int64_t> lengths;

 private:
  Call& call_;
  const Recurrent& op_;
  int64_t gates_, functions_;
  std::vector<T> from_input_, from_hidden_;
  Tensor y_;
};

// Runs update(direction, t, b, h) for every step of every row that has it, after recur(direction, h).
template <class T, class Recur, class Update>
void for_each_step(Layer<T>& layer, Tensor h, int64_t with_hidden_bias, Recur recur, Update update) {
  for (int64_t d = 0; d < layer.directions; ++d) {
    layer.begin(d, with_hidden_bias);
    T* states = h.to<T>() + d * layer.batch * layer.hidden;
    for (int64_t s = 0; s < layer.time; ++s) {
      recur(d, s, states);
      for (int64_t b = 0; b < layer.batch; ++b) {
        if (s >= layer.lengths[b]) continue;
        int64_t t = layer.step_of(d, b, s);
        T* state = states + b * layer.hidden;
        update(d, t, b, state);
        std::copy_n(state, layer.hidden, layer.result_at(d, t, b));
      }
    }
  }
}

void run_rnn(Call& call) {
  const auto& op = call.op<Rnn>();
  with_float(call.in(0).dtype(), [&]<class T>(T) {
    Layer<T> layer(call, op, Rnn::gates, Rnn::functions, 5);
    Tensor h = layer.state(1, 4);
    const T* hidden = nullptr;
    for_each_step(
        layer, h, 1, [&](int64_t d, int64_t, const T* states) { hidden = layer.recur(d, states, 0, 1); },
        [&](int64_t d, int64_t t, int64_t b, T* state) {
          Function f = layer.function(d, 0);
          const T *x = layer.gates_at(t, b), *r = hidden + b * layer.hidden;
          for (int64_t j = 0; j < layer.hidden; ++j) state[j] = f(x[j] + r[j]);
        });
  });
}

void run_gru(Call& call) {
  const auto& op = call.op<Gru>();
  with_float(call.in(0).dtype(), [&]<class T>(T) {
    Layer<T> layer(call, op, Gru::gates, Gru::functions, 5);
    Tensor h = layer.state(1, 4);
    int64_t n = layer.hidden;
    const T* hidden = nullptr;
    std::vector<T> update(layer.batch * n), reset(layer.batch * n);
    // The new gate needs r * h of this step before its own product, so z and r are computed here.
    auto recur = [&](int64_t d, int64_t s, const T* states) {
      Function f = layer.function(d, 0);
      hidden = layer.recur(d, states, 0, op.reset_after ? 3 : 2);
      for (int64_t b = 0; b < layer.batch; ++b) {
        if (s >= layer.lengths[b]) continue;
        const T *x = layer.gates_at(layer.step_of(d, b, s), b), *r = hidden + b * 3 * n;
        for (int64_t j = 0; j < n; ++j) {
          update[b * n + j] = f(x[j] + r[j]);
          reset[b * n + j] = f(x[n + j] + r[n + j]);
          if (!op.reset_after) reset[b * n + j] *= states[b * n + j];
        }
      }
      if (!op.reset_after) layer.recur(d, reset.data(), 2, 3);
    };
    for_each_step(layer, h, op.reset_after ? 2 : 3, recur, [&](int64_t d, int64_t t, int64_t b, T* state) {
      Function g = layer.function(d, 1);
      const T *x = layer.gates_at(t, b) + 2 * n, *r = hidden + b * 3 * n + 2 * n;
      const T* bias = op.reset_after ? layer.hidden_bias(d) : nullptr;
      for (int64_t j = 0; j < n; ++j) {
        T recurrent = r[j] + (bias ? bias[2 * n + j] : T(0));
        if (op.reset_after) recurrent *= reset[b * n + j];
        T z = update[b * n + j];
        state[j] = (1 - z) * g(x[j] + recurrent) + z * state[j];
      }
    });
  });
}

void run_lstm(Call& call) {
  const auto& op = call.op<Lstm>();
  with_float(call.in(0).dtype(), [&]<class T>(T) {
    Layer<T> layer(call, op, Lstm::gates, Lstm::functions, 6);
    Tensor h = layer.state(1, 4);
    Tensor c = layer.state(2, 5);
    int64_t n = layer.hidden;
    if (call.has(7)) layer.check(call.in(7), {layer.directions, 3 * n});
    const T* hidden = nullptr;
    for_each_step(
        layer, h, 4, [&](int64_t d, int64_t, const T* states) { hidden = layer.recur(d, states, 0, 4); },
        [&](int64_t d, int64_t t, int64_t b, T* state) {
          Function f = layer.function(d, 0), g = layer.function(d, 1), out = layer.function(d, 2);
          out.clip = 0;
          const T *x = layer.gates_at(t, b), *r = hidden + b * 4 * n;
          const T* p = call.has(7) ? call.in(7).template as<T>() + d * 3 * n : nullptr;
          T* cell = c.to<T>() + (d * layer.batch + b) * n;
          for (int64_t j = 0; j < n; ++j) {
            T in_gate = f(x[j] + r[j] + (p ? p[j] * cell[j] : T(0)));
            T forget = op.coupled ? 1 - in_gate : f(x[n + j] + r[n + j] + (p ? p[n + j] * cell[j] : T(0)));
            cell[j] = forget * cell[j] + in_gate * g(x[2 * n + j] + r[2 * n + j]);
            T out_gate = f(x[3 * n + j] + r[3 * n + j] + (p ? p[2 * n + j] * cell[j] : T(0)));
            state[j] = out_gate * out(cell[j]);
          }
        });
  });
}

}  // namespace

void add_recurrent_kernels(Kernels& kernels) {
  kernels.add<Rnn>(run_rnn);
  kernels.add<Gru>(run_gru);
  kernels.add<Lstm>(run_lstm);
}

}  // namespace remodel
