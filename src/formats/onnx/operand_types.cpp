#include "formats/onnx/operand_types.h"

#include <algorithm>

#include "formats/wider.h"

namespace remodel::onnx {
namespace {

// Types T that the schemas give these operators at any opset, but for which ONNX Runtime has no kernel, where
// a wider type computes the same.
bool lacks_kernel(const NodeProto& node, DType dtype) {
  struct Gap {
    std::string_view type;
    std::vector<DType> dtypes;
  };
  static const Gap gaps[] = {
      {"Where", {DType::boolean, DType::i16, DType::u16, DType::u64}},
      {"Max", {DType::i16, DType::u16}},
      {"Min", {DType::i16, DType::u16}},
      {"ReduceSum", {DType::u32, DType::u64}},
      {"ReduceProd", {DType::u32, DType::u64}},
      {"ReduceMax", {DType::u32}},
      {"ReduceMin", {DType::u32}},
      {"ReduceMean", {DType::u32}},
      {"ArgMax", {DType::i16, DType::u16, DType::u32}},
      {"ArgMin", {DType::i16, DType::u16, DType::u32}},
      {"NonZero", {DType::i8, DType::i16, DType::u16, DType::u32, DType::u64}},
  };
  if (!node.domain.empty()) return false;
  for (const Gap& gap : gaps)
    if (gap.type == node.type)
      return std::find(gap.dtypes.begin(), gap.dtypes.end(), dtype) != gap.dtypes.end();
  return false;
}

}  // namespace

const Formal* formal_of(std::span<const Formal> formals, size_t i) {
  if (i < formals.size()) return &formals[i];
  if (!formals.empty() && formals.back().option == FormalOption::variadic) return &formals.back();
  return nullptr;
}

bool takes(const NodeProto& node, const Formal& formal, DType dtype) {
  return allows(formal, TypeKind::tensor, static_cast<int>(code_of_dtype(dtype))) &&
         !(formal.constraint == "T" && lacks_kernel(node, dtype));
}

DType wider_taken(const NodeProto& node, const Formal& formal, DType dtype) {
  for (DType candidate : wider_types(dtype))
    if (takes(node, formal, candidate)) return candidate;
  // These ask for no order of integers: those with a sign have the same bits.
  const bool is_plain = node.type == "Where" || node.type == "Equal";
  return dtype == DType::u64 && is_plain && takes(node, formal, DType::i64) ? DType::i64 : DType::unknown;
}

bool takes_numbers(const Formal& formal) {
  const DType usual[] = {DType::f32, DType::i64, DType::boolean};
  return std::any_of(std::begin(usual), std::end(usual), [&](DType dtype) {
    return allows(formal, TypeKind::tensor, static_cast<int>(code_of_dtype(dtype)));
  });
}

bool takes_container(const Formal& formal, const Type& type) {
  const Type* inner = &type;
  while (inner->element && inner->element->kind != Type::map) inner = inner->element.get();
  if (inner->kind == Type::map || (inner->element && inner->element->kind == Type::map)) return true;
  if (inner->dtype == DType::unknown) return true;
  bool optional = type.kind == Type::optional;
  bool list = type.kind == Type::list || (type.element && type.element->kind == Type::list);
  TypeKind kind = optional ? (list ? TypeKind::optional_sequence : TypeKind::optional) : TypeKind::sequence;
  return allows(formal, kind, static_cast<int>(code_of_dtype(inner->dtype)));
}

}  // namespace remodel::onnx
