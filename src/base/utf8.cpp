#include "base/utf8.h"

#include <algorithm>

#include "base/format.h"

namespace remodel {

size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t offset) -> uint8_t {
    return at + offset < text.size() ? static_cast<uint8_t>(text[at + offset]) : 0;
  };
  const auto follows = [&](size_t offset) { return (byte(offset) & 0xc0) == 0x80; };
  if (at >= text.size()) return 0;
  const uint8_t first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !follows(1)) return 0;
  if (first < 0xe0) return 2;
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if (!follows(2)) return 0;
  if (first < 0xf0) return 3;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return follows(3) ? 4 : 0;
}

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

bool is_text(std::string_view text) {
  const auto control = [](char c) {
    return static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\r' && c != '\t';
  };
  return is_utf8(text) && std::none_of(text.begin(), text.end(), control);
}

void append_utf8(std::string& text, uint32_t code) {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) code = 0xfffd;
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xc0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xe0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

uint32_t utf8_code(std::string_view text, size_t at) {
  const size_t length = utf8_length(text, at);
  static constexpr uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  uint32_t code = static_cast<uint8_t>(text[at]) & masks[length];
  for (size_t offset = 1; offset < length; ++offset) code = code << 6 | (text[at + offset] & 0x3f);
  return code;
}

std::string printable(std::string_view text) {
  std::string shown;
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    const uint32_t code = length > 0 ? utf8_code(text, at) : static_cast<uint8_t>(text[at]);
    if (length == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
      shown += fmt::format("\\x{:02x}", code);
    else if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
      shown += fmt::format("\\u{:04x}", code);
    else
      shown += text.substr(at, length);
    at += length > 0 ? length : 1;
  }
  return shown;
}

}  // namespace remodel
