#include "ops/cluster.h"

#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/matmul.h"
#include "ops/quantize.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel {
namespace {

constexpr size_t most_moves = 64;  // before an operand

bool is_activation(const Op& op) { return op.is<Relu>() || op.is<Clamp>(); }

// The only node that sees the first result of `id`; absent where others do.
NodeId only_user(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.outputs.size() != 1 || node.outputs[0] == absent) return absent;
  const Value& value = graph.value(node.outputs[0]);
  return value.users.size() == 1 && !graph.is_output(node.outputs[0]) ? value.users[0] : absent;
}

const Node* dequantize_of(const Graph& graph, ValueId value) {
  const Node* node = graph.producer(value);
  return node && node->op.is<Dequantize>() ? node : nullptr;
}

bool is_sum_with_bias(const Graph& graph, const Node& sum, ValueId product) {
  if (!sum.op.is<Add>()) return false;
  const ValueId bias = sum.inputs[sum.inputs[0] == product ? 1 : 0];
  const Node* from = dequantize_of(graph, bias);
  return graph.constant(from ? from->inputs[0] : bias) != nullptr;
}

std::optional<Cluster> cluster_at(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op.is<Quantize>() || node.op.is<Dequantize>() || node.op.is<DynamicQuantize>())
    return std::nullopt;
  Cluster cluster;
  cluster.op = id;
  bool any = false;
  for (ValueId input : node.inputs) {
    ValueId from = input;
    std::vector<NodeId> moves;
    while (const Node* move = graph.producer(from)) {
      if (!is_move(move->op) || moves.size() == most_moves) break;
      moves.push_back(graph.value(from).producer);
      from = move->inputs[0];
    }
    const Node* dequantize = dequantize_of(graph, from);
    if (dequantize) cluster.moves.insert(cluster.moves.end(), moves.begin(), moves.end());
    if (!dequantize && input != absent && !graph.value(input).constant) return std::nullopt;
    any = any || dequantize;
    cluster.integers.push_back(dequantize ? dequantize->inputs[0] : absent);
    cluster.grids.push_back(dequantize ? grid_of(graph, *dequantize) : std::nullopt);
  }
  if (!any) return std::nullopt;
  NodeId user = only_user(graph, id);
  if (user != absent && node.op.is<MatMul>() && is_sum_with_bias(graph, graph.node(user), node.outputs[0])) {
    cluster.sum = user;
    user = only_user(graph, user);
  }
  if (user != absent && is_activation(graph.node(user).op)) {
    cluster.activation = user;
    user = only_user(graph, user);
  }
  if (user == absent || !graph.node(user).op.is<Quantize>()) return std::nullopt;
  cluster.quantize = user;
  cluster.result = grid_of(graph, graph.node(user));
  return cluster;
}

}  // namespace

bool is_move(const Op& op) {
  return op.is<Pad>() || op.is<Slice>() || op.is<Transpose>() || op.is<Reshape>() || op.is<Squeeze>() ||
         op.is<Unsqueeze>();
}

std::optional<Grid> grid_of(const Graph& graph, const Node& node) {
  const auto* to = node.op.as<Quantize>();
  const auto* from = node.op.as<Dequantize>();
  if (!to && !from) return std::nullopt;
  Grid grid;
  grid.scale = graph.value(node.inputs[1]).constant;
  if (!grid.scale) return std::nullopt;
  if (node.has(2)) {
    grid.zero = graph.value(node.inputs[2]).constant;
    if (!grid.zero) return std::nullopt;
  }
  if (grid.scale->count() == 1) return grid;
  const auto& dims = graph.value(node.inputs[0]).type.dims;
  if (!dims) return std::nullopt;
  grid.axis = resolve_axis(to ? to->axis : from->axis, dims->size());
  grid.block = to ? to->block : from->block;
  return grid;
}

std::optional<Cluster> cluster_of(const Graph& graph, NodeId id) {
  // From the activation to the sum to the product.
  const auto before = [&](NodeId at) { return graph.value(graph.node(at).inputs[0]).producer; };
  const auto is_product_of = [&](NodeId at) { return at != absent && graph.node(at).op.is<MatMul>(); };
  NodeId last = id;
  if (is_activation(graph.node(id).op) && graph.node(id).has(0) && before(id) != absent) last = before(id);
  if (graph.node(last).op.is<Add>())
    for (ValueId input : graph.node(last).inputs)
      if (const NodeId product = graph.value(input).producer; is_product_of(product))
        if (auto around = cluster_at(graph, product); around && around->sum == last) return around;
  if (last != id)
    if (auto around = cluster_at(graph, last)) return around;
  return cluster_at(graph, id);
}

}  // namespace remodel
