#include "ops/activation.h"

#include <cmath>

#include "ops/binary.h"
#include "ops/unary.h"
#include "passes/decompose.h"

namespace remodel {
namespace {

ValueId times(Decompose& d, double factor, ValueId x) {
  return d.emit(Mul{}, {d.scalar(d.dtype(0), factor), x});
}
ValueId plus(Decompose& d, ValueId x, double number) {
  return d.emit(Add{}, {x, d.scalar(d.dtype(0), number)});
}

void relu(Decompose& d) { d.result(0, d.emit(Max{}, {d.in(0), d.scalar(d.dtype(0), 0)})); }

void clamp(Decompose& d) {
  const auto& op = d.op<Clamp>();
  ValueId x = d.in(0);
  if (!std::isinf(op.low) || op.low > 0) x = d.emit(Max{}, {x, d.scalar(d.dtype(0), op.low)});
  if (!std::isinf(op.high) || op.high < 0) x = d.emit(Min{}, {x, d.scalar(d.dtype(0), op.high)});
  d.result(0, x);
}

void prelu(Decompose& d) {
  ValueId negative = d.emit(Less{}, {d.in(0), d.scalar(d.dtype(0), 0)});
  d.result(0, d.emit(Select{}, {negative, d.emit(Mul{}, {d.in(1), d.in(0)}), d.in(0)}));
}

void threshold(Decompose& d) {
  const auto& op = d.op<Threshold>();
  ValueId above = d.emit(Greater{}, {d.in(0), d.scalar(d.dtype(0), op.at)});
  d.result(0, d.emit(Select{}, {above, d.in(0), d.scalar(d.dtype(0), op.otherwise)}));
}

void celu(Decompose& d) {
  double alpha = d.op<Celu>().alpha;
  ValueId scaled = d.emit(Div{}, {d.in(0), d.scalar(d.dtype(0), alpha)});
  ValueId curve = times(d, alpha, plus(d, d.emit(Exp{}, {scaled}), -1));
  d.result(0, d.emit(Add{}, {d.emit(Relu{}, {d.in(0)}), d.emit(Min{}, {curve, d.scalar(d.dtype(0), 0)})}));
}

void hard_swish(Decompose& d) {
  HardSigmoid gate;
  gate.alpha = 1. / 6, gate.beta = 0.5;
  d.result(0, d.emit(Mul{}, {d.in(0), d.emit(gate, {d.in(0)})}));
}

void swish(Decompose& d) {
  double beta = d.op<Swish>().beta;
  ValueId inside = beta == 1 ? d.in(0) : times(d, beta, d.in(0));
  d.result(0, d.emit(Mul{}, {d.in(0), d.emit(Sigmoid{}, {inside})}));
}

void gelu(Decompose& d) {
  ValueId x = d.in(0), gate;
  if (d.op<Gelu>().form == Gelu::Form::erf) {
    gate = d.emit(Erf{}, {times(d, std::sqrt(0.5), x)});
  } else {
    ValueId cube = d.emit(Pow{}, {x, d.scalar(d.dtype(0), 3)});
    ValueId inside = times(d, 0.7978845608028654, d.emit(Add{}, {x, times(d, 0.044715, cube)}));
    gate = d.emit(Tanh{}, {inside});
  }
  d.result(0, d.emit(Mul{}, {times(d, 0.5, x), plus(d, gate, 1)}));
}

void mish(Decompose& d) {
  d.result(0, d.emit(Mul{}, {d.in(0), d.emit(Tanh{}, {d.emit(Softplus{}, {d.in(0)})})}));
}

void softmax(Decompose& d) {
  Softmax op = d.op<Softmax>();
  if (op.beta == 1) fail("softmax along axis {} has no form", op.axis);
  ValueId scaled = times(d, op.beta, d.in(0));
  op.beta = 1;
  d.result(0, d.emit(op, {scaled}));
}

}  // namespace

void activation_decompositions(Decompositions& table) {
  table.add<Relu>(relu);
  table.add<Clamp>(clamp);
  table.add<Prelu>(prelu);
  table.add<Threshold>(threshold);
  table.add<Celu>(celu);
  table.add<HardSwish>(hard_swish);
  table.add<Swish>(swish);
  table.add<Gelu>(gelu);
  table.add<Mish>(mish);
  table.add<Softmax>(softmax);
}

}  // namespace remodel
