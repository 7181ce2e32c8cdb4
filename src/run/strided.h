// Moving elements of any type between tensors, for kernels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/pool.h"
#include "ir/tensor.h"

namespace remodel {

struct Wide {
  uint64_t low, high;
};

// Calls f with a value of a type that is as wide as an element; strings are std::string.
template <class F>
void with_element(DType dtype, F f) {
  if (dtype == DType::string) return f(std::string());
  switch (size_of(dtype)) {
    case 1:
      return f(uint8_t{});
    case 2:
      return f(uint16_t{});
    case 4:
      return f(uint32_t{});
    case 8:
      return f(uint64_t{});
    case 16:
      return f(Wide{});
    default:
      fail("its type is not known");
  }
}

template <class T>
const T* elements(const Tensor& tensor) {
  if constexpr (std::is_same_v<T, std::string>)
    return tensor.strings().data();
  else
    return tensor.as<T>();
}
template <class T>
T* elements(Tensor& tensor) {
  if constexpr (std::is_same_v<T, std::string>)
    return tensor.strings().data();
  else
    return tensor.to<T>();
}

// A tensor of zero bits or empty strings.
Tensor blank(DType dtype, const Shape& shape);

// Where a box of elements lies in a tensor: element i of the box is at offset + i * strides.
struct Box {
  int64_t offset = 0;
  Shape strides;
};
Box box_of(const Tensor& tensor);

// Copies a box of that shape, whose elements exist in both tensors. Strides of the source may be 0 or
// negative.
void copy_box(const Shape& shape, const Tensor& from, const Box& source, Tensor& to, const Box& target,
              Pool& pool);

// Fills `to` with from[places[0][i] + places[1][j] + ...]: each axis of the result has a list of offsets,
// which exist together.
void copy_places(const Tensor& from, const std::vector<std::vector<int64_t>>& places, Tensor& to, Pool& pool);

// to[first .. first + count] = from[at .. at + count]
void copy_run(const Tensor& from, int64_t at, Tensor& to, int64_t first, int64_t count);

// All elements of `to` are the one element of `value`.
void fill_with(const Tensor& value, Tensor& to);

// Calls body(first, last) for parts of 0 .. count, each of about `grain` or more, in any order.
template <class F>
void for_parts(Pool& pool, int64_t count, int64_t grain, F body) {
  int64_t parts =
      std::max<int64_t>(1, std::min<int64_t>(count / std::max<int64_t>(grain, 1), pool.size() * int64_t{8}));
  if (parts == 1) return body(int64_t{0}, count);
  pool.for_each(parts, [&](int64_t part) { body(count * part / parts, count * (part + 1) / parts); });
}

}  // namespace remodel
