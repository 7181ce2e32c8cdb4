// Loops over broadcast operands, for kernels.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "run/kernel.h"

namespace remodel {

// numpy's rule; refuses shapes that do not broadcast.
Shape broadcast_shapes(const Shape& a, const Shape& b);
// Strides of an operand inside the broadcast result: 0 along axes that it repeats on.
Shape broadcast_strides(const Shape& operand, const Shape& result);

// Calls f with a value of the C++ type of each real or integer dtype: f(float{}), f(int8_t{}), ... Small
// floats and 4-bit kinds are not among them; booleans are uint8_t.
template <class F>
void with_number(DType dtype, F f) {
  switch (dtype) {
    case DType::f64:
      return f(double{});
    case DType::f32:
      return f(float{});
    case DType::i64:
      return f(int64_t{});
    case DType::i32:
      return f(int32_t{});
    case DType::i16:
      return f(int16_t{});
    case DType::i8:
    case DType::i4:
    case DType::i2:
      return f(int8_t{});
    case DType::u64:
      return f(uint64_t{});
    case DType::u32:
      return f(uint32_t{});
    case DType::u16:
      return f(uint16_t{});
    case DType::u8:
    case DType::u4:
    case DType::u2:
    case DType::boolean:
      return f(uint8_t{});
    default:
      fail("it does not compute on {}", name_of(dtype));
  }
}
template <class F>
void with_float(DType dtype, F f) {
  switch (dtype) {
    case DType::f64:
      return f(double{});
    case DType::f32:
      return f(float{});
    default:
      fail("it computes on floats, not on {}", name_of(dtype));
  }
}

// result[i] = f(x[i])
template <class In, class Out, class F>
void map_unary(const Tensor& x, Tensor& result, F f) {
  const In* from = x.as<In>();
  Out* to = result.to<Out>();
  for (int64_t i = 0, count = x.count(); i < count; ++i) to[i] = f(from[i]);
}

// Runs over the rows of a broadcast result: row(result offset, operand offsets, count, operand steps).
struct BroadcastRows {
  BroadcastRows(const Shape& result, std::vector<Shape> operand_shapes);
  Shape outer;                       // sizes of all axes but the innermost
  std::vector<Shape> outer_strides;  // of each operand
  std::vector<int64_t> steps;        // of each operand along the innermost axis
  int64_t rows = 1, length = 1;

  template <class F>
  void for_each(F row) const {
    for_rows(0, rows, row);
  }
  // Rows first .. last - 1 only.
  template <class F>
  void for_rows(int64_t first, int64_t last, F row) const {
    std::vector<int64_t> index(outer.size(), 0), offsets(outer_strides.size(), 0);
    int64_t rest = first;
    for (size_t axis = outer.size(); axis-- > 0; rest /= outer[axis]) {
      index[axis] = rest % outer[axis];
      for (size_t k = 0; k < offsets.size(); ++k) offsets[k] += index[axis] * outer_strides[k][axis];
    }
    for (int64_t r = first; r < last; ++r) {
      row(r * length, offsets);
      for (size_t axis = outer.size(); axis-- > 0;) {
        for (size_t k = 0; k < offsets.size(); ++k) offsets[k] += outer_strides[k][axis];
        if (++index[axis] < outer[axis]) break;
        for (size_t k = 0; k < offsets.size(); ++k) offsets[k] -= outer_strides[k][axis] * outer[axis];
        index[axis] = 0;
      }
    }
  }
};

// result[i] = f(a[i], b[i]) with broadcasting; the result's shape is the broadcast one.
template <class A, class B, class Out, class F>
void map_binary(const Tensor& a, const Tensor& b, Tensor& result, F f) {
  if (result.count() == 0) return;
  BroadcastRows walk(result.shape(), {a.shape(), b.shape()});
  const A* left = a.as<A>();
  const B* right = b.as<B>();
  Out* out = result.to<Out>();
  int64_t step_a = walk.steps[0], step_b = walk.steps[1], length = walk.length;
  walk.for_each([&](int64_t start, const std::vector<int64_t>& offsets) {
    const A* x = left + offsets[0];
    const B* y = right + offsets[1];
    Out* to = out + start;
    if (step_a == 1 && step_b == 1)
      for (int64_t i = 0; i < length; ++i) to[i] = f(x[i], y[i]);
    else if (step_a == 1 && step_b == 0)
      for (int64_t i = 0; i < length; ++i) to[i] = f(x[i], *y);
    else
      for (int64_t i = 0; i < length; ++i) to[i] = f(x[i * step_a], y[i * step_b]);
  });
}

}  // namespace remodel
