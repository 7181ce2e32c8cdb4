#include "ir/graph.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <unordered_map>

#include "base/error.h"
#include "ir/infer.h"
#include "ir/symbols.h"

namespace remodel {

ValueId Graph::add_value(std::string name, Type type) {
  Value value;
  value.name = std::move(name);
  value.type = std::move(type);
  values_.push_back(std::move(value));
  return static_cast<ValueId>(values_.size() - 1);
}

ValueId Graph::add_input(std::string name, Type type) {
  ValueId value = add_value(name, std::move(type));
  inputs.push_back({std::move(name), value});
  return value;
}

ValueId Graph::add_constant(ConstantPtr constant, std::string name) {
  ValueId value = add_value(std::move(name), Type(constant->dtype(), to_dims(constant->shape())));
  values_[value].constant = std::move(constant);
  return value;
}

NodeId Graph::add_node(Op op, std::vector<ValueId> operands, std::vector<std::string> output_names,
                       Origin origin) {
  NodeId id = static_cast<NodeId>(nodes_.size());
  Node node;
  node.op = std::move(op);
  node.inputs = std::move(operands);
  node.origin = std::move(origin);
  for (auto& output : output_names) {
    ValueId value = add_value(std::move(output), Type());
    values_[value].producer = id;
    node.outputs.push_back(value);
  }
  for (ValueId input : node.inputs)
    if (input != absent) values_[input].users.push_back(id);
  nodes_.push_back(std::move(node));
  try {
    infer_node(*this, id);
  } catch (...) {
    for (ValueId input : nodes_[id].inputs)
      if (input != absent) remove_user(input, id);
    for (ValueId output : nodes_[id].outputs) values_[output].producer = absent;
    nodes_[id].live = false;
    nodes_[id].inputs.clear();
    nodes_[id].outputs.clear();
    throw;
  }
  return id;
}

void Graph::remove_user(ValueId value, NodeId node) {
  auto& users = values_[value].users;
  auto place = std::find(users.begin(), users.end(), node);
  if (place != users.end()) users.erase(place);
}

void Graph::remove_node(NodeId id) {
  Node& node = nodes_[id];
  for (ValueId input : node.inputs)
    if (input != absent) remove_user(input, id);
  for (ValueId output : node.outputs)
    if (output != absent && values_[output].producer == id) values_[output].producer = absent;
  node.live = false;
  node.inputs.clear();
  node.outputs.clear();
}

void Graph::set_input(NodeId id, size_t index, ValueId value) {
  ValueId& slot = nodes_[id].inputs[index];
  if (slot != absent) remove_user(slot, id);
  slot = value;
  if (value != absent) values_[value].users.push_back(id);
}

void Graph::insert_operand(NodeId id, size_t index, ValueId value) {
  auto& operands = nodes_[id].inputs;
  operands.insert(operands.begin() + static_cast<std::ptrdiff_t>(index), absent);
  set_input(id, index, value);
}

void Graph::remove_operand(NodeId id, size_t index) {
  set_input(id, index, absent);
  nodes_[id].inputs.erase(nodes_[id].inputs.begin() + static_cast<std::ptrdiff_t>(index));
}

ValueId Graph::insert_result(NodeId id, size_t index, std::string name) {
  ValueId value = add_value(std::move(name), Type());
  values_[value].producer = id;
  nodes_[id].outputs.insert(nodes_[id].outputs.begin() + static_cast<std::ptrdiff_t>(index), value);
  return value;
}

void Graph::remove_result(NodeId id, size_t index) {
  ValueId value = nodes_[id].outputs[index];
  if (value != absent) values_[value].producer = absent;
  nodes_[id].outputs.erase(nodes_[id].outputs.begin() + static_cast<std::ptrdiff_t>(index));
}

void Graph::replace_uses(ValueId from, ValueId to) {
  if (from == to) return;
  std::vector<NodeId> users = std::move(values_[from].users);
  values_[from].users.clear();
  for (NodeId user : users) {
    auto& operands = nodes_[user].inputs;
    auto slot = std::find(operands.begin(), operands.end(), from);
    *slot = to;
    values_[to].users.push_back(user);
  }
  for (Port& port : outputs)
    if (port.value == from) port.value = to;
}

void Graph::make_constant(ValueId id, ConstantPtr constant) {
  Value& value = values_[id];
  if (value.producer != absent) {
    for (ValueId& output : nodes_[value.producer].outputs)
      if (output == id) output = absent;
    value.producer = absent;
  }
  value.type = Type(constant->dtype(), to_dims(constant->shape()));
  value.constant = std::move(constant);
  value.content = nullptr;
}

bool Graph::is_output(ValueId value) const {
  return std::any_of(outputs.begin(), outputs.end(), [&](const Port& port) { return port.value == value; });
}

namespace {

using Edges = std::vector<std::pair<NodeId, NodeId>>;  // first, then second

// Nodes that find out a size by running, before those whose fields speak of it.
Edges size_edges(const Graph& graph) {
  std::unordered_map<std::string, std::vector<NodeId>> users;
  std::function<void(const Op&, NodeId)> note = [&](const Op& op, NodeId id) {
    for_each_symbol(op, [&](const std::string& symbol) {
      if (symbol[0] == '_') users[symbol].push_back(id);
    });
    for (const GraphPtr& body : op.graphs())
      for (NodeId inner = 0; inner < static_cast<NodeId>(body->node_count()); ++inner)
        if (body->node(inner).live) note(body->node(inner).op, id);
  };
  const auto count = static_cast<NodeId>(graph.node_count());
  for (NodeId id = 0; id < count; ++id)
    if (graph.node(id).live) note(graph.node(id).op, id);
  for (const Port& port : graph.inputs)
    if (const auto& dims = graph.value(port.value).type.dims)
      for (const Dim& dim : *dims) users.erase(std::string(dim.symbol_name()));
  Edges edges;
  for (NodeId id = 0; id < count && !users.empty(); ++id) {
    if (!graph.node(id).live) continue;
    for (const std::string& symbol : sizes_found_by(graph, id)) {
      auto place = users.find(symbol);
      if (place == users.end()) continue;
      for (NodeId user : place->second)
        if (user != id) edges.emplace_back(id, user);
      users.erase(place);
    }
  }
  return edges;
}

std::vector<NodeId> order_with(const Graph& graph, const Edges& edges) {
  const auto count = static_cast<NodeId>(graph.node_count());
  std::vector<int32_t> waiting(count, 0);
  std::unordered_map<NodeId, std::vector<NodeId>> later;
  for (auto [first, second] : edges) {
    later[first].push_back(second);
    ++waiting[second];
  }
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
  size_t live = 0;
  for (NodeId id = 0; id < count; ++id) {
    if (!graph.node(id).live) continue;
    ++live;
    for (ValueId input : graph.node(id).inputs)
      if (graph.producer(input)) ++waiting[id];
    if (waiting[id] == 0) ready.push(id);
  }
  std::vector<NodeId> result;
  result.reserve(live);
  auto done = [&](NodeId user) {
    if (--waiting[user] == 0) ready.push(user);
  };
  while (!ready.empty()) {
    NodeId id = ready.top();
    ready.pop();
    result.push_back(id);
    for (ValueId output : graph.node(id).outputs)
      if (output != absent)
        for (NodeId user : graph.value(output).users) done(user);
    if (auto place = later.find(id); place != later.end())
      for (NodeId user : place->second) done(user);
  }
  if (result.size() != live) fail("the graph has a cycle");
  return result;
}

}  // namespace

std::vector<NodeId> Graph::order() const {
  Edges edges = size_edges(*this);
  if (edges.empty()) return order_with(*this, edges);
  try {
    return order_with(*this, edges);
  } catch (const Error&) {
    // Names of sizes outlive what was rewritten: where they contradict the values, the values count.
    return order_with(*this, {});
  }
}

size_t Graph::drop_dead() {
  std::vector<bool> needed(values_.size(), false), kept(nodes_.size(), false);
  for (const Port& port : outputs) needed[port.value] = true;
  std::unordered_map<NodeId, std::vector<NodeId>> earlier;
  for (auto [first, second] : size_edges(*this)) earlier[second].push_back(first);
  std::vector<NodeId> sorted = order();
  size_t dropped = 0;
  for (size_t i = sorted.size(); i-- > 0;) {
    Node& node = nodes_[sorted[i]];
    bool keep = node.op.info().effect || kept[sorted[i]];
    for (ValueId output : node.outputs) keep = keep || (output != absent && needed[output]);
    if (!keep) {
      remove_node(sorted[i]);
      ++dropped;
      continue;
    }
    for (ValueId input : node.inputs)
      if (input != absent) needed[input] = true;
    for (const GraphPtr& body : node.op.graphs()) dropped += body->drop_dead();
    if (auto place = earlier.find(sorted[i]); place != earlier.end())
      for (NodeId finder : place->second) kept[finder] = true;
  }
  return dropped;
}

GraphPtr Graph::copy() const {
  auto result = std::make_shared<Graph>(*this);
  for (Node& node : result->nodes_)
    if (node.live) node.op = node.op.deep_copy();
  return result;
}

std::vector<std::string> verify(const Graph& graph) {
  std::vector<std::string> problems;
  auto report = [&](const Node& node, const std::string& what) {
    problems.push_back(std::string(node.op.name()) + " '" + (node.origin.empty() ? "" : node.origin[0]) +
                       "': " + what);
  };
  std::vector<bool> given(graph.value_count(), false);
  for (const Port& port : graph.inputs) given[static_cast<size_t>(port.value)] = true;
  auto is_known = [&](ValueId id) {
    return graph.value(id).producer != absent || graph.value(id).constant || given[static_cast<size_t>(id)];
  };
  std::vector<std::vector<NodeId>> users(graph.value_count());
  for (NodeId id = 0; id < static_cast<NodeId>(graph.node_count()); ++id) {
    const Node& node = graph.node(id);
    if (!node.live) continue;
    for (ValueId input : node.inputs) {
      if (input == absent) continue;
      users[static_cast<size_t>(input)].push_back(id);
      if (!is_known(input)) report(node, "'" + graph.value(input).name + "' is never computed");
    }
    for (ValueId output : node.outputs)
      if (output != absent && graph.value(output).producer != id)
        report(node, "'" + graph.value(output).name + "' has another producer");
    for (const GraphPtr& body : node.op.graphs())
      for (const auto& problem : verify(*body)) problems.push_back("in a body: " + problem);
  }
  for (ValueId id = 0; id < static_cast<ValueId>(graph.value_count()); ++id) {
    std::vector<NodeId> listed = graph.value(id).users;
    std::sort(listed.begin(), listed.end());
    if (listed != users[static_cast<size_t>(id)])
      problems.push_back("the users of '" + graph.value(id).name + "' are out of step");
  }
  for (const Port& port : graph.outputs)
    if (!is_known(port.value)) problems.push_back("output '" + port.name + "' is never computed");
  try {
    graph.order();
  } catch (const Error& error) {
    problems.push_back(error.what());
  }
  return problems;
}

std::vector<std::string> verify(const Model& model) {
  std::vector<std::string> problems;
  for (const GraphPtr& graph : model.graphs) {
    for (const auto& problem : verify(*graph)) problems.push_back(problem);
    for (const auto* ports : {&graph->inputs, &graph->outputs}) {
      std::vector<bool> seen(model.states.size(), false);
      for (const Port& port : *ports) {
        if (port.state == absent) continue;
        size_t slot = static_cast<size_t>(port.state);
        if (port.state < 0 || slot >= seen.size() || seen[slot]) {
          problems.push_back("port '" + port.name + "' has no state, or that of another port");
          continue;
        }
        seen[slot] = true;
        const Type& type = graph->value(port.value).type;
        if (!same_shape_and_dtype(type, model.states[slot].type))
          problems.push_back("port '" + port.name + "' is " + type.text() + ", but state '" +
                             model.states[slot].name + "' is " + model.states[slot].type.text());
      }
    }
  }
  return problems;
}

Model Model::copy() const {
  Model result = *this;
  for (GraphPtr& graph : result.graphs) graph = graph->copy();
  return result;
}

}  // namespace remodel
