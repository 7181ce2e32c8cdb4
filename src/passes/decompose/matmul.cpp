#include "ops/matmul.h"

#include <numeric>

#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/shape.h"
#include "passes/decompose/bodies.h"
#include "passes/lower_einsum.h"

namespace remodel {
namespace {

// The operand with its rows and columns in order.
ValueId in_order(Decompose& node, size_t i, bool& transposed) {
  if (!transposed) return node.in(i);
  transposed = false;
  std::vector<int64_t> perm(node.dims(i).size());
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return node.emit(Transpose{perm}, {node.in(i)});
}

// Every product by itself: rows along the last axis but one, columns along the last.
void sum_of_products(Decompose& node) {
  Term a{&node, node.in(0)}, b{&node, node.in(1)};
  const bool row = dims_of(a).size() == 1, column = dims_of(b).size() == 1;
  if (row) a = unsqueeze(a, {0});
  if (column) b = unsqueeze(b, {1});
  const auto rank = static_cast<int64_t>(std::max(dims_of(a).size(), dims_of(b).size()));
  const auto end = [](Term x) { return static_cast<int64_t>(dims_of(x).size()); };
  Term y = reduce(Reduce::Kind::sum, unsqueeze(a, {end(a)}) * unsqueeze(b, {end(b) - 2}), {rank - 1});
  if (column) y = squeeze(y, {rank - 1});
  if (row) y = squeeze(y, {end(y) - (column ? 1 : 2)});
  node.result(0, y.id);
}

// In i32 the product of bytes without their zero points is exact; in f32 that of small floats is what it
// should be.
void decompose_matmul(Decompose& node) {
  MatMul op = node.op<MatMul>();
  bool integers = is_integer(node.dtype(0));
  if (!node.has(2) && !node.has(3) && (op.out == DType::unknown || op.out == node.dtype(0))) {
    if (!op.transpose_a && !op.transpose_b) {
      if (!integers)
        fail("a product of {} and {} has no other form", node.type(0).text(), node.type(1).text());
      return sum_of_products(node);
    }
    ValueId a = in_order(node, 0, op.transpose_a), b = in_order(node, 1, op.transpose_b);
    return node.result(0, node.emit(op, {a, b}));
  }
  DType wide = integers ? DType::i32 : DType::f32;
  ValueId operands[2];
  for (size_t i = 0; i < 2; ++i) {
    operands[i] = node.emit(cast_to(wide), {node.in(i)});
    if (node.has(i + 2))
      operands[i] = node.emit(Sub{}, {operands[i], node.emit(cast_to(wide), {node.in(i + 2)})});
  }
  op.out = DType::unknown;
  node.result(0, node.emit(op, {operands[0], operands[1]}));
}

// Column by column, the row whose element is largest is taken out, and its multiples from the rows that are
// left. Taking out row number k of those changes the sign k times.
void decompose_det(Decompose& node) {
  const Dims dims = node.dims(0);
  const Dims outer(dims.begin(), dims.end() - 2);
  const Dim size = dims.back(), batch = product(outer);
  const DType dtype = node.dtype(0), wide = dtype == DType::f64 ? dtype : DType::f32;
  Term x = reshape(cast({&node, node.in(0)}, wide), {batch, size, size});
  Term ones = expand(number(node, wide, 1), {batch}), left = expand(number(node, wide, 1), {batch, size});
  Term rows = counting(node, size);
  auto step = [](Emitter& inside, const std::vector<Term>& at) {
    // (step, x, product, rows that are left, rows)
    Term x = at[1], left = at[3], rows = at[4];
    const DType dtype = x.dtype();
    Term column = gather(x, at[0], 2);
    ArgMax largest;
    largest.axis = 1;
    Term which = apply(largest, {select(left > 0, abs(column), number(inside, dtype, -1))});
    Term chosen = cast(rows == which, dtype), above = cast(rows < which, dtype);
    Term pivot = reduce(Reduce::Kind::sum, chosen * column, {1});
    Term before = reduce(Reduce::Kind::sum, left * above, {1});
    Term sign = 1 - 2 * (before - 2 * floor(0.5 * before));
    Term divisor = unsqueeze(select(pivot == 0, number(inside, dtype, 1), pivot), {1});
    Term row = reduce(Reduce::Kind::sum, unsqueeze(chosen, {2}) * x, {1}, true);
    left = left - chosen;
    return std::vector<Term>{x - unsqueeze(left * column / divisor, {2}) * row, at[2] * pivot * sign, left};
  };
  Term result = repeat(size_term(node, size), {x, ones, left}, {rows}, step)[1];
  node.result(0, cast(reshape(result, outer), dtype).id);
}

void decompose_einsum(Decompose& node) {
  ValueId y = lower_einsum(
      node.graph(), node.op<Einsum>().equation, node.node().inputs,
      [&](Op op, std::vector<ValueId> operands) { return node.emit(std::move(op), std::move(operands)); });
  node.result(0, y);
}

}  // namespace

void matmul_decompositions(Decompositions& table) {
  table.add<MatMul>(decompose_matmul);
  table.add<Det>(decompose_det);
  table.add<Einsum>(decompose_einsum);
}

}  // namespace remodel
