#include "ir/type.h"

#include <algorithm>

#include "base/error.h"
#include "ir/constant.h"

namespace remodel {
namespace {
bool same_constant(const ConstantPtr& a, const ConstantPtr& b) { return a == b || (a && b && a->equals(*b)); }
bool is_zero(const ConstantPtr& zero) { return !zero || splat_value(*zero) == 0.0; }
}  // namespace

bool Grid::operator==(const Grid& other) const {
  return same_constant(scale, other.scale) &&
         (same_constant(zero, other.zero) || (is_zero(zero) && is_zero(other.zero))) && axis == other.axis &&
         block == other.block;
}

bool same_grid(const Type& a, const Type& b) {
  return a.grid == b.grid || (a.grid && b.grid && *a.grid == *b.grid);
}

Type Type::with_dtype(DType other) const {
  Type result = *this;
  result.dtype = other;
  result.grid = nullptr;
  return result;
}

std::string Type::text() const {
  static constexpr std::string_view kinds[] = {"", "list", "optional", "map"};
  if (kind == tensor) return std::string(name_of(dtype)) + (dims ? text_of(*dims) : "[?]");
  std::string inner = element ? element->text() : dtype == DType::unknown ? "?" : std::string(name_of(dtype));
  if (kind == map) inner = std::string(name_of(dtype)) + ", " + inner;
  return std::string(kinds[kind]) + "(" + inner + ")";
}

bool same_shape_and_dtype(const Type& a, const Type& b) {
  if (a.kind != b.kind || a.dtype != b.dtype || a.dims != b.dims) return false;
  if (!a.element || !b.element) return a.element == b.element;
  return same_shape_and_dtype(*a.element, *b.element);
}

Dim any_size() { return Dim::symbol("_"); }

Type element_of(const Type& container, const std::function<Dim(size_t axis)>& fresh) {
  if (!container.element) return Type(container.dtype);
  Type result = *container.element;
  if (result.is_tensor() && result.dims)
    for (size_t axis = 0; axis < result.dims->size(); ++axis) {
      auto symbols = (*result.dims)[axis].symbols();
      if (std::find(symbols.begin(), symbols.end(), "_") != symbols.end()) (*result.dims)[axis] = fresh(axis);
    }
  return result;
}

Type join(const Type& a, const Type& b, const std::function<Dim(size_t axis)>& differ) {
  bool unknown_a = a.is_tensor() && a.dtype == DType::unknown,
       unknown_b = b.is_tensor() && b.dtype == DType::unknown;
  if (unknown_a && !a.dims && !b.is_tensor()) return b;
  if (unknown_b && !b.dims && !a.is_tensor()) return a;
  if (a.kind != b.kind && (a.kind == Type::optional || b.kind == Type::optional)) {
    const Type& optional = a.kind == Type::optional ? a : b;
    const Type& given = a.kind == Type::optional ? b : a;
    return join(optional, Type::optional_of(given), differ);
  }
  if (a.kind != b.kind) fail("{} and {} cannot be one value", a.text(), b.text());
  if (!a.is_tensor()) {
    if (!a.element || !b.element) {
      const Type& known = a.element ? a : b;
      const Type& empty = a.element ? b : a;
      DType dtype = known.element ? known.element->dtype : known.dtype;
      if (empty.dtype != DType::unknown && dtype != DType::unknown && empty.dtype != dtype)
        fail("{} and {} cannot be one value", a.text(), b.text());
      return known;
    }
    Type result = a;
    result.element =
        std::make_shared<const Type>(join(*a.element, *b.element, [](size_t) { return any_size(); }));
    return result;
  }
  if (a.dtype != b.dtype && !unknown_a && !unknown_b)
    fail("{} and {} cannot be one value", a.text(), b.text());
  Type result(unknown_a ? b.dtype : a.dtype);
  if (a.dims && b.dims && a.dims->size() == b.dims->size()) {
    result.dims = a.dims;
    for (size_t axis = 0; axis < a.dims->size(); ++axis)
      if (!((*a.dims)[axis] == (*b.dims)[axis])) (*result.dims)[axis] = differ(axis);
  }
  if (a.grid && b.grid && *a.grid == *b.grid) result.grid = a.grid;
  return result;
}

void for_each_symbol(const Type& type, const std::function<void(const std::string&)>& use) {
  if (type.dims)
    for (const Dim& dim : *type.dims)
      for (const std::string& symbol : dim.symbols()) use(symbol);
  if (type.element) for_each_symbol(*type.element, use);
}

}  // namespace remodel
