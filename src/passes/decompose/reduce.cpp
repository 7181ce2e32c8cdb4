#include "ops/reduce.h"

#include <numeric>

#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"
#include "passes/decompose/bodies.h"

namespace remodel {
namespace {

using Kind = Reduce::Kind;

// What a reduction does to one element, and to the sum.
ValueId before_sum(Decompose& d, Kind kind, ValueId x) {
  switch (kind) {
    case Kind::l1:
      return d.emit(Abs{}, {x});
    case Kind::l2:
    case Kind::sum_of_squares:
      return d.emit(Mul{}, {x, x});
    default:
      return x;
  }
}
ValueId after_sum(Decompose& d, Kind kind, ValueId sum) {
  if (kind == Kind::l2) return d.emit(Sqrt{}, {sum});
  return kind == Kind::log_sum ? d.emit(Log{}, {sum}) : sum;
}

// Axis by axis from the last, each only if it is among those that the operand lists.
Term over_listed_axes(Decompose& d, Kind kind, Term x) {
  const auto& op = d.op<Reduce>();
  const int64_t rank = static_cast<int64_t>(d.dims(0).size());
  Term axes{&d, d.in(1)}, chosen = listed(axes, rank);
  if (!op.empty_is_none) chosen = chosen || apply(CountOf{}, {axes}) == 0;
  for (int64_t axis = rank; axis-- > 0;)
    x = if_else(
        at_index(chosen, 0, axis), {x},
        [&](Emitter&, const std::vector<Term>& given) {
          return std::vector<Term>{reduce(kind, given[0], {axis}, op.keep)};
        },
        [](Emitter&, const std::vector<Term>& given) { return given; })[0];
  return x;
}

// Over no axis, or over axes that are only known at run time, through a sum over them. Small floats and
// integers whose root or logarithm is taken compute in a wider float, as the kernels do.
void take_reduce_apart(Decompose& d) {
  const auto& op = d.op<Reduce>();
  DType dtype = d.dtype(0), wide = dtype;
  bool none = !d.has(1) && op.axes.empty();
  bool bends = op.kind == Kind::l2 || op.kind == Kind::log_sum;
  if (is_small_float(dtype) && !none) wide = DType::f32;
  if (is_integer(dtype) && bends) wide = DType::f64;
  ValueId x = wide == dtype ? d.in(0) : d.emit(Cast(wide), {d.in(0)});
  ValueId result;
  if (none) {
    if (op.kind == Kind::l2)
      result = d.emit(Abs{}, {x});
    else
      result = after_sum(d, op.kind, before_sum(d, op.kind, x));
  } else {
    if (!d.has(1)) fail("a reduction of {} over these axes has no form", name_of(dtype));
    bool associative = op.kind == Kind::sum || op.kind == Kind::product || op.kind == Kind::max ||
                       op.kind == Kind::min || op.kind == Kind::log_sum_exp;
    if (associative) {
      result = over_listed_axes(d, op.kind, {&d, x}).id;
      return d.result(0, wide == dtype ? result : d.emit(Cast(dtype), {result}));
    }
    Reduce sum{Kind::sum, {}, op.keep, op.empty_is_none};
    result = after_sum(d, op.kind, d.emit(sum, {before_sum(d, op.kind, x), d.in(1)}));
    if (op.kind == Kind::mean) {
      ValueId ones = d.emit(Expand{}, {d.scalar(wide, 1), d.emit(ShapeOf{}, {x})});
      Div div;
      if (is_integer(wide)) div.rounding = Div::Rounding::trunc;
      result = d.emit(div, {result, d.emit(sum, {ones, d.in(1)})});
    }
  }
  d.result(0, wide == dtype ? result : d.emit(Cast(dtype), {result}));
}

// The last of several is the first from the end.
template <class Op>
void arg_last(Decompose& d) {
  Op op = d.op<Op>();
  if (!op.last) fail("it has no form");
  op.last = false;
  int64_t axis = resolve_axis(op.axis, d.dims(0).size());
  const Dim size = d.dims(0)[axis];
  Slice back;
  back.axes = {axis}, back.starts = {size - 1}, back.sizes = {size}, back.steps = {-1};
  ValueId found = d.emit(op, {d.emit(back, {d.in(0)})});
  ValueId last = d.emit(Reshape{}, {d.emit(Sizes{{size - 1}}, {})});
  d.result(0, d.emit(Sub{}, {last, found}));
}

// Step by step, where the triangle would be too large.
Term cumulated_in_steps(Decompose& d, const Cumulate& op, Term x, int64_t axis) {
  const Dims dims = dims_of(x);
  const Dim& size = dims[static_cast<size_t>(axis)];
  Dims rest = dims;
  rest.erase(rest.begin() + axis);
  Term zero = expand(number(d, x.dtype(), 0), rest), count = size_term(d, size);
  Term lines = repeat(count, {zero}, {x, count}, [&](Emitter&, const std::vector<Term>& given) {
    Term step = op.reverse ? given[3] - 1 - given[0] : given[0];
    Term sum = given[1] + gather(given[2], step, axis);
    return std::vector<Term>{sum, op.exclusive ? given[1] : sum};
  })[1];
  if (op.reverse) lines = apply(Slice{{0}, {size - 1}, {size}, {-1}}, {lines});
  std::vector<int64_t> perm(dims.size());
  for (size_t i = 0; i < perm.size(); ++i)
    perm[i] = static_cast<int64_t>(i) + (static_cast<int64_t>(i) < axis);
  perm[static_cast<size_t>(axis)] = 0;
  return axis == 0 ? lines : transpose(lines, perm);
}

// A product with a triangle of ones.
void cumulate(Decompose& d) {
  const auto& op = d.op<Cumulate>();
  if (op.kind != Cumulate::Kind::sum) fail("running products are not made of other operators");
  const Dims dims = d.dims(0);
  const int64_t rank = static_cast<int64_t>(dims.size());
  Term x{&d, d.in(0)};
  if (d.has(1)) {
    Term axis = from_front(reshape({&d, d.in(1)}, {}), rank);
    Term sums = choose(axis, rank, {x}, [&](Emitter&, const std::vector<Term>& given, int64_t at) {
      Cumulate one = op;
      one.axis = at;
      return apply(one, {given[0]});
    });
    return d.result(0, sums.id);
  }
  const int64_t axis = resolve_axis(op.axis, dims.size());
  const Dim& size = dims[static_cast<size_t>(axis)];
  constexpr int64_t largest_triangle = 1024;
  if (!size.is_number() || size.number() > largest_triangle)
    return d.result(0, cumulated_in_steps(d, op, x, axis).id);
  Term from = unsqueeze(counting(d, size), {1}), to = counting(d, size);
  Term before = op.reverse ? to < from : from < to;
  if (!op.exclusive) before = before || from == to;
  std::vector<int64_t> swap(dims.size());
  std::iota(swap.begin(), swap.end(), 0);
  std::swap(swap[static_cast<size_t>(axis)], swap.back());
  bool moves = axis != rank - 1;
  Term sums = product(moves ? transpose(x, swap) : x, cast(before, d.dtype(0)));
  d.result(0, (moves ? transpose(sums, swap) : sums).id);
}

}  // namespace

void reduce_decompositions(Decompositions& table) {
  table.add<Reduce>(take_reduce_apart);
  table.add<ArgMax>(arg_last<ArgMax>);
  table.add<ArgMin>(arg_last<ArgMin>);
  table.add<Cumulate>(cumulate);
}

}  // namespace remodel
