#include "formats/cover.h"

#include <algorithm>

namespace remodel {

Cover cover(const Graph& graph, const std::function<std::optional<TileMatch>(NodeId)>& tile_at) {
  Cover cover;
  std::unordered_set<NodeId> inner;
  std::unordered_set<ValueId> needed;  // what the operators that are written so far take
  for (const Port& port : graph.outputs) needed.insert(port.value);
  std::vector<NodeId> order = graph.order();
  for (auto place = order.rbegin(); place != order.rend(); ++place) {
    const Node& node = graph.node(*place);
    bool asked = std::any_of(node.outputs.begin(), node.outputs.end(),
                             [&](ValueId output) { return output != absent && needed.count(output) != 0; });
    if (inner.count(*place) && !asked) {
      cover.covered.insert(*place);
      continue;
    }
    std::optional<TileMatch> tile = tile_at(*place);
    if (!tile) {
      needed.insert(node.inputs.begin(), node.inputs.end());
      continue;
    }
    std::vector<NodeId> members = tile->inner;
    inner.insert(members.begin(), members.end());
    members.push_back(*place);
    for (NodeId member : members)
      for (ValueId input : graph.node(member).inputs)
        if (input != absent &&
            std::find(members.begin(), members.end(), graph.value(input).producer) == members.end())
          needed.insert(input);
    cover.tiles.emplace(*place, std::move(*tile));
  }
  return cover;
}

}  // namespace remodel
