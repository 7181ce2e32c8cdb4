#include "base/letter_case.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/utf8.h"

namespace remodel {
namespace {

struct Letters {
  uint32_t first, last, step;
  int32_t delta;
};

constexpr Letters lower[] = {
    {'A', 'Z', 1, 'a' - 'A'},
#define LOWER(first, last, step, delta) {first, last, step, delta},
#define UPPER(...)
#include "base/letter_case_data.inc"
#undef LOWER
#undef UPPER
};
constexpr Letters upper[] = {
    {'a', 'z', 1, 'A' - 'a'},
#define LOWER(...)
#define UPPER(first, last, step, delta) {first, last, step, delta},
#include "base/letter_case_data.inc"
#undef LOWER
#undef UPPER
};

uint32_t changed(std::span<const Letters> table, uint32_t code) {
  auto row = std::upper_bound(table.begin(), table.end(), code,
                              [](uint32_t value, const Letters& letters) { return value < letters.first; });
  // Ranges of every second letter may enclose other rows.
  for (int back = 0; back < 3 && row != table.begin(); ++back) {
    --row;
    if (code <= row->last && (code - row->first) % row->step == 0)
      return code + static_cast<uint32_t>(row->delta);
  }
  return code;
}

std::string change(std::span<const Letters> table, std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    size_t length = utf8_length(text, at);
    if (length == 0)
      result += text[at++];
    else
      append_utf8(result, changed(table, utf8_code(text, at))), at += length;
  }
  return result;
}

}  // namespace

std::string to_lower(std::string_view text) { return change(lower, text); }
std::string to_upper(std::string_view text) { return change(upper, text); }

}  // namespace remodel
