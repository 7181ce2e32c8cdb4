#include "app/schedule.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/file.h"

namespace remodel {
namespace {

enum class State : uint8_t { waiting, running, done };

// The tasks of a circle, or nothing. A task that waits for itself reads what it writes, which is refused
// elsewhere.
std::vector<size_t> find_circle(const std::vector<Task>& tasks) {
  enum Mark : uint8_t { fresh, open, closed };
  std::vector<Mark> marks(tasks.size(), fresh);
  for (size_t root = 0; root < tasks.size(); ++root) {
    if (marks[root] != fresh) continue;
    std::vector<std::pair<size_t, size_t>> path{{root, 0}};
    marks[root] = open;
    while (!path.empty()) {
      auto& [at, next] = path.back();
      if (next == tasks[at].waits_for.size()) {
        marks[at] = closed;
        path.pop_back();
        continue;
      }
      const size_t other = tasks[at].waits_for[next++];
      if (marks[other] == open) {
        std::vector<size_t> circle;
        for (const auto& [task, unused] : path)
          if (!circle.empty() || task == other) circle.push_back(task);
        return circle;
      }
      if (marks[other] == fresh) marks[other] = open, path.push_back({other, 0});
    }
  }
  return {};
}

}  // namespace

void plan(std::vector<Task>& tasks) {
  std::map<std::string, size_t> writers;
  for (size_t i = 0; i < tasks.size(); ++i)
    for (const std::string& path : tasks[i].writes) {
      const auto [place, fresh] = writers.emplace(canonical_path(path), i);
      if (!fresh && place->second != i)
        throw Error(fmt::format("jobs {} and {} both write '{}'", place->second + 1, i + 1, path),
                    ErrorKind::usage);
    }
  for (size_t i = 0; i < tasks.size(); ++i)
    for (const std::string& path : tasks[i].reads) {
      const auto place = writers.find(canonical_path(path));
      if (place == writers.end() || place->second == i) continue;
      std::vector<size_t>& waits = tasks[i].waits_for;
      if (std::find(waits.begin(), waits.end(), place->second) == waits.end()) waits.push_back(place->second);
    }
  for (size_t i = 0; i < tasks.size(); ++i)
    for (const std::string& path : tasks[i].parts) {
      const auto place = writers.find(canonical_path(path));
      if (place == writers.end() || place->second == i) continue;
      const std::vector<size_t>& waits = tasks[i].waits_for;
      if (std::find(waits.begin(), waits.end(), place->second) == waits.end())
        throw Error(
            fmt::format("job {} would overwrite '{}', which job {} reads", place->second + 1, path, i + 1),
            ErrorKind::usage);
    }
  const std::vector<size_t> circle = find_circle(tasks);
  if (circle.empty()) return;
  std::string text;
  for (size_t i = 0; i < circle.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : i + 1 == circle.size() ? " and " : ", ", circle[i] + 1);
  throw Error(fmt::format("jobs {} wait for one another's outputs", text), ErrorKind::usage);
}

void run_tasks(const std::vector<Task>& tasks, int workers, uint64_t memory,
               const std::function<void(size_t)>& run) {
  std::mutex mutex;  // of all below
  std::condition_variable changed;
  std::vector<State> states(tasks.size(), State::waiting);
  uint64_t taken = 0;
  size_t running = 0, left = tasks.size();

  const auto ready = [&](size_t i) {
    if (states[i] != State::waiting) return false;
    const auto is_done = [&](size_t other) { return states[other] == State::done; };
    return std::all_of(tasks[i].waits_for.begin(), tasks[i].waits_for.end(), is_done);
  };
  // The first that may start; a task that fits nowhere runs alone.
  const auto choose = [&]() -> size_t {
    for (size_t i = 0; i < tasks.size(); ++i)
      if (ready(i) && (running == 0 || (taken <= memory && tasks[i].memory <= memory - taken))) return i;
    return tasks.size();
  };
  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (left > 0) {
      const size_t i = choose();
      if (i == tasks.size()) {
        changed.wait(lock);
        continue;
      }
      states[i] = State::running;
      taken += tasks[i].memory, ++running, --left;
      lock.unlock();
      run(i);
      lock.lock();
      states[i] = State::done;
      taken -= tasks[i].memory, --running;
      changed.notify_all();
    }
    changed.notify_all();
  };
  std::vector<std::thread> threads;
  const int wanted = std::min<int>(workers, static_cast<int>(tasks.size()));
  try {
    for (int i = 1; i < wanted; ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {
  }
  work();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace remodel
