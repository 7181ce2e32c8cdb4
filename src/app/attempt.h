// A model rewritten and said in the target's operators: all of a conversion that needs no file.
#pragma once

#include <vector>

#include "app/report.h"
#include "base/error.h"
#include "base/pool.h"
#include "formats/onnx/proto.h"
#include "ir/graph.h"

namespace remodel {

inline constexpr int64_t lowest_target_opset = 9, highest_target_opset = 24;

struct AttemptOptions {
  int64_t opset = 17;
  int level = 1;
  bool external_data = false;
};

struct Attempt {
  int64_t opset = 0;
  onnx::ModelProto proto;
  std::vector<Report::Rule> rules;
  std::vector<Error> problems;  // why the opset cannot express the model, one a layer; empty where it can
};

Attempt attempt(const Model& source, const AttemptOptions& options, Pool& pool);

// At the lowest opset above the one asked for that can express the model; with problems where none can.
Attempt attempt_above(const Model& source, AttemptOptions options, Pool& pool);

}  // namespace remodel
