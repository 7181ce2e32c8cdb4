#include "ops/quantize.h"

#include "ops/activation.h"
#include "ops/cast.h"
#include "ops/unary.h"
#include "passes/decompose/term.h"

namespace remodel {
namespace {

Term as_f32(Decompose& d, size_t i) { return cast({&d, d.in(i)}, DType::f32); }

// Scales or zero points, as f32, in a shape that broadcasts against x.
Term parameter(Decompose& d, size_t i, int64_t axis, int64_t block) {
  Term value = as_f32(d, i);
  if (has_one_element(value.type())) return value.type().dims->empty() ? value : reshape(value, {});
  const Dims x = d.dims(0), dims = d.dims(i);
  const int64_t rank = static_cast<int64_t>(x.size()), at = resolve_axis(axis, x.size());
  if (block == 0) {
    std::vector<int64_t> behind;
    for (int64_t i = 1; i < rank - at; ++i) behind.push_back(i);
    return behind.empty() ? value : unsqueeze(value, behind);
  }
  // Each one as often as its block is long; the last block may be cut.
  Dims repeated = dims, whole = dims;
  repeated.insert(repeated.begin() + at + 1, Dim(block));
  whole[at] = dims[at] * Dim(block);
  value = reshape(expand(unsqueeze(value, {at + 1}), repeated), whole);
  return whole[at] == x[at] ? value : part(value, at, 0, x[at]);
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
Term half_away(Term x) {
  Term raised = abs(x) + 0.49999997f, sign = apply(Sign{}, {x});
  return sign * floor(raised);
}

Term clamped(Term x, double low, double high) { return apply(Clamp{low, high}, {x}); }

void decompose_quantize(Decompose& d) {
  const auto& op = d.op<Quantize>();
  if (bits_of(op.to) > 32) fail("codes of {} have no other form", name_of(op.to));
  Term quotient = as_f32(d, 0) / parameter(d, 1, op.axis, op.block);
  if (is_small_float(op.precision)) quotient = cast(cast(quotient, op.precision), DType::f32);
  if (is_float(op.to)) {
    Cast to = cast_to(op.to);
    if (!op.saturate) to.overflow = Overflow::wrap;
    return d.result(0, apply(to, {quotient}).id);
  }
  Term code = op.half_away ? half_away(quotient) : apply(Round{}, {quotient});
  if (d.has(2)) code = code + parameter(d, 2, op.axis, op.block);
  const Range range = range_of(op.to);
  d.result(0, cast(clamped(code, range.low, range.high), op.to).id);
}

void decompose_dequantize(Decompose& d) {
  const auto& op = d.op<Dequantize>();
  Term x{&d, d.in(0)};
  // Codes of a type that a target may lack are held in a wider one.
  const DType from = x.dtype();
  if (const ConstantPtr codes = d.graph().value(x.id).constant;
      codes && (is_packed(from) || is_small_float(from))) {
    DType held = is_float(from) ? DType::f32 : is_signed(from) ? DType::i8 : DType::u8;
    x = {&d, d.constant(constant_cast(codes, held))};
  }
  x = cast(x, DType::f32);
  if (d.has(2)) x = x - parameter(d, 2, op.axis, op.block);
  d.result(0, cast(x * parameter(d, 1, op.axis, op.block), op.to).id);
}

void decompose_dynamic_quantize(Decompose& d) {
  const auto& op = d.op<DynamicQuantize>();
  const int64_t rank = static_cast<int64_t>(d.dims(0).size());
  Term x = as_f32(d, 0);
  std::vector<int64_t> axes;
  for (int64_t axis = op.rows ? rank - 1 : 0; axis < rank; ++axis) axes.push_back(axis);
  Term high = max(reduce(Reduce::Kind::max, x, axes, op.rows), 0);
  Term low = min(reduce(Reduce::Kind::min, x, axes, op.rows), 0);
  // 1 where all of x is 0.
  auto or_one = [&](Term scale) { return select(high > low, scale, number(d, DType::f32, 1)); };
  if (op.symmetric) {
    Term scale = or_one(max(apply(Neg{}, {low}), high) / 127);
    d.result(0, cast(half_away(x / scale), DType::i8).id);
    d.result(1, scale.id);
    return d.result(2, cast(scale - scale, DType::i8).id);
  }
  Term scale = or_one((high - low) / 255);
  Term zero = apply(Round{}, {clamped(apply(Neg{}, {low}) / scale, 0, 255)});
  Term code = apply(Round{}, {x / scale}) + zero;
  d.result(0, cast(clamped(code, 0, 255), DType::u8).id);
  d.result(1, scale.id);
  d.result(2, cast(zero, DType::u8).id);
}

}  // namespace

void quantize_decompositions(Decompositions& table) {
  table.add<Quantize>(decompose_quantize);
  table.add<Dequantize>(decompose_dequantize);
  table.add<DynamicQuantize>(decompose_dynamic_quantize);
}

}  // namespace remodel
