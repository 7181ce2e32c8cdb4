// One job of a job file, and the keys that it is described by. The command line has an option for each key,
// too.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/convert.h"
#include "wire/json.h"

namespace remodel {

struct Job {
  ConvertOptions options;
  bool skip = false;
};

struct JobKey {
  std::string_view name;  // "quantization.type" for a member of an object
  std::string_view help;
  // Takes typed values as well as strings. Refuses the rest as usage errors.
  void (*set)(Job& job, const Json& value);
};
std::span<const JobKey> job_keys();

// The default opset of jobs; a higher one is taken where it cannot express the model.
inline constexpr int64_t job_opset = 10;

// The jobs of a file's text: one object or a list of them. `defaults` holds what the command line says for
// all. All that is wrong is one Problems (usage), each with the job and key that it belongs to.
std::vector<Job> parse_jobs(std::string_view text, const Job& defaults);

// Values as job files and command lines spell them.
bool parse_truth(std::string_view text);  // True, false, 1, no, ...
int64_t parse_number(std::string_view text, int64_t least, int64_t most);
int64_t parse_opset(std::string_view text);
std::string parse_tflite_ops(const std::string& text);
double parse_tolerance(std::string_view text);

}  // namespace remodel
