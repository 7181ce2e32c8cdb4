// Rewrites of loops and branches, bodies included. All are exact.
#pragma once

#include "ir/graph.h"
#include "passes/rules.h"

namespace remodel {

// In this order, innermost loops first, over and over while anything changes:
//   a branch that is known takes the place of its `if`;
//   what a body computes from values that stay the same at every step moves out;
//   carried values that nothing depends on go, those that stay the same become invariants;
//   what a body counts for itself is the number of the step, and a condition on it is the loop's count;
//   a list made of a tensor's slices, or a tensor, that is indexed by the step becomes a per-step input;
//   a list that each step appends to, or a tensor that it writes a slice of, becomes a stacked result;
//   a carried value that only repeats another one is a view of that;
//   updates under `step < lengths` become the loop's lengths.
// Each either removes a node of the body, a carried value, a condition or an if, takes a use from a counter,
// or gives rows to a value that had none, and nothing gives these back, so it ends. Adds to `counts`; gives
// how many rewrites were made.
size_t simplify_loops(Graph& graph, std::vector<RuleCount>& counts);

}  // namespace remodel
