// The type of a value: a tensor's element type and sizes, or a list or optional of such.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ir/dim.h"
#include "ir/dtype.h"

namespace remodel {

class Constant;
using ConstantPtr = std::shared_ptr<const Constant>;

// How the integers of a quantized tensor map to real numbers: real = (integer - zero) * scale.
struct Grid {
  ConstantPtr scale;
  ConstantPtr zero;   // null: zero
  int64_t axis = -1;  // of the tensor, where scale has more than one element
  int64_t block = 0;  // elements of `axis` that share a scale; 0: one scale for each index of the axis

  bool operator==(const Grid& other) const;
};

struct Type {
  enum Kind : uint8_t { tensor, list, optional } kind = tensor;
  DType dtype = DType::unknown;
  std::optional<Dims> dims;             // nullopt: the rank is not known
  std::shared_ptr<const Type> element;  // of a list or optional; null: not known
  std::shared_ptr<const Grid> grid;

  Type() = default;
  explicit Type(DType dtype) : dtype(dtype) {}
  Type(DType dtype, Dims dims) : dtype(dtype), dims(std::move(dims)) {}
  static Type list_of(Type element) { return of(list, std::move(element)); }
  static Type optional_of(Type element) { return of(optional, std::move(element)); }

  bool is_tensor() const { return kind == tensor; }
  bool has_rank(size_t rank) const { return dims && dims->size() == rank; }
  // Every size is a number.
  bool is_static() const { return kind == tensor && dims && numbers(*dims).has_value(); }
  Type with_dtype(DType other) const;
  std::string text() const;  // "f32[N, 3]", "i8[?]", "list(f32[2])"

 private:
  static Type of(Kind kind, Type element) {
    Type result;
    result.kind = kind;
    result.element = std::make_shared<const Type>(std::move(element));
    return result;
  }
};

// Equal kinds, dtypes and dims; grids are not compared.
bool same_shape_and_dtype(const Type& a, const Type& b);

}  // namespace remodel
