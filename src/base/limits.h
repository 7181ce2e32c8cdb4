// What work on models that nobody has vetted may take. What goes beyond is an Error of kind io, before it is
// taken.
#pragma once

#include <cstdint>
#include <limits>

namespace remodel {

inline constexpr uint64_t any_memory = std::numeric_limits<uint64_t>::max();
inline constexpr double any_time = std::numeric_limits<double>::infinity();

// Hold for the thread that made them, as long as they live; inside others, the tighter ones hold.
class Limits {
 public:
  Limits(uint64_t block_bytes, double seconds);
  ~Limits();
  Limits(const Limits&) = delete;
  Limits& operator=(const Limits&) = delete;

 private:
  friend void need_memory(uint64_t bytes);
  friend void need_time();

  uint64_t block_bytes_;
  double seconds_, end_;
  Limits* outer_;
};

// Refuses a block above the limit, and one that this machine has no memory for: the system would kill the
// process once it is filled.
void need_memory(uint64_t bytes);
void need_time();

}  // namespace remodel
