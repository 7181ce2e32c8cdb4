// Constant folding.
#pragma once

#include "base/pool.h"
#include "ir/graph.h"

namespace remodel {

// Nodes whose operands are all constants, and results whose contents inference knows, become constants:
// lazily where they are large, and only where the result takes little more room than the operands. Never
// folds a dequantize. Bodies included. Gives how many nodes went.
size_t fold_constants(Graph& graph, Pool& pool);

// The same for one node, without its bodies; true where it went.
bool fold_node(Graph& graph, NodeId id, Pool& pool);

}  // namespace remodel
