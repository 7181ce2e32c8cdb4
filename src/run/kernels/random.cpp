#include "ops/random.h"

#include <algorithm>
#include <cmath>

#include "ir/convert.h"
#include "run/elementwise.h"
#include "run/random.h"

namespace remodel {
namespace {

DType computed_in(DType dtype) { return is_small_float(dtype) ? DType::f32 : dtype; }

void run_uniform(Call& call) {
  const auto& op = call.op<RandomUniform>();
  Tensor& y = call.out(0, computed_in(op.dtype), call.sizes_or(0, op.shape));
  RandomSource source(op.seed);
  with_float(y.dtype(), [&]<class T>(T) {
    T low = static_cast<T>(op.low), range = static_cast<T>(op.high - op.low);
    for (int64_t i = 0; i < y.count(); ++i) {
      T u = std::is_same_v<T, float> ? static_cast<T>(source.uniform_float(i))
                                     : static_cast<T>(source.uniform(i));
      y.to<T>()[i] = low + u * range;
    }
  });
}

void run_normal(Call& call) {
  const auto& op = call.op<RandomNormal>();
  Tensor& y = call.out(0, computed_in(op.dtype), call.sizes_or(0, op.shape));
  RandomSource source(op.seed);
  with_float(y.dtype(), [&]<class T>(T) {
    for (int64_t i = 0; i < y.count(); ++i)
      y.to<T>()[i] = static_cast<T>(op.mean + source.normal(i) * op.deviation);
  });
}

void run_bernoulli(Call& call) {
  const auto& op = call.op<Bernoulli>();
  std::vector<double> probabilities = call.in(0).doubles();
  RandomSource source(op.seed);
  std::vector<uint8_t> drawn(probabilities.size());
  for (size_t i = 0; i < drawn.size(); ++i) drawn[i] = source.uniform(i) < probabilities[i];
  DType dtype = op.dtype == DType::unknown ? call.in(0).dtype() : op.dtype;
  Tensor& y = call.out(0, dtype, call.in(0).shape());
  convert_elements(DType::u8, drawn.data(), dtype, y.raw(), y.count());
}

void run_multinomial(Call& call) {
  const auto& op = call.op<Multinomial>();
  const Tensor& x = call.in(0);
  if (x.rank() != 2) fail("weights must have rank 2, but have shape {}", text_of(x.shape()));
  int64_t rows = x.dim(0), classes = x.dim(1), count = call.size(op.count);
  if (count < 0) fail("{} classes are asked for", count);
  if (rows && count && !classes) fail("there are no classes to draw from");
  std::vector<double> weights = x.doubles();
  Tensor& y = call.out(0, op.dtype, {rows, count});
  RandomSource source(op.seed);
  std::vector<double> sums(classes);
  for (int64_t row = 0; row < rows && count; ++row) {
    const double* logarithms = weights.data() + row * classes;
    double most = *std::max_element(logarithms, logarithms + classes), sum = 0;
    for (int64_t c = 0; c < classes; ++c) sums[c] = sum += std::exp(logarithms[c] - most);
    for (int64_t i = 0; i < count; ++i) {
      double at = source.uniform(row * count + i) * sum;
      int64_t drawn = std::upper_bound(sums.begin(), sums.end(), at) - sums.begin();
      drawn = std::min(drawn, classes - 1);
      if (op.dtype == DType::i64)
        y.to<int64_t>()[row * count + i] = drawn;
      else
        y.to<int32_t>()[row * count + i] = static_cast<int32_t>(drawn);
    }
  }
}

}  // namespace

void add_random_kernels(Kernels& kernels) {
  kernels.add<RandomUniform>(run_uniform);
  kernels.add<RandomNormal>(run_normal);
  kernels.add<Bernoulli>(run_bernoulli, Halves::keep);
  kernels.add<Multinomial>(run_multinomial);
}

}  // namespace remodel
