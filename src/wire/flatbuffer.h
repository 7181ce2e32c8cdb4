// FlatBuffers, little-endian. The file begins with the offset of its root table. A table begins with how far
// back its layout lies; the layout is a row of 16-bit numbers: its own size, the table's, and for each slot
// where in the table its field is (0 or past the end: it has its default). A field is a number, or how far
// ahead a table or vector lies. A vector is a 32-bit count, then elements: numbers, or how far ahead of each
// its table lies. A text is a vector of bytes.
//
// Every offset is checked as it is followed. Since offsets may lead to the same place many times, all that is
// followed together is bounded by a multiple of the file's size.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace remodel {

class FlatTable {
 public:
  // The root of a file, in memory that the caller keeps.
  static FlatTable root(std::string_view file);

  bool has(int slot) const { return place(slot, 1) != 0; }
  template <class T>
  T number(int slot, T otherwise = 0) const {
    const uint64_t at = place(slot, sizeof(T));
    return at ? load_as<T>(file_.data() + at) : otherwise;
  }
  bool truth(int slot, bool otherwise = false) const { return number<uint8_t>(slot, otherwise) != 0; }

  // Empty where the field is absent.
  std::string_view text(int slot) const { return vector(slot, 1); }
  std::string_view bytes(int slot) const { return vector(slot, 1); }
  template <class T>
  std::vector<T> numbers(int slot) const {
    const std::string_view elements = vector(slot, sizeof(T));
    std::vector<T> result(elements.size() / sizeof(T));
    spend(elements.size());
    if (!result.empty()) std::memcpy(result.data(), elements.data(), elements.size());
    return result;
  }
  std::optional<FlatTable> table(int slot) const;
  std::vector<FlatTable> tables(int slot) const;

 private:
  FlatTable(std::string_view file, uint64_t at, std::shared_ptr<uint64_t> budget);
  // Where in the file the field is, with this many bytes; 0 where it is absent.
  uint64_t place(int slot, size_t bytes) const;
  // What the offset at `place` leads to, with this many bytes.
  uint64_t follow(uint64_t place, size_t bytes) const;
  std::string_view vector(int slot, size_t element) const;
  void spend(uint64_t work) const;

  std::string_view file_;
  uint64_t at_ = 0, layout_ = 0;
  uint16_t layout_size_ = 0, size_ = 0;
  std::shared_ptr<uint64_t> budget_;
};

}  // namespace remodel
