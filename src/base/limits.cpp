#include "base/limits.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"

namespace remodel {
namespace {

thread_local Limits* current = nullptr;

// To ask the system takes longer than to fill a smaller block.
constexpr uint64_t large_block = 64 << 20;

std::string amount(uint64_t bytes) {
  static constexpr const char* units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(units); ++unit) value /= 1000;
  return fmt::format("{:.3g} {}", value, units[unit]);
}

}  // namespace

Limits::Limits(uint64_t block_bytes, double seconds)
    : block_bytes_(block_bytes), seconds_(seconds), end_(wall_seconds() + seconds), outer_(current) {
  if (outer_) block_bytes_ = std::min(block_bytes_, outer_->block_bytes_);
  if (outer_ && outer_->end_ < end_) end_ = outer_->end_, seconds_ = outer_->seconds_;
  current = this;
}

Limits::~Limits() { current = outer_; }

void need_memory(uint64_t bytes) {
  if (current && bytes > current->block_bytes_)
    throw Error(fmt::format("{} of memory would be needed at once, more than the {} allowed", amount(bytes),
                            amount(current->block_bytes_)),
                ErrorKind::io);
  if (bytes < large_block) return;
  const uint64_t free = available_memory();
  if (free > 0 && bytes > free)
    throw Error(
        fmt::format("{} of memory would be needed, but only {} are free", amount(bytes), amount(free)),
        ErrorKind::io);
}

void need_time() {
  if (current && current->end_ < any_time && wall_seconds() > current->end_)
    throw Error(fmt::format("it takes longer than {:g} s", current->seconds_), ErrorKind::io)
        .hint("allow more with --time-limit");
}

}  // namespace remodel
