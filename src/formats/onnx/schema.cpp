#include "formats/onnx/schema.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <tuple>

namespace remodel::onnx {
namespace {

// Bits by ONNX dtype number; the names that the table uses.
constexpr uint32_t bit(int dtype) { return uint32_t{1} << dtype; }
constexpr uint32_t float32 = bit(1), uint8 = bit(2), int8 = bit(3), uint16 = bit(4), int16 = bit(5),
                   int32 = bit(6), int64 = bit(7), string = bit(8), boolean = bit(9), float16 = bit(10),
                   float64 = bit(11), uint32 = bit(12), uint64 = bit(13), complex64 = bit(14),
                   complex128 = bit(15), bfloat16 = bit(16), float8e4m3fn = bit(17), float8e4m3fnuz = bit(18),
                   float8e5m2 = bit(19), float8e5m2fnuz = bit(20), uint4 = bit(21), int4 = bit(22),
                   float4e2m1 = bit(23), float8e8m0 = bit(24);

struct KindMask {
  TypeKind kind;
  uint32_t mask;
};
constexpr KindMask tensor(uint32_t mask) { return {TypeKind::tensor, mask}; }
constexpr KindMask sequence(uint32_t mask) { return {TypeKind::sequence, mask}; }
constexpr KindMask optional(uint32_t mask) { return {TypeKind::optional, mask}; }
constexpr KindMask optional_sequence(uint32_t mask) { return {TypeKind::optional_sequence, mask}; }
constexpr KindMask int64_map(uint32_t mask) { return {TypeKind::int64_map, mask}; }
constexpr KindMask string_map(uint32_t mask) { return {TypeKind::string_map, mask}; }
constexpr KindMask int64_map_sequence(uint32_t mask) { return {TypeKind::int64_map_sequence, mask}; }
constexpr KindMask string_map_sequence(uint32_t mask) { return {TypeKind::string_map_sequence, mask}; }

constexpr TypeSet type_set(std::initializer_list<KindMask> kinds) {
  TypeSet set{};
  for (KindMask entry : kinds) set[static_cast<size_t>(entry.kind)] = entry.mask;
  return set;
}

constexpr TypeSet type_sets[] = {
#define TYPES(index, ...) type_set({__VA_ARGS__}),
#include "formats/onnx/schema_data.inc"
};

#define INTS_LIST(id, ...) constexpr int64_t id[] = {__VA_ARGS__};
#define STRINGS_LIST(id, ...) constexpr std::string_view id[] = {__VA_ARGS__};
#include "formats/onnx/schema_data.inc"

constexpr Formal formals[] = {
#define IN(name, constraint, types) {name, constraint, &type_sets[types], FormalOption::single},
#define IN_OPTIONAL(name, constraint, types) {name, constraint, &type_sets[types], FormalOption::optional},
#define IN_VARIADIC(name, constraint, types, homogeneous, min_arity) \
  {name, constraint, &type_sets[types], FormalOption::variadic, homogeneous, min_arity},
#define OUT IN
#define OUT_OPTIONAL IN_OPTIONAL
#define OUT_VARIADIC IN_VARIADIC
#include "formats/onnx/schema_data.inc"
};

constexpr AttributeSchema attributes[] = {
#define ATTR(text, type) {text, AttributeKind::type},
#define REQUIRED(text, type) {text, AttributeKind::type, true},
#define DEFAULT(text, member, value) \
  {.name = text, .kind = AttributeKind::member, .has_default = true, .member = value},
#define INT(text, value) DEFAULT(text, integer, value)
#define FLOAT(text, value) DEFAULT(text, real, value)
#define STRING(text, value) DEFAULT(text, string, value)
#define INTS(text, value) DEFAULT(text, integers, value)
#define STRINGS(text, value) DEFAULT(text, strings, value)
#include "formats/onnx/schema_data.inc"
#undef DEFAULT
};

struct Row {
  std::string_view domain, name;
  int since;
  bool deprecated;
  int min_inputs, max_inputs, min_outputs, max_outputs;
  uint8_t inputs, outputs, attributes;
};
constexpr Row rows[] = {
#define SCHEMA(...) {__VA_ARGS__},
#include "formats/onnx/schema_data.inc"
};

// Rows tell how many formals and attributes they have; both tables are in the order of the rows.
constexpr auto link_rows() {
  std::array<OpSchema, std::size(rows)> linked{};
  const Formal* formal = formals;
  const AttributeSchema* attribute = attributes;
  for (size_t i = 0; i < linked.size(); ++i) {
    const Row& row = rows[i];
    linked[i] = {row.domain,
                 row.name,
                 row.since,
                 row.deprecated,
                 row.min_inputs,
                 row.max_inputs,
                 row.min_outputs,
                 row.max_outputs,
                 {formal, row.inputs},
                 {formal + row.inputs, row.outputs},
                 {attribute, row.attributes}};
    formal += row.inputs + row.outputs;
    attribute += row.attributes;
  }
  if (formal != std::end(formals) || attribute != std::end(attributes)) throw "the counts do not add up";
  return linked;
}
constexpr auto schemas = link_rows();

struct Release {
  std::string_view domain;
  int opset, ir_version;
};
constexpr Release releases[] = {
#define RELEASE(domain, opset, ir_version) {domain, opset, ir_version},
#include "formats/onnx/schema_data.inc"
};

constexpr std::string_view plain(std::string_view domain) { return domain == "ai.onnx" ? "" : domain; }

}  // namespace

const OpSchema* find_schema(std::string_view domain, std::string_view name, int opset) {
  domain = plain(domain);
  auto key = std::tie(domain, name, opset);
  auto after =
      std::upper_bound(schemas.begin(), schemas.end(), key, [](const auto& wanted, const OpSchema& schema) {
        return wanted < std::tie(schema.domain, schema.name, schema.since);
      });
  if (after == schemas.begin()) return nullptr;
  const OpSchema& found = *(after - 1);
  return found.domain == domain && found.name == name ? &found : nullptr;
}

std::span<const OpSchema> all_schemas() { return schemas; }

const AttributeSchema* find_attribute(const OpSchema& schema, std::string_view name) {
  for (const AttributeSchema& attribute : schema.attributes) {
    if (attribute.name == name) return &attribute;
  }
  return nullptr;
}

bool allows(const Formal& formal, TypeKind kind, int dtype) {
  if (dtype < 0 || dtype > 31) return false;
  return (*formal.types)[static_cast<size_t>(kind)] & bit(dtype);
}

int newest_opset(std::string_view domain) {
  int newest = 0;
  for (const Release& release : releases) {
    if (release.domain == plain(domain)) newest = std::max(newest, release.opset);
  }
  return newest;
}

int ir_version_for_opset(int opset, std::string_view domain) {
  if (opset < 1) return 0;
  for (const Release& release : releases) {
    if (release.domain == plain(domain) && release.opset >= opset) return release.ir_version;
  }
  return 0;
}

}  // namespace remodel::onnx
