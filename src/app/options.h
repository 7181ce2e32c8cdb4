// The command line: what the user asks for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/console.h"
#include "app/job.h"

namespace remodel {

struct Command {
  enum Kind { text, convert, jobs, run, score, verify, inspect, ops, batch } kind = text;
  std::string answer;  // of text: help, version, completions
  Job job;             // convert; jobs: the defaults of all
  std::string job_file, job_text;
  bool json = false;
  LogLevel level = LogLevel::warning;
  std::vector<std::string> paths;  // run, score, verify, inspect, batch: in order
  std::string format;              // of --format or --from
  std::string second_format;       // verify: of the second model
  bool graph = false;              // inspect
  std::string labels = "labels";   // score
};

// Throws usage errors.
Command parse_command_line(const std::vector<std::string>& arguments);

// Every command with its options, for completions.
struct OptionInfo {
  std::vector<std::string> names;  // "--opset", "-j"
  std::string help;
  bool takes_value = false;
  std::vector<std::string> values;  // where only some words are allowed
};
struct CommandInfo {
  std::string name, help;  // "" is a plain conversion
  std::vector<OptionInfo> options;
};
std::vector<CommandInfo> describe_commands();

std::string version_text();

}  // namespace remodel
