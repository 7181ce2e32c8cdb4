// Reads a model of any known format.
#pragma once

#include <string>
#include <vector>

#include "app/report.h"
#include "base/error.h"
#include "formats/request.h"
#include "ir/graph.h"

namespace remodel {

// All that is wrong with one model, or with one file of jobs.
class Problems : public Error {
 public:
  explicit Problems(std::vector<Error> problems) : Error(problems.front()), all(std::move(problems)) {}
  std::vector<Error> all;
};

struct LoadOptions {
  std::string format;  // "": by content and name
  ReadRequest request;
};

struct Loaded {
  Model model;
  Report::Side side;
};

// Throws the only problem; several are thrown as one Problems. The file is named in each.
Loaded load(const std::string& path, const LoadOptions& options = {});

// The files that load() would read a model from, the model's own first, as far as they are there and what
// they refer to can be told.
std::vector<Report::File> files_of(const std::string& path, const std::string& format);

std::string folder_of(const std::string& path);  // "." or with its last slash
std::string file_of(const std::string& path);

}  // namespace remodel
