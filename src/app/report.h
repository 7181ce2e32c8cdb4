// What one conversion did, for people and for programs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.h"

namespace remodel {

class Console;
struct CheckResult;

struct Report {
  struct File {
    std::string path;
    uint64_t bytes = 0;
  };
  struct Side {
    std::string path, format, producer;
    std::string version_name;  // "opset"; empty where the format has one operator set
    int64_t version = 0;       // of the operator set
    int64_t nodes = 0;
    std::map<std::string, int64_t> operators;  // how often each occurs
    std::vector<File> files;
    uint64_t bytes() const;
    std::string version_text() const;  // "opset 17" or ""
  };
  struct Rule {
    std::string name, effect;
    int64_t count = 0;
  };
  struct Output {
    std::string graph, name, verdict;
    bool compared = false, failed = false;
    double error = 0, tolerance = 0;
    std::string reason, layer, layer_difference;
  };
  struct Check {
    std::string status = "not checked";  // "passed", "failed", "partly checked"
    std::string reason;                  // why it is not checked
    std::vector<std::string> inputs;     // what each set was
    std::vector<Output> outputs;
  };
  // The transposes that are left, and the ports that have another order than the source's.
  struct Layout {
    struct Transpose {
      std::string cause;  // "input", "output", "own" or "target"
      std::string from, to, why;
    };
    struct Port {
      std::string graph, name;
      bool output;
      std::string layout;  // "nhwc" or "nchw"
    };
    std::vector<Transpose> transposes;
    std::vector<Port> turned;
    int64_t count(std::string_view cause) const;
  };
  struct Phase {
    std::string name;
    double seconds = 0, cpu_seconds = 0;
  };

  Side read, written;
  bool dry_run = false;
  bool alone = true;  // no other conversion ran beside it: cpu and memory are its own
  std::vector<Rule> rules;
  Layout layout;
  Check check;
  std::vector<Phase> phases;
  uint64_t peak_memory = 0;
  std::vector<std::string> notes, errors;
  int exit_code = 0;

  double seconds() const;
  double cpu_seconds() const;
  std::string status() const { return std::string(status_name(exit_code)); }
  static std::string_view status_name(int exit_code);
};

// Of the form that programs read; a change that breaks readers raises it.
inline constexpr int report_version = 1;

std::string text_of(const Report& report, const Console& console);
Json json_of(const Report& report);

Report::Check summary_of(const CheckResult& result);
Json json_of(const Report::Check& check);
std::string text_of(const Report::Output& output, const Console& console);
std::string difference_of(const Report::Output& output);  // of one that failed: what differs and where

// A label in a column of its own, the text broken between items so that lines stay within the width.
struct LabelledLines {
  size_t column;
  int width;
  void add(std::string& to, std::string_view label, const std::vector<std::string>& items) const;
};
void add_inputs(std::string& to, const Report::Check& check, const LabelledLines& lines);

std::string text_of_bytes(uint64_t bytes);    // "44.7 MB"
std::string text_of_seconds(double seconds);  // "0.42 s"
std::vector<std::string> operator_counts(
    const std::map<std::string, int64_t>& operators);  // most frequent first

}  // namespace remodel
