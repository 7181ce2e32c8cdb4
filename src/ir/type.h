// The type of a value: a tensor's element type and sizes, or a list or optional of such.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ir/dim.h"
#include "ir/dtype.h"

namespace remodel {

class Constant;
using ConstantPtr = std::shared_ptr<const Constant>;

// How the integers of a quantized tensor map to real numbers: real = (integer - zero) * scale. Inputs and
// states declare it, `quantize` sets it, ops that only move elements keep it, all others drop it.
struct Grid {
  ConstantPtr scale;
  ConstantPtr zero;   // null: zero, which equals a constant of zeros
  int64_t axis = -1;  // of the tensor, where scale has more than one element
  int64_t block = 0;  // elements of `axis` that share a scale; 0: one scale for each index of the axis

  bool operator==(const Grid& other) const;
};

struct Type {
  enum Kind : uint8_t { tensor, list, optional, map } kind = tensor;
  DType dtype = DType::unknown;  // of a map: of its keys
  std::optional<Dims> dims;      // nullopt: the rank is not known
  std::shared_ptr<const Type>
      element;  // of a list, optional or map; null: not known, or a list that is empty
  std::shared_ptr<const Grid> grid;

  Type() = default;
  explicit Type(DType dtype) : dtype(dtype) {}
  Type(DType dtype, Dims dims) : dtype(dtype), dims(std::move(dims)) {}
  static Type list_of(Type element) { return of(list, std::move(element)); }
  static Type optional_of(Type element) { return of(optional, std::move(element)); }
  static Type map_of(DType key, Type element) {
    Type result = of(map, std::move(element));
    result.dtype = key;
    return result;
  }
  // A list without elements: its dtype is that which elements will have.
  static Type empty_list(DType dtype) {
    Type result(dtype);
    result.kind = list;
    return result;
  }

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
// Both without a grid, or on equal ones.
bool same_grid(const Type& a, const Type& b);

// A size that each element of a list may have differently. It stands in types of lists and optionals only.
Dim any_size();
// The type of what comes out of a list or optional: each any_size() is what `fresh` gives for its axis.
Type element_of(const Type& container, const std::function<Dim(size_t axis)>& fresh);
// The narrowest type that holds the values of both; axes whose sizes differ get what `differ` gives for them.
// Refuses different kinds and dtypes, but a value and an optional of such are an optional.
Type join(const Type& a, const Type& b, const std::function<Dim(size_t axis)>& differ);
// All symbols of the sizes in it, elements included.
void for_each_symbol(const Type& type, const std::function<void(const std::string&)>& use);

}  // namespace remodel
