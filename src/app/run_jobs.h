// Runs the jobs of a job file, and sums them up.
#pragma once

#include <vector>

#include "app/job.h"

namespace remodel {

struct RunJobsOptions {
  int workers = 0;  // -j; 0: as many as there are cpus
  bool json = false;
};

// Gives the exit code: 0, or 5 where some failed. Refuses jobs that write one path before any runs.
int run_jobs(const std::vector<Job>& jobs, const RunJobsOptions& options, Console& console);

}  // namespace remodel
