#include "ops/cast.h"

#include "formats/onnx/rows.h"
#include "formats/onnx/schema.h"

namespace remodel::onnx {
namespace {

bool is_float8(DType dtype) {
  return dtype == DType::f8e4m3fn || dtype == DType::f8e4m3fnuz || dtype == DType::f8e5m2 ||
         dtype == DType::f8e5m2fnuz || dtype == DType::f8e8m0;
}

// What does not apply to the type keeps its default, so that equal casts compare equal.
Cast cast_to(ReadNode& node, DType to) {
  Cast op{to};
  bool saturate = node.integer("saturate", 1) != 0;
  std::string mode = node.text("round_mode", "up");
  if (mode != "up" && mode != "down" && mode != "nearest")
    fail("attribute 'round_mode': the value '{}' is not known", mode);
  if (is_float8(to) && !saturate) op.overflow = Overflow::wrap;
  if (to == DType::f8e8m0 && mode != "up")
    op.rounding = mode == "down" ? PowerRounding::down : PowerRounding::nearest;
  return op;
}

void read_cast(ReadNode& node) {
  DType to = DType::unknown;
  if (auto named = node.attribute("to"); named && named->kind == AttributeKind::string) {
    static const std::pair<const char*, DType> names[] = {
        {"FLOAT", DType::f32},    {"DOUBLE", DType::f64}, {"FLOAT16", DType::f16}, {"INT64", DType::i64},
        {"INT32", DType::i32},    {"INT16", DType::i16},  {"INT8", DType::i8},     {"UINT64", DType::u64},
        {"UINT32", DType::u32},   {"UINT16", DType::u16}, {"UINT8", DType::u8},    {"BOOL", DType::boolean},
        {"STRING", DType::string}};
    for (const auto& [name, dtype] : names)
      if (named->text == name) to = dtype;
    if (to == DType::unknown) fail("attribute 'to': the value '{}' is not known", named->text);
  } else {
    to = dtype_of_code(node.integer("to"));
  }
  node.emit_results(cast_to(node, to), {node.input(0)});
}

void read_cast_like(ReadNode& node) {
  DType to = node.type(1).dtype;
  if (to == DType::unknown) fail_untyped("the type of input 1 is not known");
  node.emit_results(cast_to(node, to), {node.input(0)});
}

void write_cast(WriteNode& node) {
  const auto& op = node.op<Cast>();
  Attributes attributes{Attribute::of("to", code_of_dtype(op.to))};
  if (op.overflow == Overflow::wrap && is_float8(op.to))
    attributes.push_back(Attribute::of("saturate", int64_t{0}));
  if (op.to == DType::f8e8m0 && op.rounding != PowerRounding::up)
    attributes.push_back(
        Attribute::of("round_mode", std::string(op.rounding == PowerRounding::down ? "down" : "nearest")));
  node.emit_to(node.outs(), "Cast", {node.in(0)}, attributes);
}

std::string cannot_cast(const WriteNode& node) {
  const OpSchema* schema = find_schema("", "Cast", static_cast<int>(node.opset()));
  for (DType dtype : {node.dtype(0), node.op<Cast>().to})
    if (dtype != DType::unknown &&
        !allows(schema->outputs[0], TypeKind::tensor, static_cast<int>(code_of_dtype(dtype))))
      return fmt::format("opset {}'s Cast does not know {}", node.opset(), name_of(dtype));
  return "";
}

}  // namespace

void cast_rows(Rows& rows) {
  rows.read("Cast", since(1), read_cast);
  rows.read("CastLike", since(15), read_cast_like);
  rows.write<Cast>(since(6), write_cast, cannot_cast);
}

}  // namespace remodel::onnx
