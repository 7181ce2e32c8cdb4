#include "ops/reduce.h"

#include <limits>
#include <numeric>

#include "ops/gather.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/sort.h"
#include "ops/unary.h"
#include "passes/decompose/bodies.h"

namespace remodel {
namespace {

using Kind = Reduce::Kind;

// What a reduction does to one element, and to the sum.
Term before_sum(Kind kind, Term x) {
  if (kind == Kind::l1) return abs(x);
  return kind == Kind::l2 || kind == Kind::sum_of_squares ? x * x : x;
}
Term after_sum(Kind kind, Term sum) {
  if (kind == Kind::l2) return apply(Sqrt{}, {sum});
  return kind == Kind::log_sum ? apply(Log{}, {sum}) : sum;
}

// Of each axis whether it is among those that the operand lists.
Term listed_axes(Decompose& d) {
  Term axes{&d, d.in(1)}, chosen = listed(axes, static_cast<int64_t>(d.dims(0).size()));
  return d.op<Reduce>().empty_is_none ? chosen : chosen || apply(CountOf{}, {axes}) == 0;
}

// The result's sizes.
Term reduced_sizes(Decompose& d) {
  Term sizes = apply(ShapeOf{}, {{&d, d.in(0)}}), chosen = listed_axes(d);
  if (d.op<Reduce>().keep) return select(chosen, number(d, DType::i64, 1), sizes);
  Compress pick;
  pick.flat = false, pick.axis = 0;
  return apply(pick, {sizes, !chosen});
}

// Axis by axis from the last, each only if it is among those that the operand lists.
Term over_listed_axes(Decompose& d, Kind kind, Term x) {
  const auto& op = d.op<Reduce>();
  const int64_t rank = static_cast<int64_t>(d.dims(0).size());
  Term chosen = listed_axes(d);
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
  const Kind kind = op.kind;
  const DType dtype = d.dtype(0);
  if ((kind == Kind::max || kind == Kind::min) && is_float(dtype) && product(d.dims(0)).is_number(0)) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Term least = number(d, dtype, kind == Kind::max ? -infinity : infinity);
    if (d.result_type().is_static()) return d.result(0, expand(least, *d.result_type().dims).id);
    if (d.has(1)) return d.result(0, apply(Expand{}, {least, reduced_sizes(d)}).id);
  }
  const bool none = !d.has(1) && op.axes.empty(), bends = kind == Kind::l2 || kind == Kind::log_sum;
  DType wide = dtype;
  if (is_small_float(dtype) && !none) wide = DType::f32;
  if (is_integer(dtype) && bends) wide = DType::f64;
  Term x = cast({&d, d.in(0)}, wide);
  auto give = [&](Term result) { d.result(0, cast(result, dtype).id); };
  if (none) return give(kind == Kind::l2 ? abs(x) : after_sum(kind, before_sum(kind, x)));
  const auto over_axes = [&](Kind one, Term terms, bool keep) {
    const Reduce made{one, op.axes, keep, op.empty_is_none};
    return d.has(1) ? apply(made, {terms, {&d, d.in(1)}}) : apply(made, {terms});
  };
  if (kind == Kind::log_sum_exp && is_float(dtype)) {
    // The largest element is taken out, so that no power overflows.
    // Infinite ones are not, as they are all that counts.
    const auto largest = [&](bool keep) {
      constexpr double most = 3e38;
      return max(min(over_axes(Kind::max, x, keep), most), -most);
    };
    Term powers = over_axes(Kind::sum, apply(Exp{}, {x - largest(true)}), op.keep);
    return give(largest(op.keep) + apply(Log{}, {powers}));
  }
  if (!d.has(1)) {
    if (kind == Kind::mean && is_integer(dtype)) {
      Dim count = 1;
      for (int64_t axis : op.axes) count = count * d.dims(0)[static_cast<size_t>(axis)];
      return give(over_axes(Kind::sum, x, op.keep) / size_term(d, count, dtype));
    }
    if (kind == Kind::sum || kind == Kind::product || kind == Kind::max || kind == Kind::min ||
        kind == Kind::mean || kind == Kind::log_sum_exp)
      fail("a reduction of {} over these axes has no form", name_of(dtype));
    return give(after_sum(kind, over_axes(Kind::sum, before_sum(kind, x), op.keep)));
  }
  if (kind == Kind::sum || kind == Kind::product || kind == Kind::max || kind == Kind::min ||
      kind == Kind::log_sum_exp)
    return give(over_listed_axes(d, kind, x));
  const Reduce op_sum{Kind::sum, {}, op.keep, op.empty_is_none};
  auto sum = [&](Term terms) { return apply(op_sum, {terms, {&d, d.in(1)}}); };
  Term result = after_sum(kind, sum(before_sum(kind, x)));
  if (kind == Kind::mean) result = result / sum(apply(Expand{}, {number(d, wide, 1), apply(ShapeOf{}, {x})}));
  give(result);
}

// The last of several is the first from the end; the first is that of the one largest.
template <class Op>
void arg_extreme(Decompose& d) {
  Op op = d.op<Op>();
  const int64_t axis = resolve_axis(op.axis, d.dims(0).size());
  if (!op.last) {
    if (!is_integer(d.dtype(0))) fail("it does not take {}", name_of(d.dtype(0)));
    const std::vector<ValueId> found = d.emit(TopK{axis, 1, std::is_same_v<Op, ArgMax>}, {d.in(0)}, 2);
    Term place{&d, found[1]};
    return d.result(0, (op.keep ? place : squeeze(place, {axis})).id);
  }
  op.last = false;
  const Dim size = d.dims(0)[axis];
  Term back = apply(Slice{{axis}, {size - 1}, {size}, {-1}}, {{&d, d.in(0)}});
  d.result(0, (size_term(d, size - 1) - apply(op, {back})).id);
}

// Step by step, where the triangle would be too large.
Term cumulated_in_steps(Decompose& d, const Cumulate& op, Term x, int64_t axis) {
  const Dims dims = dims_of(x);
  const Dim& size = dims[static_cast<size_t>(axis)];
  Dims rest = dims;
  rest.erase(rest.begin() + axis);
  const bool product = op.kind == Cumulate::Kind::product;
  Term none = expand(number(d, x.dtype(), product ? 1 : 0), rest), count = size_term(d, size);
  Term lines = repeat(count, {none}, {x, count}, [&](Emitter&, const std::vector<Term>& given) {
    Term step = op.reverse ? given[3] - 1 - given[0] : given[0];
    Term next = gather(given[2], step, axis), so_far = product ? given[1] * next : given[1] + next;
    return std::vector<Term>{so_far, op.exclusive ? given[1] : so_far};
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
  if (!size.is_number() || size.number() > largest_triangle || op.kind == Cumulate::Kind::product)
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
  table.add<ArgMax>(arg_extreme<ArgMax>);
  table.add<ArgMin>(arg_extreme<ArgMin>);
  table.add<Cumulate>(cumulate);
}

}  // namespace remodel
