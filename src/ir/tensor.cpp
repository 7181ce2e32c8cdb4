#include "ir/tensor.h"

#include "base/error.h"
#include "base/limits.h"
#include "ir/convert.h"

namespace remodel {

int64_t count_of(const Shape& shape) {
  int64_t count = 1;
  bool empty = false;
  for (int64_t size : shape) {
    if (size < 0) fail("a tensor has the negative size {}", size);
    if (size == 0)
      empty = true;
    else if (__builtin_mul_overflow(count, size, &count) || count > (int64_t{1} << 56))
      fail("a tensor of shape {} is too large", text_of(shape));
  }
  return empty ? 0 : count;
}

Shape strides_of(const Shape& shape) {
  Shape strides(shape.size());
  int64_t step = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

std::string text_of(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

int64_t resolve_axis(int64_t axis, size_t rank) {
  int64_t r = static_cast<int64_t>(rank);
  if (axis < -r || axis >= r) fail("axis {} is outside rank {}", axis, rank);
  return axis < 0 ? axis + r : axis;
}

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)), count_(count_of(shape_)) {
  if (dtype == DType::string) {
    need_memory(static_cast<uint64_t>(count_) * sizeof(std::string));
    strings_ = std::make_shared<std::vector<std::string>>(count_);
    return;
  }
  constexpr size_t alignment = 64;
  size_t size = static_cast<size_t>(count_) * size_of(dtype);
  need_memory(size);
  void* memory = ::operator new(size ? size : 1, std::align_val_t(alignment));
  data_ = Bytes(memory, size, std::shared_ptr<const void>(memory, [](const void* p) {
                  ::operator delete(const_cast<void*>(p), std::align_val_t(alignment));
                }));
}

Tensor::Tensor(DType dtype, Shape shape, Bytes data)
    : dtype_(dtype), shape_(std::move(shape)), count_(count_of(shape_)), data_(std::move(data)) {}

Tensor Tensor::zeros(DType dtype, Shape shape) {
  Tensor result(dtype, std::move(shape));
  if (result.byte_count()) std::memset(result.raw(), 0, result.byte_count());
  return result;
}

Tensor Tensor::reshaped(Shape shape) const {
  if (count_of(shape) != count_) fail("{} cannot be reshaped to {}", text_of(shape_), text_of(shape));
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor Tensor::relabeled(DType dtype) const {
  if (size_of(dtype) != size_of(dtype_)) fail("{} and {} differ in size", name_of(dtype_), name_of(dtype));
  Tensor result = *this;
  result.dtype_ = dtype;
  return result;
}

std::vector<int64_t> Tensor::ints() const {
  if (!is_integer(dtype_) && dtype_ != DType::boolean) fail("expected integers, found {}", name_of(dtype_));
  need_memory(static_cast<uint64_t>(count_) * 8);
  std::vector<int64_t> result(count_);
  convert_elements(dtype_, raw(), DType::i64, result.data(), count_);
  return result;
}

std::vector<double> Tensor::doubles() const {
  if (dtype_ == DType::string || is_complex(dtype_)) fail("expected numbers, found {}", name_of(dtype_));
  need_memory(static_cast<uint64_t>(count_) * 8);
  std::vector<double> result(count_);
  convert_elements(dtype_, raw(), DType::f64, result.data(), count_);
  return result;
}

}  // namespace remodel
