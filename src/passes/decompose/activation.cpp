#include "ops/activation.h"

#include <cmath>

#include "ops/binary.h"
#include "ops/unary.h"
#include "passes/decompose/term.h"

namespace remodel {
namespace {

Term x_of(Decompose& d) { return {&d, d.in(0)}; }

void relu(Decompose& d) { d.result(0, max(x_of(d), 0).id); }

void clamp(Decompose& d) {
  const auto& op = d.op<Clamp>();
  Term x = x_of(d);
  if (!std::isinf(op.low) || op.low > 0) x = max(x, op.low);
  if (!std::isinf(op.high) || op.high < 0) x = min(x, op.high);
  d.result(0, x.id);
}

void prelu(Decompose& d) {
  Term x = x_of(d), slope{&d, d.in(1)};
  d.result(0, select(x < 0, slope * x, x).id);
}

void threshold(Decompose& d) {
  const auto& op = d.op<Threshold>();
  Term x = x_of(d);
  d.result(0, select(x > op.at, x, number(d, x.dtype(), op.otherwise)).id);
}

// x above 0, and alpha * (e^x - 1) below.
Term curved(Term x, double alpha) {
  Term below = apply(Exp{}, {min(x, 0)}) - 1;
  return apply(Relu{}, {x}) + (alpha == 1 ? below : alpha * below);
}
void elu(Decompose& d) {
  if (d.op<Elu>().alpha == 1) fail("it does not take {}", name_of(d.dtype(0)));
  d.result(0, curved(x_of(d), d.op<Elu>().alpha).id);
}
void selu(Decompose& d) {
  const auto& op = d.op<Selu>();
  d.result(0, (op.gain * curved(x_of(d), op.alpha)).id);
}

void hard_sigmoid(Decompose& d) {
  const auto& op = d.op<HardSigmoid>();
  d.result(0, apply(Clamp{0, 1}, {op.alpha * x_of(d) + op.beta}).id);
}

// The logarithm of 1 + x for a small x: what rounding the sum adds or takes is made good.
Term log_of_one_and(Term x) {
  Term sum = x + 1, added = sum - 1, one = number(*x.at, x.dtype(), 1);
  Term share = x / select(added == 0, one, added);
  return select(added == 0, x, share * apply(Log{}, {sum}));
}

// Only negative numbers are raised, so that no power is infinite.
void softplus(Decompose& d) {
  Term x = x_of(d);
  d.result(0, (apply(Relu{}, {x}) + log_of_one_and(apply(Exp{}, {0 - abs(x)}))).id);
}
void softsign(Decompose& d) {
  Term x = x_of(d);
  d.result(0, (x / (abs(x) + 1)).id);
}

void shrink(Decompose& d) {
  const auto& op = d.op<Shrink>();
  Term x = x_of(d), inside = number(d, x.dtype(), 0);
  d.result(0, select(x > op.lambda, x - op.bias, select(x < -op.lambda, x + op.bias, inside)).id);
}

void hardmax(Decompose& d) {
  const Dims dims = d.dims(0);
  const auto axis = static_cast<size_t>(resolve_axis(d.op<Hardmax>().axis, dims.size()));
  ArgMax first;
  first.axis = static_cast<int64_t>(axis);
  Dims shape(dims.size(), Dim(1));
  shape[axis] = dims[axis];
  Term places = reshape(counting(d, dims[axis]), shape);
  d.result(0, cast(apply(first, {x_of(d)}) == places, d.dtype(0)).id);
}

void celu(Decompose& d) {
  double alpha = d.op<Celu>().alpha;
  Term x = x_of(d), curve = alpha * (apply(Exp{}, {x / alpha}) - 1);
  d.result(0, (apply(Relu{}, {x}) + min(curve, 0)).id);
}

void hard_swish(Decompose& d) {
  HardSigmoid gate;
  gate.alpha = 1. / 6, gate.beta = 0.5;
  Term x = x_of(d);
  d.result(0, (x * apply(gate, {x})).id);
}

void swish(Decompose& d) {
  double beta = d.op<Swish>().beta;
  Term x = x_of(d);
  d.result(0, (x * apply(Sigmoid{}, {beta == 1 ? x : beta * x})).id);
}

void gelu(Decompose& d) {
  Term x = x_of(d), gate;
  if (d.op<Gelu>().form == Gelu::Form::erf) {
    gate = apply(Erf{}, {std::sqrt(0.5) * x});
  } else {
    Term cube = apply(Pow{}, {x, number(d, x.dtype(), 3)});
    gate = apply(Tanh{}, {0.7978845608028654 * (x + 0.044715 * cube)});
  }
  d.result(0, (0.5 * x * (gate + 1)).id);
}

void mish(Decompose& d) {
  Term x = x_of(d);
  d.result(0, (x * apply(Tanh{}, {apply(Softplus{}, {x})})).id);
}

void softmax(Decompose& d) {
  Softmax op = d.op<Softmax>();
  if (op.beta == 1) fail("softmax along axis {} has no form", op.axis);
  Term scaled = op.beta * x_of(d);
  op.beta = 1;
  d.result(0, apply(op, {scaled}).id);
}

}  // namespace

void activation_decompositions(Decompositions& table) {
  table.add<Relu>(relu);
  table.add<Clamp>(clamp);
  table.add<Prelu>(prelu);
  table.add<Threshold>(threshold);
  table.add<Celu>(celu);
  table.add<Elu>(elu);
  table.add<Selu>(selu);
  table.add<HardSigmoid>(hard_sigmoid);
  table.add<Softplus>(softplus);
  table.add<Softsign>(softsign);
  table.add<Shrink>(shrink);
  table.add<Hardmax>(hardmax);
  table.add<HardSwish>(hard_swish);
  table.add<Swish>(swish);
  table.add<Gelu>(gelu);
  table.add<Mish>(mish);
  table.add<Softmax>(softmax);
}

}  // namespace remodel
