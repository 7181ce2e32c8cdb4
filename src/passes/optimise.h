// All passes, in their order.
#pragma once

#include <vector>

#include "base/pool.h"
#include "ir/graph.h"
#include "passes/rules.h"

namespace remodel {

struct OptimiseOptions {
  int level = 1;  // 0: only what removes what nobody reads
  // No rule that changes more is applied.
  Effect most = Effect::approximate;
};

struct OptimiseReport {
  std::vector<RuleCount> rules;  // those that fired
  size_t folded = 0, merged = 0, dropped = 0;
};

OptimiseReport optimise(Model& model, const OptimiseOptions& options, Pool& pool);

// What is left to do after ops were taken apart: the parts meet their neighbours and constants. Nothing that
// a target may lack is put together.
void tidy(Graph& graph, Pool& pool);

// One family of rules each.
void activation_rules(Rules& rules);
void attention_rules(Rules& rules);
void block_rules(Rules& rules);
void cleanup_rules(Rules& rules);
void size_rules(Rules& rules);
void fuse_rules(Rules& rules);
void norm_rules(Rules& rules);

}  // namespace remodel
