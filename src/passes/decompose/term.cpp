#include "passes/decompose/term.h"

#include <numeric>

#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/generate.h"
#include "ops/matmul.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"

namespace remodel {

Term apply(Op op, std::initializer_list<Term> operands) {
  std::vector<ValueId> ids;
  for (const Term& operand : operands) ids.push_back(operand.id);
  Emitter* at = operands.begin()->at;
  return {at, at->emit(std::move(op), std::move(ids))};
}

Term number(Emitter& at, DType dtype, double value) { return {&at, at.scalar(dtype, value)}; }

namespace {

Term like(double value, Term x) { return number(*x.at, x.dtype(), value); }

}  // namespace

Term operator+(Term a, Term b) { return apply(Add{}, {a, b}); }
Term operator-(Term a, Term b) { return apply(Sub{}, {a, b}); }
Term operator*(Term a, Term b) { return apply(Mul{}, {a, b}); }
Term operator/(Term a, Term b) {
  Div op;
  if (is_integer(a.dtype())) op.rounding = Div::Rounding::trunc;
  return apply(op, {a, b});
}
Term operator+(Term a, double b) { return a + like(b, a); }
Term operator-(Term a, double b) { return a - like(b, a); }
Term operator-(double a, Term b) { return like(a, b) - b; }
Term operator*(double a, Term b) { return like(a, b) * b; }
Term operator/(Term a, double b) { return a / like(b, a); }
Term operator/(double a, Term b) { return like(a, b) / b; }
Term operator&&(Term a, Term b) { return apply(And{}, {a, b}); }
Term operator||(Term a, Term b) { return apply(Or{}, {a, b}); }
Term operator!(Term a) { return apply(Not{}, {a}); }
Term operator<(Term a, Term b) { return apply(Less{}, {a, b}); }
Term operator>(Term a, Term b) { return apply(Greater{}, {a, b}); }
Term operator==(Term a, Term b) { return apply(Equal{}, {a, b}); }
Term operator<(Term a, double b) { return a < like(b, a); }
Term operator>(Term a, double b) { return a > like(b, a); }
Term operator==(Term a, double b) { return a == like(b, a); }

Term min(Term a, Term b) { return apply(Min{}, {a, b}); }
Term max(Term a, Term b) { return apply(Max{}, {a, b}); }
Term min(Term a, double b) { return min(a, like(b, a)); }
Term max(Term a, double b) { return max(a, like(b, a)); }
Term floor(Term x) { return apply(Floor{}, {x}); }
Term ceil(Term x) { return apply(Ceil{}, {x}); }
Term abs(Term x) { return apply(Abs{}, {x}); }
Term truncated(Term x) { return select(x < 0, ceil(x), floor(x)); }
Term remainder(Term x, Term divisor) { return apply(Mod{}, {x, divisor}); }
Term select(Term condition, Term a, Term b) { return apply(Select{}, {condition, a, b}); }
Term cast(Term x, DType dtype) { return x.dtype() == dtype ? x : apply(Cast(dtype), {x}); }
Term reshape(Term x, Dims dims) { return apply(Reshape{std::move(dims), false}, {x}); }
Term unsqueeze(Term x, std::vector<int64_t> axes) { return apply(Unsqueeze{std::move(axes)}, {x}); }
Term squeeze(Term x, std::vector<int64_t> axes) { return apply(Squeeze{std::move(axes)}, {x}); }
Term transpose(Term x, std::vector<int64_t> perm) { return apply(Transpose{std::move(perm)}, {x}); }
Term expand(Term x, Dims dims) { return apply(Expand{std::move(dims)}, {x}); }
Term concat(const std::vector<Term>& parts, int64_t axis) {
  std::vector<ValueId> ids;
  for (const Term& part : parts) ids.push_back(part.id);
  return {parts[0].at, parts[0].at->emit(Concat{axis}, ids)};
}
Term gather(Term x, Term places, int64_t axis) {
  Gather op;
  op.axis = axis;
  return apply(op, {x, places});
}
Term part(Term x, int64_t axis, const Dim& start, const Dim& size) {
  return apply(Slice{{axis}, {start}, {size}, {1}}, {x});
}
Term at_index(Term x, int64_t axis, int64_t index) {
  return gather(x, number(*x.at, DType::i64, static_cast<double>(index)), axis);
}
Term reduce(Reduce::Kind kind, Term x, std::vector<int64_t> axes, bool keep) {
  return apply(Reduce{kind, std::move(axes), keep}, {x});
}
Term product(Term a, Term b) { return apply(MatMul{}, {a, b}); }

Dims dims_of(Term x) {
  if (!x.type().dims) fail("the rank of an operand is not known");
  return *x.type().dims;
}

Term sizes_term(Emitter& at, const Dims& sizes) {
  auto known = numbers(sizes);
  return {&at, known ? at.integers(*known) : at.emit(Sizes{sizes}, {})};
}
Term size_term(Emitter& at, const Dim& size, DType dtype) {
  if (size.is_number()) return number(at, dtype, static_cast<double>(size.number()));
  return cast(at_index(sizes_term(at, {size}), 0, 0), dtype);
}

Term counting(Emitter& at, const Dim& size, DType dtype) {
  // Longer lists than that are better computed than kept.
  constexpr int64_t longest = 1 << 16;
  if (!size.is_number() || size.number() > longest)
    return cast({&at, at.emit(Range{DType::i64, 0, size, 1}, {})}, dtype);
  std::vector<int64_t> values(static_cast<size_t>(size.number()));
  std::iota(values.begin(), values.end(), 0);
  return cast({&at, at.integers(values)}, dtype);
}
Term counting(Term size, DType dtype) {
  Emitter& at = *size.at;
  return cast(apply(Range{}, {number(at, DType::i64, 0), size, number(at, DType::i64, 1)}), dtype);
}

Term from_front(Term places, Term sizes) {
  places = cast(places, DType::i64);
  return select(places < 0, places + sizes, places);
}
Term from_front(Term places, int64_t size) {
  return from_front(places, number(*places.at, DType::i64, static_cast<double>(size)));
}
Term listed(Term axes, int64_t rank) {
  Term matches = unsqueeze(from_front(axes, rank), {1}) == counting(*axes.at, rank);
  return reduce(Reduce::Kind::sum, cast(matches, DType::i32), {0}) > 0;
}

}  // namespace remodel
