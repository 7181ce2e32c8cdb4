#include "wire/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/utf8.h"

namespace remodel {
namespace {

constexpr const char* kinds[] = {"null",     "a boolean", "a whole number", "a number",
                                 "a string", "an array",  "an object"};

void write_string(std::string& out, std::string_view text) {
  out += '"';
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const size_t length = utf8_length(text, at);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (length == 1 && static_cast<uint8_t>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else if (length == 0) {
      append_utf8(out, 0xfffd);
    } else {
      out += text.substr(at, length);
    }
    at += std::max<size_t>(length, 1);
  }
  out += '"';
}

void write_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char digits[32];
  const std::string_view text(
      digits, static_cast<size_t>(std::to_chars(digits, std::end(digits), value).ptr - digits));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void write_value(std::string& out, const Json& json, JsonStyle style, size_t level) {
  const auto line = [&](size_t indent) {
    if (style == JsonStyle::pretty) out.append("\n").append(2 * indent, ' ');
  };
  if (json.is_null()) {
    out += "null";
  } else if (json.is_bool()) {
    out += json.as_bool() ? "true" : "false";
  } else if (json.is_int()) {
    out += std::to_string(json.as_int());
  } else if (json.is_double()) {
    write_double(out, json.as_double());
  } else if (json.is_string()) {
    write_string(out, json.as_string());
  } else if (json.is_array()) {
    out += '[';
    for (const Json& item : json.as_array()) {
      if (&item != &json.as_array().front()) out += ',';
      line(level + 1);
      write_value(out, item, style, level + 1);
    }
    if (!json.as_array().empty()) line(level);
    out += ']';
  } else {
    out += '{';
    for (const JsonMember& member : json.as_object()) {
      if (&member != &json.as_object().front()) out += ',';
      line(level + 1);
      write_string(out, member.key);
      out += style == JsonStyle::pretty ? ": " : ":";
      write_value(out, member.value, style, level + 1);
    }
    if (!json.as_object().empty()) line(level);
    out += '}';
  }
}

}  // namespace

Json::Json() = default;
Json::Json(const Json&) = default;
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(const Json&) = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

Json::Json(std::nullptr_t) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(std::string_view value) : value_(std::string(value)) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(Array value) : value_(std::move(value)) {}
Json::Json(Object value) : value_(std::move(value)) {}
Json Json::array() { return Array(); }
Json Json::object() { return Object(); }

void Json::set(bool value) { value_ = value; }
void Json::set(int64_t value) { value_ = value; }
void Json::set(double value) { value_ = value; }

const char* Json::kind() const { return kinds[value_.index()]; }

bool Json::as_bool() const {
  if (!is_bool()) fail("expected a boolean, found {}", kind());
  return std::get<bool>(value_);
}

int64_t Json::as_int() const {
  if (!is_int()) fail("expected a whole number, found {}", kind());
  return std::get<int64_t>(value_);
}

double Json::as_double() const {
  if (is_int()) return static_cast<double>(std::get<int64_t>(value_));
  if (!is_double()) fail("expected a number, found {}", kind());
  return std::get<double>(value_);
}

const std::string& Json::as_string() const {
  if (!is_string()) fail("expected a string, found {}", kind());
  return std::get<std::string>(value_);
}

const Json::Array& Json::as_array() const {
  if (!is_array()) fail("expected an array, found {}", kind());
  return std::get<Array>(value_);
}

const Json::Object& Json::as_object() const {
  if (!is_object()) fail("expected an object, found {}", kind());
  return std::get<Object>(value_);
}

const Json* Json::find(std::string_view key) const {
  const Object& members = as_object();
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const JsonMember& m) { return m.key == key; });
  return found == members.end() ? nullptr : &found->value;
}

const Json& Json::at(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) fail("'{}' is missing", key);
  return *value;
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Object();
  if (const Json* value = find(key)) return const_cast<Json&>(*value);
  return std::get<Object>(value_).emplace_back(JsonMember{std::string(key), Json()}).value;
}

void Json::push(Json value) {
  if (is_null()) value_ = Array();
  as_array();
  std::get<Array>(value_).push_back(std::move(value));
}

bool Json::operator==(const Json& other) const { return value_ == other.value_; }

std::string write_json(const Json& json, JsonStyle style) {
  std::string out;
  write_value(out, json, style, 0);
  if (style == JsonStyle::pretty) out += '\n';
  return out;
}

}  // namespace remodel
