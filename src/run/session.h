// A model's entry points called one after another, with the state that lasts between the calls.
#pragma once

#include <vector>

#include "run/runner.h"

namespace remodel {

class Session {
 public:
  Session(const Model& model, Pool& pool);

  // Takes and gives the graph's inputs and outputs that are no state, in order. A call that throws leaves the
  // states as they were.
  std::vector<Datum> call(const Graph& graph, std::vector<Datum> inputs);

 private:
  std::vector<Datum> states_;
  Runner runner_;
};

}  // namespace remodel
