#include "passes/layers.h"

#include "ir/infer.h"
#include "ops/recurrent.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel {
namespace {

constexpr size_t first_state = 4;

// States that begin with zeros need not be said.
size_t drop_zero_states(Graph& graph, NodeId id, size_t states) {
  size_t count = 0;
  for (size_t i = first_state; i < first_state + states; ++i) {
    if (!graph.node(id).has(i)) continue;
    ValueId from = graph.node(id).inputs[i];
    for (const Node* node = graph.producer(from); node; node = graph.producer(from)) {
      if (!node->op.is<Expand>() && !node->op.is<Unsqueeze>() && !node->op.is<Reshape>()) break;
      from = node->inputs[0];
    }
    const Constant* constant = graph.constant(from);
    if (!constant || splat_value(*constant) != 0.0) continue;
    graph.set_input(id, i, absent);
    ++count;
  }
  return count;
}

// A layer over a sequence from its end goes the other way, and gives its steps in reverse.
template <class T>
size_t turn(Graph& graph, NodeId id, size_t states) {
  T op = *graph.node(id).op.as<T>();
  const Node* reverse = graph.producer(graph.node(id).inputs[0]);
  const Slice* slice = reverse ? reverse->op.as<Slice>() : nullptr;
  if (!slice || slice->axes.size() != 1 || slice->steps[0] != -1 ||
      graph.node(id).has(first_state + states) || op.direction == Direction::both)
    return 0;
  const ValueId x = reverse->inputs[0];
  const auto& dims = graph.value(x).type.dims;
  const int64_t time = op.batch_major;
  if (!dims || resolve_axis(slice->axes[0], dims->size()) != time) return 0;
  const Dim steps = (*dims)[static_cast<size_t>(time)];
  if (!(slice->sizes[0] == steps) || !(slice->starts[0] == steps - 1)) return 0;
  const Origin origin = graph.node(id).origin;
  op.direction = op.direction == Direction::forward ? Direction::backward : Direction::forward;
  graph.set_op(id, op);
  graph.set_input(id, 0, x);
  const ValueId y = graph.node(id).outputs[0];
  if (y == absent || (graph.value(y).users.empty() && !graph.is_output(y))) return 1;
  const NodeId back = graph.add_node(Slice{{time}, {steps - 1}, {steps}, {-1}}, {y}, {""}, origin);
  const ValueId turned = graph.node(back).outputs[0];
  graph.value(turned).name = graph.value(y).name;
  graph.replace_uses(y, turned);
  graph.set_input(back, 0, y);
  return 1;
}

}  // namespace

size_t simplify_layers(Graph& graph) {
  size_t count = 0;
  for (NodeId id : graph.order()) {
    for (const GraphPtr& body : graph.node(id).op.graphs()) count += simplify_layers(*body);
    const Op& op = graph.node(id).op;
    const size_t states = op.is<Lstm>() ? 2 : 1;
    if (op.is<Lstm>()) count += turn<Lstm>(graph, id, states);
    if (op.is<Gru>()) count += turn<Gru>(graph, id, states);
    if (op.is<Rnn>()) count += turn<Rnn>(graph, id, states);
    if (op.is<Lstm>() || op.is<Gru>() || op.is<Rnn>()) count += drop_zero_states(graph, id, states);
  }
  return count;
}

}  // namespace remodel
