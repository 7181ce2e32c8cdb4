// A model rewritten and said in the target's operators: all of a conversion that needs no file.
#pragma once

#include <memory>
#include <vector>

#include "app/report.h"
#include "base/error.h"
#include "base/pool.h"
#include "formats/format.h"
#include "ir/graph.h"

namespace remodel {

struct Attempt {
  int64_t version = 0;           // of the target's operator set
  std::unique_ptr<Draft> draft;  // null where the model could not be said at all
  std::vector<Report::Rule> rules;
  std::vector<LayoutReport> layouts;  // of each graph; none where the order was not looked at
  // How many transposes it would save to have inputs, or outputs, in the target's order.
  size_t saved_by_inputs = 0, saved_by_outputs = 0;
  std::vector<Error> problems;  // why the target cannot express the model, one a layer; empty where it can
};

// `level` 0 rewrites only what the target needs.
Attempt attempt(const Model& source, const Format& format, const WriteTarget& target, int level, Pool& pool);

// At the lowest version above the one asked for that can express the model; with problems where none can.
Attempt attempt_above(const Model& source, const Format& format, WriteTarget target, int level, Pool& pool);

}  // namespace remodel
