#include "ops/matmul.h"

#include "ops/binary.h"
#include "ops/cast.h"
#include "passes/decompose.h"
#include "passes/lower_einsum.h"

namespace remodel {
namespace {

// In i32 the product of bytes without their zero points is exact; in f32 that of small floats is what it
// should be.
void decompose_matmul(Decompose& node) {
  MatMul op = node.op<MatMul>();
  bool integers = is_integer(node.dtype(0));
  if (!node.has(2) && !node.has(3) && (op.out == DType::unknown || op.out == node.dtype(0)))
    fail("a product of {} and {} has no other form", node.type(0).text(), node.type(1).text());
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

void decompose_einsum(Decompose& node) {
  ValueId y = lower_einsum(
      node.graph(), node.op<Einsum>().equation, node.node().inputs,
      [&](Op op, std::vector<ValueId> operands) { return node.emit(std::move(op), std::move(operands)); });
  node.result(0, y);
}

}  // namespace

void matmul_decompositions(Decompositions& table) {
  table.add<MatMul>(decompose_matmul);
  table.add<Einsum>(decompose_einsum);
}

}  // namespace remodel
