#include "ops/pool.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/binary.h"
#include "ops/gather.h"
#include "ops/generate.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"
#include "passes/decompose/spatial.h"
#include "passes/decompose/term.h"

namespace remodel {
namespace {

bool dilated(const Sliding& op) {
  return std::any_of(op.dilations.begin(), op.dilations.end(),
                     [](int64_t dilation) { return dilation != 1; });
}

// What the last windows reach beyond the padding becomes padding.
void extend_pads(Decompose& d, Pooling& op) {
  Dims in = spatial_dims(op.channels, d.dims(0));
  for (size_t i = 0; i < in.size(); ++i) {
    Dim count = window_count(op, i, in[i], op.window[i], true);
    Dim end = (count - 1) * Dim(op.strides[i]) + window_reach(op.window[i], op.dilations[i]);
    op.pads_high[i] = max(op.pads_high[i], end - in[i] - op.pads_low[i]);
  }
  op.ceil = false;
}

// x with every element of every window written out, so that the window neither overlaps nor is dilated.
ValueId spread_windows(Decompose& d, Pooling& op) {
  ValueId x = d.in(0);
  Dims in = spatial_dims(op.channels, d.dims(0));
  for (size_t i = 0; i < in.size(); ++i) {
    if (op.dilations[i] == 1) continue;
    if (!in[i].is_number()) fail("a dilated window needs the size {} as a number", in[i].text());
    const int64_t count = window_count(op, i, in[i], op.window[i]).number();
    std::vector<int64_t> places;
    for (int64_t o = 0; o < count; ++o)
      for (int64_t t = 0; t < op.window[i]; ++t) places.push_back(o * op.strides[i] + t * op.dilations[i]);
    Gather gather;
    gather.axis = static_cast<int64_t>(spatial_axis(op.channels, i));
    x = d.emit(gather, {x, d.integers(places)});
    op.strides[i] = op.window[i];
    op.dilations[i] = 1;
  }
  return x;
}

ValueId smallest(Decompose& d, DType dtype) {
  if (is_float(dtype)) return d.scalar(dtype, -std::numeric_limits<double>::infinity());
  if (!is_signed(dtype)) return d.scalar(dtype, 0);
  return d.scalar(dtype, -std::exp2(static_cast<double>(size_of(dtype)) * 8 - 1));
}

// Where tap t of a window stands along axis i.
int64_t tap_along(const std::vector<int64_t>& window, int64_t t, size_t i) {
  int64_t inner = 1;
  for (size_t k = i + 1; k < window.size(); ++k) inner *= window[k];
  return t / inner % window[i];
}

// Without pads, ceil and dilations: over two axes, or over one and then over the others.
template <class T>
bool with_fewer_axes(Decompose& d, const T& op) {
  if (op.strides.size() == 1) {
    with_two_axes(d, op);
    return true;
  }
  if (op.strides.size() != 3) return false;
  const Dims x = d.dims(0), y = pool_dims(op, x);
  const auto over = [&](std::vector<size_t> axes) {
    T part = op;
    part.unit(2);
    part.window = {1, 1};
    for (size_t i = 0; i < axes.size(); ++i)
      part.window[i] = op.window[axes[i]], part.strides[i] = op.strides[axes[i]];
    return part;
  };
  ValueId planes = d.emit(Reshape{{x[0], x[1] * x[2], x[3], x[4]}, false}, {d.in(0)});
  planes = d.emit(over({1, 2}), {planes});
  ValueId stacks = d.emit(Reshape{{x[0], x[1], x[2], y[3] * y[4]}, false}, {planes});
  d.result(0, d.emit(Reshape{y, false}, {d.emit(over({0}), {stacks})}));
  return true;
}

// The next simpler form of a pooling where padding counts as elements of this value.
template <class T>
void decompose_pool(Decompose& d, T op, ValueId (*padding)(Decompose&, DType)) {
  if (op.channels == Channels::last) return with_channels_first(d, op);
  if (op.ceil) {
    extend_pads(d, op);
    return d.result(0, d.emit(op, {d.in(0)}));
  }
  if (!no_pads(op)) {
    ValueId x = padded(d, d.in(0), op, padding(d, d.dtype(0)));
    drop_pads(op);
    return d.result(0, d.emit(op, {x}));
  }
  if (!dilated(op)) {
    if (with_fewer_axes(d, op)) return;
    fail("this {} cannot be taken apart", T::name);
  }
  ValueId x = spread_windows(d, op);
  d.result(0, d.emit(op, {x}));
}

void decompose_max_pool(Decompose& d) { decompose_pool(d, d.op<MaxPool>(), smallest); }

// Whether each tap of a window holds what is the largest there, one tap after the other along a new last
// axis.
Term largest_taps(Decompose& d, const MaxPoolIndex& op, Term x, const Dims& y) {
  constexpr int64_t most_taps = 1024;
  const size_t rank = y.size();
  const int64_t taps = count_of(op.window);
  if (taps > most_taps) fail("a window of {} elements", taps);
  Term best = apply(MaxPool{op}, {x}), inside, around = x;
  if (!no_pads(op)) {
    Dims plane = dims_of(x);
    plane[0] = plane[1] = 1;
    inside = {&d, padded(d, expand(number(d, DType::f32, 1), plane).id, op)};
    around = {&d, padded(d, x.id, op, smallest(d, x.dtype()))};
  }
  Slice slice;
  for (size_t i = 2; i < rank; ++i)
    slice.axes.push_back(static_cast<int64_t>(i)), slice.sizes.push_back(y[i]);
  slice.steps = op.strides;
  std::vector<Term> parts;
  for (int64_t t = 0; t < taps; ++t) {
    slice.starts.clear();
    for (size_t i = 0; i < op.window.size(); ++i)
      slice.starts.push_back(Dim(tap_along(op.window, t, i) * op.dilations[i]));
    Term same = apply(slice, {around}) == best;
    if (inside.at) same = same && apply(slice, {inside}) > 0;
    parts.push_back(unsqueeze(cast(same, DType::f32), {static_cast<int64_t>(rank)}));
  }
  return concat(parts, static_cast<int64_t>(rank));
}

// From the first tap of each window that holds the largest element.
void find_max_pool_index(Decompose& d) {
  MaxPoolIndex op = d.op<MaxPoolIndex>();
  const size_t rank = op.window.size() + 2;
  const bool last = op.channels == Channels::last;
  Term x{&d, last ? channels_first(d, d.in(0), rank) : d.in(0)};
  op.channels = Channels::first;
  const Dims in = dims_of(x), y = pool_dims(op, in);
  ArgMax first;
  first.axis = static_cast<int64_t>(rank), first.keep = false;
  Term tap = apply(first, {largest_taps(d, op, x, y)}), index;
  Dim step = 1;
  for (size_t k = 0; k < op.window.size(); ++k) {
    const size_t i = op.column_major ? k : op.window.size() - 1 - k;
    std::vector<int64_t> places;
    for (int64_t t = 0; t < count_of(op.window); ++t)
      places.push_back(tap_along(op.window, t, i) * op.dilations[i]);
    Dims line(rank, Dim(1));
    line[i + 2] = y[i + 2];
    Term start = reshape(static_cast<double>(op.strides[i]) * counting(d, y[i + 2]), line);
    Term at = gather({&d, d.integers(places)}, tap, 0) + start - size_term(d, op.pads_low[i]);
    // A window of padding only.
    at = max(at, 0) * size_term(d, step);
    index = index.at ? index + at : at;
    step = step * in[i + 2];
  }
  if (op.span == IndexSpan::tensor) {
    Dims images(rank, Dim(1)), channels(rank, Dim(1));
    images[0] = in[0], channels[1] = in[1];
    Term image = reshape(counting(d, in[0]), images), channel = reshape(counting(d, in[1]), channels);
    Term count = size_term(d, in[1]), plane = size_term(d, step);
    index = last ? (image * plane + index) * count + channel : (image * count + channel) * plane + index;
  }
  Term value = apply(MaxPool{op}, {x});
  d.result(0, last ? channels_last(d, value.id, rank) : value.id);
  d.result(1, last ? channels_last(d, index.id, rank) : index.id);
}

void decompose_max_pool_index(Decompose& d) {
  MaxPoolIndex op = d.op<MaxPoolIndex>();
  const size_t rank = op.window.size() + 2;
  if (op.ceil) {
    extend_pads(d, op);
    auto results = d.emit(op, {d.in(0)}, 2);
    d.result(0, results[0]);
    return d.result(1, results[1]);
  }
  if (op.span != IndexSpan::plane) return find_max_pool_index(d);
  ValueId x = d.in(0);
  const Dims plane = spatial_dims(op.channels, d.dims(0));
  bool last = op.channels == Channels::last;
  if (last) x = channels_first(d, x, rank);
  op.channels = Channels::first;
  op.span = IndexSpan::tensor;
  std::vector<ValueId> results = d.emit(op, {x}, 2);
  Dim points = product(plane);
  ValueId size = points.is_number() ? d.integers({points.number()}) : d.emit(Sizes{{points}}, {});
  ValueId index = d.emit(Mod{}, {results[1], size});
  if (last) {
    results[0] = channels_last(d, results[0], rank);
    index = channels_last(d, index, rank);
  }
  d.result(0, results[0]);
  d.result(1, index);
}

void decompose_avg_pool(Decompose& d) {
  AvgPool op = d.op<AvgPool>();
  if (op.channels == Channels::last) return with_channels_first(d, op);
  if (op.ceil && (op.divisor != Divisor::padded || no_pads(op))) {
    // Overhanging elements never count, or always.
    if (op.divisor == Divisor::padded) op.divisor = Divisor::inside;
    extend_pads(d, op);
    return d.result(0, d.emit(op, {d.in(0)}));
  }
  if (!no_pads(op)) {
    AvgPool over = op;
    drop_pads(over);
    over.divisor = op.divisor == Divisor::window ? Divisor::window : Divisor::inside;
    ValueId y = d.emit(over, {padded(d, d.in(0), op)});
    if (op.divisor == Divisor::inside) {
      // The share of elements that are no padding.
      Dims dims = spatial_dims(op.channels, d.dims(0));
      dims.insert(dims.begin(), 2, Dim(1));
      ValueId ones = d.constant(constant_splat(d.dtype(0), Shape(dims.size(), 1), 1));
      ones = d.emit(Expand{dims}, {ones});
      y = d.emit(Div{}, {y, d.emit(over, {padded(d, ones, op)})});
    }
    return d.result(0, y);
  }
  if (!dilated(op)) {
    if (with_fewer_axes(d, op)) return;
    fail("this avg_pool cannot be taken apart");
  }
  ValueId x = spread_windows(d, op);
  d.result(0, d.emit(op, {x}));
}

// Elements put at their places in a list of zeros.
void decompose_max_unpool(Decompose& d) {
  const auto& op = d.op<MaxUnpool>();
  if (d.has(2)) fail("a shape that is only known when the model runs");
  const Dim count = product(d.dims(0)), size = product(op.shape);
  ValueId zeros = d.emit(Expand{{size}}, {d.scalar(d.dtype(0), 0)});
  ValueId places = d.emit(Reshape{{count, Dim(1)}, false}, {d.in(1)});
  ValueId values = d.emit(Reshape{{count}, false}, {d.in(0)});
  d.result(0, d.emit(Reshape{op.shape, false}, {d.emit(ScatterND{}, {zeros, places, values})}));
}

ValueId zero(Decompose& d, DType dtype) { return d.scalar(dtype, 0); }

void decompose_lp_pool(Decompose& d) {
  LpPool op = d.op<LpPool>();
  const bool plain = no_pads(op) && !op.ceil && !dilated(op) && op.channels == Channels::first;
  if ((op.p == 1 || op.p == 2) && (!plain || op.strides.size() != 2)) return decompose_pool(d, op, zero);
  // From the mean of powers.
  const DType dtype = d.dtype(0);
  AvgPool mean{op};
  mean.divisor = Divisor::window;
  double taps = 1;
  for (int64_t size : op.window) taps *= static_cast<double>(size);
  const ValueId x = d.in(0);
  ValueId powers;
  if (op.p == 2)
    powers = d.emit(Mul{}, {x, x});
  else
    powers = d.emit(Abs{}, {x});
  if (op.p != 1 && op.p != 2) powers = d.emit(Pow{}, {powers, d.scalar(dtype, op.p)});
  ValueId sum = d.emit(Mul{}, {d.emit(mean, {powers}), d.scalar(dtype, taps)});
  if (op.p == 2) sum = d.emit(Sqrt{}, {sum});
  if (op.p != 1 && op.p != 2) sum = d.emit(Pow{}, {sum, d.scalar(dtype, 1 / op.p)});
  d.result(0, sum);
}

}  // namespace

void pool_decompositions(Decompositions& table) {
  table.add<MaxPool>(decompose_max_pool);
  table.add<MaxPoolIndex>(decompose_max_pool_index);
  table.add<MaxUnpool>(decompose_max_unpool);
  table.add<AvgPool>(decompose_avg_pool);
  table.add<LpPool>(decompose_lp_pool);
}

}  // namespace remodel
