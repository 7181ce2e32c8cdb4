// One conversion from file to file.
#pragma once

#include <optional>
#include <string>

#include "app/attempt.h"
#include "app/check.h"
#include "app/load.h"
#include "app/report.h"

namespace remodel {

class Console;

// As TensorFlow Lite's converter takes them.
struct QuantizationOptions {
  std::string optimization = "none", type = "float32", opsset = "tflite", load;
};

struct ConvertOptions {
  std::string from, to;                // paths
  std::string from_format, to_format;  // "": by content and name
  ReadRequest request;
  std::optional<int64_t> opset;         // that is asked for
  std::optional<int64_t> lowest_opset;  // otherwise: to begin with, where the format has it
  int level = 1;                        // -O: 0 applies only what the target needs
  bool external_data = false;
  LayoutWishes layout;
  std::string tflite_ops;  // "builtin", "custom", or "": builtin and what the source has
  bool verify = true;
  bool dry_run = false;
  std::string data;  // inputs for the check
  std::optional<double> tolerance;
  double seconds = CheckOptions().seconds;  // that the check may take
  int threads = 0;                          // 0: as many as there are cpus

  // For formats that are not there yet.
  QuantizationOptions quantization;
  std::string network_script, network_name;
  bool frozen = true;
  std::string savedmodel_tag = "serve", savedmodel_signature = "serving_default";
};

// Fills the report as far as it comes, and throws what goes wrong. A check that fails is no exception: the
// report's exit code is 3, OUT is left as it was and the result lies beside it, as unverified_path(OUT).
void convert(const ConvertOptions& options, Report& report, Console& console);

// The paths that a conversion is sure to write.
std::vector<std::string> written_paths(const ConvertOptions& options);

// "a/model.onnx" -> "a/model.unverified.onnx"
std::string unverified_path(const std::string& path);

}  // namespace remodel
