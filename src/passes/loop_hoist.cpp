// What leaves a body: branches that are known, constants that come in, values that every step computes alike,
// and carried values without effect.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "ir/infer.h"
#include "ir/symbols.h"
#include "ops/list.h"
#include "passes/loop_edit.h"
#include "passes/loop_rules.h"

namespace remodel {
namespace {

using ValueMap = std::unordered_map<ValueId, ValueId>;

// Copies a node of a body to the graph around it. The results keep their types: their sizes have names that
// other nodes of the body may speak of.
void copy_out(const Graph& body, const Node& node, Graph& graph, ValueMap& outside) {
  std::vector<ValueId> operands;
  for (ValueId input : node.inputs) {
    if (input != absent && !outside.count(input))
      outside[input] = graph.add_constant(body.value(input).constant, body.value(input).name);
    operands.push_back(input == absent ? absent : outside.at(input));
  }
  std::vector<std::string> names;
  for (ValueId output : node.outputs) names.push_back(output == absent ? "" : body.value(output).name);
  NodeId copy = graph.add_node(node.op.deep_copy(), operands, names, node.origin);
  for (size_t k = 0; k < node.outputs.size(); ++k) {
    ValueId& to = graph.node(copy).outputs[k];
    if (node.outputs[k] == absent) {
      graph.value(to).producer = absent;
      to = absent;
      continue;
    }
    graph.value(to).type = body.value(node.outputs[k]).type;
    outside[node.outputs[k]] = to;
  }
}

// Ops that refuse some operands when the model runs: not to be run where the body might not have been.
bool may_refuse(const Op& op) {
  return op.is<ListGet>() || op.is<ListSet>() || op.is<ListErase>() || op.is<ListInsert>() ||
         op.is<ListConcat>() || op.is<ListSplit>() || op.is<OptionalGet>();
}

bool has_effect(const Op& op) {
  if (op.info().effect) return true;
  for (const GraphPtr& body : op.graphs())
    for (NodeId id = 0; id < static_cast<NodeId>(body->node_count()); ++id)
      if (body->node(id).live && has_effect(body->node(id).op)) return true;
  return false;
}

}  // namespace

size_t inline_known_branch(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const Constant* condition = graph.constant(node.inputs[0]);
  if (!condition || condition->count() != 1 || condition->dtype() != DType::boolean) return 0;
  const auto& op = *node.op.as<If>();
  const Graph& body = *(condition->tensor().as<uint8_t>()[0] ? op.then_body : op.else_body);
  ValueMap outside;
  for (size_t i = 0; i < body.inputs.size(); ++i) outside[body.inputs[i].value] = node.inputs[i + 1];
  for (NodeId inner : body.order()) copy_out(body, body.node(inner), graph, outside);
  bool retyped = false;
  for (size_t k = 0; k < node.outputs.size(); ++k) {
    ValueId old = node.outputs[k], inside = body.outputs[k].value;
    if (old == absent) continue;
    if (!outside.count(inside)) outside[inside] = graph.add_constant(body.value(inside).constant);
    ValueId value = outside.at(inside);
    if (graph.value(value).producer != absent && graph.is_output(old))
      graph.value(value).name = graph.value(old).name;
    retyped = replace_value(graph, old, value) || retyped;
  }
  graph.remove_node(id);
  if (retyped) infer_graph(graph);
  return 1;
}

size_t sink_constants(Graph& graph, NodeId id) {
  const Op op = graph.node(id).op;
  size_t count = 0;
  size_t first = op.is<If>() ? 1 : op.as<Loop>()->first_invariant();
  size_t inside = op.is<If>() ? 0 : op.as<Loop>()->body_invariant();
  for (size_t i = graph.node(id).inputs.size(); i-- > first;) {
    ConstantPtr constant = graph.value(graph.node(id).inputs[i]).constant;
    if (!constant) continue;
    for (const GraphPtr& body : op.graphs()) {
      ValueId value = body->add_constant(constant, graph.value(graph.node(id).inputs[i]).name);
      body->replace_uses(body->inputs[inside + i - first].value, value);
      body->remove_input(inside + i - first);
    }
    graph.remove_operand(id, i);
    ++count;
  }
  return count;
}

size_t hoist_invariants(Graph& graph, NodeId id) {
  LoopEdit loop(graph, id);
  ValueMap outside;
  std::set<std::string> symbols;
  auto note = [&](ValueId value) {
    for_each_symbol(graph.value(value).type, [&](const std::string& symbol) { symbols.insert(symbol); });
    if (graph.value(value).content)
      for_each_symbol(*graph.value(value).content,
                      [&](const std::string& symbol) { symbols.insert(symbol); });
  };
  for (size_t i = 0; i < loop.invariants(); ++i) {
    outside[loop.invariant_in(i)] = loop.invariant(i);
    note(loop.invariant(i));
  }
  bool runs = runs_once_at_least(graph, graph.node(id));
  std::vector<NodeId> moved;
  for (NodeId inner : loop.body.order()) {
    const Node& node = loop.body.node(inner);
    if (has_effect(node.op) || (!runs && (may_refuse(node.op) || !node.op.graphs().empty()))) continue;
    bool same = false;
    bool known = true;
    for (ValueId input : node.inputs) {
      if (input == absent) continue;
      bool invariant = outside.count(input) != 0;
      same = same || invariant;
      known = known && (invariant || loop.body.value(input).constant);
    }
    // Sizes that each step finds out for itself do not exist outside.
    for_each_symbol(node.op, [&](const std::string& symbol) {
      known = known && (symbol[0] != '_' || symbols.count(symbol));
    });
    if (!same || !known) continue;
    copy_out(loop.body, node, graph, outside);
    for (ValueId output : node.outputs)
      if (output != absent) note(outside.at(output));
    moved.push_back(inner);
  }
  if (moved.empty()) return 0;
  std::set<NodeId> gone(moved.begin(), moved.end());
  for (NodeId inner : moved)
    for (ValueId output : std::vector<ValueId>(loop.body.node(inner).outputs)) {
      if (output == absent) continue;
      const auto& users = loop.body.value(output).users;
      bool stays = loop.body.is_output(output) ||
                   std::any_of(users.begin(), users.end(), [&](NodeId user) { return !gone.count(user); });
      if (stays) loop.body.replace_uses(output, loop.add_invariant(outside.at(output)));
    }
  for (size_t i = moved.size(); i-- > 0;) loop.body.remove_node(moved[i]);
  for (size_t i = loop.invariants(); i-- > 0;)
    if (!LoopEdit::is_used(loop.body, loop.invariant_in(i))) loop.remove_invariant(i);
  loop.commit();
  return moved.size();
}

namespace {

// Carried values on which the condition, a result that is used, or an effect depends.
std::vector<bool> live_carries(const LoopEdit& loop) {
  const Graph& body = loop.body;
  size_t carried = static_cast<size_t>(loop.op.carried);
  std::vector<bool> live(carried), needed(body.value_count(), false), from_start(body.value_count(), false);
  std::vector<ValueId> stack;
  auto need = [&](ValueId value) {
    if (value == absent || needed[value]) return;
    needed[value] = true;
    stack.push_back(value);
  };
  std::unordered_map<ValueId, size_t> inputs;
  for (size_t j = 0; j < carried; ++j) inputs.emplace(loop.carried_in(j), j);
  if (loop.op.gives_condition) need(body.outputs[0].value);
  for (size_t j = 0; j < loop.op.stack_axes.size(); ++j)
    if (loop.result_used(loop.op.first_stacked() + j)) need(loop.stacked_out(j));
  for (size_t j = 0; j < carried; ++j)
    if (loop.result_used(j)) live[j] = true, need(loop.carried_out(j));
  for (NodeId id = 0; id < static_cast<NodeId>(body.node_count()); ++id)
    if (body.node(id).live && has_effect(body.node(id).op))
      for (ValueId input : body.node(id).inputs) need(input);
  while (!stack.empty()) {
    ValueId value = stack.back();
    stack.pop_back();
    if (auto place = inputs.find(value); place != inputs.end()) {
      live[place->second] = true;
      need(loop.carried_out(place->second));
    }
    if (const Node* producer = body.producer(value))
      for (ValueId input : producer->inputs) need(input);
  }
  return live;
}

}  // namespace

size_t drop_dead_carries(Graph& graph, NodeId id) {
  LoopEdit loop(graph, id);
  size_t count = 0;
  bool retyped = false, retyped_inside = false;
  for (size_t j = static_cast<size_t>(loop.op.carried); j-- > 0;) {
    if (loop.carried_out(j) != loop.carried_in(j)) continue;
    // The same at every step: what comes in first goes out last.
    ValueId initial = loop.initial(j);
    retyped_inside =
        replace_value(loop.body, loop.carried_in(j), loop.add_invariant(initial)) || retyped_inside;
    if (loop.result(j) != absent) retyped = replace_value(graph, loop.result(j), initial) || retyped;
    loop.remove_carried(j);
    ++count;
  }
  std::vector<bool> live = live_carries(loop);
  for (size_t j = loop.op.stack_axes.size(); j-- > 0;)
    if (!loop.result_used(loop.op.first_stacked() + j)) loop.remove_stacked(j), ++count;
  std::vector<size_t> dead;
  for (size_t j = live.size(); j-- > 0;)
    if (!live[j]) dead.push_back(j);
  if (!dead.empty()) {
    // Dead values may feed one another, so all their outputs go before their inputs.
    for (size_t j : dead) loop.body.outputs[loop.op.body_next() + j].value = loop.carried_in(j);
    loop.body.drop_dead();
    for (size_t j : dead) loop.remove_carried(j);
    count += dead.size();
  }
  loop.body.drop_dead();
  for (size_t i = loop.invariants(); i-- > 0;)
    if (!LoopEdit::is_used(loop.body, loop.invariant_in(i))) loop.remove_invariant(i), ++count;
  // Step inputs say how many steps there are, so one stays.
  for (size_t j = loop.op.step_axes.size(); j-- > 0 && loop.op.step_axes.size() > 1;)
    if (!LoopEdit::is_used(loop.body, loop.step_in(j))) loop.remove_step_input(j), ++count;
  auto has_rows = [](const std::vector<int64_t>& rows) {
    return std::any_of(rows.begin(), rows.end(), [](int64_t axis) { return axis >= 0; });
  };
  if (loop.has_lengths() && !has_rows(loop.op.carried_rows) && !has_rows(loop.op.stack_rows)) {
    graph.set_input(id, Loop::lengths, absent);
    loop.op.carried_rows.clear(), loop.op.stack_rows.clear();
    ++count;
  }
  if (loop.op.takes_step && !LoopEdit::is_used(loop.body, loop.step())) {
    loop.body.remove_input(0);
    loop.op.takes_step = false;
    ++count;
  }
  if (retyped_inside) infer_graph(loop.body);
  if (count) loop.commit();
  if (retyped) infer_graph(graph);
  return count;
}

}  // namespace remodel
