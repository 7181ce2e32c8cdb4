#include "passes/layers.h"

#include "ir/infer.h"
#include "ops/gather.h"
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

// All of the axis from its end.
bool reverses(const Graph& graph, const Node& node, int64_t axis) {
  const auto* slice = node.op.as<Slice>();
  const auto& dims = slice ? graph.value(node.inputs[0]).type.dims : std::nullopt;
  if (!dims || slice->axes.size() != 1 || slice->steps[0] != -1 ||
      resolve_axis(slice->axes[0], dims->size()) != axis)
    return false;
  const Dim& size = (*dims)[static_cast<size_t>(axis)];
  return slice->sizes[0] == size && slice->starts[0] == size - 1;
}

// A layer over a sequence from its end goes the other way, and gives its steps in reverse.
template <class T>
size_t turn(Graph& graph, NodeId id, size_t states) {
  T op = *graph.node(id).op.as<T>();
  const int64_t time = op.batch_major;
  const Node* reverse = graph.producer(graph.node(id).inputs[0]);
  if (!reverse || !reverses(graph, *reverse, time) || graph.node(id).has(first_state + states) ||
      op.direction == Direction::both)
    return 0;
  const ValueId x = reverse->inputs[0];
  const Dim steps = (*graph.value(x).type.dims)[static_cast<size_t>(time)];
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

// Element `index` (last or first) of axis `time` of a value, without the axis.
bool takes_end(const Graph& graph, const Node& node, int64_t time, bool last) {
  const auto& dims = graph.value(node.inputs[0]).type.dims;
  if (!dims) return false;
  const Dim& steps = (*dims)[static_cast<size_t>(time)];
  const auto is_axis = [&](int64_t axis) { return resolve_axis(axis, dims->size()) == time; };
  if (const auto* gather = node.op.as<Gather>()) {
    const Constant* index = graph.constant(node.inputs[1]);
    if (!index || !index->shape().empty() || gather->batch != 0 || !is_axis(gather->axis)) return false;
    const int64_t at = index->tensor().ints()[0];
    return last ? (at == -1 && gather->wrap) || steps == Dim(at + 1) : at == 0;
  }
  const auto* slice = node.op.as<Slice>();
  if (!slice || slice->axes.size() != 1 || !is_axis(slice->axes[0]) || slice->steps[0] != 1) return false;
  if (!slice->sizes[0].is_number(1) && !(slice->sizes[0] == min(Dim(1), steps))) return false;
  const Dim& start = slice->starts[0];
  return last ? start == steps - 1 || start == max(Dim(0), steps - 1) : start.is_number(0);
}

// What a layer gives, its axis of directions taken away, perhaps from the end.
struct Steps {
  ValueId value;
  bool squeezed, reversed;
};

std::vector<Steps> views_of(const Graph& graph, ValueId y, int64_t time) {
  std::vector<Steps> found{{y, false, false}};
  for (size_t k = 0; k < found.size() && found.size() < 16; ++k) {
    const Steps at = found[k];
    for (NodeId user : graph.value(at.value).users) {
      const Node& node = graph.node(user);
      const auto* squeeze = node.op.as<Squeeze>();
      if (squeeze && !at.squeezed && squeeze->axes == std::vector<int64_t>{time + 1})
        found.push_back({node.outputs[0], true, at.reversed});
      if (reverses(graph, node, time)) found.push_back({node.outputs[0], at.squeezed, !at.reversed});
    }
  }
  return found;
}

// The state after the last step, [1, batch, hidden], which nobody may have asked for.
ValueId last_state(Graph& graph, NodeId id) {
  while (graph.node(id).outputs.size() < 2) graph.node(id).outputs.push_back(absent);
  if (graph.node(id).outputs[1] == absent) {
    graph.remove_result(id, 1);
    graph.insert_result(id, 1, "");
    infer_node(graph, id);
  }
  return graph.node(id).outputs[1];
}

// The last step of a layer is its state.
size_t last_step(Graph& graph, NodeId id, const Recurrent& op, size_t lengths) {
  const ValueId y = graph.node(id).outputs[0];
  if (op.direction == Direction::both || graph.node(id).has(lengths) || y == absent) return 0;
  const int64_t time = op.batch_major;
  std::vector<ValueId> ends;  // [batch, hidden]
  for (const Steps& steps : views_of(graph, y, time)) {
    if (!steps.squeezed) continue;
    const bool last = (op.direction == Direction::forward) != steps.reversed;
    for (NodeId user : graph.value(steps.value).users) {
      const Node& node = graph.node(user);
      if (!takes_end(graph, node, time, last)) continue;
      if (node.op.is<Gather>()) ends.push_back(node.outputs[0]);
      if (!node.op.is<Slice>()) continue;
      for (NodeId outer : graph.value(node.outputs[0]).users) {
        const auto* squeeze = graph.node(outer).op.as<Squeeze>();
        if (squeeze && squeeze->axes == std::vector<int64_t>{time})
          ends.push_back(graph.node(outer).outputs[0]);
      }
    }
  }
  for (ValueId end : ends) {
    const ValueId state = last_state(graph, id);
    const NodeId made = graph.add_node(Squeeze{{0}}, {state}, {graph.value(end).name}, graph.node(id).origin);
    graph.replace_uses(end, graph.node(made).outputs[0]);
  }
  return ends.size();
}

template <class T>
size_t simplify(Graph& graph, NodeId id, size_t states) {
  if (!graph.node(id).op.is<T>()) return 0;
  size_t count = turn<T>(graph, id, states) + drop_zero_states(graph, id, states);
  const T op = *graph.node(id).op.as<T>();
  return count + last_step(graph, id, op, first_state + states);
}

}  // namespace

size_t simplify_layers(Graph& graph) {
  size_t count = 0;
  for (NodeId id : graph.order()) {
    for (const GraphPtr& body : graph.node(id).op.graphs()) count += simplify_layers(*body);
    count += simplify<Lstm>(graph, id, 2) + simplify<Gru>(graph, id, 1) + simplify<Rnn>(graph, id, 1);
  }
  return count;
}

}  // namespace remodel
