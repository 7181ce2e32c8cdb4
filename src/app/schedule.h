// Which jobs of a file wait for which, and how many run at once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace remodel {

struct Task {
  std::vector<std::string> reads, writes;  // paths
  std::vector<std::string> parts;          // paths that what is read refers to, as it is now
  uint64_t memory = 0;                     // what it may take, about
  std::vector<size_t> waits_for;           // filled by plan()
};

// Finds which tasks read what others write. Refuses two tasks that write one path, a task that writes over a
// part of what another reads, unless that is made anew with it, and tasks that wait for one another in a
// circle. Paths are compared by where they lead.
void plan(std::vector<Task>& tasks);

// Runs every task once: after all those that it waits for, at most `workers` at a time, and beside others
// only while they all fit into `memory`. Tasks start in order where they can. `run` must not throw.
void run_tasks(const std::vector<Task>& tasks, int workers, uint64_t memory,
               const std::function<void(size_t)>& run);

}  // namespace remodel
