// Derivatives of what a graph computes, as further nodes of it.
#pragma once

#include "ir/graph.h"

namespace remodel {

// What y would be if the variables had other values, which are given in their order: the nodes between them,
// once more. y itself where all of them have their own.
ValueId replayed(Graph& graph, ValueId y, const std::vector<ValueId>& variables,
                 const std::vector<ValueId>& values);

// The derivatives of the sum of y's elements with respect to each variable, in reverse mode. Zero where y
// does not depend on it. Refuses an op on the way whose derivative is not known.
std::vector<ValueId> gradients(Graph& graph, ValueId y, const std::vector<ValueId>& variables,
                               const Origin& origin);

}  // namespace remodel
