#include "passes/optimise.h"

#include "base/error.h"
#include "passes/cells.h"
#include "passes/cse.h"
#include "passes/fold.h"
#include "passes/layers.h"
#include "passes/loops.h"

namespace remodel {
namespace {

// Fusing opens new chances to recognise and the reverse; real models settle after two or three rounds.
constexpr int most_rounds = 8;

struct Tables {
  Rules recognise, clean;
  Tables() {
    activation_rules(recognise);
    norm_rules(recognise);
    attention_rules(recognise);
    block_rules(recognise);
    size_rules(clean);
    cleanup_rules(clean);
    fuse_rules(clean);
  }
};

void check(const Graph& graph, const char* pass) {
  auto problems = verify(graph);
  if (!problems.empty())
    throw Error(fmt::format("after {}: {}", pass, problems.front()), ErrorKind::internal);
}

}  // namespace

OptimiseReport optimise(Model& model, const OptimiseOptions& options, Pool& pool) {
  OptimiseReport report;
  std::vector<RuleCount> counts, recognised, loops;
  static const Tables tables;
  for (const GraphPtr& graph : model.graphs) {
    report.dropped += graph->drop_dead();
    if (options.level == 0) continue;
    GrowthBudget budget(*graph);
    for (int round = 0; round < most_rounds; ++round) {
      size_t before = 0, after = 0;
      for (const RuleCount& count : counts) before += count.count;
      for (const RuleCount& count : recognised) before += count.count;
      size_t folded = fold_constants(*graph, budget, pool);
      check(*graph, "folding");
      size_t merged = merge_equal_nodes(*graph);
      check(*graph, "merging");
      size_t in_loops = simplify_loops(*graph, loops);
      check(*graph, "the rules of loops");
      size_t layers = simplify_layers(*graph);
      if (options.most >= Effect::rounding) layers += recognise_cells(*graph, loops, DType::f64);
      check(*graph, "the cells of loops");
      // High-level ops are recognised before anything that they consist of is rewritten. Runtimes have few of
      // them for doubles.
      apply_rules(*graph, tables.recognise, recognised, DType::f64, options.most);
      check(*graph, "recognising");
      apply_rules(*graph, tables.clean, counts, DType::unknown, options.most);
      check(*graph, "cleaning");
      report.dropped += graph->drop_dead();
      report.folded += folded;
      report.merged += merged;
      for (const RuleCount& count : counts) after += count.count;
      for (const RuleCount& count : recognised) after += count.count;
      if (before == after && folded + merged + in_loops + layers == 0) break;
    }
    report.folded += fold_constants(*graph, budget, pool);
    report.dropped += graph->drop_dead();
    check(*graph, "optimising");
  }
  for (const auto& list : {loops, recognised, counts})
    for (const RuleCount& count : list)
      if (count.count) report.rules.push_back(count);
  return report;
}

void tidy(Graph& graph, Pool& pool) {
  struct Cleanup : Rules {
    Cleanup() { cleanup_rules(*this); }
  };
  static const Cleanup rules;
  std::vector<RuleCount> counts;
  GrowthBudget budget(graph);
  fold_constants(graph, budget, pool);
  merge_equal_nodes(graph);
  apply_rules(graph, rules, counts);
  fold_constants(graph, budget, pool);
  graph.drop_dead();
  check(graph, "tidying");
}

}  // namespace remodel
