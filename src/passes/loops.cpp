#include "passes/loops.h"

#include "base/error.h"
#include "ops/control.h"
#include "passes/loop_rules.h"

namespace remodel {
namespace {

struct LoopRule {
  const char* name;
  size_t (*apply)(Graph& graph, NodeId id);
};

constexpr LoopRule if_rules[] = {
    {"constants into branches", sink_constants},
    {"known branch", inline_known_branch},
};
constexpr LoopRule loop_rules[] = {
    {"constants into loops", sink_constants},
    {"hoist invariants", hoist_invariants},
    {"drop dead carries", drop_dead_carries},
    {"counter into step", counters_into_step},
    {"condition into count", condition_into_count},
    {"index into per-step input", index_into_step_inputs},
    {"list into stacked result", lists_into_stacked},
    {"written tensor into stacked result", writes_into_stacked},
    {"carried value that is a view", views_of_carried},
    {"masked update into lengths", masks_into_lengths},
};

void add(std::vector<RuleCount>& counts, const char* name, size_t times) {
  for (RuleCount& count : counts)
    if (count.name == name) {
      count.count += static_cast<int>(times);
      return;
    }
  counts.push_back({name, Effect::exact, static_cast<int>(times)});
}

}  // namespace

size_t simplify_loops(Graph& graph, std::vector<RuleCount>& counts) {
  size_t all = 0;
  for (NodeId id : graph.order()) {
    std::vector<GraphPtr> bodies = graph.node(id).op.graphs();
    if (bodies.empty()) continue;
    for (const GraphPtr& body : bodies) all += simplify_loops(*body, counts);
    bool is_if = graph.node(id).op.is<If>();
    if (!is_if && !graph.node(id).op.is<Loop>()) continue;
    std::span<const LoopRule> rules = is_if ? std::span<const LoopRule>(if_rules) : loop_rules;
    for (size_t before = all + 1; before != all && graph.node(id).live;) {
      before = all;
      for (const LoopRule& rule : rules) {
        if (!graph.node(id).live) break;
        size_t times = rule.apply(graph, id);
        if (times) add(counts, rule.name, times);
        all += times;
      }
    }
  }
  return all;
}

}  // namespace remodel
