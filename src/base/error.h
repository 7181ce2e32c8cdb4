// One error type with the chain of places it went through, innermost first.
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "base/format.h"

namespace remodel {

enum class ErrorKind { refused, usage, io, internal };

class Error : public std::exception {
 public:
  explicit Error(std::string what, ErrorKind kind = ErrorKind::refused)
      : text_(std::move(what)), kind_(kind) {}

  // Names the place that encloses what is there so far: "attribute 'axis'", then "node 'a' (Relu)", then the
  // file.
  Error& at(std::string place) {
    places_.push_back(std::move(place));
    whole_.clear();
    return *this;
  }
  // What the user can do about it.
  Error& hint(std::string hint) {
    hint_ = std::move(hint);
    whole_.clear();
    return *this;
  }

  ErrorKind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  const std::string& hint_text() const { return hint_; }
  const std::vector<std::string>& places() const { return places_; }
  // "file: node: attribute: text (hint)"
  const char* what() const noexcept override;

 private:
  std::string text_, hint_;
  ErrorKind kind_;
  std::vector<std::string> places_;
  mutable std::string whole_;
};

// What is asked for depends on a type that is not known, nothing else is wrong.
class Untyped : public Error {
 public:
  using Error::Error;
};

// Throws Error with a formatted text: fail("axis {} is outside rank {}", axis, rank).
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(fmt::format(text, std::forward<Args>(args)...));
}

template <class... Args>
[[noreturn]] void fail_untyped(fmt::format_string<Args...> text, Args&&... args) {
  Untyped error(fmt::format(text, std::forward<Args>(args)...));
  error.hint("let the model declare the types of its inner values");
  throw error;
}

}  // namespace remodel
