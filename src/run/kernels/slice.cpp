#include "ops/slice.h"

#include <algorithm>

#include "ops/shape.h"
#include "run/kernel.h"
#include "run/strided.h"

namespace remodel {
namespace {

void run_concat(Call& call) {
  const Tensor& first = call.in(0);
  int64_t axis = resolve_axis(call.op<Concat>().axis, first.rank());
  Shape shape = first.shape();
  shape[axis] = 0;
  for (size_t i = 0; i < call.count(); ++i) {
    Shape own = call.in(i).shape(), wanted = shape;
    if (own.size() == wanted.size()) {
      shape[axis] += own[axis];
      own[axis] = wanted[axis] = 0;
    }
    if (own != wanted)
      fail("{} and {} cannot be joined along axis {}", text_of(first.shape()), text_of(own), axis);
  }
  Tensor& y = call.out(0, first.dtype(), shape);
  Box target = box_of(y);
  for (size_t i = 0; i < call.count(); ++i) {
    const Tensor& x = call.in(i);
    copy_box(x.shape(), x, box_of(x), y, target, call.pool);
    target.offset += x.dim(axis) * target.strides[axis];
  }
}

void run_split(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Split>();
  int64_t axis = resolve_axis(op.axis, x.rank()), sum = 0;
  Shape sizes = call.sizes_or(1, op.sizes);
  if (sizes.empty() && !call.has(1)) sizes = *numbers(equal_parts(x.dim(axis), call.outputs()));
  if (sizes.size() != call.outputs()) fail("{} sizes for {} parts", sizes.size(), call.outputs());
  for (int64_t size : sizes) {
    if (size < 0 || size > x.dim(axis) - sum)
      fail("parts of sizes {} of an axis of {}", text_of(sizes), x.dim(axis));
    sum += size;
  }
  if (sum != x.dim(axis)) fail("parts of sizes {} of an axis of {}", text_of(sizes), x.dim(axis));
  Box source = box_of(x);
  for (size_t k = 0; k < sizes.size(); ++k) {
    Shape shape = x.shape();
    shape[axis] = sizes[k];
    if (call.wants(k)) {
      Tensor& y = call.out(k, x.dtype(), shape);
      copy_box(shape, x, source, y, box_of(y), call.pool);
    }
    source.offset += sizes[k] * source.strides[axis];
  }
}

// The elements start + i * step of each axis.
void take_slices(Call& call, const std::vector<int64_t>& axes, const Shape& starts, const Shape& sizes,
                 const std::vector<int64_t>& steps) {
  const Tensor& x = call.in(0);
  Shape shape = x.shape();
  Box source = box_of(x);
  for (size_t i = 0; i < axes.size(); ++i) {
    int64_t axis = resolve_axis(axes[i], x.rank()), length = x.dim(axis), last;
    shape[axis] = sizes[i];
    if (sizes[i] <= 0) continue;
    if (__builtin_mul_overflow(sizes[i] - 1, steps[i], &last) ||
        __builtin_add_overflow(starts[i], last, &last) || std::min(starts[i], last) < 0 ||
        std::max(starts[i], last) >= length)
      fail("{} elements from {} by {} are not all in axis {} of {}", sizes[i], starts[i], steps[i], axis,
           text_of(x.shape()));
    source.offset += starts[i] * source.strides[axis];
    source.strides[axis] *= sizes[i] == 1 ? 1 : steps[i];
  }
  Tensor& y = call.out(0, x.dtype(), shape);
  copy_box(shape, x, source, y, box_of(y), call.pool);
}

void run_slice(Call& call) {
  const auto& op = call.op<Slice>();
  take_slices(call, op.axes, call.sizes(op.starts), call.sizes(op.sizes), op.steps);
}

void run_dynamic_slice(Call& call) {
  const Tensor& x = call.in(0);
  std::vector<int64_t> starts = call.in(1).ints(), ends = call.in(2).ints(), axes, steps(starts.size(), 1);
  if (call.has(3))
    axes = call.in(3).ints();
  else
    for (size_t axis = 0; axis < starts.size(); ++axis) axes.push_back(axis);
  if (call.has(4)) steps = call.in(4).ints();
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    fail("{} starts, {} ends, {} axes, {} steps", starts.size(), ends.size(), axes.size(), steps.size());
  sorted_axes(axes, x.rank());
  Shape firsts, sizes;
  for (size_t i = 0; i < starts.size(); ++i) {
    Span span = *resolve_slice(x.dim(resolve_axis(axes[i], x.rank())), starts[i], ends[i], steps[i]);
    firsts.push_back(span.start.number());
    sizes.push_back(span.size.number());
  }
  take_slices(call, axes, firsts, sizes, steps);
}

// `value` is for constant mode; null: zero.
void pad(Call& call, PadMode mode, const Shape& low, const Shape& high, const Tensor* given) {
  const Tensor& x = call.in(0);
  if (low.size() != x.rank() || high.size() != x.rank())
    fail("{} and {} pads for {}", low.size(), high.size(), text_of(x.shape()));
  Shape shape, inside;
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    int64_t size;
    if (__builtin_add_overflow(low[axis], high[axis], &size) ||
        __builtin_add_overflow(size, x.dim(axis), &size) || size < 0 || low[axis] <= -(int64_t{1} << 62) ||
        low[axis] >= int64_t{1} << 62)
      fail("pads {} and {} for {}", text_of(low), text_of(high), text_of(x.shape()));
    shape.push_back(size);
    // The elements that stay: from max(-low, 0) in x, to max(low, 0) in the result.
    int64_t first = std::max<int64_t>(-low[axis], 0), place = std::max<int64_t>(low[axis], 0);
    inside.push_back(std::max<int64_t>(std::min(x.dim(axis) - first, size - place), 0));
  }
  Tensor& y = call.out(0, x.dtype(), shape);
  if (mode != PadMode::constant) {
    if (y.count() == 0) return;
    std::vector<std::vector<int64_t>> places(x.rank());
    Shape strides = strides_of(x.shape());
    for (size_t axis = 0; axis < x.rank(); ++axis) {
      if (x.dim(axis) == 0) fail("nothing to repeat along axis {} of {}", axis, text_of(x.shape()));
      for (int64_t i = 0; i < shape[axis]; ++i)
        places[axis].push_back(padded_place(mode, i - low[axis], x.dim(axis)) * strides[axis]);
    }
    return copy_places(x, places, y, call.pool);
  }
  Tensor value = given ? *given : blank(x.dtype(), {});
  if (value.count() != 1 || value.dtype() != x.dtype())
    fail("the value must be one {}, but is {}{}", name_of(x.dtype()), name_of(value.dtype()),
         text_of(value.shape()));
  if (count_of(inside) != y.count()) fill_with(value, y);
  if (count_of(inside) == 0) return;
  Box source = box_of(x), target = box_of(y);
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    source.offset += std::max<int64_t>(-low[axis], 0) * source.strides[axis];
    target.offset += std::max<int64_t>(low[axis], 0) * target.strides[axis];
  }
  copy_box(inside, x, source, y, target, call.pool);
}

void run_pad(Call& call) {
  const auto& op = call.op<Pad>();
  const Tensor* value = call.has(1) ? &call.in(1) : nullptr;
  if (!call.has(2)) return pad(call, op.mode, call.sizes(op.low), call.sizes(op.high), value);
  int64_t rank = static_cast<int64_t>(call.in(0).rank());
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  if (call.has(3)) axes = call.in(3).ints();
  Pad resolved = resolve_pads(op.mode, to_dims(call.in(2).ints()), axes, rank);
  pad(call, op.mode, *numbers(resolved.low), *numbers(resolved.high), value);
}

void run_center_crop_pad(Call& call) {
  const Tensor& x = call.in(0);
  std::vector<int64_t> axes = call.op<CenterCropPad>().axes, sizes = call.in(1).ints();
  if (axes.empty())
    for (size_t axis = 0; axis < x.rank(); ++axis) axes.push_back(axis);
  if (sizes.size() != axes.size()) fail("{} sizes for {} axes", sizes.size(), axes.size());
  Shape low(x.rank(), 0), high(x.rank(), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    int64_t axis = resolve_axis(axes[i], x.rank());
    Span pads = center_pads(x.dim(axis), sizes[i]);
    low[axis] = pads.start.number();
    high[axis] = pads.size.number();
  }
  pad(call, PadMode::constant, low, high, nullptr);
}

void run_reverse_sequence(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<ReverseSequence>();
  int64_t time = resolve_axis(op.time_axis, x.rank()), batch = resolve_axis(op.batch_axis, x.rank());
  std::vector<int64_t> lengths = call.in(1).ints();
  if (static_cast<int64_t>(lengths.size()) != x.dim(batch))
    fail("{} lengths for a batch of {}", lengths.size(), x.dim(batch));
  Tensor& y = call.out(0, x.dtype(), x.shape());
  Shape shape = x.shape(), strides = strides_of(x.shape());
  int64_t steps = x.dim(time);
  shape[batch] = 1;
  for (int64_t b = 0; b < x.dim(batch); ++b) {
    int64_t length = lengths[b];
    if (length < 0 || length > steps)
      fail("the length {} of batch entry {} is outside 0 .. {}", length, b, steps);
    Box source{b * strides[batch], strides}, target = source;
    shape[time] = steps - length;
    source.offset += length * strides[time];
    copy_box(shape, x, source, y, source, call.pool);
    if (length == 0) continue;
    shape[time] = length;
    source = target;
    source.offset += (length - 1) * strides[time];
    source.strides[time] = -strides[time];
    copy_box(shape, x, source, y, target, call.pool);
  }
}

// Pixels are [batch, rows, row in block, columns, column in block, channels] once the block's axes are apart.
struct Blocks {
  int64_t batch, rows, columns, channels;  // of the side with small channels: rows and columns of blocks
  int64_t block;
  DepthOrder order;
  Channels place;

  // Strides of those six axes in the tensor with many pixels, and in the one with deep channels.
  Shape wide() const {
    int64_t width = columns * block, height = rows * block;
    if (place == Channels::first)
      return {channels * height * width, block * width, width, block, 1, height * width};
    return {
        height * width * channels, block * width * channels, width * channels, block * channels, channels, 1};
  }
  Shape deep() const {
    bool crd = order == DepthOrder::crd;
    int64_t all = channels * block * block, step = place == Channels::first ? rows * columns : 1;
    int64_t in_row = (crd ? block : block * channels) * step, in_column = (crd ? 1 : channels) * step;
    int64_t channel = (crd ? block * block : 1) * step;
    if (place == Channels::first) return {all * rows * columns, columns, in_row, 1, in_column, channel};
    return {rows * columns * all, columns * all, in_row, all, in_column, channel};
  }
  Shape box() const { return {batch, rows, block, columns, block, channels}; }
};

// The axes of a box sorted so that the target is written in order.
void copy_sorted(const Shape& shape, const Tensor& from, const Shape& source, Tensor& to, const Shape& target,
                 Pool& pool) {
  std::vector<size_t> order(shape.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return target[a] > target[b]; });
  Shape sizes;
  Box in, out;
  for (size_t axis : order) {
    sizes.push_back(shape[axis]);
    in.strides.push_back(source[axis]);
    out.strides.push_back(target[axis]);
  }
  copy_box(sizes, from, in, to, out, pool);
}

int64_t divided(int64_t size, int64_t by) {
  if (size % by != 0) fail("{} is no multiple of {}", size, by);
  return size / by;
}

void run_space_to_depth(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<SpaceToDepth>();
  if (x.rank() != 4) fail("{} has no rows and columns", text_of(x.shape()));
  bool first = op.channels == Channels::first;
  size_t deep = first ? 1 : 3, rows = first ? 2 : 1;
  Blocks blocks{x.dim(0),
                divided(x.dim(rows), op.block),
                divided(x.dim(rows + 1), op.block),
                x.dim(deep),
                op.block,
                op.order,
                op.channels};
  Shape shape = x.shape();
  if (__builtin_mul_overflow(shape[deep], op.block * op.block, &shape[deep])) fail("the result is too large");
  shape[rows] = blocks.rows;
  shape[rows + 1] = blocks.columns;
  Tensor& y = call.out(0, x.dtype(), shape);
  copy_sorted(blocks.box(), x, blocks.wide(), y, blocks.deep(), call.pool);
}

void run_depth_to_space(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<DepthToSpace>();
  if (x.rank() != 4) fail("{} has no rows and columns", text_of(x.shape()));
  bool first = op.channels == Channels::first;
  size_t deep = first ? 1 : 3, rows = first ? 2 : 1;
  Blocks blocks{x.dim(0), x.dim(rows), x.dim(rows + 1), divided(x.dim(deep), op.block * op.block),
                op.block, op.order,    op.channels};
  Shape shape = x.shape();
  shape[deep] = blocks.channels;
  if (__builtin_mul_overflow(shape[rows], op.block, &shape[rows]) ||
      __builtin_mul_overflow(shape[rows + 1], op.block, &shape[rows + 1]))
    fail("the result is too large");
  Tensor& y = call.out(0, x.dtype(), shape);
  copy_sorted(blocks.box(), x, blocks.deep(), y, blocks.wide(), call.pool);
}

}  // namespace

void add_slice_kernels(Kernels& kernels) {
  kernels.add<Concat>(run_concat, Halves::keep);
  kernels.add<Split>(run_split, Halves::keep);
  kernels.add<Slice>(run_slice, Halves::keep);
  kernels.add<DynamicSlice>(run_dynamic_slice, Halves::keep);
  kernels.add<Pad>(run_pad, Halves::keep);
  kernels.add<CenterCropPad>(run_center_crop_pad, Halves::keep);
  kernels.add<ReverseSequence>(run_reverse_sequence, Halves::keep);
  kernels.add<SpaceToDepth>(run_space_to_depth, Halves::keep);
  kernels.add<DepthToSpace>(run_depth_to_space, Halves::keep);
}

}  // namespace remodel
