// Where a writer's bytes go: a file, memory, or nowhere but a count.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace remodel {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  void write(const void* data, size_t size) {
    if (size == 0) return;
    put(data, size);
    position_ += size;
  }
  void write(std::string_view text) { write(text.data(), text.size()); }
  void write(const Bytes& bytes) { write(bytes.data(), bytes.size()); }
  void write_zeros(uint64_t count) {
    static constexpr char zeros[4096] = {};
    for (; count > sizeof zeros; count -= sizeof zeros) write(zeros, sizeof zeros);
    write(zeros, static_cast<size_t>(count));
  }

  // Says how many bytes will come in all, before the first: a sink may make room for them.
  virtual void expect(uint64_t) {}

  // Bytes written so far.
  uint64_t position() const { return position_; }

 private:
  virtual void put(const void* data, size_t size) = 0;

  uint64_t position_ = 0;
};

class MemorySink : public Sink {
 public:
  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  void put(const void* data, size_t size) override { text_.append(static_cast<const char*>(data), size); }

  std::string text_;
};

// Counts and forgets.
class CountingSink : public Sink {
 private:
  void put(const void*, size_t) override {}
};

// Passes on to another sink and holds a producer to the length that it promised.
class ExactSink : public Sink {
 public:
  ExactSink(Sink& to, uint64_t length) : to_(to), length_(length) {}

  // The producer is done: it must have written all.
  void finish() const {
    if (position() != length_)
      throw Error(fmt::format("{} bytes were promised, {} written", length_, position()),
                  ErrorKind::internal);
  }

 private:
  void put(const void* data, size_t size) override {
    if (size > length_ - position())
      throw Error(fmt::format("more than the {} bytes promised were written", length_), ErrorKind::internal);
    to_.write(data, size);
  }

  Sink& to_;
  uint64_t length_;
};

}  // namespace remodel
