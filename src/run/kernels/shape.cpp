#include "ops/shape.h"

#include <algorithm>

#include "run/kernel.h"
#include "run/strided.h"

namespace remodel {
namespace {

void run_reshape(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Reshape>();
  if (!call.has(1)) return call.set(0, x.reshaped(call.sizes(op.shape)));
  Dims to = *resolve_reshape(to_dims(x.shape()), to_dims(call.in(1).ints()), op.allow_zero);
  call.set(0, x.reshaped(*numbers(to)));
}

void run_transpose(Call& call) {
  const Tensor& x = call.in(0);
  std::vector<int64_t> perm = call.op<Transpose>().perm;
  if (perm.empty())
    for (size_t axis = x.rank(); axis-- > 0;) perm.push_back(axis);
  if (perm.size() != x.rank()) fail("an order of {} axes for {}", perm.size(), text_of(x.shape()));
  Shape shape, own = strides_of(x.shape());
  Box source;
  for (int64_t axis : perm) {
    shape.push_back(x.dim(axis));
    source.strides.push_back(own[axis]);
  }
  Tensor& y = call.out(0, x.dtype(), shape);
  copy_box(shape, x, source, y, box_of(y), call.pool);
}

std::vector<int64_t> axes_of(const Call& call, const std::vector<int64_t>& axes, size_t rank) {
  return sorted_axes(call.has(1) ? call.in(1).ints() : axes, rank);
}

void run_squeeze(Call& call) {
  const Tensor& x = call.in(0);
  std::vector<int64_t> axes = axes_of(call, call.op<Squeeze>().axes, x.rank());
  Shape shape;
  for (int64_t axis = 0; axis < static_cast<int64_t>(x.rank()); ++axis) {
    bool named = std::binary_search(axes.begin(), axes.end(), axis);
    if (named && x.dim(axis) != 1) fail("axis {} of {} does not have size 1", axis, text_of(x.shape()));
    if (!named && !(axes.empty() && x.dim(axis) == 1)) shape.push_back(x.dim(axis));
  }
  call.set(0, x.reshaped(shape));
}

void run_unsqueeze(Call& call) {
  const Tensor& x = call.in(0);
  size_t count = call.has(1) ? call.in(1).count() : call.op<Unsqueeze>().axes.size();
  std::vector<int64_t> axes = axes_of(call, call.op<Unsqueeze>().axes, x.rank() + count);
  Shape shape;
  for (int64_t axis = 0, next = 0; axis < static_cast<int64_t>(x.rank() + count); ++axis)
    shape.push_back(std::binary_search(axes.begin(), axes.end(), axis) ? 1 : x.dim(next++));
  call.set(0, x.reshaped(shape));
}

void run_expand(Call& call) {
  const Tensor& x = call.in(0);
  Shape shape = call.sizes_or(1, call.op<Expand>().shape);
  if (shape.size() < x.rank()) shape.insert(shape.begin(), x.rank() - shape.size(), 1);
  size_t shift = shape.size() - x.rank();
  Shape own = strides_of(x.shape());
  Box source{0, Shape(shape.size(), 0)};
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    int64_t& size = shape[shift + axis];
    if (size == 1) size = x.dim(axis);
    if (x.dim(axis) != 1 && x.dim(axis) != size)
      fail("{} cannot be expanded to {}", text_of(x.shape()), text_of(shape));
    if (x.dim(axis) != 1) source.strides[shift + axis] = own[axis];
  }
  Tensor& y = call.out(0, x.dtype(), shape);
  copy_box(shape, x, source, y, box_of(y), call.pool);
}

void run_tile(Call& call) {
  const Tensor& x = call.in(0);
  Shape repeats = call.sizes_or(1, call.op<Tile>().repeats);
  if (repeats.size() != x.rank()) fail("{} repeats for {}", repeats.size(), text_of(x.shape()));
  Shape shape, box, own = strides_of(x.shape());
  Box source;
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    if (repeats[axis] < 0) fail("{} repeats", repeats[axis]);
    int64_t size;
    if (__builtin_mul_overflow(x.dim(axis), repeats[axis], &size)) fail("the result is too large");
    shape.push_back(size);
    box.insert(box.end(), {repeats[axis], x.dim(axis)});
    source.strides.insert(source.strides.end(), {0, own[axis]});
  }
  Tensor& y = call.out(0, x.dtype(), shape);
  copy_box(box, x, source, y, {0, strides_of(box)}, call.pool);
}

void run_shape_of(Call& call) {
  const Shape& shape = call.in(0).shape();
  auto [first, last] = call.op<ShapeOf>().axes(shape.size());
  call.set(0, Tensor::of_ints({shape.begin() + first, shape.begin() + last}));
}

void run_count_of(Call& call) { call.set(0, Tensor::of<int64_t>(DType::i64, {}, {call.in(0).count()})); }

void run_sizes(Call& call) { call.set(0, Tensor::of_ints(call.sizes(call.op<Sizes>().sizes))); }

}  // namespace

void add_shape_kernels(Kernels& kernels) {
  kernels.add<Reshape>(run_reshape, Halves::keep);
  kernels.add<Transpose>(run_transpose, Halves::keep);
  kernels.add<Squeeze>(run_squeeze, Halves::keep);
  kernels.add<Unsqueeze>(run_unsqueeze, Halves::keep);
  kernels.add<Expand>(run_expand, Halves::keep);
  kernels.add<Tile>(run_tile, Halves::keep);
  kernels.add<ShapeOf>(run_shape_of, Halves::keep);
  kernels.add<CountOf>(run_count_of, Halves::keep);
  kernels.add<Sizes>(run_sizes, Halves::keep);
}

}  // namespace remodel
