#include "ops/dropout.h"

#include <algorithm>

#include "run/kernel.h"

namespace remodel {
namespace {

// Mixes all bits of a number: neighbours give unrelated results.
uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

void run_dropout(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Dropout>();
  auto scalar = [&](size_t i) {
    if (call.in(i).count() != 1) fail("operand {} must have one element", i);
    return call.in(i).doubles()[0];
  };
  double ratio = call.has(1) ? scalar(1) : 0.5;
  bool training = call.has(2) && scalar(2) != 0;
  Tensor mask(DType::boolean, x.shape());
  std::fill_n(mask.to<uint8_t>(), mask.count(), uint8_t{1});
  if (!training || ratio == 0) {
    call.set(0, x);
    call.set(1, mask);
    return;
  }
  if (!(ratio > 0 && ratio < 1)) fail("the ratio {} is not in 0 .. 1", ratio);
  uint64_t seed = op.seeded ? static_cast<uint64_t>(op.seed) : 0;
  for (int64_t i = 0; i < mask.count(); ++i) {
    uint64_t bits = mixed(mixed(seed) + static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15u);
    mask.to<uint8_t>()[i] = static_cast<double>(bits >> 11) * 0x1p-53 >= ratio;
  }
  Tensor& y = call.out(0, x.dtype(), x.shape());
  auto compute = [&]<class T>(T) {
    T scale = static_cast<T>(1 / (1 - ratio));
    for (int64_t i = 0; i < x.count(); ++i)
      y.to<T>()[i] = mask.as<uint8_t>()[i] ? x.as<T>()[i] * scale : T(0);
  };
  x.dtype() == DType::f64 ? compute(double{}) : compute(float{});
  call.set(1, mask);
}

}  // namespace

void add_dropout_kernels(Kernels& kernels) { kernels.add<Dropout>(run_dropout); }

}  // namespace remodel
