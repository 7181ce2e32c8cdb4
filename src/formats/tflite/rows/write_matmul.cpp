#include <algorithm>
#include <numeric>

#include "formats/tflite/hybrid.h"
#include "formats/tflite/rows.h"
#include "ops/binary.h"
#include "ops/matmul.h"

namespace remodel::tflite {

bool is_fully_connected(const WriteNode& node) {
  const MatMul* op = node.node().op.as<MatMul>();
  return op && !node.has(2) && !node.has(3) && (op->out == DType::unknown || op->out == node.dtype(0)) &&
         is_float(node.dtype(0)) && !op->transpose_a && node.rank(0) >= 2 && node.rank(1) == 2 &&
         node.is_weights(1);
}

void write_fully_connected(WriteNode& node, Ids results, Id bias) {
  using Perm = std::vector<int64_t>;
  Ids inputs = product_operands(node, node.op<MatMul>().transpose_b ? Perm{0, 1} : Perm{1, 0});
  if (bias >= 0) inputs.push_back(bias);
  Attributes attributes = hybrid_attributes(node);
  if (node.rank(0) != 2) attributes.push_back(Attribute::of("keep_num_dims", true));
  node.emit_to(std::move(results), "FULLY_CONNECTED", inputs, attributes);
}

// The bias is a constant, one number for each column.
std::vector<NodeId> product_in_sum(const WriteNode& sum) {
  const Graph& graph = sum.graph();
  if (!sum.node().op.is<Add>() || sum.result_type().dtype != DType::f32) return {};
  for (size_t i : {0, 1}) {
    const ValueId product = sum.node().inputs[i];
    const Node* node = graph.producer(product);
    const Constant* bias = sum.constant(1 - i);
    if (!node || !bias || !node->op.is<MatMul>() || graph.value(product).users.size() != 1 ||
        graph.is_output(product))
      continue;
    const WriteNode writing = sum.at(graph.value(product).producer);
    if (!is_fully_connected(writing) || bias->shape().empty() || bias->count() != bias->shape().back())
      continue;
    const auto& y = graph.value(product).type.dims;
    if (y && y->back().is_number(bias->count()) && y == sum.result_type().dims)
      return {graph.value(product).producer};
  }
  return {};
}

void write_product_and_sum(WriteNode& sum, const std::vector<NodeId>& inner) {
  WriteNode product = sum.at(inner[0]);
  const size_t other = sum.node().inputs[0] == product.node().outputs[0] ? 1 : 0;
  const ConstantPtr bias = sum.graph().value(sum.node().inputs[other]).constant;
  write_fully_connected(product, sum.outs(),
                        sum.constant(bias->shape().size() == 1 ? bias : bias->reshaped({bias->count()})));
}

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
  if (is_fully_connected(node)) return write_fully_connected(node, node.outs(), -1);
  if (hybrid_of(node)) {
    Attributes attributes = hybrid_attributes(node);
    if (op.transpose_b) attributes.push_back(Attribute::of("adj_y", true));
    std::vector<int64_t> perm(b.size());
    std::iota(perm.begin(), perm.end(), 0);
    return node.emit_to(node.outs(), "BATCH_MATMUL", product_operands(node, perm), attributes);
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

void write_matmul_rows(Rows& rows) {
  rows.write<MatMul>(since(1), write_matmul);
  rows.tile<Add>(since(1), product_in_sum, write_product_and_sum);
}

}  // namespace remodel::tflite
