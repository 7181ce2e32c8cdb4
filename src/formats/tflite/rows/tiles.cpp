// Operators that end in an activation.
#include "formats/tflite/rows.h"
#include "formats/tflite/writer.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/conv.h"
#include "ops/matmul.h"
#include "ops/pool.h"

namespace remodel::tflite {

std::string_view activation_of(const Op& op) {
  if (op.is<Relu>()) return "RELU";
  const Clamp* clamp = op.as<Clamp>();
  if (!clamp) return "";
  if (clamp->low == 0 && clamp->high == 6) return "RELU6";
  if (clamp->low == -1 && clamp->high == 1) return "RELU_N1_TO_1";
  return "";
}

namespace {

bool ends_in_activation(const WriteNode& node) {
  const Op& op = node.node().op;
  if (op.is<Div>()) return node.op<Div>().rounding == Div::Rounding::real;
  return op.is<Conv>() || op.is<Add>() || op.is<Sub>() || op.is<Mul>() || op.is<MaxPool>() ||
         op.is<AvgPool>() || is_fully_connected(node);
}

std::vector<NodeId> activated(const WriteNode& root) {
  const Graph& graph = root.graph();
  const ValueId x = root.node().inputs[0];
  if (activation_of(root.node().op).empty() || root.dtype(0) != DType::f32 || !graph.producer(x) ||
      graph.value(x).users.size() != 1 || graph.is_output(x))
    return {};
  const NodeId id = graph.value(x).producer;
  const WriteNode inner = root.at(id);
  std::vector<NodeId> nodes{id};
  if (!ends_in_activation(inner)) return {};
  for (NodeId product : product_in_sum(inner)) nodes.push_back(product);
  return nodes;
}

void write_activated(WriteNode& root, const std::vector<NodeId>& inner) {
  WriteNode node = root.at(inner[0]);
  const Id result = root.out();
  root.writer().define(node.node().outputs[0], result);
  if (inner.size() == 2)
    write_product_and_sum(node, {inner[1]});
  else
    root.writer().write_node(node.node(), nullptr);
  root.writer().activate(result, activation_of(root.node().op));
}

}  // namespace

void tile_rows(Rows& rows) {
  rows.tile<Relu>(since(1), activated, write_activated);
  rows.tile<Clamp>(since(1), activated, write_activated);
}

}  // namespace remodel::tflite
