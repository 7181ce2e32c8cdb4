#include "run/random.h"

#include <cmath>
#include <cstring>
#include <numbers>

namespace remodel {
namespace {

uint64_t scramble(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

RandomSource::RandomSource(double seed) {
  uint64_t bits;
  std::memcpy(&bits, &seed, sizeof bits);
  key_ = scramble(bits + 0x9e3779b97f4a7c15u);
}

uint64_t RandomSource::bits(uint64_t position) const {
  return scramble(key_ + (position + 1) * 0x9e3779b97f4a7c15u);
}

double RandomSource::normal(uint64_t position) const {
  double u = 1 - uniform(2 * position), v = uniform(2 * position + 1);
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

}  // namespace remodel
