#include "ir/type.h"

#include "ir/constant.h"

namespace remodel {
namespace {
bool same_constant(const ConstantPtr& a, const ConstantPtr& b) { return a == b || (a && b && a->equals(*b)); }
}  // namespace

bool Grid::operator==(const Grid& other) const {
  return same_constant(scale, other.scale) && same_constant(zero, other.zero) && axis == other.axis &&
         block == other.block;
}

Type Type::with_dtype(DType other) const {
  Type result = *this;
  result.dtype = other;
  result.grid = nullptr;
  return result;
}

std::string Type::text() const {
  if (kind != tensor)
    return (kind == list ? "list(" : "optional(") + (element ? element->text() : std::string("?")) + ")";
  return std::string(name_of(dtype)) + (dims ? text_of(*dims) : "[?]");
}

bool same_shape_and_dtype(const Type& a, const Type& b) {
  if (a.kind != b.kind || a.dtype != b.dtype || a.dims != b.dims) return false;
  if (!a.element || !b.element) return a.element == b.element;
  return same_shape_and_dtype(*a.element, *b.element);
}

}  // namespace remodel
