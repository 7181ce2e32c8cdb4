// Named sizes of a graph replaced by others, mostly by numbers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace remodel {

using SizeMap = std::map<std::string, Dim, std::less<>>;

// Puts the sizes into all types, attributes and bodies, and infers the graph again; that refuses sizes which
// do not fit together.
void bind_symbols(Graph& graph, const SizeMap& sizes);

}  // namespace remodel
