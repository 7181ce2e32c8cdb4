#include "ir/op.h"

#include <cstring>

#include "ir/constant.h"
#include "ir/graph.h"

namespace remodel {
namespace {

size_t mix(size_t seed, size_t value) {
  return seed ^ (value + 0x9e3779b97f4a7c15u + (seed << 6) + (seed >> 2));
}

// Reals compare by their bits, so that NaN equals itself and -0 differs from 0.
bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

size_t hash_field(const void* op, const Field& field) {
  std::hash<std::string> text;
  switch (field.kind) {
    case FieldKind::integer:
    case FieldKind::axis:
      return static_cast<size_t>(field_as<int64_t>(op, field));
    case FieldKind::real:
      return std::hash<double>()(field_as<double>(op, field));
    case FieldKind::truth:
      return field_as<bool>(op, field);
    case FieldKind::text:
      return text(field_as<std::string>(op, field));
    case FieldKind::choice:
    case FieldKind::dtype:
      return field_as<uint8_t>(op, field);
    case FieldKind::axes:
    case FieldKind::integers: {
      size_t seed = 0;
      for (int64_t value : field_as<std::vector<int64_t>>(op, field))
        seed = mix(seed, static_cast<size_t>(value));
      return seed;
    }
    case FieldKind::reals: {
      size_t seed = 0;
      for (double value : field_as<std::vector<double>>(op, field))
        seed = mix(seed, std::hash<double>()(value));
      return seed;
    }
    case FieldKind::texts: {
      size_t seed = 0;
      for (const auto& value : field_as<std::vector<std::string>>(op, field)) seed = mix(seed, text(value));
      return seed;
    }
    case FieldKind::dim:
      return text(field_as<Dim>(op, field).text());
    case FieldKind::dims:
      return text(text_of(field_as<Dims>(op, field)));
    case FieldKind::graph:
      return reinterpret_cast<size_t>(field_as<GraphPtr>(op, field).get());
    case FieldKind::constant: {
      const auto& constant = field_as<ConstantPtr>(op, field);
      return constant ? constant->hash() : 0;
    }
    case FieldKind::type:
      return text(field_as<Type>(op, field).text());
  }
  return 0;
}

}  // namespace

const Field* OpInfo::find(std::string_view field) const {
  for (const Field& candidate : fields)
    if (candidate.name == field) return &candidate;
  return nullptr;
}

bool fields_equal(const void* a, const void* b, const Field& field) {
  switch (field.kind) {
    case FieldKind::integer:
    case FieldKind::axis:
      return field_as<int64_t>(a, field) == field_as<int64_t>(b, field);
    case FieldKind::real:
      return same_bits(field_as<double>(a, field), field_as<double>(b, field));
    case FieldKind::truth:
      return field_as<bool>(a, field) == field_as<bool>(b, field);
    case FieldKind::text:
      return field_as<std::string>(a, field) == field_as<std::string>(b, field);
    case FieldKind::choice:
    case FieldKind::dtype:
      return field_as<uint8_t>(a, field) == field_as<uint8_t>(b, field);
    case FieldKind::axes:
    case FieldKind::integers:
      return field_as<std::vector<int64_t>>(a, field) == field_as<std::vector<int64_t>>(b, field);
    case FieldKind::reals: {
      const auto& x = field_as<std::vector<double>>(a, field);
      const auto& y = field_as<std::vector<double>>(b, field);
      return x.size() == y.size() &&
             (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(double)) == 0);
    }
    case FieldKind::texts:
      return field_as<std::vector<std::string>>(a, field) == field_as<std::vector<std::string>>(b, field);
    case FieldKind::dim:
      return field_as<Dim>(a, field) == field_as<Dim>(b, field);
    case FieldKind::dims:
      return field_as<Dims>(a, field) == field_as<Dims>(b, field);
    case FieldKind::graph:
      return field_as<GraphPtr>(a, field) == field_as<GraphPtr>(b, field);
    case FieldKind::constant: {
      const auto& x = field_as<ConstantPtr>(a, field);
      const auto& y = field_as<ConstantPtr>(b, field);
      return x == y || (x && y && x->equals(*y));
    }
    case FieldKind::type:
      return same_shape_and_dtype(field_as<Type>(a, field), field_as<Type>(b, field));
  }
  return false;
}

bool Op::operator==(const Op& other) const {
  if (info_ != other.info_) return false;
  if (data_ == other.data_) return true;
  for (const Field& field : info_->fields)
    if (!fields_equal(data(), other.data(), field)) return false;
  return true;
}

size_t Op::hash() const {
  size_t seed = std::hash<std::string_view>()(name());
  for (const Field& field : info_->fields) seed = mix(seed, hash_field(data(), field));
  return seed;
}

std::vector<GraphPtr> Op::graphs() const {
  std::vector<GraphPtr> found;
  for (const Field& field : info_->fields)
    if (field.kind == FieldKind::graph && field_as<GraphPtr>(data(), field))
      found.push_back(field_as<GraphPtr>(data(), field));
  return found;
}

Op Op::deep_copy() const {
  if (graphs().empty()) return *this;
  std::shared_ptr<void> data = info_->make(data_.get());
  for (const Field& field : info_->fields)
    if (field.kind == FieldKind::graph)
      if (auto& graph = field_as<GraphPtr>(data.get(), field)) graph = graph->copy();
  return Op(*info_, data);
}

}  // namespace remodel
