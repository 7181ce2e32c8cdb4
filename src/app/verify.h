// The commands that run models: `remodel run` and `remodel verify`.
#pragma once

#include <string>

#include "app/check.h"
#include "wire/json.h"

namespace remodel {

class Console;

struct VerifyOptions {
  std::string source, result;                // paths
  std::string source_format, result_format;  // "": by content and name
  CheckOptions check;
};

// Reads both models and compares them; outputs may have other widths where the formats differ.
CheckResult verify(const VerifyOptions& options);

std::string text_of(const CheckResult& result, const Console& console);
Json json_of(const CheckResult& result);

struct RunCommand {
  std::string model, format;                // format "": by content and name
  std::string inputs, outputs;              // npz files
  int threads = 0;                          // 0: as many as there are cpus
  double seconds = CheckOptions().seconds;  // that it may take
};

// Runs the model in our executor on arrays by the names of its inputs, and stores one array an output. Gives
// what the outputs are: "logits: f32[1, 10]".
std::vector<std::string> run(const RunCommand& options);

// The outputs of a model on the arrays of the file of inputs; nothing is stored.
std::vector<Datum> run_on_file(const RunCommand& options, const Model& model);

}  // namespace remodel
