#include "passes/channels_last.h"

#include "ops/resize.h"
#include "ops/shape.h"
#include "ops/spatial.h"

namespace remodel {
namespace {

// The op with its channels last; nothing where it has no channels, or has them there.
std::optional<Op> turned(const Op& op, size_t rank) {
  if (const Field* field = op.info().find("channels"); field && field->kind == FieldKind::choice) {
    if (field_as<uint8_t>(op.data(), *field) != static_cast<uint8_t>(Channels::first)) return std::nullopt;
    std::shared_ptr<void> copy = op.info().make(op.data());
    field_as<uint8_t>(copy.get(), *field) = static_cast<uint8_t>(Channels::last);
    return Op(op.info(), copy);
  }
  if (const auto* resize = op.as<Resize>();
      resize && rank == 4 && resize->axes == std::vector<int64_t>{2, 3}) {
    Resize last = *resize;
    last.axes = {1, 2};
    return Op(last);
  }
  return std::nullopt;
}

void turn(Graph& graph, NodeId id, Op op, size_t rank) {
  std::vector<int64_t> to_last{0}, to_first{0, static_cast<int64_t>(rank) - 1};
  for (size_t i = 2; i < rank; ++i) {
    to_last.push_back(static_cast<int64_t>(i));
    to_first.push_back(static_cast<int64_t>(i) - 1);
  }
  to_last.push_back(1);
  const Origin origin = graph.node(id).origin;
  const auto transpose = [&](ValueId x, const std::vector<int64_t>& perm) {
    return graph.node(graph.add_node(Transpose{perm}, {x}, {""}, origin)).outputs[0];
  };
  std::vector<ValueId> inputs = graph.node(id).inputs;
  inputs[0] = transpose(inputs[0], to_last);
  const std::vector<ValueId> old = graph.node(id).outputs;
  const NodeId made = graph.add_node(std::move(op), inputs, std::vector<std::string>(old.size()), origin);
  for (size_t k = 0; k < old.size(); ++k) {
    if (old[k] == absent) continue;
    const ValueId result = transpose(graph.node(made).outputs[k], to_first);
    graph.value(result).name = graph.value(old[k]).name;
    // The sizes that all users were inferred with.
    graph.value(result).type = graph.value(old[k]).type;
    graph.replace_uses(old[k], result);
  }
  graph.remove_node(id);
}

}  // namespace

void turn_channels_last(Graph& graph) {
  for (NodeId id = 0, count = static_cast<NodeId>(graph.node_count()); id < count; ++id) {
    const Node& node = graph.node(id);
    if (!node.live) continue;
    for (const GraphPtr& body : node.op.graphs()) turn_channels_last(*body);
    if (!node.has(0) || !graph.value(node.inputs[0]).type.dims) continue;
    const size_t rank = graph.value(node.inputs[0]).type.dims->size();
    if (rank < 3) continue;
    if (std::optional<Op> op = turned(node.op, rank)) turn(graph, id, std::move(*op), rank);
  }
}

}  // namespace remodel
