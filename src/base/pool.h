// A small thread pool for loops whose steps are independent.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace remodel {

class Pool {
 public:
  // The calling thread is one of `threads`, so Pool(1) starts none. Fewer are used where the system gives no
  // more.
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Runs body(i) for every i in [0, count), in any order, and returns when all are done. If some throw, the
  // exception of the lowest i is passed on and an unknown part of the i above it is not run. Called from
  // inside a body, or while another thread's loop has the pool, it runs inline.
  void for_each(int64_t count, const std::function<void(int64_t)>& body);

 private:
  struct Loop;
  void work();

  std::vector<std::thread> workers_;
  std::mutex turn_;   // held by the thread whose loop has the pool
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_, idle_;
  Loop* loop_ = nullptr;
  uint64_t loops_ = 0;
  int busy_ = 0;
  bool stop_ = false;
};

}  // namespace remodel
