// A view of bytes that keeps its owner alive: a file map, a zip entry or a heap block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace remodel {

class Bytes {
 public:
  Bytes() = default;
  Bytes(const void* data, size_t size, std::shared_ptr<const void> owner)
      : data_(static_cast<const uint8_t*>(data)), size_(size), owner_(std::move(owner)) {}

  // Takes over a string's storage.
  static Bytes own(std::string text) {
    auto owner = std::make_shared<const std::string>(std::move(text));
    return Bytes(owner->data(), owner->size(), owner);
  }
  static Bytes copy(const void* data, size_t size) {
    return own(std::string(static_cast<const char*>(data), size));
  }

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const std::shared_ptr<const void>& owner() const { return owner_; }

  // The caller has checked that offset + size lies inside.
  Bytes part(size_t offset, size_t size) const { return Bytes(data_ + offset, size, owner_); }
  // A part of the same memory that `text` points into.
  Bytes part(std::string_view text) const { return Bytes(text.data(), text.size(), owner_); }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  std::shared_ptr<const void> owner_;
};

// Unaligned little-endian access.
template <class T>
T load_as(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class T>
void store_as(void* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace remodel
