#include "ops/quantize.h"

#include <cmath>

#include "ir/convert.h"
#include "run/map.h"
#include "run/slide.h"

namespace remodel {
namespace {

Tensor converted(const Tensor& x, DType to, Overflow overflow = Overflow::saturate) {
  if (x.dtype() == to) return x;
  Tensor result(to, x.shape());
  convert_elements(x.dtype(), x.raw(), to, result.raw(), x.count(), overflow);
  return result;
}

// Elements that are computed at a time.
constexpr int64_t most = 1024;

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

  // Element start + i is served by scale + i * step.
  struct Row {
    int64_t start, count, scale, step;
  };
  int64_t rows() const {
    if (single) return 1;
    if (inner > 1) return outer * size;
    return block ? outer * blocks : outer;
  }
  Row row(int64_t r) const {
    if (single) return {0, inner, 0, 0};
    if (inner > 1 && block) return {r * inner, inner, (r / size * blocks + r % size / block) * inner, 1};
    if (inner > 1) return {r * inner, inner, r % size, 0};
    if (!block) return {r * size, size, 0, 1};
    const int64_t first = r % blocks * block;
    return {r / blocks * size + first, std::min(block, size - first), r, 0};
  }
  // f(row) for rows, or parts of them, of up to `most` elements.
  template <class F>
  void for_each(Pool& pool, F f) const {
    if (outer * size * inner == 0) return;
    const int64_t longest = row(0).count, parts = (longest + most - 1) / most;
    for_each_part(pool, rows() * parts, 4 * std::min(longest, most), [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        Row it = row(task / parts);
        const int64_t skip = std::min(task % parts * most, it.count);
        it.start += skip, it.scale += skip * it.step, it.count = std::min(most, it.count - skip);
        f(it);
      }
    });
  }
};

// to[i] = f(from[i], the parameter that serves element i)
template <class T, class P, class F>
void with_parameter(const Parameters::Row& row, const T* from, const P* parameters, T* to, F f) {
  if (row.step) return map_detail::loop(from, parameters + row.scale, to, row.count, f);
  map_detail::loop(from, to, row.count, [f, p = parameters[row.scale]](T x) { return f(x, p); });
}

// The zero points, one a scale; empty where there are none.
std::vector<double> zeros_of(const Call& call, const Tensor& scale) {
  if (!call.has(2)) return {};
  const Tensor& zero = call.in(2);
  if (zero.count() != scale.count())
    fail("zero points {} do not fit scales {}", text_of(zero.shape()), text_of(scale.shape()));
  return converted(zero, DType::f64).doubles();
}

// Where element `index` of a tensor lies.
const void* element(const Tensor& x, int64_t index) {
  return x.as<uint8_t>() + index * static_cast<int64_t>(size_of(x.dtype()));
}
void* element(Tensor& x, int64_t index) {
  return x.to<uint8_t>() + index * static_cast<int64_t>(size_of(x.dtype()));
}

// To the nearest integer, ties to even, as the C library's rint. A double past 2^51 that came from a float is
// one.
double nearest(double x) { return std::abs(x) < 0x1p51 ? math::detail::nearest(x) : x; }

void run_quantize(Call& call) {
  const auto& op = call.op<Quantize>();
  const Tensor &x = call.in(0), scale = converted(call.in(1), DType::f32);
  const Parameters parameters(x.shape(), scale.shape(), op.axis, op.block);
  Tensor& y = call.out(0, op.to, x.shape());
  const std::vector<double> zeros = is_float(op.to) ? std::vector<double>() : zeros_of(call, scale);
  const double span = std::ldexp(1.0, bits_of(op.to)), low = is_signed(op.to) ? -span / 2 : 0;
  const double high = low + span - 1;
  parameters.for_each(call.pool, [&](const Parameters::Row& row) {
    float given[most], quotients[most];
    convert_elements(x.dtype(), element(x, row.start), DType::f32, given, row.count);
    with_parameter(row, given, scale.as<float>(), quotients, [](float a, float s) { return a / s; });
    if (is_small_float(op.precision)) {
      uint8_t rounded[most * sizeof(uint16_t)];
      convert_elements(DType::f32, quotients, op.precision, rounded, row.count);
      convert_elements(op.precision, rounded, DType::f32, quotients, row.count);
    }
    if (is_float(op.to)) {
      const Overflow overflow = op.saturate ? Overflow::saturate : Overflow::wrap;
      return convert_elements(DType::f32, quotients, op.to, element(y, row.start), row.count, overflow);
    }
    // The sum with a zero point is exact in double.
    double whole[most], sums[most], codes[most];
    if (op.half_away || call.arithmetic == Arithmetic::litert)
      map_detail::loop(quotients, whole, row.count, [](float q) { return std::round(q); });
    else
      map_detail::loop(quotients, whole, row.count, [](float q) { return nearest(q); });
    if (!zeros.empty())
      with_parameter(row, whole, zeros.data(), sums, [](double a, double zero) { return a + zero; });
    map_detail::loop(zeros.empty() ? whole : sums, codes, row.count, [=](double code) {
      code = code > low ? code : code == code ? low : 0;
      return code < high ? code : high;
    });
    convert_elements(DType::f64, codes, op.to, element(y, row.start), row.count);
  });
}

void run_dequantize(Call& call) {
  const auto& op = call.op<Dequantize>();
  const Tensor &x = call.in(0), scale = converted(call.in(1), DType::f32);
  const Parameters parameters(x.shape(), scale.shape(), op.axis, op.block);
  const std::vector<double> zeros = zeros_of(call, scale);
  Tensor& y = call.out(0, op.to, x.shape());
  parameters.for_each(call.pool, [&](const Parameters::Row& row) {
    double codes[most], differences[most];
    convert_elements(x.dtype(), element(x, row.start), DType::f64, codes, row.count);
    const double* exact = codes;
    if (!zeros.empty()) {
      with_parameter(row, codes, zeros.data(), differences, [](double a, double zero) { return a - zero; });
      exact = differences;
    }
    float rounded[most], reals[most];
    map_detail::loop(exact, rounded, row.count, [](double v) { return static_cast<float>(v); });
    with_parameter(row, rounded, scale.as<float>(), reals, [](float v, float s) { return v * s; });
    convert_elements(DType::f32, reals, op.to, element(y, row.start), row.count);
  });
}

void run_dynamic_quantize(Call& call) {
  const auto& op = call.op<DynamicQuantize>();
  const Tensor x = converted(call.in(0), DType::f32);
  Shape grids;
  if (op.rows) grids = x.shape(), grids.back() = 1;
  Tensor code(DType::f32, x.shape()), scales(DType::f32, grids), zeros(DType::f32, grids);
  const int64_t row = op.rows ? x.dim(-1) : x.count();
  for (int64_t r = 0; r < scales.count(); ++r) {
    const float* from = x.as<float>() + r * row;
    float* to = code.to<float>() + r * row;
    float low = 0, high = 0;
    for (int64_t i = 0; i < row; ++i) low = std::min(low, from[i]), high = std::max(high, from[i]);
    float span = op.symmetric ? std::max(-low, high) / 127.0f : (high - low) / 255.0f;
    float scale = low == high ? 1.0f : span;
    float zero = op.symmetric ? 0 : std::rint(std::min(std::max(-low / scale, 0.0f), 255.0f));
    if (!(zero >= 0)) zero = 0;
    for (int64_t i = 0; i < row; ++i)
      to[i] = op.symmetric ? std::round(from[i] / scale) : std::rint(from[i] / scale) + zero;
    scales.to<float>()[r] = scale;
    zeros.to<float>()[r] = zero;
  }
  DType to = op.symmetric ? DType::i8 : DType::u8;
  call.set(0, converted(code, to));
  call.set(1, scales);
  call.set(2, converted(zeros, to));
}

}  // namespace

void add_quantize_kernels(Kernels& kernels) {
  kernels.add<Quantize>(run_quantize, Halves::keep);
  kernels.add<Dequantize>(run_dequantize, Halves::keep);
  kernels.add<DynamicQuantize>(run_dynamic_quantize, Halves::keep);
}

}  // namespace remodel
