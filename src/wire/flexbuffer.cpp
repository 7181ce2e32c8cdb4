#include "wire/flexbuffer.h"

#include <flatbuffers/flexbuffers.h>

#include "base/bytes.h"
#include "base/error.h"

namespace remodel {
namespace {

enum Kind : uint8_t {
  null = 0,
  integer = 1,
  whole = 2,
  real = 3,
  key = 4,
  text = 5,
  far_integer = 6,
  far_whole = 7,
  far_real = 8,
  map = 9,
  truth = 26
};

class Reader {
 public:
  explicit Reader(std::string_view buffer) : buffer_(buffer) {}

  uint64_t unsigned_at(uint64_t at, uint64_t width) const {
    check(at, width);
    const char* place = buffer_.data() + at;
    switch (width) {
      case 1:
        return load_as<uint8_t>(place);
      case 2:
        return load_as<uint16_t>(place);
      case 4:
        return load_as<uint32_t>(place);
      case 8:
        return load_as<uint64_t>(place);
      default:
        fail("a number of a flexbuffer has {} bytes", width);
    }
  }
  int64_t signed_at(uint64_t at, uint64_t width) const {
    const uint64_t bits = unsigned_at(at, width);
    const auto unused = static_cast<int>(64 - 8 * width);
    return static_cast<int64_t>(bits << unused) >> unused;
  }
  double real_at(uint64_t at, uint64_t width) const {
    check(at, width);
    const char* place = buffer_.data() + at;
    if (width == 8) return load_as<double>(place);
    if (width == 4) return load_as<float>(place);
    fail("a real number of a flexbuffer has {} bytes", width);
  }
  // What the offset at `at` leads to.
  uint64_t back(uint64_t at, uint64_t width) const {
    const uint64_t offset = unsigned_at(at, width);
    if (offset > at) fail("an offset of a flexbuffer leads out of it");
    return at - offset;
  }
  std::string key_at(uint64_t at) const {
    check(at, 1);
    const size_t end = buffer_.find('\0', at);
    if (end == std::string_view::npos) fail("a key of a flexbuffer has no end");
    return std::string(buffer_.substr(at, end - at));
  }
  std::string text_at(uint64_t at, uint64_t width) const {
    if (at < width) fail("an offset of a flexbuffer leads out of it");
    const uint64_t size = unsigned_at(at - width, width);
    check(at, size);
    return std::string(buffer_.substr(at, size));
  }

 private:
  void check(uint64_t at, uint64_t size) const {
    if (at > buffer_.size() || size > buffer_.size() - at) fail("an offset of a flexbuffer leads out of it");
  }
  std::string_view buffer_;
};

}  // namespace

double FlexEntry::number() const {
  if (kind == real) return real_value;
  if (kind == integer || kind == truth) return static_cast<double>(integer_value);
  fail("'{}' is no number", key);
}

std::vector<FlexEntry> parse_flex_map(std::string_view buffer) {
  if (buffer.size() < 3) fail("a flexbuffer is cut short");
  const Reader in(buffer);
  const uint64_t root_width = in.unsigned_at(buffer.size() - 1, 1),
                 packed = in.unsigned_at(buffer.size() - 2, 1);
  if (root_width == 0 || root_width > 8 || root_width + 2 > buffer.size()) fail("a flexbuffer has no root");
  if (packed >> 2 != map) fail("a flexbuffer holds no map");
  const uint64_t width = uint64_t{1} << (packed & 3);
  const uint64_t at = in.back(buffer.size() - 2 - root_width, root_width);
  if (at < 3 * width) fail("a map of a flexbuffer is cut short");
  const uint64_t count = in.unsigned_at(at - width, width), key_width = in.unsigned_at(at - 2 * width, width);
  const uint64_t keys = in.back(at - 3 * width, width);
  if (count > buffer.size() / (width + 1) || key_width > 8) fail("a map of a flexbuffer is cut short");
  std::vector<FlexEntry> entries;
  for (uint64_t i = 0; i < count; ++i) {
    FlexEntry entry;
    entry.key = in.key_at(in.back(keys + i * key_width, key_width));
    const uint64_t value = at + i * width, type = in.unsigned_at(at + count * width + i, 1),
                   wide = uint64_t{1} << (type & 3);
    switch (type >> 2) {
      case null:
        break;
      case integer:
        entry.kind = FlexEntry::integer, entry.integer_value = in.signed_at(value, width);
        break;
      case whole:
        entry.kind = FlexEntry::integer,
        entry.integer_value = static_cast<int64_t>(in.unsigned_at(value, width));
        break;
      case real:
        entry.kind = FlexEntry::real, entry.real_value = in.real_at(value, width);
        break;
      case truth:
        entry.kind = FlexEntry::truth, entry.integer_value = in.unsigned_at(value, width) != 0;
        break;
      case far_integer:
        entry.kind = FlexEntry::integer, entry.integer_value = in.signed_at(in.back(value, width), wide);
        break;
      case far_whole:
        entry.kind = FlexEntry::integer,
        entry.integer_value = static_cast<int64_t>(in.unsigned_at(in.back(value, width), wide));
        break;
      case far_real:
        entry.kind = FlexEntry::real, entry.real_value = in.real_at(in.back(value, width), wide);
        break;
      case key:
        entry.kind = FlexEntry::text, entry.text_value = in.key_at(in.back(value, width));
        break;
      case text:
        entry.kind = FlexEntry::text, entry.text_value = in.text_at(in.back(value, width), wide);
        break;
      default:
        entry.kind = FlexEntry::other;
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string write_flex_map(const std::vector<FlexEntry>& entries) {
  flexbuffers::Builder builder;
  builder.Map([&] {
    for (const FlexEntry& entry : entries) {
      const char* key = entry.key.c_str();
      switch (entry.kind) {
        case FlexEntry::integer:
          builder.Int(key, entry.integer_value);
          break;
        case FlexEntry::real:
          builder.Float(key, static_cast<float>(entry.real_value));
          break;
        case FlexEntry::truth:
          builder.Bool(key, entry.integer_value != 0);
          break;
        case FlexEntry::text:
          builder.String(key, entry.text_value);
          break;
        default:
          fail("'{}' is no plain value", entry.key);
      }
    }
  });
  builder.Finish();
  return {builder.GetBuffer().begin(), builder.GetBuffer().end()};
}

}  // namespace remodel
