#include "app/check.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "app/arrays.h"
#include "app/exercise.h"
#include "app/runnable.h"
#include "base/error.h"
#include "base/file.h"
#include "ir/constant.h"
#include "ir/convert.h"
#include "run/compare.h"
#include "run/cost.h"
#include "run/lockstep.h"
#include "run/made_inputs.h"
#include "run/runner.h"
#include "run/traits.h"

namespace remodel {
namespace {

constexpr double usual_tolerance = 1e-4;
constexpr double fastest_multiply_adds = 1e12;  // a second, on any machine
constexpr const char* no_memory = "there is not enough memory";

// Floats with few digits add up more rounding on their way.
double tolerance_for(DType narrowest) {
  switch (narrowest) {
    case DType::unknown:
    case DType::f32:
    case DType::f64:
      return usual_tolerance;
    case DType::f16:
      return 1e-2;
    case DType::bf16:
      return 5e-2;
    default:
      return is_float(narrowest) ? 0.2 : usual_tolerance;
  }
}

bool all_special(const Datum& datum) {
  if (!datum.is_tensor() || !is_float(datum.tensor.dtype()) || datum.tensor.count() == 0) return false;
  auto values = datum.tensor.doubles();
  return std::none_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

// The same elements from the last to the first: inputs that fit the same use.
Datum reversed(const Datum& datum) {
  if (datum.kind == Datum::none_kind) return datum;
  if (!datum.is_tensor()) {
    std::vector<Datum> items;
    for (const Datum& item : *datum.items) items.push_back(reversed(item));
    return Datum::list(std::move(items));
  }
  const Tensor& from = datum.tensor;
  Tensor to(from.dtype(), from.shape());
  if (from.dtype() == DType::string) {
    std::reverse_copy(from.strings().begin(), from.strings().end(), to.strings().begin());
    return to;
  }
  size_t width = size_of(from.dtype());
  for (int64_t i = 0, count = from.count(); i < count; ++i)
    std::memcpy(to.to<uint8_t>() + i * width, from.as<uint8_t>() + (count - 1 - i) * width, width);
  return to;
}

Datum cast(const Datum& datum, DType to) {
  if (!datum.is_tensor() || to == DType::unknown || datum.tensor.dtype() == to) return datum;
  if (datum.tensor.dtype() == DType::string || to == DType::string) return datum;
  Tensor result(to, datum.tensor.shape());
  convert_elements(datum.tensor.dtype(), datum.tensor.raw(), to, result.raw(), datum.tensor.count());
  return result;
}

using Turned = std::map<std::pair<bool, size_t>, std::vector<int64_t>>;

Datum permuted(const Datum& datum, const std::vector<int64_t>& axes) {
  return datum.is_tensor() ? Datum(constant_tensor(datum.tensor)->permuted(axes)->tensor()) : datum;
}

std::vector<int64_t> inverse(const std::vector<int64_t>& axes) {
  std::vector<int64_t> result(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) result[static_cast<size_t>(axes[i])] = static_cast<int64_t>(i);
  return result;
}

// One entry point of the two models.
class Check {
 public:
  Check(const Graph& source, const Graph& result, const Turned& turned, const CheckOptions& options,
        Pool& pool, CheckResult& report)
      : source_part_(runnable_part(source)),
        result_part_(runnable_part(result)),
        source_(source_part_.graph ? *source_part_.graph : source),
        result_(result_part_.graph ? *result_part_.graph : result),
        turned_(turned),
        options_(options),
        pool_(pool),
        report_(report) {}

  void run() {
    first_ = report_.outputs.size();
    pair_outputs();
    if (std::string problem = pair_inputs(); !problem.empty()) return all(Verdict::failed, problem);
    if (!options_.by_place && !same_order()) return all(Verdict::failed, "the outputs are in another order");
    bool any_runs = output_pairs_.empty();
    for (size_t i = 0; i < output_pairs_.size(); ++i) {
      check(i).reason = missing(i);
      any_runs = any_runs || missing(i).empty();
    }
    if (!any_runs) return;
    const Limits limits(options_.memory, options_.seconds);
    depends_ = dependences(source_);
    Set first, second;
    if (std::string problem = make_first(first); !problem.empty())
      return all(Verdict::not_run, "the source does not run: " + problem);
    bool varied = true;
    judge(first);
    if (any_failed_to_run_) return;
    std::vector<Datum> seen = std::move(first.outputs);
    if (make_second(first, second)) {
      judge(second);
    } else {
      varied = false;
    }
    for (size_t i = 0; i < output_pairs_.size(); ++i) settle(i, seen, second, varied);
  }

 private:
  struct Set {
    std::string text;
    std::vector<Datum> inputs, outputs;  // of the source
  };

  struct Pair {
    size_t source, result;  // places of ports
  };

  // Of a pair of outputs.
  OutputCheck& check(size_t i) { return report_.outputs[first_ + i]; }
  // The layer for which the output cannot be run; "" where it can.
  const std::string& missing(size_t i) const {
    const std::string& of_source = source_part_.missing[output_pairs_[i].source];
    return of_source.empty() ? result_part_.missing[output_pairs_[i].result] : of_source;
  }
  void all(Verdict verdict, const std::string& reason) {
    for (size_t i = 0; i < output_pairs_.size(); ++i) {
      check(i).verdict = verdict;
      check(i).reason = reason;
    }
  }

  // Ports of one name, in the result's order; a state, which a format without states has to name anew, goes
  // with the first that has no namesake. Where there is none of either model's names in the other, those
  // at one place, if that is asked for.
  std::vector<Pair> pair(const std::vector<Port>& source, const std::vector<Port>& result,
                         const char* what) const {
    std::vector<Pair> pairs;
    std::vector<bool> taken(source.size(), false);
    std::vector<size_t> others;
    for (size_t i = 0; i < result.size(); ++i) {
      size_t j = 0;
      while (j < source.size() && (taken[j] || source[j].name != result[i].name)) ++j;
      if (j == source.size()) {
        others.push_back(i);
        continue;
      }
      taken[j] = true;
      pairs.push_back({j, i});
    }
    for (size_t j = 0, next = 0; j < source.size() && next < others.size(); ++j)
      if (!taken[j] && source[j].state != absent) pairs.push_back({j, others[next++]});
    std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.result < b.result; });
    if (!pairs.empty() || !options_.by_place || source.size() != result.size() || source.empty())
      return pairs;
    report_.notes.push_back(
        fmt::format("no {0} has the same name in both models, so {0}s were paired by place", what));
    for (size_t i = 0; i < result.size(); ++i) pairs.push_back({i, i});
    return pairs;
  }
  // The report has first the pairs, then what only one of the models has.
  void pair_outputs() {
    output_pairs_ = pair(source_.outputs, result_.outputs, "output");
    std::vector<bool> of_source(source_.outputs.size(), false), of_result(result_.outputs.size(), false);
    for (const Pair& one : output_pairs_) {
      of_source[one.source] = of_result[one.result] = true;
      add(result_.outputs[one.result].name);
    }
    for (size_t i = 0; i < of_source.size(); ++i)
      if (!of_source[i]) add(source_.outputs[i].name, "the result has no such output");
    for (size_t i = 0; i < of_result.size(); ++i)
      if (!of_result[i]) add(result_.outputs[i].name, "the source has no such output");
  }
  bool same_order() const {
    return std::is_sorted(output_pairs_.begin(), output_pairs_.end(),
                          [](const Pair& a, const Pair& b) { return a.source < b.source; });
  }
  void add(const std::string& name, const std::string& missing = "") {
    OutputCheck one;
    one.graph = source_.name, one.output = name;
    if (!missing.empty()) one.verdict = Verdict::failed, one.reason = missing;
    report_.outputs.push_back(std::move(one));
  }
  std::string pair_inputs() {
    const std::vector<Pair> pairs = pair(source_.inputs, result_.inputs, "input");
    for (const Pair& one : pairs) input_pairs_.push_back(one.source);
    for (size_t i = 0; i < result_.inputs.size(); ++i)
      if (i >= pairs.size() || pairs[i].result != i)
        return fmt::format("the source has no input '{}'", result_.inputs[i].name);
    return "";
  }

  // The order that the source's port has in the result; null where it is the same.
  const std::vector<int64_t>* turn_of(bool output, size_t port) const {
    const auto place = turned_.find({output, port});
    return place == turned_.end() ? nullptr : &place->second;
  }

  // What both graphs take: numbers that the result's narrower type can hold.
  void fit_to_result(std::vector<Datum>& inputs) const {
    for (size_t i = 0; i < input_pairs_.size(); ++i) {
      const Type& type = result_.value(result_.inputs[i].value).type;
      Datum& input = inputs[input_pairs_[i]];
      if (!input.is_tensor() || !type.is_tensor()) continue;
      DType own = input.tensor.dtype();
      input = cast(cast(input, type.dtype), own);
    }
  }
  std::vector<Datum> for_result(const std::vector<Datum>& inputs) const {
    std::vector<Datum> arranged;
    for (size_t i = 0; i < input_pairs_.size(); ++i) {
      const Type& type = result_.value(result_.inputs[i].value).type;
      arranged.push_back(type.is_tensor() ? cast(inputs[input_pairs_[i]], type.dtype)
                                          : inputs[input_pairs_[i]]);
      if (const auto* axes = turn_of(false, input_pairs_[i]))
        arranged.back() = permuted(arranged.back(), *axes);
    }
    return arranged;
  }

  // Runs the source; gives what went wrong.
  std::string try_source(Set& set) {
    fit_to_result(set.inputs);
    try {
      set.outputs = Runner(pool_).run(source_, set.inputs);
      return "";
    } catch (const Error& error) {
      return error.what();
    } catch (const std::bad_alloc&) {
      return no_memory;
    }
  }

  // The source with sizes that the result has fixed, so that the inputs suit both.
  GraphPtr source_with_fixed_sizes() const {
    SizeMap fixed;
    for (size_t i = 0; i < input_pairs_.size(); ++i) {
      const Type& mine = result_.value(result_.inputs[i].value).type;
      const Type& type = source_.value(source_.inputs[input_pairs_[i]].value).type;
      if (!mine.dims || !type.dims || mine.dims->size() != type.dims->size()) continue;
      const auto* axes = turn_of(false, input_pairs_[i]);
      for (size_t k = 0; k < type.dims->size(); ++k) {
        const Dim& size = (*type.dims)[axes ? static_cast<size_t>((*axes)[k]) : k];
        if ((*mine.dims)[k].is_number() && !size.symbol_name().empty())
          fixed.emplace(size.symbol_name(), (*mine.dims)[k]);
      }
    }
    if (fixed.empty()) return nullptr;
    GraphPtr copy = source_.copy();
    try {
      bind_symbols(*copy, fixed);
    } catch (const Error&) {
      return nullptr;
    }
    return copy;
  }

  std::string make_first(Set& set) {
    if (!options_.data.empty()) {
      set.text = "from " + options_.data;
      set.inputs = read_inputs(options_.data, source_);
      return try_source(set);
    }
    fixed_ = source_with_fixed_sizes();
    std::string problem;
    for (ChosenSizes& sizes : choose_sizes(fixed_ ? *fixed_ : source_, {}, 4)) {
      std::string found = try_made(set, sizes, 0);
      if (found.empty()) {
        chosen_ = std::move(sizes);
        return "";
      }
      if (problem.empty()) problem = found;
    }
    return problem;
  }
  std::string try_made(Set& set, const ChosenSizes& sizes, int number, uint64_t more_seed = 0) {
    set.text = "made up" + (sizes.sizes.empty() ? "" : " with " + sizes.text());
    if (const int64_t work = multiply_adds(*sizes.graph);
        static_cast<double>(work) > options_.seconds * fastest_multiply_adds)
      return fmt::format("{:.2g} multiply-adds would take longer than {:g} s", static_cast<double>(work),
                         options_.seconds);
    try {
      set.inputs = make_inputs(*sizes.graph, number, options_.seed + more_seed);
    } catch (const Error& error) {
      return error.what();
    } catch (const std::bad_alloc&) {
      return no_memory;
    }
    std::string problem = try_source(set);
    if (problem.empty()) undecide(set);
    return problem;
  }

  // Takes smaller inputs for those under which every probability is next to 0 or 1.
  void undecide(Set& set) {
    for (double factor : {0.25, 0.06, 0.015}) {
      if (!any_decided(source_, set.outputs)) return;
      Set quiet{set.text, quieter(set.inputs, factor), {}};
      if (try_source(quiet).empty() && !any_decided(source_, quiet.outputs)) set = std::move(quiet);
    }
  }

  // Other sizes where they are open; the same where others do not work.
  bool make_second(const Set& first, Set& set) {
    if (!options_.data.empty()) {
      set.text = "the same in reverse order";
      for (const Datum& input : first.inputs) set.inputs.push_back(reversed(input));
      return try_source(set).empty();
    }
    if (!chosen_.sizes.empty()) {
      SizeWishes wishes;
      wishes.variant = 1;
      for (const ChosenSizes& sizes : choose_sizes(fixed_ ? *fixed_ : source_, wishes, 1))
        if (try_made(set, sizes, 1).empty()) return true;
    }
    return try_made(set, chosen_, 1).empty() || try_made(set, chosen_, 0, 1).empty();
  }

  double tolerance(size_t i) {
    if (options_.tolerance) return *options_.tolerance;
    double wide = tolerance_for(depends_[output_pairs_[i].source].narrowest);
    if (wide > usual_tolerance)
      check(i).reason = fmt::format("computed in {}", name_of(depends_[output_pairs_[i].source].narrowest));
    return wide;
  }

  // Runs the result on a set that the source ran on, and compares.
  void judge(const Set& set) {
    report_.inputs.push_back(set.text);
    std::vector<Datum> outputs;
    try {
      outputs = Runner(pool_).run(result_, for_result(set.inputs));
    } catch (const Error& error) {
      any_failed_to_run_ = true;
      // The source ran, but there may be less memory and time now.
      const Verdict verdict = error.kind() == ErrorKind::io ? Verdict::not_run : Verdict::failed;
      return all(verdict, std::string("the result does not run: ") + error.what());
    } catch (const std::bad_alloc&) {
      any_failed_to_run_ = true;
      return all(Verdict::not_run, std::string("the result does not run: ") + no_memory);
    }
    std::vector<size_t> different;
    for (size_t i = 0; i < output_pairs_.size(); ++i) {
      OutputCheck& it = check(i);
      if (it.verdict == Verdict::failed || !missing(i).empty()) continue;
      const Datum& reference = set.outputs[output_pairs_[i].source];
      Datum output = outputs[output_pairs_[i].result];
      if (const auto* axes = turn_of(true, output_pairs_[i].source))
        output = permuted(output, inverse(*axes));
      if (depends_[output_pairs_[i].source].random) {
        it.verdict = Verdict::random;
        it.reason = form_difference(reference, output, options_.any_width);
        if (it.reason.empty())
          it.reason = "only its type and shape were compared";
        else
          it.verdict = Verdict::failed;
        continue;
      }
      Comparison found = compare(reference, output, tolerance(i), options_.any_width);
      it.error = std::max(it.error, found.error);
      it.tolerance = std::max(it.tolerance, found.tolerance);
      if (found.equal) {
        if (it.verdict != Verdict::near_ties) it.verdict = Verdict::verified;
        continue;
      }
      it.verdict = Verdict::failed;
      it.reason = found.difference;
      different.push_back(i);
    }
    forgive_rounding(set, different);
    if (!different.empty()) explain(set, different);
  }

  // Where numbers cancel, few of their digits are left. Outputs are compared as they come out where all is
  // computed with more.
  void forgive_rounding(const Set& set, std::vector<size_t>& different) {
    if (different.empty()) return;
    RunOptions precise;
    precise.wide = true;
    std::vector<Datum> references, outputs;
    try {
      references = Runner(pool_, precise).run(source_, set.inputs);
      outputs = Runner(pool_, precise).run(result_, for_result(set.inputs));
    } catch (const std::exception&) {
      return;
    }
    std::erase_if(different, [&](size_t i) {
      OutputCheck& it = check(i);
      Comparison found = compare(references[output_pairs_[i].source], outputs[output_pairs_[i].result],
                                 tolerance(i), /*any_width=*/true);
      if (!found.equal) return false;
      it.verdict = Verdict::verified;
      it.error = found.error;
      it.reason = "compared in double precision, as rounding leaves few digits here";
      return true;
    });
  }

  // Names the layer that differs; where none does, forgives outputs whose differences come from jumps.
  void explain(const Set& set, const std::vector<size_t>& different) {
    double allowed = 0;
    for (size_t i : different) allowed = std::max(allowed, tolerance_in_lockstep(i));
    LockstepResult found;
    try {
      found = run_in_lockstep(source_, set.inputs, result_, for_result(set.inputs), allowed, pool_);
    } catch (const Error& error) {
      return;
    }
    for (size_t i : different) {
      OutputCheck& it = check(i);
      if (!found.agrees()) {
        it.layer = found.layer;
        if (found.difference != it.reason) it.layer_difference = found.difference;
      } else if (found.compared > 0 && depends_[output_pairs_[i].source].decision) {
        it.verdict = Verdict::near_ties;
        it.reason = fmt::format(
            "{}; each layer alone agrees, but rounding decides between nearly equal numbers", it.reason);
      } else {
        it.reason += "; each layer alone agrees: small errors add up";
      }
    }
  }
  double tolerance_in_lockstep(size_t i) const {
    return options_.tolerance ? *options_.tolerance
                              : tolerance_for(depends_[output_pairs_[i].source].narrowest);
  }

  void settle(size_t i, const std::vector<Datum>& seen, const Set& second, bool varied) {
    OutputCheck& it = check(i);
    if (it.verdict != Verdict::verified) return;
    const size_t at = output_pairs_[i].source;
    std::string why;
    if (!depends_[at].inputs)
      why = "it depends on no input";
    else if (all_special(seen[at]) && (!varied || all_special(second.outputs[at])))
      why = "all of it is NaN or infinite";
    else if (!varied)
      why = "the source runs on one set of inputs only";
    else if (same_overlap(seen[at], second.outputs[at]))
      why = "it is the same on both sets of inputs";
    if (why.empty()) return;
    it.verdict = Verdict::not_exercised;
    it.reason = why;
  }

  const RunnablePart source_part_, result_part_;
  const Graph &source_, &result_;
  const Turned& turned_;
  const CheckOptions& options_;
  Pool& pool_;
  CheckResult& report_;
  size_t first_ = 0;                 // of this entry point's outputs in the report
  std::vector<size_t> input_pairs_;  // for each of the result's inputs the source's
  std::vector<Pair> output_pairs_;
  std::vector<Dependence> depends_;  // of the source's outputs
  GraphPtr fixed_;
  ChosenSizes chosen_;
  bool any_failed_to_run_ = false;
};

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::verified:
      return "verified";
    case Verdict::near_ties:
      return "near ties";
    case Verdict::not_exercised:
      return "not exercised";
    case Verdict::random:
      return "random";
    case Verdict::failed:
      return "failed";
    case Verdict::not_run:
      return "not run";
  }
  return "";
}

bool CheckResult::failed() const {
  return std::any_of(outputs.begin(), outputs.end(),
                     [](const auto& o) { return o.verdict == Verdict::failed; });
}
bool CheckResult::not_run() const {
  return std::any_of(outputs.begin(), outputs.end(),
                     [](const auto& o) { return o.verdict == Verdict::not_run; });
}

void need_data(const std::string& path, const Model& source) {
  for (const GraphPtr& graph : source.graphs) {
    const RunnablePart part = runnable_part(*graph);
    const Graph& whole = part.graph ? *part.graph : *graph;
    try {
      const std::vector<Datum> inputs = read_inputs(path, whole);
      try {
        need_inputs(whole, inputs);
      } catch (Error& error) {
        throw error.at(path);
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::refused) throw;
      throw Error(error.what(), ErrorKind::usage);
    }
  }
}

CheckResult check_models(const Model& source, const Model& result, const CheckOptions& options) {
  double start = wall_seconds();
  Pool pool(options.threads > 0 ? options.threads : usable_cpus());
  CheckResult report;
  for (size_t i = 0; i < result.graphs.size(); ++i) {
    const Graph& graph = *result.graphs[i];
    size_t from = std::min(i, source.graphs.size() - 1);
    if (result.graphs.size() == 1) from = 0;
    for (size_t k = 0; k < source.graphs.size(); ++k)
      if (source.graphs.size() > 1 && source.graphs[k]->name == graph.name) from = k;
    const Turned turned = from < options.turned.size() ? options.turned[from] : Turned();
    Check(*source.graphs[from], graph, turned, options, pool, report).run();
  }
  report.seconds = wall_seconds() - start;
  return report;
}

}  // namespace remodel
