// Random numbers that depend on nothing but a seed and a position.
#pragma once

#include <cstdint>

namespace remodel {

class RandomSource {
 public:
  explicit RandomSource(double seed);
  // 64 random bits for a position.
  uint64_t bits(uint64_t position) const;
  // From 0 up to, but not including, 1: all 53 bits, or the 24 that a float holds.
  double uniform(uint64_t position) const { return static_cast<double>(bits(position) >> 11) * 0x1p-53; }
  float uniform_float(uint64_t position) const { return static_cast<float>(bits(position) >> 40) * 0x1p-24f; }
  double normal(uint64_t position) const;

 private:
  uint64_t key_;
};

}  // namespace remodel
