#include "passes/gradient.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "passes/gradient_table.h"

namespace remodel {
namespace {

// The nodes that take part in computing y from the variables, each after those that it depends on.
std::vector<NodeId> nodes_between(const Graph& graph, const std::vector<ValueId>& variables, ValueId y) {
  const std::set<ValueId> independent(variables.begin(), variables.end());
  std::set<ValueId> moved = independent, wanted{y};
  std::vector<NodeId> forward, between;
  auto any_in = [](const std::vector<ValueId>& values, const std::set<ValueId>& set) {
    return std::any_of(values.begin(), values.end(), [&](ValueId value) { return set.count(value) != 0; });
  };
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (any_in(node.outputs, independent) || !any_in(node.inputs, moved)) continue;
    forward.push_back(id);
    moved.insert(node.outputs.begin(), node.outputs.end());
    moved.erase(absent);
  }
  for (size_t i = forward.size(); i-- > 0;) {
    const Node& node = graph.node(forward[i]);
    if (!any_in(node.outputs, wanted)) continue;
    between.push_back(forward[i]);
    wanted.insert(node.inputs.begin(), node.inputs.end());
  }
  std::reverse(between.begin(), between.end());
  return between;
}

}  // namespace

ValueId replayed(Graph& graph, ValueId y, const std::vector<ValueId>& variables,
                 const std::vector<ValueId>& values) {
  std::map<ValueId, ValueId> renamed;
  for (size_t i = 0; i < variables.size(); ++i)
    if (variables[i] != values[i]) renamed[variables[i]] = values[i];
  if (renamed.empty()) return y;
  auto now = [&](ValueId value) {
    auto place = renamed.find(value);
    return place == renamed.end() ? value : place->second;
  };
  for (NodeId id : nodes_between(graph, variables, y)) {
    const Node node = graph.node(id);
    std::vector<ValueId> inputs;
    for (ValueId input : node.inputs) inputs.push_back(now(input));
    NodeId copy = graph.add_node(node.op.deep_copy(), inputs, std::vector<std::string>(node.outputs.size()),
                                 node.origin);
    for (size_t k = 0; k < node.outputs.size(); ++k) renamed[node.outputs[k]] = graph.node(copy).outputs[k];
  }
  return now(y);
}

std::vector<ValueId> gradients(Graph& graph, ValueId y, const std::vector<ValueId>& variables,
                               const Origin& origin) {
  Backward backward(graph, origin);
  std::vector<NodeId> nodes = nodes_between(graph, variables, y);
  for (ValueId variable : variables) backward.follow(variable);
  for (NodeId id : nodes)
    for (ValueId output : graph.node(id).outputs)
      if (output != absent) backward.follow(output);
  backward.begin(y);
  for (size_t i = nodes.size(); i-- > 0;) backward.through(nodes[i]);
  std::vector<ValueId> found;
  for (ValueId variable : variables) found.push_back(backward.gradient_of(variable));
  return found;
}

}  // namespace remodel
