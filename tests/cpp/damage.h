// Feeds a parser every shortened copy of a sample and many copies with a few bytes changed. It may accept or
// throw Error; anything else, or a fault that a sanitizer sees, fails the test. The seed is fixed.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace remodel {

// Returns how many copies were refused.
template <class Parse>
int damage(const std::string& sample, int copies, Parse parse) {
  int refused = 0;
  const auto attempt = [&](const std::string& text) {
    try {
      // An exact heap block of its own, so that a read past the end is seen.
      const std::shared_ptr<uint8_t[]> block(new uint8_t[text.size()]);
      std::memcpy(block.get(), text.data(), text.size());
      parse(Bytes(block.get(), text.size(), block));
    } catch (const Error&) {
      ++refused;
    }
  };
  for (size_t size = 0; size < sample.size(); ++size) attempt(sample.substr(0, size));
  std::mt19937 random(1);
  const auto below = [&](size_t limit) { return random() % limit; };
  static constexpr uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
  for (int copy = 0; copy < copies; ++copy) {
    std::string text = sample;
    for (size_t changes = 1 + below(3); changes > 0; --changes) {
      text[below(text.size())] = static_cast<char>(below(2) ? edges[below(std::size(edges))] : below(256));
    }
    attempt(text);
  }
  return refused;
}

}  // namespace remodel
