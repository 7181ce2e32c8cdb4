// The schema of TensorFlow Lite files as constant data: element types, builtin operators, and the fields of
// their options.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "ir/dtype.h"

namespace remodel::tflite {

// Numbered as the schema's TensorType.
enum class TensorType : int8_t {
#define TENSOR_TYPE(name, number) name = number,
#include "formats/tflite/schema_data.inc"
};

// What a field of options holds; the last three are vectors.
enum class FieldKind : uint8_t { truth, integer, real, text, word, integers, reals, bytes };

struct Choice {
  std::string_view word;
  int64_t number;
};

struct Field {
  std::string_view name;
  int slot;   // in the table
  int bytes;  // of a number, or of an element of a vector
  FieldKind kind;
  double value;                     // the default, as the number in the file
  std::span<const Choice> choices;  // of a word
  const Choice* find(std::string_view word) const;
  const Choice* find(int64_t number) const;
};

struct Options {
  std::string_view name;
  int number;  // in its union
  int part;    // 1: BuiltinOptions, 2: BuiltinOptions2
  std::span<const Field> fields;
  const Field* find(std::string_view field) const;
};

struct Builtin {
  std::string_view name;  // "CONV_2D"
  int code;
  const Options* options;  // null where the operator has none
};

// Null for what the schema does not have.
const Builtin* find_builtin(int64_t code);
const Builtin* find_builtin(std::string_view name);
const Options* find_options(int part, int64_t number);
std::span<const Builtin> all_builtins();

// Nothing for RESOURCE and VARIANT, which are no tensors, and for what the schema does not have.
std::optional<DType> dtype_of(TensorType type);
std::optional<TensorType> tensor_type_of(DType dtype);
bool is_tensor_type(int64_t number);
std::string_view name_of(TensorType type);

}  // namespace remodel::tflite
