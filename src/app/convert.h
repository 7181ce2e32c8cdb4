// One conversion from file to file.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace remodel {

struct ConvertOptions {
  std::string from, to;  // paths
  int64_t opset = 17;
  int level = 1;  // -O: 0 applies only what the target needs
  bool external_data = false;
};

// Reads a model of any known format. Throws the only problem; several are thrown as one Problems.
Model load_model(const std::string& path);

// All that is wrong with one model.
class Problems : public Error {
 public:
  explicit Problems(std::vector<Error> problems) : Error(problems.front()), all(std::move(problems)) {}
  std::vector<Error> all;
};

void convert(const ConvertOptions& options);

}  // namespace remodel
