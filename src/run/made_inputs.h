// Made-up inputs for a graph: the same for the same seed on any machine, and such as fit their use.
#pragma once

#include <cstdint>
#include <vector>

#include "run/input_sizes.h"

namespace remodel {

// Inputs for the graph under the sizes in it (ChosenSizes::graph). Set 0 and set 1 differ in every input that
// may vary: a condition is true in one and false in the other, an optional is there in set 0 only.
//
// Indices lie inside their table, lengths inside their time axis, divisors are not zero, logarithms see
// positive numbers; masks are ones, then zeros, with some of both in each row. Bytes take their whole range,
// other integers small numbers. Floats are bell-shaped around 0 with a spread of 0.6.
std::vector<Datum> make_inputs(const Graph& graph, int set, uint64_t seed = 1);

}  // namespace remodel
