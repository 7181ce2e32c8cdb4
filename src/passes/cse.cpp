#include "passes/cse.h"

#include <unordered_map>

#include "ir/symbols.h"

namespace remodel {
namespace {

size_t mix(size_t seed, size_t value) {
  return seed ^ (value + 0x9e3779b97f4a7c15u + (seed << 6) + (seed >> 2));
}

bool same_results(const Node& a, const Node& b) {
  if (a.outputs.size() != b.outputs.size()) return false;
  for (size_t k = 0; k < a.outputs.size(); ++k)
    if (a.outputs[k] == absent && b.outputs[k] != absent) return false;
  return true;
}

// Users of equal constants take the first of them. Large constants are compared only where their first block
// agrees.
void merge_constants(Graph& graph) {
  std::unordered_multimap<size_t, ValueId> seen;
  for (ValueId id = 0; id < static_cast<ValueId>(graph.value_count()); ++id) {
    const Value& value = graph.value(id);
    if (!value.constant || value.users.empty()) continue;
    size_t hash = value.constant->hash();
    auto [first, last] = seen.equal_range(hash);
    ValueId twin = absent;
    for (auto place = first; place != last && twin == absent; ++place) {
      const Value& other = graph.value(place->second);
      if (!same_grid(other.type, value.type)) continue;
      if (other.constant == value.constant || other.constant->equals(*value.constant)) twin = place->second;
    }
    if (twin == absent)
      seen.emplace(hash, id);
    else
      graph.replace_uses(id, twin);
  }
}

}  // namespace

size_t merge_equal_nodes(Graph& graph) {
  merge_constants(graph);
  size_t merged = 0;
  std::unordered_multimap<size_t, NodeId> seen;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    std::vector<GraphPtr> bodies = node.op.graphs();
    for (const GraphPtr& body : bodies) merged += merge_equal_nodes(*body);
    if (node.op.info().effect || !bodies.empty()) continue;
    size_t hash = node.op.hash();
    for (ValueId input : node.inputs) hash = mix(hash, static_cast<size_t>(input));
    auto [first, last] = seen.equal_range(hash);
    NodeId twin = absent;
    for (auto place = first; place != last && twin == absent; ++place) {
      const Node& other = graph.node(place->second);
      if (other.inputs == node.inputs && other.op == node.op && same_results(other, node))
        twin = place->second;
    }
    if (twin == absent) {
      seen.emplace(hash, id);
      continue;
    }
    // A result that names an output of the graph keeps its value: the interface would lose nothing, but two
    // outputs would need a copy.
    for (size_t k = 0; k < node.outputs.size(); ++k)
      if (node.outputs[k] != absent) replace_value(graph, node.outputs[k], graph.node(twin).outputs[k]);
    graph.remove_node(id);
    ++merged;
  }
  return merged;
}

}  // namespace remodel
