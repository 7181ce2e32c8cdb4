// Elementwise kernels' loops: over broadcast operands, in parallel, with one small function an op and type.
#pragma once

#include <cstring>
#include <vector>

#include "run/elementwise.h"
#include "run/math.h"

namespace remodel {

// A part of the result that every operand walks evenly: element i of operand k is in[k][i * step[k]].
struct Stretch {
  const void* in[3];
  int64_t step[3];
  void* out;
  int64_t count;
  const double* numbers;  // the op's own
};
using StretchFn = void (*)(const Stretch&);
// The result has the operands' broadcast shape.
void map_stretches(Pool& pool, const std::vector<const Tensor*>& operands, Tensor& result, StretchFn compute,
                   const double* numbers = nullptr);

// Two operands of one type, and the shape that they broadcast to.
struct Operands {
  const Tensor &a, &b;
  Shape shape;
};
Operands operands(const Call& call);

namespace map_detail {

// The compiler turns loops of this length into vector instructions.
constexpr int64_t lanes = 16;

template <class A, class Out, class F>
[[gnu::always_inline]] inline void loop(const A* __restrict a, Out* __restrict out, int64_t count, F f) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t j = 0; j < lanes; ++j) out[i + j] = f(a[i + j]);
  for (; i < count; ++i) out[i] = f(a[i]);
}
template <class A, class B, class Out, class F>
[[gnu::always_inline]] inline void loop(const A* __restrict a, const B* __restrict b, Out* __restrict out,
                                        int64_t count, F f) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t j = 0; j < lanes; ++j) out[i + j] = f(a[i + j], b[i + j]);
  for (; i < count; ++i) out[i] = f(a[i], b[i]);
}

}  // namespace map_detail

// F is a class whose call operator computes one element; it is made from the op's own numbers where it takes
// them.
template <class F>
F function_of(const Stretch& part) {
  if constexpr (std::is_default_constructible_v<F>)
    return F();
  else
    return F(part.numbers);
}
template <class A, class Out, class F>
void unary_stretch(const Stretch& part) {
  const A* a = static_cast<const A*>(part.in[0]);
  Out* out = static_cast<Out*>(part.out);
  F f = function_of<F>(part);
  if (part.step[0] == 1) return map_detail::loop(a, out, part.count, f);
  for (int64_t i = 0; i < part.count; ++i) out[i] = f(a[i * part.step[0]]);
}
// A function that says `fast` is inlined into vector loops over floats.
template <class A, class B, class Out, class F>
void binary_stretch(const Stretch& part) {
  const A* a = static_cast<const A*>(part.in[0]);
  const B* b = static_cast<const B*>(part.in[1]);
  Out* out = static_cast<Out*>(part.out);
  F f = function_of<F>(part);
  if constexpr (std::is_floating_point_v<A> && requires { F::fast; }) {
    if (part.step[0] == 1 && part.step[1] == 1) return map_detail::loop(a, b, out, part.count, f);
    if (part.step[0] == 1 && part.step[1] == 0)
      return map_detail::loop(a, out, part.count, [f, y = *b](A x) { return f(x, y); });
    if (part.step[0] == 0 && part.step[1] == 1)
      return map_detail::loop(b, out, part.count, [f, x = *a](B y) { return f(x, y); });
  }
  for (int64_t i = 0; i < part.count; ++i) out[i] = f(a[i * part.step[0]], b[i * part.step[1]]);
}

// Functions of a real number are computed on doubles, a block at a time; f32 results are rounded once.
constexpr int64_t real_block = 256;
using RealBlockFn = void (*)(double* values, const double* numbers);
// x and y have one shape and type, f32 or f64.
void map_reals(Pool& pool, const Tensor& x, Tensor& y, RealBlockFn compute, const double* numbers = nullptr);

// f(math::Pair, const double* numbers) -> math::Pair
template <auto f>
void real_function(double* values, const double* numbers) {
  for (int64_t i = 0; i < real_block; i += 2) {
    math::Pair x;
    std::memcpy(&x, values + i, sizeof x);
    x = f(x, numbers);
    std::memcpy(values + i, &x, sizeof x);
  }
}

// Toward zero, into the range of an integer type; NaN gives 0.
template <class T>
T saturated(double value) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(value);
  } else {
    if (value != value) return 0;
    if (value <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    if (value >= std::ldexp(1.0, std::numeric_limits<T>::digits)) return std::numeric_limits<T>::max();
    return static_cast<T>(value);
  }
}

// As with_number, but refuses types whose elements do not fill their bytes.
template <class F>
void with_whole_number(DType dtype, F f) {
  if (is_packed(dtype) || dtype == DType::boolean) fail("it does not compute on {}", name_of(dtype));
  with_number(dtype, f);
}
// The same with the unsigned type of each integer's size, for what does not depend on the sign.
template <class F>
void with_bits(DType dtype, F f) {
  if (is_packed(dtype) || dtype == DType::boolean) fail("it does not compute on {}", name_of(dtype));
  if (!is_integer(dtype)) return with_float(dtype, f);
  switch (size_of(dtype)) {
    case 1:
      return f(uint8_t{});
    case 2:
      return f(uint16_t{});
    case 4:
      return f(uint32_t{});
    default:
      return f(uint64_t{});
  }
}

}  // namespace remodel
