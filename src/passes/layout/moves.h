// The search for the cheapest choice.
#pragma once

#include "passes/layout/problem.h"

namespace remodel::layout {

// Leaves each unit with its choice.
void choose(Problem& problem);

}  // namespace remodel::layout
