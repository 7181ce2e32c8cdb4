// The operator schemas of ONNX, all versions, as constant data: domains ai.onnx (spelled ""), ai.onnx.ml and
// ai.onnx.preview.training. The experimental operators of opset 1 that the standard dropped (Affine, Crop,
// ...) are not among them.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace remodel::onnx {

// What a value is; for maps the dtype is the value's, and the name tells the key.
enum class TypeKind : uint8_t {
  tensor,
  sequence,           // of tensors
  optional,           // of a tensor
  optional_sequence,  // optional of a sequence of tensors
  int64_map,
  string_map,
  int64_map_sequence,
  string_map_sequence,
};
inline constexpr int type_kinds = 8;

// For each kind a mask over ONNX dtype numbers (TensorProto.DataType): bit 1 is float, bit 7 int64.
using TypeSet = std::array<uint32_t, type_kinds>;

enum class FormalOption : uint8_t { single, optional, variadic };

struct Formal {
  std::string_view name;
  // The type constraint's name ("T"); formals of one schema with the same one have the same type, unless
  // variadic and not homogeneous. A fixed type is spelled out ("tensor(int64)").
  std::string_view constraint;
  const TypeSet* types;
  FormalOption option;
  bool homogeneous = true;  // variadic: all of one type
  int min_arity = 1;        // variadic: the fewest that may be given
};

// Numbered as AttributeProto.AttributeType.
enum class AttributeKind : uint8_t {
  undefined = 0,
  real = 1,
  integer = 2,
  string = 3,
  tensor = 4,
  graph = 5,
  reals = 6,
  integers = 7,
  strings = 8,
  tensors = 9,
  graphs = 10,
  sparse_tensor = 11,
  sparse_tensors = 12,
  type_proto = 13,
  type_protos = 14,
};

struct AttributeSchema {
  std::string_view name;
  AttributeKind kind;
  bool required = false;
  // The default, where the schema states one: in the member of its kind. No other kind has defaults.
  bool has_default = false;
  float real = 0;
  int64_t integer = 0;
  std::string_view string = {};
  std::span<const int64_t> integers = {};
  std::span<const std::string_view> strings = {};
};

inline constexpr int unbounded = std::numeric_limits<int>::max();

struct OpSchema {
  std::string_view domain, name;
  int since;                                             // the first opset of its domain with this form
  bool deprecated;                                       // a checker refuses nodes of this op from `since` on
  int min_inputs, max_inputs, min_outputs, max_outputs;  // max may be `unbounded`
  std::span<const Formal> inputs, outputs;               // in order
  std::span<const AttributeSchema> attributes;           // sorted by name
};

// The version in force at an opset of its domain ("ai.onnx" is ""): the newest not above it, deprecated ones
// included; an opset above the newest counts as the newest. Null if there is none.
const OpSchema* find_schema(std::string_view domain, std::string_view name, int opset);

// Sorted by domain, name, since.
std::span<const OpSchema> all_schemas();

// Null if the operator has no such attribute.
const AttributeSchema* find_attribute(const OpSchema& schema, std::string_view name);

// Whether a formal may have this type; dtype in ONNX numbering, false for numbers that ONNX does not have.
bool allows(const Formal& formal, TypeKind kind, int dtype);

// The newest opset of a domain that the table knows; 0 for a domain it does not know.
int newest_opset(std::string_view domain = "");

// The oldest IR version of an ONNX release with this opset of the domain; 0 if it is above the newest, below
// 1 or of an unknown domain. Dtypes and functions can ask for a newer one.
int ir_version_for_opset(int opset, std::string_view domain = "");

}  // namespace remodel::onnx
