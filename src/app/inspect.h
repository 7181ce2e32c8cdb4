// What a model file holds and what can be made of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "app/report.h"
#include "ir/graph.h"
#include "wire/json.h"

namespace remodel {

struct Inspection {
  struct Port {
    std::string name, dtype, shape;  // "f32", "[N, 3, 224, 224]"
    std::string kind;                // of an output: what it means
  };
  struct Signature {
    std::string name;
    std::vector<Port> inputs, outputs;
    int64_t multiply_adds = 0, peak_activation_bytes = 0;
    std::string sizes;        // those that the two are for: "batch = 1"; empty where none were open
    bool open_sizes = false;  // some sizes show only when it runs; they count as 1
  };
  struct Parameters {
    int64_t count = 0;
    uint64_t bytes = 0;
  };
  struct Target {
    std::string format;
    std::string version_name;           // "opset"; empty where the format has one operator set
    int64_t version = 0;                // that was tried
    int64_t lowest_version = 0;         // that can express it; 0: none
    std::vector<std::string> problems;  // one a layer
  };

  Report::Side file;
  int64_t modified = 0;  // nanoseconds since 1970
  std::string producer_version, domain, doc;
  int64_t version = 0;
  std::map<std::string, int64_t> opsets;
  std::vector<Signature> signatures;
  Parameters parameters;  // weights that several layers share count once
  std::map<std::string, Parameters> parameters_by_dtype;
  std::map<std::string, int64_t> ops;  // of the IR
  int64_t sub_graphs = 0;              // bodies of branches and loops
  std::vector<std::string> foreign;    // operators that are only kept
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::pair<std::string, uint64_t>> assets;  // what the file brings along, with its size
  std::vector<std::string> class_names;
  std::vector<Target> targets;
};

struct InspectOptions {
  std::string path, format;  // format "": by content and name
  bool graph = false;        // print the IR instead
};

Inspection inspect(const std::string& path, const std::string& format = "");

std::string text_of(const Inspection& inspection, int width);
Json json_of(const Inspection& inspection);

// The command: text, JSON or the IR, as it is printed.
std::string inspect_command(const InspectOptions& options, bool json, int width);

// Class names out of a model's metadata: YOLO's {0: 'person', 1: 'bicycle'}, a JSON list or object, or one a
// line. Empty where it is none of these.
std::vector<std::string> parse_class_names(const std::string& text);

}  // namespace remodel
