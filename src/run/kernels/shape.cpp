#include "ops/shape.h"

#include "run/elementwise.h"

namespace remodel {
namespace {

void run_reshape(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Reshape>();
  Shape shape = call.sizes_or(1, op.shape);
  if (call.has(1)) {
    int64_t known = 1, rest = -1;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 0 && !op.allow_zero) {
        if (i >= x.rank()) fail("size {} is 0, but the input has rank {}", i, x.rank());
        shape[i] = x.dim(i);
      }
      if (shape[i] == -1)
        rest = static_cast<int64_t>(i);
      else
        known *= shape[i];
    }
    if (rest >= 0) shape[rest] = known == 0 ? 0 : x.count() / known;
  }
  call.set(0, x.reshaped(shape));
}

void run_shape_of(Call& call) { call.set(0, Tensor::of_ints(call.in(0).shape())); }

}  // namespace

void add_shape_kernels(Kernels& kernels) {
  kernels.add<Reshape>(run_reshape, Halves::keep);
  kernels.add<ShapeOf>(run_shape_of, Halves::keep);
}

}  // namespace remodel
