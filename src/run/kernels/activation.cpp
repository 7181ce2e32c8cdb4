#include "ops/activation.h"

#include <cmath>

#include "run/elementwise.h"

namespace remodel {
namespace {

void run_relu(Call& call) {
  const Tensor& x = call.in(0);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  with_number(x.dtype(), [&]<class T>(T) { map_unary<T, T>(x, y, [](T v) { return v < T(0) ? T(0) : v; }); });
}

void run_leaky_relu(Call& call) {
  const Tensor& x = call.in(0);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  with_float(x.dtype(), [&]<class T>(T) {
    T alpha = static_cast<T>(call.op<LeakyRelu>().alpha);
    map_unary<T, T>(x, y, [=](T v) { return v < 0 ? alpha * v : v; });
  });
}

void run_softmax(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Softmax>();
  int64_t axis = resolve_axis(op.axis, x.rank());
  int64_t inner = 1, size = x.dim(axis);
  for (size_t i = axis + 1; i < x.rank(); ++i) inner *= x.dim(i);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  if (x.count() == 0) return;
  int64_t lines = x.count() / size;
  with_float(x.dtype(), [&]<class T>(T) {
    T beta = static_cast<T>(op.beta);
    for (int64_t line = 0; line < lines; ++line) {
      int64_t start = line / inner * inner * size + line % inner;
      const T* from = x.as<T>() + start;
      T* to = y.to<T>() + start;
      T most = from[0], sum = 0;
      for (int64_t i = 1; i < size; ++i) most = std::max(most, from[i * inner]);
      for (int64_t i = 0; i < size; ++i) sum += to[i * inner] = std::exp(beta * (from[i * inner] - most));
      for (int64_t i = 0; i < size; ++i) to[i * inner] /= sum;
    }
  });
}

}  // namespace

void add_activation_kernels(Kernels& kernels) {
  kernels.add<Relu>(run_relu);
  kernels.add<LeakyRelu>(run_leaky_relu);
  kernels.add<Softmax>(run_softmax);
}

}  // namespace remodel
