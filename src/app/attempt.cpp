#include "app/attempt.h"

#include <new>

#include "base/limits.h"
#include "passes/decompose.h"
#include "passes/layout/layout.h"
#include "passes/optimise.h"

namespace remodel {
namespace {

// That rewriting computes: larger ones stay expressions.
constexpr uint64_t largest_tensor = uint64_t{1} << 27;

class LayingOut {
 public:
  LayingOut(Attempt& made, const LayoutTarget& target, const LayoutWishes& wishes)
      : made_(made), target_(target), wishes_(wishes) {}

  void run(Graph& graph) {
    const GraphPtr before = graph.copy();
    LayoutReport report = lay_out(graph, target_, wishes_);
    using Cause = LayoutReport::Cause;
    if (report.count(Cause::input) > 0)
      made_.saved_by_inputs += saved_by(*before, report, &LayoutWishes::inputs);
    if (report.count(Cause::output) > 0)
      made_.saved_by_outputs += saved_by(*before, report, &LayoutWishes::outputs);
    made_.layouts.push_back(std::move(report));
  }

 private:
  size_t saved_by(const Graph& graph, const LayoutReport& report, PortWishes LayoutWishes::*ports) const {
    if (!(wishes_.*ports).empty()) return 0;
    LayoutWishes wishes = wishes_;
    (wishes.*ports).all = target_.channels;
    const size_t left = lay_out(*graph.copy(), target_, wishes).transposes.size();
    return report.transposes.size() - std::min(left, report.transposes.size());
  }

  Attempt& made_;
  const LayoutTarget& target_;
  const LayoutWishes& wishes_;
};

}  // namespace

Attempt attempt(const Model& source, const Format& format, const WriteTarget& target, int level, Pool& pool) {
  const Limits limits(largest_tensor, any_time);
  Attempt made;
  made.version = target.version;
  Model model = source.copy();
  const auto count = [&](std::string name, size_t times) {
    if (times) made.rules.push_back({std::move(name), "exact", static_cast<int64_t>(times)});
  };
  static constexpr std::string_view effects[] = {"exact", "rounding", "approximate"};
  OptimiseOptions optimising;
  optimising.level = level;
  // What stays with the runtime that it was made for gives the same to the last bit.
  if (source.arithmetic == format.arithmetic() && source.arithmetic != Arithmetic::real)
    optimising.most = Effect::exact;
  const OptimiseReport optimised = optimise(model, optimising, pool);
  for (const RuleCount& rule : optimised.rules)
    made.rules.push_back({rule.name, std::string(effects[static_cast<int>(rule.effect)]), rule.count});
  count("constants folded", optimised.folded);
  count("equal nodes merged", optimised.merged);
  try {
    size_t apart = 0;
    const Refusal refusal = [&](const Graph& graph, const Node& node) {
      return format.cannot_write(graph, node, target);
    };
    const std::optional<LayoutTarget> layout = format.layout();
    const bool last = layout && layout->channels == Channels::last;
    for (const GraphPtr& one : model.graphs) {
      // What has its channels last would be taken apart for a target that wants them first.
      const bool turned = layout && !last && (has_channels(*one, Channels::last) || !target.layout.empty());
      if (turned) LayingOut(made, *layout, target.layout).run(*one);
      if (turned && level > 0) tidy(*one, pool);
      const size_t here = decompose(*one, refusal, made.problems);
      apart += here;
      if (last) LayingOut(made, *layout, target.layout).run(*one);
      if ((here > 0 || last) && level > 0) tidy(*one, pool);
      if (turned || last) made.layouts.back().keep_left(*one);
    }
    count("taken apart for the target", apart);
    if (made.problems.empty()) made.draft = format.write(model, target, made.problems);
  } catch (const Error& error) {
    made.problems.push_back(error);
  } catch (const std::bad_alloc&) {
    made.problems.push_back(Error("to rewrite it takes more memory than there is", ErrorKind::io));
  }
  return made;
}

Attempt attempt_above(const Model& source, const Format& format, WriteTarget target, int level, Pool& pool) {
  Attempt made;
  made.problems.push_back(Error("no version can express the model"));
  while (!made.problems.empty() && target.version < format.versions().highest) {
    ++target.version;
    made = attempt(source, format, target, level, pool);
  }
  return made;
}

}  // namespace remodel
