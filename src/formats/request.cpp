#include "formats/request.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/nearest.h"

namespace remodel {
namespace {

[[noreturn]] void refuse_usage(std::string text) { throw Error(std::move(text), ErrorKind::usage); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(at);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_word(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9') || text[0] == '_') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  });
}

// A size that is not known stays without a name: the reader makes one up for each place.
Dim parse_size(std::string_view text, std::string_view whole) {
  if (text == "?" || text == "None" || text == "-1") return Dim(-1);
  if (is_word(text)) return Dim::symbol(std::string(text));
  int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 0 || number > INT32_MAX)
    refuse_usage(fmt::format("input shape '{}': '{}' is no size", whole, text));
  return Dim(number);
}

std::optional<Dims> parse_sizes(std::string_view text) {
  const std::string_view whole = text;
  if (text.size() >= 2 &&
      ((text.front() == '[' && text.back() == ']') || (text.front() == '(' && text.back() == ')'))) {
    text = trimmed(text.substr(1, text.size() - 2));
    if (text.empty()) return Dims();
    if (text.back() == ',') text.remove_suffix(1);
  } else if (text.empty()) {
    return std::nullopt;
  }
  Dims dims;
  for (std::string_view size : split(text, ',')) dims.push_back(parse_size(size, whole));
  return dims;
}

}  // namespace

std::string TensorNames::find(const std::string& name, std::string_view what) const {
  if (names_.count(name)) return name;
  if (name.size() > 2 && name.ends_with(":0") && names_.count(name.substr(0, name.size() - 2)))
    return name.substr(0, name.size() - 2);
  if (names_.count(name + ":0")) return name + ":0";
  std::vector<std::string> all(names_.begin(), names_.end());
  std::sort(all.begin(), all.end());
  const std::string plain = name.ends_with(":0") ? name.substr(0, name.size() - 2) : name;
  const std::vector<std::string> near = nearest_names(plain, all);
  Error error(fmt::format("there is no {} '{}'", what, name));
  if (!near.empty()) error.hint("the nearest: " + quoted_list(near, "and"));
  throw error;
}

std::vector<std::string> parse_names(std::string_view text) {
  std::vector<std::string> names;
  for (std::string_view name : split(text, ',')) {
    if (name.empty()) refuse_usage(fmt::format("'{}' has an empty name", text));
    names.emplace_back(name);
  }
  return names;
}

std::vector<InputShape> parse_input_shapes(std::string_view text) {
  std::vector<InputShape> shapes;
  for (std::string_view part : split(text, ';')) {
    const size_t equals = part.rfind('=');
    InputShape shape;
    if (equals != std::string_view::npos) {
      shape.name = std::string(trimmed(part.substr(0, equals)));
      part = trimmed(part.substr(equals + 1));
      if (shape.name.empty()) refuse_usage(fmt::format("input shape '{}': the name is empty", text));
      if (part.empty()) refuse_usage(fmt::format("input shape '{}': '{}' has no sizes", text, shape.name));
    }
    shape.dims = parse_sizes(part);
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

std::vector<InputType> parse_input_types(std::string_view text) {
  static constexpr std::pair<std::string_view, DType> words[] = {
      {"float", DType::f32},  {"float16", DType::f16},   {"float32", DType::f32},  {"float64", DType::f64},
      {"double", DType::f64}, {"bfloat16", DType::bf16}, {"int8", DType::i8},      {"int16", DType::i16},
      {"int32", DType::i32},  {"int64", DType::i64},     {"uint8", DType::u8},     {"uint16", DType::u16},
      {"uint32", DType::u32}, {"uint64", DType::u64},    {"bool", DType::boolean}, {"string", DType::string},
  };
  std::vector<InputType> types;
  for (std::string_view part : split(text, ',')) {
    const size_t equals = part.rfind('=');
    if (equals == std::string_view::npos || equals == 0)
      refuse_usage(fmt::format("input type '{}': expected name=type, such as ids=int32", part));
    const std::string_view word = trimmed(part.substr(equals + 1));
    const auto place =
        std::find_if(std::begin(words), std::end(words), [&](const auto& w) { return w.first == word; });
    std::optional<DType> dtype = parse_dtype(word);
    if (place != std::end(words)) dtype = place->second;
    if (!dtype || *dtype == DType::unknown) {
      std::vector<std::string> known;
      for (const auto& [name, unused] : words) known.emplace_back(name);
      refuse_usage(fmt::format("input type '{}': '{}' is no type{}", part, word, did_you_mean(word, known)));
    }
    types.push_back({std::string(trimmed(part.substr(0, equals))), *dtype});
  }
  return types;
}

void follow(std::vector<Error>& problems, const std::function<void()>& request) {
  try {
    request();
  } catch (const Error& error) {
    problems.push_back(error);
  }
}

std::vector<InputShape> named_shapes(std::vector<InputShape> shapes, const std::vector<std::string>& inputs,
                                     std::vector<Error>& problems) {
  // "1,3;" may end one shape or begin a second that stays as it is.
  const bool open_end = !shapes.empty() && shapes.back().name.empty() && !shapes.back().dims;
  if (open_end && shapes.size() > inputs.size()) shapes.pop_back();
  const TensorNames names(inputs);
  const auto unnamed =
      std::count_if(shapes.begin(), shapes.end(), [](const auto& shape) { return shape.name.empty(); });
  const bool counted = unnamed == 0 || static_cast<size_t>(unnamed) == inputs.size();
  if (!counted)
    problems.push_back(
        Error(fmt::format("the input shapes are {}, but the model has {} input{}: {}", unnamed, inputs.size(),
                          inputs.size() == 1 ? "" : "s", quoted_list(inputs, "and"))));
  std::vector<InputShape> result;
  size_t next = 0;
  for (InputShape& shape : shapes) {
    if (shape.name.empty() && !counted) continue;
    follow(problems, [&] {
      shape.name = shape.name.empty() ? inputs[next++] : names.find(shape.name, "input");
      for (const InputShape& other : result)
        if (other.name == shape.name) fail("input '{}' is given two shapes", shape.name);
      result.push_back(shape);
    });
  }
  return result;
}

std::vector<InputType> named_types(std::vector<InputType> types, const std::vector<std::string>& inputs,
                                   std::vector<Error>& problems) {
  const TensorNames names(inputs);
  for (InputType& type : types) follow(problems, [&] { type.name = names.find(type.name, "input"); });
  return types;
}

}  // namespace remodel
