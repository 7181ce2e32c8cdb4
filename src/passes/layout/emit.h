// Writes the graph anew in the orders that were chosen.
#pragma once

#include "passes/layout/layout.h"
#include "passes/layout/problem.h"

namespace remodel::layout {

void emit(Problem& problem, LayoutReport& report);

}  // namespace remodel::layout
