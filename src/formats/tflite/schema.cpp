#include "formats/tflite/schema.h"

#include <algorithm>
#include <iterator>

namespace remodel::tflite {
namespace {

#define CHOICES(id, ...) constexpr Choice choices_##id[] = {__VA_ARGS__};
#include "formats/tflite/schema_data.inc"

#define FIELD(name, slot, bytes, kind, value)     \
  {                                               \
    name, slot, bytes, FieldKind::kind, value, {} \
  }
#define WORD(name, slot, bytes, value, id) \
  { name, slot, bytes, FieldKind::word, value, choices_##id }
#define FIELDS(id, ...) constexpr Field fields_##id[] = {__VA_ARGS__};
#include "formats/tflite/schema_data.inc"
#undef FIELD
#undef WORD

enum OptionsIndex {
#define OPTIONS(id, number, part) index_##id,
#define EMPTY(id, number, part) index_##id,
#include "formats/tflite/schema_data.inc"
};
constexpr Options all_options[] = {
#define OPTIONS(id, number, part) {#id, number, part, fields_##id},
#define EMPTY(id, number, part) {#id, number, part, {}},
#include "formats/tflite/schema_data.inc"
};

constexpr Builtin builtins[] = {
#define BUILTIN(id, code, table) {#id, code, &all_options[index_##table]},
#define BARE(id, code) {#id, code, nullptr},
#include "formats/tflite/schema_data.inc"
};

struct TypeName {
  std::string_view name;
  TensorType type;
};
constexpr TypeName types[] = {
#define TENSOR_TYPE(id, number) {#id, TensorType::id},
#include "formats/tflite/schema_data.inc"
};
// In the order of TensorType.
constexpr DType dtypes[] = {
    DType::f32, DType::f16, DType::i32,  DType::u8,   DType::i64, DType::string,   DType::boolean, DType::i16,
    DType::c64, DType::i8,  DType::f64,  DType::c128, DType::u64, DType::unknown,  DType::unknown, DType::u32,
    DType::u16, DType::i4,  DType::bf16, DType::i2,   DType::u4,  DType::f8e4m3fn, DType::f8e5m2};
static_assert(std::size(dtypes) == std::size(types));

template <class Row>
const Row* find_row(std::span<const Row> rows, auto matches) {
  const auto place = std::find_if(rows.begin(), rows.end(), matches);
  return place == rows.end() ? nullptr : &*place;
}

}  // namespace

const Choice* Field::find(std::string_view word) const {
  return find_row(choices, [&](const Choice& choice) { return choice.word == word; });
}
const Choice* Field::find(int64_t number) const {
  return find_row(choices, [&](const Choice& choice) { return choice.number == number; });
}
const Field* Options::find(std::string_view field) const {
  return find_row(fields, [&](const Field& one) { return one.name == field; });
}

const Builtin* find_builtin(int64_t code) {
  return find_row(all_builtins(), [&](const Builtin& builtin) { return builtin.code == code; });
}
const Builtin* find_builtin(std::string_view name) {
  return find_row(all_builtins(), [&](const Builtin& builtin) { return builtin.name == name; });
}
const Options* find_options(int part, int64_t number) {
  return find_row(std::span<const Options>(all_options),
                  [&](const Options& options) { return options.part == part && options.number == number; });
}
std::span<const Builtin> all_builtins() { return builtins; }

std::optional<DType> dtype_of(TensorType type) {
  const DType dtype = dtypes[static_cast<size_t>(type)];
  if (dtype == DType::unknown) return std::nullopt;
  return dtype;
}
std::optional<TensorType> tensor_type_of(DType dtype) {
  for (size_t i = 0; i < std::size(dtypes); ++i)
    if (dtype != DType::unknown && dtypes[i] == dtype) return static_cast<TensorType>(i);
  return std::nullopt;
}
bool is_tensor_type(int64_t number) { return number >= 0 && number < std::ssize(types); }
std::string_view name_of(TensorType type) { return types[static_cast<size_t>(type)].name; }

}  // namespace remodel::tflite
