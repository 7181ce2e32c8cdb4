// Constants: bytes of a file, or lazy expressions over other constants, read in ranges so that nothing large
// is ever in memory whole.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "ir/convert.h"
#include "ir/tensor.h"
#include "ir/type.h"

namespace remodel {

class Constant : public std::enable_shared_from_this<Constant> {
 public:
  Constant(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)), count_(count_of(shape_)) {}
  virtual ~Constant() = default;

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t count() const { return count_; }
  size_t byte_count() const { return count_ * size_of(dtype_); }

  // Elements first .. first + count of the row-major order, in memory form. Not for strings.
  virtual void read(int64_t first, int64_t count, void* to) const = 0;
  // How many lazy operations lie behind an element, those behind two operands counted twice. Reading recurses
  // and takes time by it.
  int operations() const { return operations_; }
  // All elements, where they lie in memory as they are (aligned, row-major); otherwise empty.
  virtual Bytes plain() const { return {}; }
  // The bytes of a packed type as files keep them, low bits first; otherwise empty.
  virtual Bytes packed() const { return {}; }
  virtual const std::vector<std::string>* strings() const { return nullptr; }
  // The one element that all elements equal, by construction; null where that is not known.
  virtual const void* splat() const { return nullptr; }

  // Equal as expressions, or equal bytes.
  virtual bool equals(const Constant& other) const = 0;
  virtual size_t hash() const = 0;

  // Lazy views. Arguments are valid for this shape.
  virtual ConstantPtr permuted(const std::vector<int64_t>& perm) const;
  virtual ConstantPtr sliced(int64_t axis, int64_t start, int64_t size, int64_t step) const;
  virtual ConstantPtr expanded(const Shape& shape) const;  // numpy broadcasting to `shape`
  virtual ConstantPtr reshaped(const Shape& shape) const;

  Tensor tensor() const;  // all of it, without a copy where plain() allows

 protected:
  DType dtype_;
  Shape shape_;
  int64_t count_;
  int operations_ = 0;
};

// Little-endian elements; `data` need not be aligned. Refuses a size that does not fit.
ConstantPtr constant_bytes(DType dtype, Shape shape, Bytes data);
ConstantPtr constant_packed(DType dtype, Shape shape, Bytes data);
ConstantPtr constant_tensor(Tensor tensor);
// `values` at their places in row-major order, zeros elsewhere. Refuses a place twice, and strings.
ConstantPtr constant_sparse(Shape shape, const ConstantPtr& values, std::vector<int64_t> places);
ConstantPtr constant_strings(Shape shape, std::vector<std::string> strings);
// Every element has the value, converted to the type.
ConstantPtr constant_splat(DType dtype, Shape shape, double value);
// Every element is the one of `element`.
ConstantPtr constant_splat_of(const Tensor& element, Shape shape);
ConstantPtr constant_ints(const std::vector<int64_t>& values);  // i64[n]
ConstantPtr constant_cast(ConstantPtr base, DType to, Overflow overflow = Overflow::saturate);
ConstantPtr constant_concat(std::vector<ConstantPtr> parts, int64_t axis);

// Passes all elements in order, in memory form, in blocks of bounded size.
void for_each_block(const Constant& constant,
                    const std::function<void(const void* elements, int64_t count)>& use);

// The value of a constant whose elements are all equal (to the last bit); nullopt otherwise or where it has
// over `limit` elements to compare.
std::optional<double> splat_value(const Constant& constant, int64_t limit = 1 << 16);

}  // namespace remodel
