#include "ops/generate.h"

#include <algorithm>
#include <cmath>

#include "run/elementwise.h"
#include "run/strided.h"

namespace remodel {
namespace {

template <class T>
T one_element(const Call& call, size_t i) {
  if (call.in(i).count() != 1) fail("operand {} must have one element", i);
  return call.in(i).as<T>()[0];
}

void run_range(Call& call) {
  const auto& op = call.op<Range>();
  if (call.count() == 0) {
    int64_t start = call.size(op.start), size = call.size(op.size);
    Tensor& y = call.out(0, op.dtype, {size});
    with_number(op.dtype, [&]<class T>(T) {
      for (int64_t i = 0; i < size; ++i)
        y.to<T>()[i] = static_cast<T>(static_cast<uint64_t>(start) +
                                      static_cast<uint64_t>(i) * static_cast<uint64_t>(op.step));
    });
    return;
  }
  DType dtype = call.in(0).dtype();
  if (call.in(1).dtype() != dtype || call.in(2).dtype() != dtype) fail("a range's bounds differ in type");
  with_number(dtype, [&]<class T>(T) {
    T start = one_element<T>(call, 0), limit = one_element<T>(call, 1), delta = one_element<T>(call, 2);
    if (delta == T(0)) fail("a range has step 0");
    int64_t size = 0;
    if constexpr (std::is_floating_point_v<T>) {
      double count =
          std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta));
      if (count != count || count > 1e15) fail("a range of {} numbers", count);
      size = count > 0 ? static_cast<int64_t>(count) : 0;
    } else {
      __int128 span = static_cast<__int128>(limit) - start, step = delta;
      if (step < 0) span = -span, step = -step;
      __int128 count = span > 0 ? (span + step - 1) / step : 0;
      if (count > (int64_t{1} << 56)) fail("a range of too many numbers");
      size = static_cast<int64_t>(count);
    }
    Tensor& y = call.out(0, dtype, {size});
    for (int64_t i = 0; i < size; ++i) {
      if constexpr (std::is_floating_point_v<T>)
        y.to<T>()[i] =
            static_cast<T>(static_cast<double>(start) + static_cast<double>(i) * static_cast<double>(delta));
      else
        y.to<T>()[i] = static_cast<T>(static_cast<uint64_t>(start) +
                                      static_cast<uint64_t>(i) * static_cast<uint64_t>(delta));
    }
  });
}

void run_one_hot(Call& call) {
  const Tensor &x = call.in(0), &values = call.in(1);
  const auto& op = call.op<OneHot>();
  if (values.count() != 2) fail("values {} are not off and on", text_of(values.shape()));
  Shape depths{0};
  if (!call.has(2)) {
    depths = call.sizes({op.depth});
  } else {
    Tensor depth(DType::i64, call.in(2).shape());
    convert_elements(call.in(2).dtype(), call.in(2).raw(), DType::i64, depth.raw(), depth.count());
    depths = depth.ints();
  }
  if (depths.size() != 1 || depths[0] < 0) fail("a depth of {}", text_of(depths));
  int64_t depth = depths[0], axis = resolve_axis(op.axis, x.rank() + 1), inner = 1;
  for (size_t k = axis; k < x.rank(); ++k) inner *= x.dim(k);
  Tensor index(DType::i64, x.shape());
  convert_elements(x.dtype(), x.raw(), DType::i64, index.raw(), x.count());
  Shape shape = x.shape();
  shape.insert(shape.begin() + axis, depth);
  Tensor& y = call.out(0, values.dtype(), shape);
  with_element(values.dtype(), [&]<class T>(T) {
    const T* value = elements<T>(values);
    std::fill_n(elements<T>(y), y.count(), value[0]);
    for (int64_t i = 0; i < x.count(); ++i) {
      int64_t place = index.as<int64_t>()[i];
      if (op.wrap && place < 0 && place >= -depth) place += depth;
      if (place < 0 || place >= depth) continue;
      elements<T>(y)[(i / inner * depth + place) * inner + i % inner] = value[1];
    }
  });
}

void run_eye(Call& call) {
  const auto& op = call.op<Eye>();
  Shape shape = call.sizes_or(0, op.shape);
  if (shape.size() != 2) fail("an identity matrix of shape {}", text_of(shape));
  Tensor& y = call.out(0, op.dtype, shape);
  y = Tensor::zeros(op.dtype, shape);
  Tensor one(op.dtype, {});
  double value = 1;
  convert_elements(DType::f64, &value, op.dtype, one.raw(), 1);
  for (int64_t row = 0; row < shape[0]; ++row)
    if (op.k < shape[1] && op.k > -shape[0] && row + op.k >= 0 && row + op.k < shape[1])
      copy_run(one, 0, y, row * shape[1] + row + op.k, 1);
}

void run_triangle(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Triangle>();
  Shape ks = call.sizes_or(1, {op.k});
  if (x.rank() < 2 || ks.size() != 1) fail("a triangle of {}, {} diagonals", text_of(x.shape()), ks.size());
  int64_t rows = x.dim(-2), columns = x.dim(-1), k = std::clamp(ks[0], -rows - 1, columns + 1);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  y = blank(x.dtype(), x.shape());
  if (x.count() == 0) return;
  for (int64_t line = 0; line < x.count() / columns; ++line) {
    int64_t edge = std::clamp<int64_t>(line % rows + k + (op.upper ? 0 : 1), 0, columns);
    int64_t first = op.upper ? edge : 0, last = op.upper ? columns : edge;
    copy_run(x, line * columns + first, y, line * columns + first, last - first);
  }
}

}  // namespace

void add_generate_kernels(Kernels& kernels) {
  kernels.add<Range>(run_range);
  kernels.add<OneHot>(run_one_hot, Halves::keep);
  kernels.add<Eye>(run_eye, Halves::keep);
  kernels.add<Triangle>(run_triangle, Halves::keep);
}

}  // namespace remodel
