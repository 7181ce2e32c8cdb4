// Equal nodes become one.
#pragma once

#include "ir/graph.h"

namespace remodel {

// Merges nodes with equal ops and operands, and equal constants, bodies included. Gives how many nodes went.
size_t merge_equal_nodes(Graph& graph);

}  // namespace remodel
