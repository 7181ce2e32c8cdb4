#include "base/pool.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>

#include "base/limits.h"

namespace remodel {
namespace {

thread_local bool inside_body = false;

}  // namespace

struct Pool::Loop {
  const std::function<void(int64_t)>& body;
  int64_t count, chunk;
  std::atomic<int64_t> next_chunk{0};
  std::atomic<bool> failed{false};
  std::mutex mutex{};
  int64_t error_index = 0;
  std::exception_ptr error{};

  // Chunks are handed out in rising order and each is run up to its own first error, so the lowest index that
  // throws is always reached.
  void run() {
    inside_body = true;
    int64_t chunks = (count - 1) / chunk + 1;
    while (!failed) {
      int64_t taken = next_chunk++;
      if (taken >= chunks) break;
      int64_t i = taken * chunk;
      int64_t end = i + std::min(chunk, count - i);
      try {
        need_time();
        for (; i < end; ++i) body(i);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!error || i < error_index) {
          error = std::current_exception();
          error_index = i;
        }
        failed = true;
      }
    }
    inside_body = false;
  }
};

Pool::Pool(int threads) {
  try {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
  }
}

Pool::~Pool() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Pool::work() {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stop_ || (loop_ && loops_ != seen); });
    if (stop_) return;
    seen = loops_;
    Loop* loop = loop_;
    ++busy_;
    lock.unlock();
    loop->run();
    lock.lock();
    if (--busy_ == 0) idle_.notify_all();
  }
}

void Pool::for_each(int64_t count, const std::function<void(int64_t)>& body) {
  std::unique_lock turn(turn_, std::defer_lock);
  if (workers_.empty() || count <= 1 || inside_body || !turn.try_lock()) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  Loop loop{body, count, std::max<int64_t>(1, count / (8 * int64_t{size()}))};
  {
    std::lock_guard lock(mutex_);
    loop_ = &loop;
    ++loops_;
  }
  wake_.notify_all();
  loop.run();
  {
    std::unique_lock lock(mutex_);
    loop_ = nullptr;
    idle_.wait(lock, [&] { return busy_ == 0; });
  }
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace remodel
