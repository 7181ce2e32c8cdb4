#include <algorithm>

#include "formats/tflite/rows.h"
#include "ops/matmul.h"

namespace remodel::tflite {
namespace {

void write_matmul(WriteNode& node) {
  const auto& op = node.op<MatMul>();
  if (node.has(2) || node.has(3) || (op.out != DType::unknown && op.out != node.dtype(0)) ||
      !is_float(node.dtype(0)))
    fail("its operands are integers");
  Dims a = node.dims(0), b = node.dims(1);
  if (a.empty() || b.empty()) fail("an operand is a scalar");
  const DType dtype = node.dtype(0);
  const bool row = a.size() == 1, column = b.size() == 1;
  // Rows of a times constant weights.
  if (const ConstantPtr& weights = node.graph().value(node.node().inputs[1]).constant;
      weights && b.size() == 2 && !row && !op.transpose_a) {
    Ids inputs{node.in(0), node.constant(op.transpose_b ? weights : weights->permuted({1, 0}))};
    return node.emit_to(node.outs(), "FULLY_CONNECTED", inputs,
                        {Attribute::of("keep_num_dims", a.size() != 2)});
  }
  Id left = node.in(0), right = node.in(1);
  if (row) a.insert(a.begin(), Dim(1));
  if (column) b.push_back(Dim(1));
  const auto flatten = [&](Dims& dims, const Dims& other) {
    // Batch axes beyond the kernel's.
    if (dims.size() <= 5 && other.size() <= 5) return;
    if (dims.size() != other.size() || !std::equal(dims.begin(), dims.end() - 2, other.begin()))
      fail("a product of {} axes broadcasts", dims.size());
  };
  flatten(a, b);
  const bool deep = a.size() > 5;
  Dims whole(a.begin(), a.end() - 2);
  if (deep) {
    const Dim batch = product(whole);
    a = {batch, a[a.size() - 2], a.back()};
    b = {batch, b[b.size() - 2], b.back()};
  }
  left = node.reshape(left, a), right = node.reshape(right, b);
  Attributes attributes;
  if (op.transpose_a && !row) attributes.push_back(Attribute::of("adj_x", true));
  if (op.transpose_b && !column) attributes.push_back(Attribute::of("adj_y", true));
  if (!row && !column && !deep) return node.emit_to(node.outs(), "BATCH_MATMUL", {left, right}, attributes);
  Dims y = a.size() >= b.size() ? Dims(a.begin(), a.end() - 2) : Dims(b.begin(), b.end() - 2);
  y.push_back(op.transpose_a && !row ? a.back() : a[a.size() - 2]);
  y.push_back(op.transpose_b && !column ? b[b.size() - 2] : b.back());
  const Id product = node.emit("BATCH_MATMUL", {left, right}, Type(dtype, y), attributes);
  node.reshape_to(node.out(), product, node.result_dims());
}

}  // namespace

void write_matmul_rows(Rows& rows) { rows.write<MatMul>(since(1), write_matmul); }

}  // namespace remodel::tflite
