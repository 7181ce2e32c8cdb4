// Two graphs that should compute the same, run side by side: wherever both have a value of one name, the
// second goes on with the first one's. So every layer is judged by itself, on the same operands.
#pragma once

#include <string>
#include <vector>

#include "base/pool.h"
#include "ir/graph.h"

namespace remodel {

struct LockstepResult {
  size_t compared = 0;  // values
  size_t ties = 0;      // those that differed by near ties or one step of rounding only
  // The first value in the second graph's order that differs; empty where none does.
  std::string layer;       // the user's name of its producer
  std::string difference;  // in words
  bool agrees() const { return difference.empty(); }
};

// Inputs are in each graph's own order. Ends at the first difference.
LockstepResult run_in_lockstep(const Graph& first, std::vector<Datum> first_inputs, const Graph& second,
                               std::vector<Datum> second_inputs, double tolerance, Pool& pool);

}  // namespace remodel
