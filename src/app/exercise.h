// Whether a model's outputs let the check see what stands before them.
#pragma once

#include <vector>

#include "ir/graph.h"
#include "run/runner.h"

namespace remodel {

// Some output is of probabilities that are all next to 0 or 1: what they are computed from may be far off and
// they would hardly change.
bool any_decided(const Graph& graph, const std::vector<Datum>& outputs);

// The inputs with all numbers of either sign nearer to 0 by a factor.
std::vector<Datum> quieter(const std::vector<Datum>& inputs, double factor);

}  // namespace remodel
