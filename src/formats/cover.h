// Which nodes are written together: a tile is several of our ops that one operator says. What the tiles leave
// over is written node by node.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ir/graph.h"

namespace remodel {

// A tile of a graph. Its root is the last op: its results are the operator's.
struct TileMatch {
  size_t row = 0;  // of the format's table
  // What the operator computes besides the root; the op that it is named for comes first.
  std::vector<NodeId> inner;
};

struct Cover {
  std::unordered_map<NodeId, TileMatch> tiles;  // by root
  // Inner nodes that are not written by themselves. One whose results others use, too, is.
  std::unordered_set<NodeId> covered;
};

// `tile_at` gives the tile with that root, where there is one. The last root takes what it can first.
Cover cover(const Graph& graph, const std::function<std::optional<TileMatch>(NodeId)>& tile_at);

}  // namespace remodel
