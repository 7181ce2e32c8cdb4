// Runs the layout pass on model files as a writer for a target would, and compares what the model gives
// before and after. One line a file:
//
//   <boundary> <meaning> <layout> <transposes> <milliseconds> <nodes> <check> <file>
//
// Boundary, meaning and layout are what the pass reports; transposes are those that stand in the graph, each
// body counted once, when all is tidied.
//
//   remodel_layout [--to first|last] [--nhwc] [--no-check] [--why] [--graph] [--random SEED] [--back]
//                  FILE...
//
// With --random each op runs in an order chosen by chance, so transposes stand everywhere. With --back the
// result is laid out again for a target with its channels at the other end.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <set>

#include "app/check.h"
#include "app/load.h"
#include "base/format.h"
#include "ir/text.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "passes/decompose.h"
#include "passes/layout/emit.h"
#include "passes/layout/layout.h"
#include "passes/optimise.h"

namespace remodel {
namespace {

struct Options {
  LayoutTarget target;
  LayoutWishes wishes;
  bool check = true, why = false, graph = false, back = false;
  uint64_t random = 0;
};

// What TensorFlow Lite has no operator for, of what stands in models.
std::string lacks(const Graph&, const Node& node) {
  static const std::set<std::string_view> ops{
      "attention", "rotary",  "batch_norm",    "layer_norm", "rms_norm", "group_norm",  "swish",
      "mish",      "lp_norm", "instance_norm", "celu",       "selu",     "hard_sigmoid"};
  auto shuffle = node.op.as<DepthToSpace>();
  bool lacks = ops.count(node.op.name()) || (shuffle && shuffle->order == DepthOrder::crd);
  return lacks ? "the target has no such op" : "";
}

// Bodies included.
size_t count(const Graph& graph, bool transposes_only) {
  size_t sum = 0;
  for (NodeId id : graph.order()) {
    const Op& op = graph.node(id).op;
    if (!transposes_only || op.is<Transpose>()) ++sum;
    for (const GraphPtr& body : op.graphs()) sum += count(*body, transposes_only);
  }
  return sum;
}
size_t count(const Model& model, bool transposes_only) {
  size_t sum = 0;
  for (const GraphPtr& graph : model.graphs) sum += count(*graph, transposes_only);
  return sum;
}

std::string check(const Model& before, const Model& after, const Options& options) {
  if (!options.check) return "-";
  if (!options.wishes.empty()) return "turned";
  CheckOptions asked;
  asked.tolerance = 1e-4;
  asked.seconds = 60;
  CheckResult result = check_models(before, after, asked);
  for (const OutputCheck& output : result.outputs)
    if (output.verdict == Verdict::failed)
      return fmt::format("FAILED: {} at {}: {}", output.output, output.layer, output.reason);
  for (const OutputCheck& output : result.outputs)
    if (output.verdict == Verdict::not_run) return "not run: " + output.reason;
  return "same";
}

LayoutReport lay_out_by_chance(Graph& graph, const Options& options, std::mt19937_64& random) {
  LayoutReport report;
  for (NodeId id : graph.order())
    for (const GraphPtr& body : graph.node(id).op.graphs()) lay_out_by_chance(*body, options, random);
  layout::Problem problem(graph, options.target, {});
  for (layout::Unit& unit : problem.units) {
    if (unit.modes.empty()) continue;
    for (int tries = 0; tries < 8; ++tries) {
      layout::Candidate candidate;
      candidate.mode = static_cast<int>(random() % unit.modes.size());
      candidate.slots = unit.modes[candidate.mode].source;
      for (auto& slot : candidate.slots) std::shuffle(slot.begin(), slot.end(), random);
      if (!problem.complete(unit, candidate)) continue;
      unit.candidate = candidate;
      break;
    }
  }
  layout::emit(problem, report);
  graph.drop_dead();
  return report;
}

// A target that has its channels last and runs softmax along the last axis, or one that has them first.
LayoutTarget target_with(Channels channels) {
  LayoutTarget target;
  target.channels = channels;
  target.softmax_last = target.swapped_right = channels == Channels::last;
  return target;
}

void run(const std::string& path, const Options& options) {
  Pool pool(2);
  Model model = load(path).model;
  optimise(model, {}, pool);
  for (const GraphPtr& graph : model.graphs) {
    std::vector<Error> problems;
    decompose(*graph, lacks, problems);
    tidy(*graph, pool);
  }
  const Model before = model.copy();
  LayoutReport report;
  std::mt19937_64 random(options.random);
  auto start = std::chrono::steady_clock::now();
  for (const GraphPtr& graph : model.graphs) {
    LayoutReport one = options.random ? lay_out_by_chance(*graph, options, random)
                                      : lay_out(*graph, options.target, options.wishes);
    for (auto& transpose : one.transposes) report.transposes.push_back(std::move(transpose));
  }
  for (const GraphPtr& graph : model.graphs) {
    if (!options.back) break;
    tidy(*graph, pool);
    const bool last = options.target.channels == Channels::last;
    report = lay_out(*graph, target_with(last ? Channels::first : Channels::last));
  }
  double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  for (const GraphPtr& graph : model.graphs)
    for (const std::string& problem : verify(*graph)) throw Error(problem);
  if (options.graph) std::printf("%s\n", print(model).c_str());
  for (const GraphPtr& graph : model.graphs) tidy(*graph, pool);
  using Cause = LayoutReport::Cause;
  std::printf("%s\n",
              fmt::format("{} {} {} {} {:.1f} {} {} {}", report.at_boundary(), report.count(Cause::meaning),
                          report.count(Cause::layout), count(model, true), ms, count(model, false),
                          check(before, model, options), path)
                  .c_str());
  if (options.why)
    for (const auto& one : report.transposes)
      std::printf("  %d %s -> %s: %s\n", static_cast<int>(one.cause), one.from.c_str(), one.to.c_str(),
                  one.why.c_str());
  std::fflush(stdout);
}

int main_of(int count, char** arguments) {
  Options options;
  int failures = 0;
  for (int i = 1; i < count; ++i) {
    std::string_view argument = arguments[i];
    if (argument == "--to") {
      options.target =
          target_with(std::string_view(arguments[++i]) == "first" ? Channels::first : Channels::last);
    } else if (argument == "--nhwc") {
      options.wishes.inputs.all = Channels::last;
    } else if (argument == "--back") {
      options.back = true;
    } else if (argument == "--random") {
      options.random = std::stoull(arguments[++i]);
    } else if (argument == "--no-check") {
      options.check = false;
    } else if (argument == "--why") {
      options.why = true;
    } else if (argument == "--graph") {
      options.graph = true;
    } else {
      try {
        run(arguments[i], options);
      } catch (const Error& error) {
        std::printf("ERROR: %s %s\n", error.what(), arguments[i]);
        ++failures;
      }
    }
  }
  return failures != 0;
}

}  // namespace
}  // namespace remodel

int main(int count, char** arguments) { return remodel::main_of(count, arguments); }
