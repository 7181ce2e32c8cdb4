// Values at run time: dense tensors in memory form, lists of them, and optionals.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "ir/dtype.h"

namespace remodel {

using Shape = std::vector<int64_t>;

// The number of elements; refuses a negative size or a product past 2^62.
int64_t count_of(const Shape& shape);
// Row-major strides in elements.
Shape strides_of(const Shape& shape);
std::string text_of(const Shape& shape);
// `axis` counted from the front; refuses one outside -rank .. rank-1.
int64_t resolve_axis(int64_t axis, size_t rank);

// Copies share storage: write only into a tensor that you have just made.
class Tensor {
 public:
  Tensor() = default;
  // Room for the elements, not initialised (strings are empty).
  Tensor(DType dtype, Shape shape);
  // A view of elements that are already in memory form and aligned for the type.
  Tensor(DType dtype, Shape shape, Bytes data);
  static Tensor zeros(DType dtype, Shape shape);

  template <class T>
  static Tensor of(DType dtype, Shape shape, const std::vector<T>& values) {
    Tensor result(dtype, std::move(shape));
    if constexpr (std::is_same_v<T, std::string>)
      result.strings() = values;
    else
      std::copy(values.begin(), values.end(), result.to<T>());
    return result;
  }
  static Tensor of_ints(const std::vector<int64_t>& values) {
    return of<int64_t>(DType::i64, {static_cast<int64_t>(values.size())}, values);
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  size_t rank() const { return shape_.size(); }
  int64_t dim(int64_t axis) const { return shape_[axis < 0 ? axis + rank() : axis]; }
  int64_t count() const { return count_; }
  size_t byte_count() const { return count_ * size_of(dtype_); }

  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_.data());
  }
  template <class T>
  T* to() {
    return reinterpret_cast<T*>(const_cast<uint8_t*>(data_.data()));
  }
  const void* raw() const { return data_.data(); }
  void* raw() { return to<uint8_t>(); }
  const Bytes& bytes() const { return data_; }
  const std::vector<std::string>& strings() const { return *strings_; }
  std::vector<std::string>& strings() { return *strings_; }

  // The same elements under another shape of equal count, or another dtype of equal size.
  Tensor reshaped(Shape shape) const;
  Tensor relabeled(DType dtype) const;
  // All elements as integers or doubles; refuses types that are neither.
  std::vector<int64_t> ints() const;
  std::vector<double> doubles() const;

 private:
  DType dtype_ = DType::unknown;
  Shape shape_;
  int64_t count_ = 0;
  Bytes data_;
  std::shared_ptr<std::vector<std::string>> strings_;
};

// What flows along an edge.
struct Datum {
  enum Kind : uint8_t {
    tensor_kind,
    list_kind,
    none_kind
  } kind = none_kind;  // none: an optional without a value
  Tensor tensor;
  std::shared_ptr<const std::vector<Datum>> items;

  Datum() = default;
  Datum(Tensor t) : kind(tensor_kind), tensor(std::move(t)) {}
  static Datum list(std::vector<Datum> items) {
    Datum result;
    result.kind = list_kind;
    result.items = std::make_shared<const std::vector<Datum>>(std::move(items));
    return result;
  }
  bool is_tensor() const { return kind == tensor_kind; }
};

}  // namespace remodel
