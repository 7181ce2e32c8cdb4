// Recurrent layers as loops over their steps.
#include "ops/recurrent.h"

#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/control.h"
#include "ops/matmul.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"
#include "passes/decompose/term.h"

namespace remodel {
namespace {

Term activated(Term x, const std::string& name, double alpha, double beta, double clip) {
  if (clip > 0) x = max(min(x, clip), -clip);
  if (name == "sigmoid") return apply(Sigmoid{}, {x});
  if (name == "tanh") return apply(Tanh{}, {x});
  if (name == "relu") return apply(Relu{}, {x});
  if (name == "affine") return alpha * x + beta;
  if (name == "leaky_relu") return apply(LeakyRelu{{}, alpha}, {x});
  if (name == "thresholded_relu") return select(x < alpha, number(*x.at, x.dtype(), 0), x);
  if (name == "scaled_tanh") return alpha * apply(Tanh{}, {beta * x});
  if (name == "hard_sigmoid") return apply(HardSigmoid{{}, alpha, beta}, {x});
  if (name == "elu") return apply(Elu{{}, alpha}, {x});
  if (name == "softsign") return apply(Softsign{}, {x});
  if (name == "softplus") return apply(Softplus{}, {x});
  fail("the activation '{}' is not known", name);
}

// One direction of a layer while its loop is made.
struct Cell {
  const Recurrent& op;
  int64_t direction, functions;
  Dim hidden;

  // Function k of the direction.
  Term operator()(int64_t k, Term x, bool clipped = true) const {
    const auto at = static_cast<size_t>(direction * functions + k);
    return activated(x, op.activations[at], op.alphas[at], op.betas[at], clipped ? op.clip : 0);
  }
  // Gate k of [rows, gates * hidden], or `count` of them.
  Term gate(Term gates, int64_t k, int64_t count = 1) const {
    const auto axis = static_cast<int64_t>(dims_of(gates).size()) - 1;
    return part(gates, axis, Dim(k) * hidden, Dim(count) * hidden);
  }
};

// What goes into the body of every step: weights, as they are seen inside.
struct Inner {
  Term weights;      // [gates * hidden, hidden]
  Term hidden_bias;  // [gates * hidden]; none where the biases are in the steps already
  Term peephole;     // [3 * hidden]; may be none
};

// (what x gives for the step, the states) -> the next states, h first.
using StepFn = std::vector<Term> (*)(const Cell&, const Op&, const Inner&, Term, const std::vector<Term>&);

Term times_weights(Term h, Term weights) {
  MatMul product;
  product.transpose_b = true;
  return apply(product, {h, weights});
}

std::vector<Term> rnn_step(const Cell& cell, const Op&, const Inner& inner, Term x,
                           const std::vector<Term>& states) {
  return {cell(0, x + times_weights(states[0], inner.weights))};
}

std::vector<Term> gru_step(const Cell& cell, const Op& op, const Inner& inner, Term x,
                           const std::vector<Term>& states) {
  const Term h = states[0];
  const auto rows = [&](int64_t k, int64_t count) {
    return part(inner.weights, 0, Dim(k) * cell.hidden, Dim(count) * cell.hidden);
  };
  Term both = cell(0, cell.gate(x, 0, 2) + times_weights(h, rows(0, 2)));
  Term z = cell.gate(both, 0), r = cell.gate(both, 1), n;
  if (op.as<Gru>()->reset_after) {
    n = times_weights(h, rows(2, 1));
    if (inner.hidden_bias.at) n = n + cell.gate(inner.hidden_bias, 2);
    n = r * n;
  } else {
    n = times_weights(r * h, rows(2, 1));
  }
  n = cell(1, cell.gate(x, 2) + n);
  return {(1 - z) * n + z * h};
}

std::vector<Term> lstm_step(const Cell& cell, const Op& op, const Inner& inner, Term x,
                            const std::vector<Term>& states) {
  Term h = states[0], c = states[1], gates = x + times_weights(h, inner.weights);
  const auto gate = [&](int64_t k, int64_t peephole, Term seen) {
    Term value = cell.gate(gates, k);
    return inner.peephole.at ? value + cell.gate(inner.peephole, peephole) * seen : value;
  };
  Term i = cell(0, gate(0, 0, c));
  Term f = op.as<Lstm>()->coupled ? 1 - i : cell(0, gate(1, 1, c));
  c = f * c + i * cell(1, cell.gate(gates, 2));
  Term o = cell(0, gate(3, 2, c));
  return {o * cell(2, c, false), c};
}

struct Places {
  std::vector<size_t> states;
  size_t lengths, peephole;  // 0: none
};

// Small floats are rounded once, behind the layer, and not at each step.
template <class T>
void widened(Decompose& d, const Places& at) {
  std::vector<ValueId> operands = d.node().inputs;
  for (size_t i = 0; i < operands.size(); ++i)
    if (d.has(i) && i != at.lengths) operands[i] = d.emit(Cast(DType::f32), {operands[i]});
  const std::vector<ValueId> results = d.emit(d.op<T>(), operands, d.node().outputs.size());
  for (size_t k = 0; k < results.size(); ++k)
    if (d.wants(k)) d.result(k, d.emit(Cast(d.dtype(0)), {results[k]}));
}

template <class T>
void recurrent(Decompose& d, const Places& at, StepFn step) {
  const T& op = d.op<T>();
  const DType dtype = d.dtype(0);
  if (bits_of(dtype) < 32) return widened<T>(d, at);
  const Dims w = d.dims(1);
  const Dim hidden = d.dims(2)[2];
  Term x{&d, d.in(0)};
  if (op.batch_major) x = transpose(x, {1, 0, 2});
  const Dims steps = dims_of(x);
  const bool lengths = d.has(at.lengths);
  bool apart = false;  // the bias that goes with h is not added to that of x
  if constexpr (std::is_same_v<T, Gru>) apart = op.reset_after;
  const auto of_direction = [&](size_t i, int64_t direction) {
    return squeeze(part({&d, d.in(i)}, 0, direction), {0});
  };
  const auto turned = [&](Term sequence) {
    if (!lengths) return sequence;
    return apply(ReverseSequence{0, 1}, {sequence, Term{&d, d.in(at.lengths)}});
  };

  std::vector<Term> all;
  std::vector<std::vector<Term>> last(at.states.size());
  for (int64_t direction = 0; direction < op.directions(); ++direction) {
    const bool backward = op.direction == Direction::backward || direction == 1;
    const Cell cell{op, direction, T::functions, hidden};
    Term seen = backward ? turned(x) : x, gates = times_weights(seen, of_direction(1, direction));
    Term hidden_bias;
    if (d.has(3)) {
      const Dim size = w[1];
      Term biases = of_direction(3, direction), own = part(biases, 0, 0, size);
      hidden_bias = part(biases, 0, size, size);
      if (apart) {
        Term none = expand(number(d, dtype, 0), {hidden});
        gates = gates + (own + concat({part(hidden_bias, 0, 0, Dim(2) * hidden), none}, 0));
      } else {
        gates = gates + (own + hidden_bias);
      }
    }
    Loop loop;
    loop.body = std::make_shared<Graph>();
    Graph& body = *loop.body;
    body.name = "step";
    body.share_symbols(d.graph());
    Emitter inside(body, d.origin());
    std::vector<ValueId> operands(Loop::first_carried, absent);
    if (lengths) operands[Loop::lengths] = d.in(at.lengths);
    std::vector<Term> states;
    for (size_t place : at.states) {
      Term first =
          d.has(place) ? of_direction(place, direction) : expand(number(d, dtype, 0), {steps[1], hidden});
      operands.push_back(first.id);
      states.push_back({&inside, body.add_input("state", Type(dtype, {steps[1], hidden}))});
    }
    operands.push_back(gates.id);
    Term now{&inside, body.add_input("gates", Type(dtype, {steps[1], w[1]}))};
    // Constants are the body's own.
    const auto captured = [&](Term value) {
      if (const ConstantPtr& constant = d.graph().value(value.id).constant)
        return Term{&inside, inside.constant(constant)};
      operands.push_back(value.id);
      return Term{&inside, body.add_input("weights", value.type())};
    };
    Inner inner{captured(of_direction(2, direction)), {}, {}};
    if (apart && hidden_bias.at) inner.hidden_bias = captured(hidden_bias);
    if (at.peephole && d.has(at.peephole)) inner.peephole = captured(of_direction(at.peephole, direction));
    const std::vector<Term> next = step(cell, d.node().op, inner, now, states);
    for (const Term& state : next) body.outputs.push_back({"state", state.id});
    body.outputs.push_back({"y", next[0].id});

    loop.carried = static_cast<int64_t>(states.size());
    const int64_t reversed = backward && !lengths;
    loop.step_axes = {0}, loop.step_reversed = {reversed};
    loop.stack_axes = {0}, loop.stack_reversed = {reversed};
    if (lengths) loop.carried_rows.assign(states.size(), 0), loop.stack_rows = {0};
    const std::vector<ValueId> results = d.emit(loop, operands, states.size() + 1);
    for (size_t k = 0; k < states.size(); ++k) last[k].push_back(unsqueeze({&d, results[k]}, {0}));
    Term y{&d, results.back()};
    all.push_back(unsqueeze(backward ? turned(y) : y, {1}));
  }
  Term y = all.size() == 1 ? all[0] : concat(all, 1);
  if (op.batch_major) y = transpose(y, {2, 0, 1, 3});
  d.result(0, y.id);
  for (size_t k = 0; k < last.size(); ++k)
    d.result(k + 1, (last[k].size() == 1 ? last[k][0] : concat(last[k], 0)).id);
}

void rnn(Decompose& d) { recurrent<Rnn>(d, {{4}, 5, 0}, rnn_step); }
void gru(Decompose& d) { recurrent<Gru>(d, {{4}, 5, 0}, gru_step); }
void lstm(Decompose& d) { recurrent<Lstm>(d, {{4, 5}, 6, 7}, lstm_step); }

}  // namespace

void recurrent_decompositions(Decompositions& table) {
  table.add<Rnn>(rnn);
  table.add<Gru>(gru);
  table.add<Lstm>(lstm);
}

}  // namespace remodel
