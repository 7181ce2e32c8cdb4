// Exit codes, and what becomes of exceptions.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace remodel {

enum ExitCode : int {
  exit_done = 0,
  exit_refused = 1,
  exit_usage = 2,
  exit_check_failed = 3,
  exit_io = 4,
  exit_jobs_failed = 5,
  exit_internal = 70,
};

// Runs the action, which gives an exit code. What it throws becomes an exit code and messages, one a problem.
int guarded(std::vector<std::string>& messages, const std::function<int()>& action);

}  // namespace remodel
