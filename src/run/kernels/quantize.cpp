#include "ops/quantize.h"

#include <cmath>

#include "ir/convert.h"
#include "run/elementwise.h"

namespace remodel {
namespace {

Tensor converted(const Tensor& x, DType to, Overflow overflow = Overflow::saturate) {
  if (x.dtype() == to) return x;
  Tensor result(to, x.shape());
  convert_elements(x.dtype(), x.raw(), to, result.raw(), x.count(), overflow);
  return result;
}

// Which scale serves which element: x is [outer, size, inner] around the axis.
struct Parameters {
  int64_t outer = 1, size = 1, inner = 1;
  int64_t blocks = 0, block = 0;  // blocks of the axis; 0: one scale an index of the axis, or one for all
  bool single = false;

  Parameters(const Shape& x, const Shape& scale, int64_t axis, int64_t block_size) : block(block_size) {
    single = count_of(scale) == 1 && (block == 0 || scale.size() <= 1);
    if (single) {
      inner = count_of(x);
      block = 0;
      return;
    }
    int64_t at = resolve_axis(axis, x.size());
    size = x[at];
    for (int64_t i = 0; i < at; ++i) outer *= x[i];
    for (size_t i = at + 1; i < x.size(); ++i) inner *= x[i];
    Shape wanted{size};
    if (block != 0) {
      if (block < 0) fail("a block of {} elements", block);
      blocks = size / block + (size % block != 0);
      wanted = x;
      wanted[at] = blocks;
    }
    if (scale != wanted) fail("scale {} does not fit axis {} of {}", text_of(scale), at, text_of(x));
  }

  // f(element, scale) for all elements in order.
  template <class F>
  void for_each(F f) const {
    int64_t element = 0;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t a = 0; a < size; ++a) {
        int64_t first = block ? (o * blocks + a / block) * inner : single ? 0 : a;
        int64_t step = block ? 1 : 0;
        for (int64_t i = 0; i < inner; ++i, ++element) f(element, first + i * step);
      }
  }
};

// The zero points as T, one a scale; empty where there are none.
template <class T>
std::vector<T> zeros_of(const Call& call, const Tensor& scale, DType dtype) {
  if (!call.has(2)) return {};
  const Tensor& zero = call.in(2);
  if (zero.count() != scale.count())
    fail("zero points {} do not fit scales {}", text_of(zero.shape()), text_of(scale.shape()));
  Tensor wide = converted(zero, dtype);
  return std::vector<T>(wide.as<T>(), wide.as<T>() + wide.count());
}

void run_quantize(Call& call) {
  const auto& op = call.op<Quantize>();
  Tensor x = converted(call.in(0), DType::f32), scale = converted(call.in(1), DType::f32);
  Parameters parameters(x.shape(), scale.shape(), op.axis, op.block);
  Tensor quotient(DType::f32, x.shape());
  const float *from = x.as<float>(), *scales = scale.as<float>();
  float* to = quotient.to<float>();
  parameters.for_each([&](int64_t i, int64_t s) { to[i] = from[i] / scales[s]; });
  if (is_small_float(op.precision)) quotient = converted(converted(quotient, op.precision), DType::f32);
  if (is_float(op.to)) {
    call.set(0, converted(quotient, op.to, op.saturate ? Overflow::saturate : Overflow::wrap));
    return;
  }
  // The sum with a zero point is exact in double.
  std::vector<double> zeros = zeros_of<double>(call, scale, DType::f64);
  Tensor code(DType::f64, x.shape());
  double* codes = code.to<double>();
  const float* quotients = quotient.as<float>();
  const double span = std::ldexp(1.0, bits_of(op.to)), low = is_signed(op.to) ? -span / 2 : 0;
  const double high = low + span - 1;
  parameters.for_each([&](int64_t i, int64_t s) {
    double whole = std::rint(static_cast<double>(quotients[i]));
    if (!zeros.empty()) whole += zeros[s];
    codes[i] = std::isnan(whole) ? 0 : std::clamp(whole, low, high);
  });
  call.set(0, converted(code, op.to));
}

void run_dequantize(Call& call) {
  const auto& op = call.op<Dequantize>();
  Tensor x = converted(call.in(0), DType::f64), scale = converted(call.in(1), DType::f32);
  Parameters parameters(x.shape(), scale.shape(), op.axis, op.block);
  std::vector<double> zeros = zeros_of<double>(call, scale, DType::f64);
  Tensor y(DType::f32, x.shape());
  const double* from = x.as<double>();
  const float* scales = scale.as<float>();
  float* to = y.to<float>();
  parameters.for_each([&](int64_t i, int64_t s) {
    to[i] = static_cast<float>(zeros.empty() ? from[i] : from[i] - zeros[s]) * scales[s];
  });
  call.set(0, converted(y, op.to));
}

void run_dynamic_quantize(Call& call) {
  const Tensor x = converted(call.in(0), DType::f32);
  const float* from = x.as<float>();
  float low = 0, high = 0;
  for (int64_t i = 0; i < x.count(); ++i) low = std::min(low, from[i]), high = std::max(high, from[i]);
  float scale = low == high ? 1.0f : (high - low) / 255.0f;
  float zero = std::rint(std::min(std::max(-low / scale, 0.0f), 255.0f));
  if (!(zero >= 0)) zero = 0;
  Tensor code(DType::f32, x.shape());
  for (int64_t i = 0; i < x.count(); ++i) {
    float whole = std::rint(from[i] / scale);
    code.to<float>()[i] = whole + zero;
  }
  call.set(0, converted(code, DType::u8));
  call.set(1, Tensor::of<float>(DType::f32, {}, {scale}));
  call.set(2, Tensor::of<uint8_t>(DType::u8, {}, {static_cast<uint8_t>(zero)}));
}

}  // namespace

void add_quantize_kernels(Kernels& kernels) {
  kernels.add<Quantize>(run_quantize, Halves::keep);
  kernels.add<Dequantize>(run_dequantize, Halves::keep);
  kernels.add<DynamicQuantize>(run_dynamic_quantize, Halves::keep);
}

}  // namespace remodel
