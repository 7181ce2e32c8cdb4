#include "ops/reduce.h"

#include <numeric>

#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/matmul.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"
#include "passes/decompose.h"

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

// Over no axis, or over axes that are only known at run time, through a sum over them. Small floats and
// integers whose root or logarithm is taken compute in a wider float, as the kernels do.
void reduce(Decompose& d) {
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
    if (op.kind == Kind::sum || op.kind == Kind::product || op.kind == Kind::max || op.kind == Kind::min ||
        op.kind == Kind::log_sum_exp)
      fail("the axes are computed when the model runs");
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

// A product with a triangle of ones.
void cumulate(Decompose& d) {
  const auto& op = d.op<Cumulate>();
  if (op.kind != Cumulate::Kind::sum || d.has(1)) fail("it is not made of other operators");
  int64_t rank = static_cast<int64_t>(d.dims(0).size()), axis = resolve_axis(op.axis, rank);
  if (!d.dims(0)[axis].is_number()) fail("the size of axis {} is not a number", axis);
  int64_t size = d.dims(0)[axis].number();
  if (size > 4096) fail("axis {} is too long", axis);
  std::vector<double> ones(size * size);
  for (int64_t from = 0; from < size; ++from)
    for (int64_t to = 0; to < size; ++to) {
      int64_t ahead = op.reverse ? from - to : to - from;
      ones[from * size + to] = ahead > 0 || (ahead == 0 && !op.exclusive);
    }
  Tensor triangle(d.dtype(0), {size, size});
  convert_elements(DType::f64, ones.data(), triangle.dtype(), triangle.raw(), triangle.count());
  Transpose swap;
  swap.perm.resize(rank);
  std::iota(swap.perm.begin(), swap.perm.end(), 0);
  std::swap(swap.perm[axis], swap.perm[rank - 1]);
  ValueId x = axis == rank - 1 ? d.in(0) : d.emit(swap, {d.in(0)});
  ValueId sums = d.emit(MatMul{}, {x, d.constant(constant_tensor(triangle))});
  d.result(0, axis == rank - 1 ? sums : d.emit(swap, {sums}));
}

}  // namespace

void reduce_decompositions(Decompositions& table) {
  table.add<Reduce>(reduce);
  table.add<ArgMax>(arg_last<ArgMax>);
  table.add<ArgMin>(arg_last<ArgMin>);
  table.add<Cumulate>(cumulate);
}

}  // namespace remodel
