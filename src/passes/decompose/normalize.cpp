#include "ops/normalize.h"

#include <cmath>

#include "ops/binary.h"
#include "ops/unary.h"
#include "passes/decompose/spatial.h"
#include "passes/decompose/term.h"

namespace remodel {
namespace {

using Kind = Reduce::Kind;
using Axes = std::vector<int64_t>;

Term deviation(Term mean_of_squares, double epsilon) { return apply(Sqrt{}, {mean_of_squares + epsilon}); }

struct Normal {
  Term y, mean, deviation;
};

// (x - mean) / deviation over the axes.
Normal normal_over(Term x, const Axes& axes, double epsilon) {
  Normal normal;
  normal.mean = reduce(Kind::mean, x, axes, true);
  Term centred = x - normal.mean;
  normal.deviation = deviation(reduce(Kind::mean, centred * centred, axes, true), epsilon);
  normal.y = centred / normal.deviation;
  return normal;
}

// Operand i, one for each channel, shaped to lie in front of `trailing` axes.
Term by_channel(Decompose& d, size_t i, size_t trailing) {
  return {&d, along_channels(d, d.in(i), trailing)};
}

// y * scale + bias, which stand in operands 1 and 2.
Term scaled(Decompose& d, Term y, size_t trailing) {
  const DType dtype = y.dtype();
  if (d.has(1)) y = y * cast(by_channel(d, 1, trailing), dtype);
  if (d.has(2)) y = y + cast(by_channel(d, 2, trailing), dtype);
  return y;
}

void decompose_batch_norm(Decompose& d) {
  const auto& op = d.op<BatchNorm>();
  const size_t rank = d.dims(0).size(),
               trailing = rank - 1 - static_cast<size_t>(resolve_axis(op.axis, rank));
  Term x{&d, d.in(0)}, y = x - cast(by_channel(d, 3, trailing), x.dtype());
  y = y / deviation(cast(by_channel(d, 4, trailing), x.dtype()), op.epsilon);
  d.result(0, scaled(d, y, trailing).id);
}

Axes range_of(int64_t first, int64_t end) {
  Axes axes;
  for (; first < end; ++first) axes.push_back(first);
  return axes;
}

void decompose_instance_norm(Decompose& d) {
  const auto& op = d.op<InstanceNorm>();
  const int64_t rank = static_cast<int64_t>(d.dims(0).size());
  const bool last = op.channels == Channels::last;
  auto axes = last ? range_of(1, rank - 1) : range_of(2, rank);
  Normal normal = normal_over({&d, d.in(0)}, axes, op.epsilon);
  d.result(0, scaled(d, normal.y, last ? 0 : static_cast<size_t>(rank) - 2).id);
}

// The groups are the channels of an image with all points of a group in a row.
void decompose_group_norm(Decompose& d) {
  const auto& op = d.op<GroupNorm>();
  const Dims dims = d.dims(0);
  const size_t rank = dims.size();
  const Dim channels = dims[channel_axis(op.channels, rank)];
  Term x{&d, d.in(0)};
  if (op.channels == Channels::first) {
    Dim points = floor_div(channels, op.groups);
    for (size_t i = 2; i < rank; ++i) points = points * dims[i];
    Term groups = reshape(x, {dims[0], op.groups, points});
    // Runtimes have no kernel that normalises doubles.
    Term y = x.dtype() == DType::f64 ? normal_over(groups, {2}, op.epsilon).y
                                     : apply(InstanceNorm{op.epsilon, Channels::first}, {groups});
    return d.result(0, scaled(d, reshape(y, dims), rank - 2).id);
  }
  Dims parted = dims;
  parted.back() = op.groups;
  parted.push_back(floor_div(channels, op.groups));
  Axes axes = range_of(1, static_cast<int64_t>(rank) - 1);
  axes.push_back(static_cast<int64_t>(rank));
  Term y = normal_over(reshape(x, parted), axes, op.epsilon).y;
  d.result(0, scaled(d, reshape(y, dims), 0).id);
}

// Operand i, with the sizes of some axes, with axes of size 1 between and behind them.
Term over_axes(Decompose& d, size_t i, const Axes& axes, size_t rank) {
  Term parameter{&d, d.in(i)};
  size_t first = static_cast<size_t>(resolve_axis(axes[0], rank));
  if (first + axes.size() == rank) return parameter;
  Dims shape(rank - first, Dim(1));
  for (int64_t axis : axes)
    shape[static_cast<size_t>(resolve_axis(axis, rank)) - first] =
        d.dims(0)[static_cast<size_t>(resolve_axis(axis, rank))];
  return reshape(parameter, shape);
}

// The type that statistics are computed in.
DType statistics_in(DType x, DType statistics) {
  if (x == DType::f64 || statistics == DType::f64) return DType::f64;
  return DType::f32;
}

Term with_parameters(Decompose& d, Term y, const Axes& axes) {
  const size_t rank = d.dims(0).size();
  y = cast(y, d.dtype(0));
  if (axes.empty()) return y;
  if (d.has(1)) y = y * over_axes(d, 1, axes, rank);
  if (d.has(2)) y = y + over_axes(d, 2, axes, rank);
  return y;
}

void decompose_layer_norm(Decompose& d) {
  const auto& op = d.op<LayerNorm>();
  Term x = cast({&d, d.in(0)}, statistics_in(d.dtype(0), op.statistics));
  Normal normal = normal_over(x, op.axes, op.epsilon);
  d.result(0, with_parameters(d, normal.y, op.axes).id);
  if (d.wants(1)) d.result(1, cast(normal.mean, op.statistics).id);
  if (d.wants(2)) d.result(2, cast(apply(Reciprocal{}, {normal.deviation}), op.statistics).id);
}

void decompose_rms_norm(Decompose& d) {
  const auto& op = d.op<RmsNorm>();
  Term x = cast({&d, d.in(0)}, statistics_in(d.dtype(0), op.statistics));
  Term root = deviation(reduce(Kind::mean, x * x, op.axes, true), op.epsilon);
  d.result(0, with_parameters(d, x / root, op.axes).id);
  if (d.wants(1)) d.result(1, cast(apply(Reciprocal{}, {root}), op.statistics).id);
}

// The smallest positive number of a type: a norm of 0 becomes it, and leaves 0 as it is.
double tiniest(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 0x1p-1074;
    case DType::f16:
      return 0x1p-24;
    case DType::bf16:
      return 0x1p-133;
    default:
      return 0x1p-149;
  }
}

void decompose_lp_norm(Decompose& d) {
  const auto& op = d.op<LpNorm>();
  Term x{&d, d.in(0)}, norm;
  auto power = [](Term base, double exponent) {
    return apply(Pow{}, {base, number(*base.at, base.dtype(), exponent)});
  };
  if (op.floor == NormFloor::max_norm && (op.p == 1 || op.p == 2)) {
    norm = reduce(op.p == 1 ? Kind::l1 : Kind::l2, x, op.axes, true);
  } else {
    if (op.p == 2)
      norm = reduce(Kind::sum_of_squares, x, op.axes, true);
    else
      norm = reduce(Kind::sum, op.p == 1 ? abs(x) : power(abs(x), op.p), op.axes, true);
    if (op.floor == NormFloor::max_power) norm = max(norm, op.epsilon);
    if (op.floor == NormFloor::add_power) norm = norm + op.epsilon;
    if (op.p == 2) norm = apply(Sqrt{}, {norm});
    if (op.p != 2 && op.p != 1) norm = power(norm, 1 / op.p);
  }
  double least = op.floor == NormFloor::max_norm ? op.epsilon : 0;
  if (op.floor == NormFloor::max_norm || op.epsilon == 0)
    norm = max(norm, std::max(least, tiniest(x.dtype())));
  d.result(0, (x / norm).id);
}

void decompose_lrn(Decompose& d) {
  Lrn op = d.op<Lrn>();
  if (op.channels == Channels::first) fail("lrn cannot be taken apart");
  const size_t rank = d.dims(0).size();
  op.channels = Channels::first;
  d.result(0, channels_last(d, d.emit(op, {channels_first(d, d.in(0), rank)}), rank));
}

}  // namespace

void normalize_decompositions(Decompositions& table) {
  table.add<BatchNorm>(decompose_batch_norm);
  table.add<InstanceNorm>(decompose_instance_norm);
  table.add<GroupNorm>(decompose_group_norm);
  table.add<LayerNorm>(decompose_layer_norm);
  table.add<RmsNorm>(decompose_rms_norm);
  table.add<LpNorm>(decompose_lp_norm);
  table.add<Lrn>(decompose_lrn);
}

}  // namespace remodel
