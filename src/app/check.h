// The check of a conversion: source as read and result as read back run on the same inputs, output by output.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "ir/graph.h"

namespace remodel {

struct CheckOptions {
  std::optional<double>
      tolerance;     // of an output's range; otherwise 1e-4, more where it is computed in small floats
  std::string data;  // an npz file with inputs by name; empty: they are made up
  uint64_t seed = 1;
  bool any_width = false;  // outputs may be wider or narrower numbers than the source's
  bool by_place = false;   // inputs, or outputs, of which no two have one name are paired by their places;
                           // otherwise outputs have to be in one order, too
  // Ports of the result that have other orders, for each graph of the source: (output, index in the source),
  // and which of the source's axes stands at each place.
  std::vector<std::map<std::pair<bool, size_t>, std::vector<int64_t>>> turned;
  int threads = 0;  // 0: as many as there are cpus
  // What takes more is not run, and the reason says so.
  double seconds = 600;          // for each entry point
  uint64_t memory = any_memory;  // a tensor
};

enum class Verdict : uint8_t {
  verified,
  near_ties,      // differs, but only because choices between nearly equal numbers fell otherwise
  not_exercised,  // equal, but the same on both sets of inputs: it shows nothing
  random,         // hangs on random numbers: only its type and shape were compared
  failed,
  not_run,
};
std::string_view name_of(Verdict verdict);  // "not exercised"

struct OutputCheck {
  std::string graph, output;
  Verdict verdict = Verdict::not_run;
  double error = 0;      // floats: of the range
  double tolerance = 0;  // that applied
  std::string reason;    // why the tolerance is wider, the output not exercised, not run; what differs
  std::string layer;     // of one that failed: the first layer that differs, where it was found
  std::string layer_difference;  // what differs there, where that is not the output itself
};

struct CheckResult {
  std::vector<OutputCheck> outputs;
  std::vector<std::string> inputs;  // what each set was: "made up with batch = 2, seq = 7"
  std::vector<std::string> notes;
  double seconds = 0;

  bool failed() const;   // some output differs
  bool not_run() const;  // nothing could be said of some output
  bool passed() const { return !failed() && !not_run(); }
};

// A usage error where the file does not hold the inputs of the model.
void need_data(const std::string& path, const Model& source);

// An output that only one of the models has is one that failed. Never throws for what is wrong with a model;
// throws for what is wrong with the options.
CheckResult check_models(const Model& source, const Model& result, const CheckOptions& options);

}  // namespace remodel
