// The executor: runs any graph of the IR on this machine's CPU.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "run/kernel.h"

namespace remodel {

struct RunOptions {
  // Sees each input and result as it comes, bodies included, and may put another in its place.
  std::function<void(const Graph&, ValueId, Datum&)> observe;
  bool portable = false;  // as in Call
  bool wide = false;      // kernels compute in f64 whatever the types of floats are
  Arithmetic arithmetic = Arithmetic::real;
};

class Runner {
 public:
  explicit Runner(Pool& pool, RunOptions options = {}) : pool_(pool), options_(std::move(options)) {}

  // One datum an input of the graph, in order; gives one an output. Errors name the node.
  std::vector<Datum> run(const Graph& graph, std::vector<Datum> inputs);

 private:
  using Bindings = std::map<std::string, int64_t, std::less<>>;
  std::vector<Datum> run(const Graph& graph, std::vector<Datum> inputs, Bindings bindings, int depth);
  Pool& pool_;
  RunOptions options_;
};

// Refuses inputs of other types or shapes than the graph's, as running it would.
void need_inputs(const Graph& graph, const std::vector<Datum>& inputs);

// The results of one op on given operands, as constant folding needs them.
std::vector<Datum> run_op(const Op& op, std::vector<Datum> operands, size_t outputs, Pool& pool);

}  // namespace remodel
