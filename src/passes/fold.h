// Constant folding.
#pragma once

#include "base/pool.h"
#include "ir/graph.h"

namespace remodel {

// By how many bytes folding may still let the constants of a graph and its bodies grow: a small part of what
// they had at first.
struct GrowthBudget {
  explicit GrowthBudget(const Graph& graph);
  int64_t bytes;
};

// Nodes whose operands are all constants, and results whose contents inference knows, become constants:
// lazily where they are large, and only where the result takes little more room than the operands. Never
// folds a dequantize. Bodies included. Gives how many nodes went.
size_t fold_constants(Graph& graph, GrowthBudget& budget, Pool& pool);

// The same for one node, without its bodies; true where it went.
bool fold_node(Graph& graph, NodeId id, Pool& pool);

}  // namespace remodel
