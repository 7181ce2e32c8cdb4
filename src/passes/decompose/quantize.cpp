#include "ops/quantize.h"

#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"
#include "passes/decompose.h"

namespace remodel {
namespace {

// Scales or zero points, as f32, in a shape that broadcasts against x.
ValueId parameter(Decompose& node, size_t i, int64_t axis, int64_t block) {
  ValueId value = node.in(i);
  if (node.dtype(i) != DType::f32) value = node.emit(cast_to(DType::f32), {value});
  const Type& type = node.type(i);
  if (has_one_element(type)) return type.dims->empty() ? value : node.emit(Reshape{{}, false}, {value});
  Dims x = node.dims(0);
  int64_t rank = static_cast<int64_t>(x.size()), at = resolve_axis(axis, x.size());
  if (block == 0) {
    std::vector<int64_t> behind;
    for (int64_t i = 1; i < rank - at; ++i) behind.push_back(i);
    return behind.empty() ? value : node.emit(Unsqueeze{behind}, {value});
  }
  // Each one as often as its block is long; the last block may be cut.
  Dims dims = node.dims(i), repeated = dims;
  repeated.insert(repeated.begin() + at + 1, Dim(block));
  value = node.emit(Expand{repeated}, {node.emit(Unsqueeze{{at + 1}}, {value})});
  Dims whole = dims;
  whole[at] = dims[at] * Dim(block);
  value = node.emit(Reshape{whole, false}, {value});
  if (whole[at] == x[at]) return value;
  Slice cut;
  cut.axes = {at}, cut.starts = {0}, cut.sizes = {x[at]}, cut.steps = {1};
  return node.emit(cut, {value});
}

struct Range {
  double low, high;  // floats inside of the type
};

Range range_of(DType dtype) {
  int bits = bits_of(dtype);
  double span = bits == 32 ? 4294967296.0 : static_cast<double>(int64_t{1} << bits);
  double high = is_signed(dtype) ? span / 2 - 1 : span - 1;
  // The largest f32 below 2^31 or 2^32.
  if (bits == 32) high = is_signed(dtype) ? 2147483520.0 : 4294967040.0;
  return {is_signed(dtype) ? -span / 2 : 0, high};
}

// Rounded half away from zero: the largest float below 1/2 is added to the magnitude, and what is behind the
// point goes.
ValueId half_away(Decompose& node, ValueId x) {
  ValueId size = node.emit(Add{}, {node.emit(Abs{}, {x}), node.scalar(DType::f32, 0.49999997f)});
  return node.emit(Mul{}, {node.emit(Sign{}, {x}), node.emit(Floor{}, {size})});
}

void decompose_quantize(Decompose& node) {
  const auto& op = node.op<Quantize>();
  if (bits_of(op.to) > 32) fail("codes of {} have no other form", name_of(op.to));
  ValueId x = node.in(0);
  if (node.dtype(0) != DType::f32) x = node.emit(cast_to(DType::f32), {x});
  ValueId quotient = node.emit(Div{}, {x, parameter(node, 1, op.axis, op.block)});
  if (is_small_float(op.precision))
    quotient = node.emit(cast_to(DType::f32), {node.emit(cast_to(op.precision), {quotient})});
  Cast cast = cast_to(op.to);
  if (!op.saturate) cast.overflow = Overflow::wrap;
  if (is_float(op.to)) return node.result(0, node.emit(cast, {quotient}));
  ValueId code = op.half_away ? half_away(node, quotient) : node.emit(Round{}, {quotient});
  if (node.has(2)) code = node.emit(Add{}, {code, parameter(node, 2, op.axis, op.block)});
  Range range = range_of(op.to);
  node.result(0, node.emit(cast_to(op.to), {node.emit(Clamp{range.low, range.high}, {code})}));
}

void decompose_dequantize(Decompose& node) {
  const auto& op = node.op<Dequantize>();
  ValueId x = node.in(0);
  // Codes of a type that a target may lack are held in a wider one.
  DType from = node.dtype(0);
  if (node.graph().value(x).constant && (is_packed(from) || is_small_float(from))) {
    DType held = is_float(from) ? DType::f32 : is_signed(from) ? DType::i8 : DType::u8;
    x = node.constant(constant_cast(node.graph().value(x).constant, held));
  }
  if (node.graph().value(x).type.dtype != DType::f32) x = node.emit(cast_to(DType::f32), {x});
  if (node.has(2)) x = node.emit(Sub{}, {x, parameter(node, 2, op.axis, op.block)});
  ValueId y = node.emit(Mul{}, {x, parameter(node, 1, op.axis, op.block)});
  node.result(0, op.to == DType::f32 ? y : node.emit(cast_to(op.to), {y}));
}

void decompose_dynamic_quantize(Decompose& node) {
  const auto op = node.op<DynamicQuantize>();
  const int64_t rank = static_cast<int64_t>(node.dims(0).size());
  ValueId x = node.in(0);
  if (node.dtype(0) != DType::f32) x = node.emit(cast_to(DType::f32), {x});
  auto number = [&](double value) { return node.scalar(DType::f32, value); };
  Reduce reduce;
  reduce.keep = op.rows;
  for (int64_t axis = op.rows ? rank - 1 : 0; axis < rank; ++axis) reduce.axes.push_back(axis);
  reduce.kind = Reduce::Kind::max;
  ValueId high = node.emit(Max{}, {node.emit(reduce, {x}), number(0)});
  reduce.kind = Reduce::Kind::min;
  ValueId low = node.emit(Min{}, {node.emit(reduce, {x}), number(0)});
  if (op.symmetric) {
    ValueId most = node.emit(Max{}, {node.emit(Neg{}, {low}), high});
    ValueId scale = node.emit(Div{}, {most, number(127)});
    scale = node.emit(Select{}, {node.emit(Greater{}, {high, low}), scale, number(1)});
    ValueId code = half_away(node, node.emit(Div{}, {x, scale}));
    node.result(0, node.emit(cast_to(DType::i8), {code}));
    node.result(1, scale);
    node.result(2, node.emit(cast_to(DType::i8), {node.emit(Sub{}, {scale, scale})}));
    return;
  }
  ValueId scale = node.emit(Div{}, {node.emit(Sub{}, {high, low}), number(255)});
  scale = node.emit(Select{}, {node.emit(Greater{}, {high, low}), scale, number(1)});
  ValueId zero = node.emit(Div{}, {node.emit(Neg{}, {low}), scale});
  zero = node.emit(Round{}, {node.emit(Clamp{0, 255}, {zero})});
  ValueId code = node.emit(Add{}, {node.emit(Round{}, {node.emit(Div{}, {x, scale})}), zero});
  node.result(0, node.emit(cast_to(DType::u8), {node.emit(Clamp{0, 255}, {code})}));
  node.result(1, scale);
  node.result(2, node.emit(cast_to(DType::u8), {zero}));
}

}  // namespace

void quantize_decompositions(Decompositions& table) {
  table.add<Quantize>(decompose_quantize);
  table.add<Dequantize>(decompose_dequantize);
  table.add<DynamicQuantize>(decompose_dynamic_quantize);
}

}  // namespace remodel
