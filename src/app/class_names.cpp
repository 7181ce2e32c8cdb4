#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>

#include "app/inspect.h"
#include "base/error.h"

namespace remodel {
namespace {

// A list or dictionary literal as Python and JSON write it, with texts as values.
class Literal {
 public:
  explicit Literal(std::string_view text) : text_(text) {}

  bool read(std::vector<std::string>& names) {
    char open = next();
    if (open != '{' && open != '[') return false;
    const char close = open == '{' ? '}' : ']';
    std::map<int64_t, std::string> numbered;
    for (int64_t index = 0;; ++index) {
      if (peek() == close) break;
      int64_t key = index;
      if (open == '{' && !(number(key) && next() == ':')) return false;
      std::string name;
      if (!quoted(name)) return false;
      numbered[key] = name;
      if (peek() == ',')
        next();
      else if (peek() != close)
        return false;
    }
    next();
    if (peek() != '\0' || numbered.empty()) return false;
    for (auto& [key, name] : numbered) names.push_back(std::move(name));
    return true;
  }

 private:
  char peek() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  char next() {
    char found = peek();
    if (found) ++at_;
    return found;
  }
  bool number(int64_t& value) {
    std::string quoted_key;
    char first = peek();
    if (first == '"' || first == '\'') {
      if (!quoted(quoted_key)) return false;
      auto [end, error] = std::from_chars(quoted_key.data(), quoted_key.data() + quoted_key.size(), value);
      return error == std::errc() && end == quoted_key.data() + quoted_key.size();
    }
    auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    at_ = end - text_.data();
    return error == std::errc();
  }
  bool quoted(std::string& value) {
    const char quote = next();
    if (quote != '"' && quote != '\'') return false;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_];
    }
    return next() == quote;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::vector<std::string> parse_class_names(const std::string& text) {
  std::vector<std::string> names;
  if (Literal(text).read(names)) return names;
  names.clear();
  if (text.find('\n') == text.npos || text.find_first_of("{[") == 0) return names;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(std::move(line));
    at = end + 1;
  }
  return names;
}

}  // namespace remodel
