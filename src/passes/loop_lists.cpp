// Lists, and tensors, that a loop takes or makes an element of at each step.
#include <algorithm>

#include "ir/infer.h"
#include "ir/symbols.h"
#include "ops/binary.h"
#include "ops/gather.h"
#include "ops/list.h"
#include "ops/shape.h"
#include "passes/loop_edit.h"
#include "passes/loop_rules.h"

namespace remodel {
namespace {

const Node* producer_of(const Graph& graph, ValueId value) { return graph.producer(value); }

// Whether the loop certainly makes no more steps than this. Where it makes just as many, its count goes: a
// per-step input says it.
bool steps_within(LoopEdit& loop, const Dim& length, ValueId list, bool& count_goes) {
  Graph& graph = loop.graph;
  count_goes = false;
  for (size_t j = 0; j < loop.op.step_axes.size(); ++j) {
    const Type& type = graph.value(loop.step_input(j)).type;
    if (type.dims && (*type.dims)[resolve_axis(loop.op.step_axes[j], type.dims->size())] == length)
      return true;
  }
  if (loop.operand(0) != absent) {
    const Node* size = producer_of(graph, loop.operand(0));
    count_goes = size && size->op.is<ListSize>() && list != absent && size->inputs[0] == list;
    return count_goes;
  }
  if (loop.op.count == length) return count_goes = true;
  return loop.op.count.is_number() && !loop.op.count.is_number(-1) && length.is_number() &&
         loop.op.count.number() <= length.number();
}

}  // namespace

size_t index_into_step_inputs(Graph& graph, NodeId id) {
  LoopEdit loop(graph, id);
  if (!loop.op.takes_step) return 0;
  Graph& body = loop.body;
  size_t count = 0;
  bool retyped = false;
  for (size_t i = 0; i < loop.invariants(); ++i) {
    ValueId inside = loop.invariant_in(i), outside = loop.invariant(i);
    ValueId tensor = outside, list = absent;
    int64_t list_axis = 0;
    bool keep = false;
    if (const Node* made = producer_of(graph, outside); made && made->op.is<ListSplit>()) {
      const auto& split = *made->op.as<ListSplit>();
      if (made->has(1) || !split.sizes.empty() || !split.chunk.is_number(1)) continue;
      tensor = made->inputs[0], list = outside, list_axis = split.axis, keep = split.keep;
    }
    const Type type = graph.value(tensor).type;
    if (!type.is_tensor() || !type.dims) continue;
    for (NodeId user : std::vector<NodeId>(body.value(inside).users)) {
      const Node& node = body.node(user);
      if (!node.live) continue;
      const auto* gather = node.op.as<Gather>();
      bool gets = list != absent && node.op.is<ListGet>();
      bool gathers = list == absent && gather && gather->batch == 0 && node.inputs[0] == inside;
      if (!gets && !gathers) continue;
      ValueId index = node.inputs[1];
      const Type& index_type = body.value(index).type;
      if (!index_type.dims || index_type.dims->size() > 1) continue;
      int64_t axis = resolve_axis(gets ? list_axis : gather->axis, type.dims->size());
      const Dim& length = (*type.dims)[axis];
      bool mirrored = is_mirrored_step(loop, index, length);
      bool count_goes = false;
      if ((!mirrored && !is_step(loop, index)) || !steps_within(loop, length, list, count_goes)) continue;
      ValueId slice = loop.add_step_input(tensor, axis, mirrored);
      bool has_axis = gets ? keep : index_type.dims->size() == 1;
      if (has_axis) slice = loop.emit_inside(Unsqueeze{{axis}}, {slice});
      ValueId result = body.node(user).outputs[0];
      retyped = replace_value(body, result, slice) || retyped;
      body.remove_node(user);
      if (count_goes) {
        loop.op.count = -1;
        if (loop.operand(0) != absent) graph.set_input(id, 0, absent);
      }
      ++count;
    }
  }
  if (!count) return 0;
  body.drop_dead();
  if (retyped) infer_graph(body);
  loop.commit();
  return count;
}

namespace {

// How a carried list is made: each step puts one item at its end or front, or in the place of an element, so
// that none is left of those that were there at first; and nothing else looks at it.
struct Growth {
  ValueId item = absent;
  bool front = false;
};

// The number of elements of a list that is a tensor's slices.
std::optional<Dim> elements_of(const Graph& graph, ValueId list) {
  const Node* made = producer_of(graph, list);
  if (!made || !made->op.is<ListSplit>() || made->has(1)) return std::nullopt;
  const auto& split = *made->op.as<ListSplit>();
  const Type& type = graph.value(made->inputs[0]).type;
  if (!split.sizes.empty() || !split.chunk.is_number(1) || !type.dims) return std::nullopt;
  return (*type.dims)[resolve_axis(split.axis, type.dims->size())];
}

Growth growth_of(const LoopEdit& loop, size_t j) {
  Graph& body = loop.body;
  ValueId in = loop.carried_in(j), out = loop.carried_out(j);
  const Node* push = producer_of(body, out);
  bool sets = push && push->op.is<ListSet>();
  if (!push || (!sets && !push->op.is<ListInsert>()) || push->inputs[0] != in) return {};
  if (body.value(in).users.size() != 1 || !body.value(out).users.empty() || body.is_output(in)) return {};
  auto ports =
      std::count_if(body.outputs.begin(), body.outputs.end(), [&](const Port& p) { return p.value == out; });
  if (ports != 1) return {};
  if (sets) {
    auto length = elements_of(loop.graph, loop.initial(j)), steps = steps_of(loop);
    if (!length || !steps || !(*length == *steps)) return {};
    if (is_step(loop, push->inputs[2])) return {push->inputs[1], false};
    return is_mirrored_step(loop, push->inputs[2], *length) ? Growth{push->inputs[1], true} : Growth{};
  }
  const Node* start = producer_of(loop.graph, loop.initial(j));
  if (!start || !start->op.is<ListNew>() || !start->inputs.empty()) return {};
  Growth growth{push->inputs[1], false};
  if (!push->has(2) || is_step(loop, push->inputs[2])) return growth;
  auto index = known_number(body, push->inputs[2]);
  if (!index || !index->is_number(0)) return {};
  growth.front = true;
  return growth;
}

// All elements have these sizes.
bool is_uniform(const Type& list) {
  if (!list.element || !list.element->dims) return false;
  return std::none_of(list.element->dims->begin(), list.element->dims->end(), [](const Dim& dim) {
    auto symbols = dim.symbols();
    return std::find(symbols.begin(), symbols.end(), any_size().symbol_name()) != symbols.end();
  });
}

}  // namespace

size_t lists_into_stacked(Graph& graph, NodeId id) {
  LoopEdit loop(graph, id);
  size_t count = 0;
  bool retyped = false;
  for (size_t j = 0; j < static_cast<size_t>(loop.op.carried); ++j) {
    ValueId list = loop.result(j);
    if (list == absent || !is_uniform(graph.value(list).type)) continue;
    const auto users = graph.value(list).users;
    auto concatenates = [&](NodeId user) { return graph.node(user).op.is<ListConcat>(); };
    if (std::none_of(users.begin(), users.end(), concatenates)) continue;
    Growth growth = growth_of(loop, j);
    if (growth.item == absent) continue;
    const Dims item = *graph.value(list).type.element->dims;
    for (NodeId user : users) {
      if (!concatenates(user)) continue;
      const ListConcat op = *graph.node(user).op.as<ListConcat>();
      ValueId whole = graph.node(user).outputs[0];
      int64_t axis = resolve_axis(op.axis, item.size() + op.stack);
      ValueId stacked = loop.add_stacked(growth.item, axis, growth.front, graph.value(whole).name);
      loop.commit();
      if (!op.stack) {
        Dims merged = *graph.value(stacked).type.dims;
        merged[axis] = merged[axis] * merged[axis + 1];
        merged.erase(merged.begin() + axis + 1);
        NodeId reshape = graph.add_node(Reshape{merged, false}, {stacked}, {""}, graph.node(user).origin);
        stacked = graph.node(reshape).outputs[0];
      }
      if (graph.is_output(whole)) graph.value(stacked).name = graph.value(whole).name;
      retyped = replace_value(graph, whole, stacked) || retyped;
      graph.remove_node(user);
    }
    if (LoopEdit::is_used(graph, list)) {
      ValueId stacked = loop.add_stacked(growth.item, 0, growth.front, graph.value(list).name + "/stacked");
      loop.commit();
      NodeId split = graph.add_node(ListSplit{0, {}, 1, false}, {stacked}, {graph.value(list).name},
                                    graph.node(id).origin);
      graph.replace_uses(list, graph.node(split).outputs[0]);
    }
    ++count;
  }
  if (retyped) infer_graph(graph);
  return count;
}

}  // namespace remodel
