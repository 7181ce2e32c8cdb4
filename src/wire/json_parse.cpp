#include <algorithm>
#include <charconv>
#include <numeric>

#include "base/error.h"
#include "base/utf8.h"
#include "wire/json.h"

namespace remodel {
namespace {

constexpr int deepest = 200;

class Parser {
 public:
  Parser(std::string_view text, JsonSyntax syntax) : text_(text), tolerant_(syntax == JsonSyntax::tolerant) {
    if (tolerant_ && text_.starts_with("\xef\xbb\xbf")) at_ = start_ = 3;
  }

  Json parse() {
    Json json = value(0);
    if (peek() != '\0' || at_ < text_.size()) wrong(at_, "expected the end of the text");
    return json;
  }

 private:
  [[noreturn]] void wrong(size_t at, std::string_view what) const {
    size_t line = 1, column = 1;
    for (size_t i = start_; i < at; ++i) {
      if (text_[i] == '\n') {
        ++line;
        column = 1;
      } else if ((text_[i] & 0xc0) != 0x80) {
        ++column;
      }
    }
    fail("{}:{}: {}", line, column, what);
  }

  // The next character that counts; zero at the end.
  char peek() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++at_;
      } else if (!tolerant_ || !skip_comment()) {
        return c;
      }
    }
    return '\0';
  }

  bool skip_comment() {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("#") || rest.starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return true;
    }
    if (!rest.starts_with("/*")) return false;
    const size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) wrong(at_, "this comment has no end");
    at_ = end + 2;
    return true;
  }

  bool accept(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }

  Json value(int depth) {
    if (depth > deepest) wrong(at_, fmt::format("more than {} levels", deepest));
    switch (peek()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        return string();
      case 't':
        return word("true", true);
      case 'f':
        return word("false", false);
      case 'n':
        return word("null", nullptr);
      default:
        return number();
    }
  }

  Json word(std::string_view word, Json value) {
    if (!text_.substr(at_).starts_with(word)) wrong(at_, "expected a value");
    at_ += word.size();
    return value;
  }

  // After an element: true if another follows.
  bool more(char close, size_t opened) {
    if (accept(close)) return false;
    if (at_ >= text_.size()) wrong(opened, "this bracket is not closed");
    if (!accept(',')) wrong(at_, fmt::format("expected ',' or '{}'", close));
    return !tolerant_ || !accept(close);
  }

  Json array(int depth) {
    const size_t opened = at_++;
    Json::Array items;
    if (accept(']')) return items;
    do {
      items.push_back(value(depth + 1));
    } while (more(']', opened));
    return items;
  }

  Json object(int depth) {
    const size_t opened = at_++;
    Json::Object members;
    std::vector<size_t> places;
    if (accept('}')) return members;
    do {
      if (peek() != '"') wrong(at_, "expected a key in quotes");
      places.push_back(at_);
      std::string key = string();
      if (!accept(':')) wrong(at_, "expected ':'");
      members.push_back({std::move(key), value(depth + 1)});
    } while (more('}', opened));
    refuse_duplicates(members, places);
    return members;
  }

  void refuse_duplicates(const Json::Object& members, const std::vector<size_t>& places) const {
    std::vector<size_t> order(members.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      const int compared = members[a].key.compare(members[b].key);
      return compared != 0 ? compared < 0 : a < b;
    });
    for (size_t i = 1; i < order.size(); ++i) {
      if (members[order[i]].key != members[order[i - 1]].key) continue;
      wrong(places[order[i]], fmt::format("the key '{}' is there twice", members[order[i]].key));
    }
  }

  std::string string() {
    const size_t opened = at_++;
    std::string out;
    for (;;) {
      if (at_ >= text_.size()) wrong(opened, "this string has no end");
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return out;
      }
      if (c == '\\') {
        escape(out);
        continue;
      }
      const size_t length = utf8_length(text_, at_);
      if (length == 0) wrong(at_, "this is not UTF-8");
      if (static_cast<uint8_t>(c) < 0x20) wrong(at_, "a control character in a string must be escaped");
      out += text_.substr(at_, length);
      at_ += length;
    }
  }

  void escape(std::string& out) {
    const size_t start = at_++;
    static constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    ++at_;
    if (c != 'u') {
      const size_t letter = letters.find(c);
      if (letter == std::string_view::npos) wrong(start, "unknown escape");
      out += meanings[letter];
      return;
    }
    uint32_t code = hex(start);
    if (code >= 0xd800 && code < 0xdc00 && text_.substr(std::min(at_, text_.size())).starts_with("\\u")) {
      at_ += 2;
      const uint32_t low = hex(start);
      if (low < 0xdc00 || low > 0xdfff) wrong(start, "half a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code >= 0xd800 && code <= 0xdfff) wrong(start, "half a surrogate pair");
    append_utf8(out, code);
  }

  uint32_t hex(size_t start) {
    uint32_t code = 0;
    const char* from = text_.data() + at_;
    const char* end = at_ + 4 <= text_.size() ? from + 4 : from;
    const auto result = std::from_chars(from, end, code, 16);
    if (result.ptr != from + 4) wrong(start, "expected four hexadecimal digits");
    at_ += 4;
    return code;
  }

  Json number() {
    const size_t start = at_;
    const auto digits = [&] {
      const size_t first = at_;
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      return at_ - first;
    };
    const auto next_is = [&](std::string_view any) {
      return at_ < text_.size() && any.find(text_[at_]) != any.npos;
    };
    if (next_is("-")) ++at_;
    const size_t first = at_;
    const size_t whole_digits = digits();
    if (whole_digits == 0) wrong(start, at_ >= text_.size() ? "the text ends too early" : "expected a value");
    if (whole_digits > 1 && text_[first] == '0') wrong(start, "a number must not begin with 0");
    bool whole = true, small = text_[first] == '0';
    if (next_is(".")) {
      whole = false;
      ++at_;
      if (digits() == 0) wrong(at_, "expected a digit");
    }
    if (next_is("eE")) {
      whole = false;
      ++at_;
      small = next_is("-");
      if (next_is("+-")) ++at_;
      if (digits() == 0) wrong(at_, "expected a digit");
    }
    const char* from = text_.data() + start;
    const char* end = text_.data() + at_;
    int64_t integer = 0;
    if (whole && std::from_chars(from, end, integer).ec == std::errc()) return integer;
    double real = 0;
    // Out of range is also what is too close to zero.
    if (std::from_chars(from, end, real).ec != std::errc()) {
      if (!small) wrong(start, "this number is too large");
      return *from == '-' ? -0.0 : 0.0;
    }
    return real;
  }

  std::string_view text_;
  bool tolerant_;
  size_t start_ = 0;
  size_t at_ = 0;
};

}  // namespace

Json parse_json(std::string_view text, JsonSyntax syntax) { return Parser(text, syntax).parse(); }

}  // namespace remodel
