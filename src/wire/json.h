// A JSON value that keeps the order of its members, for job files, reports and configurations. Members are
// found by a linear walk: not for documents with huge objects.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace remodel {

struct JsonMember;

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<JsonMember>;

  // All that needs JsonMember's definition stands in the .cpp file.
  Json();
  Json(const Json&);
  Json(Json&&) noexcept;
  Json& operator=(const Json&);
  Json& operator=(Json&&) noexcept;
  ~Json();

  Json(std::nullptr_t);
  Json(std::same_as<bool> auto value) { set(value); }
  Json(std::integral auto value) requires(!std::same_as<decltype(value), bool>) {
    set(static_cast<int64_t>(value));
  }
  Json(std::floating_point auto value) { set(static_cast<double>(value)); }
  Json(std::string value);
  Json(std::string_view value);
  Json(const char* value);
  Json(Array value);
  Json(Object value);
  static Json array();
  static Json object();

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<int64_t>(value_); }
  bool is_double() const { return std::holds_alternative<double>(value_); }
  bool is_number() const { return is_int() || is_double(); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // Fail where the value is of another kind: "expected a string, found a number".
  bool as_bool() const;
  int64_t as_int() const;
  double as_double() const;  // a whole number, too
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;

  // A member of an object: null pointer, or an Error that names the key, where it is missing.
  const Json* find(std::string_view key) const;
  const Json& at(std::string_view key) const;
  // Adds the member at the end if it is missing. Null becomes an object, for push() an array.
  Json& operator[](std::string_view key);
  void push(Json value);

  bool operator==(const Json& other) const;

 private:
  void set(bool value);
  void set(int64_t value);
  void set(double value);
  const char* kind() const;

  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

struct JsonMember {
  std::string key;
  Json value;
  bool operator==(const JsonMember& other) const = default;
};

// What a person writes by hand may have //, /* */ and # comments, commas before a closing bracket, and a byte
// order mark.
enum class JsonSyntax { strict, tolerant };

// Errors begin with line:column, counted from 1 in characters. Refuses duplicate keys, text that is not UTF-8
// and more than 200 levels. A whole number beyond 64 bits becomes a double.
Json parse_json(std::string_view text, JsonSyntax syntax = JsonSyntax::strict);

// Two spaces a level, or all on one line. Doubles are the shortest that read back equal, and never look
// whole; those that are not finite become null. Bytes that are not UTF-8 become U+FFFD.
enum class JsonStyle { pretty, compact };
std::string write_json(const Json& json, JsonStyle style = JsonStyle::pretty);

}  // namespace remodel
