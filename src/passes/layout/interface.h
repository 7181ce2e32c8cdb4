// Which inputs and outputs of a graph take another order than the source's.
#pragma once

#include <map>
#include <vector>

#include "passes/layout/layout.h"

namespace remodel::layout {

// Of each port that turns, (output, index): which of the source's axes stands at each place.
using Turns = std::map<std::pair<bool, size_t>, std::vector<int64_t>>;
Turns turned_ports(const Graph& graph, const LayoutWishes& wishes);

}  // namespace remodel::layout
