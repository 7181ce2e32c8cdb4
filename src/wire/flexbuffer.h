// FlexBuffers: self-describing values, little-endian, read from the end. The last byte is the root's width in
// bytes, the one before it its packed type (kind * 4 + log2 of the width of what it leads to), and before
// that stands the root. A map is a row of values, then of their packed types; before it stand its size, the
// width of its keys, and how far back these are. Offsets lead back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace remodel {

struct FlexEntry {
  enum Kind : uint8_t { null, integer, real, truth, text, other } kind = null;
  std::string key;
  int64_t integer_value = 0;
  double real_value = 0;
  std::string text_value;

  static FlexEntry of(std::string key, int64_t value) { return {integer, std::move(key), value, 0, ""}; }
  static FlexEntry of(std::string key, double value) { return {real, std::move(key), 0, value, ""}; }
  static FlexEntry of(std::string key, bool value) { return {truth, std::move(key), value, 0, ""}; }

  // Whatever kind of number it is.
  double number() const;
};

// The entries of a map of plain values; what is no plain value is `other`.
std::vector<FlexEntry> parse_flex_map(std::string_view buffer);
// Reals are stored as 32 bits.
std::string write_flex_map(const std::vector<FlexEntry>& entries);

}  // namespace remodel
