#include "passes/gradient_table.h"

#include "base/error.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/unary.h"

namespace remodel {

Dims Backward::dims(ValueId value) const {
  const Type& type = graph_.value(value).type;
  if (!type.dims) fail("the rank of '{}' is not known", graph_.value(value).name);
  return *type.dims;
}

ValueId Backward::emit(Op op, std::vector<ValueId> operands) {
  NodeId id = graph_.add_node(std::move(op), std::move(operands), {""}, origin_);
  return graph_.node(id).outputs[0];
}

ValueId Backward::filled(double value, const Dims& dims) {
  ValueId one = graph_.add_constant(constant_splat(dtype(given_), {}, value));
  return dims.empty() ? one : emit(Expand{dims}, {one});
}

void Backward::begin(ValueId y) {
  if (!is_float(dtype(y))) fail("'{}' is no real number", graph_.value(y).name);
  given_ = y;
  auto place = gradients_.find(y);
  if (place != gradients_.end()) place->second = filled(1, dims(y));
}

void Backward::through(NodeId id) {
  node_ = graph_.node(id);
  auto place = node_.outputs.empty() ? gradients_.end() : gradients_.find(node_.outputs[0]);
  if (place == gradients_.end() || place->second == absent) return;
  given_ = place->second;
  BackwardFn fn = backward_table().find(node_.op.info());
  if (!fn) fail("the derivative of '{}' is not known", node_.op.name());
  fn(*this);
}

ValueId Backward::gradient_of(ValueId value) {
  ValueId found = gradients_.at(value);
  if (found != absent) return found;
  given_ = value;
  return filled(0, dims(value));
}

ValueId Backward::summed_to(ValueId gradient, const Dims& to) {
  const Dims from = dims(gradient);
  if (from.size() < to.size()) fail("a gradient {} of operand {}", text_of(from), text_of(to));
  size_t extra = from.size() - to.size();
  Reduce front, inner;
  front.keep = false;
  for (size_t axis = 0; axis < extra; ++axis) front.axes.push_back(static_cast<int64_t>(axis));
  for (size_t axis = 0; axis < to.size(); ++axis) {
    if (from[extra + axis] == to[axis]) continue;
    if (!to[axis].is_number(1))
      fail("it is not known whether {} is repeated to {}", to[axis].text(), from[extra + axis].text());
    inner.axes.push_back(static_cast<int64_t>(axis));
  }
  if (!front.axes.empty()) gradient = emit(front, {gradient});
  return inner.axes.empty() ? gradient : emit(inner, {gradient});
}

void Backward::give(size_t i, ValueId gradient) {
  if (!wants(i)) return;
  gradient = summed_to(gradient, dims(in(i)));
  ValueId& sum = gradients_.at(in(i));
  sum = sum == absent ? gradient : emit(Add{}, {sum, gradient});
}

namespace {

ValueId sub(Backward& b, ValueId x, ValueId y) { return b.emit(Sub{}, {x, y}); }
ValueId mul(Backward& b, ValueId x, ValueId y) { return b.emit(Mul{}, {x, y}); }
ValueId div(Backward& b, ValueId x, ValueId y) { return b.emit(Div{}, {x, y}); }
ValueId neg(Backward& b, ValueId x) { return b.emit(Neg{}, {x}); }

void nothing(Backward&) {}

void of_mul(Backward& b) {
  if (b.wants(0)) b.give(0, mul(b, b.given(), b.in(1)));
  if (b.wants(1)) b.give(1, mul(b, b.given(), b.in(0)));
}

void of_div(Backward& b) {
  if (b.wants(0)) b.give(0, div(b, b.given(), b.in(1)));
  if (b.wants(1)) b.give(1, neg(b, div(b, mul(b, b.given(), b.out()), b.in(1))));
}

void of_pow(Backward& b) {
  ValueId x = b.in(0), power = b.in(1);
  if (b.wants(0)) {
    if (b.dtype(power) != b.dtype(x)) power = b.emit(cast_to(b.dtype(x)), {power});
    ValueId rest = b.emit(Pow{}, {x, sub(b, power, b.number(1))});
    b.give(0, mul(b, b.given(), mul(b, power, rest)));
  }
  if (b.wants(1)) b.give(1, mul(b, b.given(), mul(b, b.out(), b.emit(Log{}, {x}))));
}

void of_select(Backward& b) {
  ValueId zero = b.number(0);
  if (b.wants(1)) b.give(1, b.emit(Select{}, {b.in(0), b.given(), zero}));
  if (b.wants(2)) b.give(2, b.emit(Select{}, {b.in(0), zero, b.given()}));
}

// The factor of `slope` at x and the result y.
template <ValueId (*slope)(Backward&, ValueId x, ValueId y)>
void by_slope(Backward& b) {
  b.give(0, mul(b, b.given(), slope(b, b.in(0), b.out())));
}
ValueId slope_of_exp(Backward&, ValueId, ValueId y) { return y; }
ValueId slope_of_log(Backward& b, ValueId x, ValueId) { return b.emit(Reciprocal{}, {x}); }
ValueId slope_of_sqrt(Backward& b, ValueId, ValueId y) { return div(b, b.number(0.5), y); }
ValueId slope_of_reciprocal(Backward& b, ValueId, ValueId y) { return neg(b, mul(b, y, y)); }
ValueId slope_of_sin(Backward& b, ValueId x, ValueId) { return b.emit(Cos{}, {x}); }
ValueId slope_of_cos(Backward& b, ValueId x, ValueId) { return neg(b, b.emit(Sin{}, {x})); }
ValueId slope_of_tanh(Backward& b, ValueId, ValueId y) { return sub(b, b.number(1), mul(b, y, y)); }
ValueId slope_of_sigmoid(Backward& b, ValueId, ValueId y) { return mul(b, y, sub(b, b.number(1), y)); }
ValueId slope_of_abs(Backward& b, ValueId x, ValueId) { return b.emit(Sign{}, {x}); }

void of_relu(Backward& b) {
  ValueId zero = b.number(0);
  b.give(0, b.emit(Select{}, {b.emit(Greater{}, {b.in(0), zero}), b.given(), zero}));
}

Reduce sum_along(int64_t axis) {
  Reduce sum;
  sum.axes = {axis};
  return sum;
}

void of_softmax(Backward& b) {
  const auto& op = b.op<Softmax>();
  ValueId weighted = mul(b, b.given(), b.out());
  ValueId centred = sub(b, b.given(), b.emit(sum_along(op.axis), {weighted}));
  ValueId gradient = mul(b, centred, b.out());
  b.give(0, op.beta == 1 ? gradient : mul(b, gradient, b.number(op.beta)));
}

void of_log_softmax(Backward& b) {
  ValueId sum = b.emit(sum_along(b.op<LogSoftmax>().axis), {b.given()});
  b.give(0, sub(b, b.given(), mul(b, b.emit(Exp{}, {b.out()}), sum)));
}

void of_reduce(Backward& b) {
  const auto& op = b.op<Reduce>();
  bool mean = op.kind == Reduce::Kind::mean;
  if ((op.kind != Reduce::Kind::sum && !mean) || b.has(1))
    fail("the derivative of this reduction is not known");
  const Dims from = b.dims(b.in(0));
  Dims kept = from;
  Dim count(1);
  for (int64_t axis : op.axes) {
    kept[resolve_axis(axis, from.size())] = 1;
    count = count * from[resolve_axis(axis, from.size())];
  }
  ValueId gradient = b.emit(Expand{from}, {b.emit(Reshape{kept, false}, {b.given()})});
  if (!mean) return b.give(0, gradient);
  if (!count.is_number()) fail("the mean is over {} elements", count.text());
  b.give(0, div(b, gradient, b.number(static_cast<double>(count.number()))));
}

void of_matmul(Backward& b) {
  const auto& op = b.op<MatMul>();
  if (b.dims(b.in(0)).size() < 2 || b.dims(b.in(1)).size() < 2)
    fail("the derivative of a product with a vector is not known");
  auto product = [&](ValueId x, bool turn_x, ValueId y, bool turn_y) {
    return b.emit(MatMul{turn_x, turn_y}, {x, y});
  };
  ValueId g = b.given(), x = b.in(0), y = b.in(1);
  if (b.wants(0))
    b.give(0, op.transpose_a ? product(y, op.transpose_b, g, true) : product(g, false, y, !op.transpose_b));
  if (b.wants(1))
    b.give(1, op.transpose_b ? product(g, true, x, op.transpose_a) : product(x, !op.transpose_a, g, false));
}

void of_transpose(Backward& b) {
  const auto& perm = b.op<Transpose>().perm;
  std::vector<int64_t> back(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) back[perm[i]] = static_cast<int64_t>(i);
  b.give(0, b.emit(Transpose{back}, {b.given()}));
}

void of_gather_elements(Backward& b) {
  ScatterElements put{b.op<GatherElements>().axis, Update::add};
  b.give(0, b.emit(put, {b.filled(0, b.dims(b.in(0))), b.in(1), b.given()}));
}

void back_in_shape(Backward& b) { b.give(0, b.emit(Reshape{b.dims(b.in(0)), false}, {b.given()})); }

}  // namespace

const BackwardTable& backward_table() {
  static const BackwardTable table = [] {
    BackwardTable made;
    made.add<Add>([](Backward& b) { b.give(0, b.given()), b.give(1, b.given()); });
    made.add<Sub>([](Backward& b) { b.give(0, b.given()), b.give(1, neg(b, b.given())); });
    made.add<Mul>(of_mul);
    made.add<Div>(of_div);
    made.add<Pow>(of_pow);
    made.add<Select>(of_select);
    made.add<Neg>([](Backward& b) { b.give(0, neg(b, b.given())); });
    made.add<Exp>(by_slope<slope_of_exp>);
    made.add<Log>(by_slope<slope_of_log>);
    made.add<Sqrt>(by_slope<slope_of_sqrt>);
    made.add<Reciprocal>(by_slope<slope_of_reciprocal>);
    made.add<Sin>(by_slope<slope_of_sin>);
    made.add<Cos>(by_slope<slope_of_cos>);
    made.add<Tanh>(by_slope<slope_of_tanh>);
    made.add<Sigmoid>(by_slope<slope_of_sigmoid>);
    made.add<Abs>(by_slope<slope_of_abs>);
    made.add<Relu>(of_relu);
    made.add<Sign>(nothing);
    made.add<Floor>(nothing);
    made.add<Ceil>(nothing);
    made.add<Round>(nothing);
    made.add<Softmax>(of_softmax);
    made.add<LogSoftmax>(of_log_softmax);
    made.add<Reduce>(of_reduce);
    made.add<MatMul>(of_matmul);
    made.add<Transpose>(of_transpose);
    made.add<GatherElements>(of_gather_elements);
    made.add<Reshape>(back_in_shape);
    made.add<Squeeze>(back_in_shape);
    made.add<Unsqueeze>(back_in_shape);
    made.add<Expand>([](Backward& b) { b.give(0, b.given()); });
    made.add<Cast>([](Backward& b) { b.give(0, b.emit(cast_to(b.dtype(b.in(0))), {b.given()})); });
    return made;
  }();
  return table;
}

}  // namespace remodel
