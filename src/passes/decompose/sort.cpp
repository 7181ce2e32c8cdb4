#include "ops/sort.h"

#include "ops/gather.h"
#include "ops/shape.h"
#include "ops/unary.h"
#include "passes/decompose/term.h"

namespace remodel {
namespace {

using Kind = Reduce::Kind;

Term any_along(Term condition, int64_t axis) {
  return reduce(Kind::max, cast(condition, DType::i32), {axis}) > 0;
}

// Which of n slices are equal, and which of them (column) are smaller than which (row).
struct Order {
  Term equal, smaller;  // [n, n]
};

Order order_of(Term x, bool flat) {
  if (x.dtype() == DType::boolean) x = cast(x, DType::i32);
  Term mine = unsqueeze(x, {1}), other = unsqueeze(x, {0});
  Term equal = mine == other, smaller = other < mine;
  if (is_float(x.dtype())) {
    // All NaNs are one, the largest.
    Term nan = apply(IsNan{}, {x}), mine_nan = unsqueeze(nan, {1}), other_nan = unsqueeze(nan, {0});
    equal = equal || (mine_nan && other_nan);
    smaller = smaller || (mine_nan && !other_nan);
  }
  if (flat) return {equal, smaller};
  // The first difference decides.
  ArgMax first;
  first.axis = 2;
  Term decides = counting(*x.at, dims_of(x)[1]) == apply(first, {cast(!equal, DType::i32)});
  return {!any_along(!equal, 2), any_along(decides && smaller, 2)};
}

// By comparing all slices with all.
void decompose_unique(Decompose& d) {
  const auto& op = d.op<Unique>();
  if (d.dtype(0) == DType::string) fail("strings are not told apart by arithmetic");
  const Dims dims = d.dims(0);
  const int64_t rank = static_cast<int64_t>(dims.size()),
                axis = op.flat ? 0 : resolve_axis(op.axis, dims.size());
  const Dim count = op.flat ? product(dims) : dims[static_cast<size_t>(axis)];
  constexpr int64_t most = 1 << 13;
  if (count.is_number() && count.number() > most)
    fail("{} elements are too many to compare all", count.text());
  Term x{&d, d.in(0)}, slices = x;
  if (op.flat) {
    x = slices = reshape(x, {count});
  } else {
    std::vector<int64_t> perm{axis};
    Dim length = 1;
    for (int64_t i = 0; i < rank; ++i)
      if (i != axis) perm.push_back(i), length = length * dims[static_cast<size_t>(i)];
    slices = reshape(transpose(x, perm), {count, length});
  }
  const Order order = order_of(slices, op.flat);
  ArgMax earliest;
  earliest.axis = 1, earliest.keep = false;
  Term first = apply(earliest, {cast(order.equal, DType::i32)}), places = counting(d, count);
  Term is_first = first == places;
  Term before = op.sorted ? order.smaller : places < unsqueeze(first, {1});
  Term inverse = reduce(Kind::sum, cast(before && is_first, DType::i64), {1});
  Term found = squeeze(apply(NonZero{}, {cast(is_first, DType::i32)}), {0});
  Term indices = apply(ScatterElements{}, {found, gather(inverse, found, 0), found});
  Term counts = reduce(Kind::sum, cast(order.equal, DType::i64), {1});
  if (d.wants(0)) d.result(0, gather(x, indices, axis).id);
  if (d.wants(1)) d.result(1, indices.id);
  if (d.wants(2)) d.result(2, inverse.id);
  if (d.wants(3)) d.result(3, gather(counts, indices, 0).id);
}

}  // namespace

void sort_decompositions(Decompositions& table) { table.add<Unique>(decompose_unique); }

}  // namespace remodel
