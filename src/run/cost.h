// What it takes to run a graph, without running it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace remodel {

// Multiplications that are followed by an addition: those of convolutions, matrix products, recurrent layers
// and attention. The graph's sizes should be numbers (see ChosenSizes): one that is not counts as 1. Of two
// branches the dearer one counts, a loop as often as it runs, once where that is not known.
int64_t multiply_adds(const Node& node, const Graph& graph);
int64_t multiply_adds(const Graph& graph);
std::vector<std::string_view> multiply_add_ops();

// The most memory that activations take at a time when nodes run in order and each value goes after its last
// use: inputs, results and what lies between, constants apart. Views (reshape and the like) take none.
int64_t peak_activation_bytes(const Graph& graph);

// Whether some size is known only when the graph runs.
bool has_open_sizes(const Graph& graph);

}  // namespace remodel
