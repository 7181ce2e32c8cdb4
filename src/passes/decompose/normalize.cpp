#include "ops/normalize.h"

#include <cmath>

#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/unary.h"
#include "passes/decompose/spatial.h"

namespace remodel {
namespace {

ValueId cast_to(Decompose& d, ValueId x, DType dtype) {
  return d.graph().value(x).type.dtype == dtype ? x : d.emit(Cast(dtype), {x});
}

ValueId reduced(Decompose& d, ValueId x, Reduce::Kind kind, const std::vector<int64_t>& axes) {
  Reduce reduce;
  reduce.kind = kind;
  reduce.axes = axes;
  return d.emit(reduce, {x});
}

ValueId deviation(Decompose& d, ValueId mean_of_squares, DType dtype, double epsilon) {
  return d.emit(Sqrt{}, {d.emit(Add{}, {mean_of_squares, d.scalar(dtype, epsilon)})});
}

struct Normal {
  ValueId y, mean, deviation;
};

// (x - mean) / deviation over the axes.
Normal normal_over(Decompose& d, ValueId x, DType dtype, const std::vector<int64_t>& axes, double epsilon) {
  Normal normal;
  normal.mean = reduced(d, x, Reduce::Kind::mean, axes);
  ValueId centred = d.emit(Sub{}, {x, normal.mean});
  ValueId squares = d.emit(Mul{}, {centred, centred});
  normal.deviation = deviation(d, reduced(d, squares, Reduce::Kind::mean, axes), dtype, epsilon);
  normal.y = d.emit(Div{}, {centred, normal.deviation});
  return normal;
}

// y * scale + bias, which stand in operands 1 and 2 and are shaped to lie in front of `trailing` axes.
ValueId scaled(Decompose& d, ValueId y, size_t trailing) {
  const DType dtype = d.graph().value(y).type.dtype;
  if (d.has(1)) y = d.emit(Mul{}, {y, cast_to(d, along_channels(d, d.in(1), trailing), dtype)});
  if (d.has(2)) y = d.emit(Add{}, {y, cast_to(d, along_channels(d, d.in(2), trailing), dtype)});
  return y;
}

void decompose_batch_norm(Decompose& d) {
  const auto& op = d.op<BatchNorm>();
  const DType dtype = d.dtype(0);
  const size_t rank = d.dims(0).size(),
               trailing = rank - 1 - static_cast<size_t>(resolve_axis(op.axis, rank));
  auto parameter = [&](size_t i) { return along_channels(d, cast_to(d, d.in(i), dtype), trailing); };
  ValueId y = d.emit(Sub{}, {d.in(0), parameter(3)});
  y = d.emit(Div{}, {y, deviation(d, parameter(4), dtype, op.epsilon)});
  d.result(0, scaled(d, y, trailing));
}

std::vector<int64_t> range_of(int64_t first, int64_t end) {
  std::vector<int64_t> axes;
  for (; first < end; ++first) axes.push_back(first);
  return axes;
}

void decompose_instance_norm(Decompose& d) {
  const auto& op = d.op<InstanceNorm>();
  const int64_t rank = static_cast<int64_t>(d.dims(0).size());
  const bool last = op.channels == Channels::last;
  auto axes = last ? range_of(1, rank - 1) : range_of(2, rank);
  Normal normal = normal_over(d, d.in(0), d.dtype(0), axes, op.epsilon);
  d.result(0, scaled(d, normal.y, last ? 0 : static_cast<size_t>(rank) - 2));
}

// The groups are the channels of an image with all points of a group in a row.
void decompose_group_norm(Decompose& d) {
  const auto& op = d.op<GroupNorm>();
  const Dims dims = d.dims(0);
  const size_t rank = dims.size();
  const bool last = op.channels == Channels::last;
  const Dim channels = dims[channel_axis(op.channels, rank)];
  if (!last) {
    Dim points = floor_div(channels, op.groups);
    for (size_t i = 2; i < rank; ++i) points = points * dims[i];
    ValueId y = d.emit(Reshape{{dims[0], op.groups, points}, false}, {d.in(0)});
    y = d.emit(Reshape{dims, false}, {d.emit(InstanceNorm{op.epsilon, Channels::first}, {y})});
    return d.result(0, scaled(d, y, rank - 2));
  }
  Dims parted = dims;
  parted.back() = op.groups;
  parted.push_back(floor_div(channels, op.groups));
  std::vector<int64_t> axes = range_of(1, static_cast<int64_t>(rank) - 1);
  axes.push_back(static_cast<int64_t>(rank));
  ValueId y = d.emit(Reshape{parted, false}, {d.in(0)});
  y = normal_over(d, y, d.dtype(0), axes, op.epsilon).y;
  d.result(0, scaled(d, d.emit(Reshape{dims, false}, {y}), 0));
}

// Parameters over some axes, with axes of size 1 between and behind them.
ValueId over_axes(Decompose& d, ValueId parameter, const std::vector<int64_t>& axes, size_t rank) {
  size_t first = static_cast<size_t>(resolve_axis(axes[0], rank));
  if (first + axes.size() == rank) return parameter;
  Dims shape(rank - first, Dim(1));
  for (int64_t axis : axes)
    shape[static_cast<size_t>(resolve_axis(axis, rank)) - first] =
        d.dims(0)[static_cast<size_t>(resolve_axis(axis, rank))];
  return d.emit(Reshape{shape, false}, {parameter});
}

// The type that statistics are computed in.
DType statistics_in(DType x, DType statistics) {
  if (x == DType::f64 || statistics == DType::f64) return DType::f64;
  return DType::f32;
}

ValueId with_parameters(Decompose& d, ValueId y, const std::vector<int64_t>& axes) {
  const size_t rank = d.dims(0).size();
  y = cast_to(d, y, d.dtype(0));
  if (axes.empty()) return y;
  if (d.has(1)) y = d.emit(Mul{}, {y, over_axes(d, d.in(1), axes, rank)});
  if (d.has(2)) y = d.emit(Add{}, {y, over_axes(d, d.in(2), axes, rank)});
  return y;
}

void decompose_layer_norm(Decompose& d) {
  const auto& op = d.op<LayerNorm>();
  const DType dtype = statistics_in(d.dtype(0), op.statistics);
  Normal normal = normal_over(d, cast_to(d, d.in(0), dtype), dtype, op.axes, op.epsilon);
  d.result(0, with_parameters(d, normal.y, op.axes));
  if (d.wants(1)) d.result(1, cast_to(d, normal.mean, op.statistics));
  if (d.wants(2)) d.result(2, cast_to(d, d.emit(Reciprocal{}, {normal.deviation}), op.statistics));
}

void decompose_rms_norm(Decompose& d) {
  const auto& op = d.op<RmsNorm>();
  const DType dtype = statistics_in(d.dtype(0), op.statistics);
  ValueId x = cast_to(d, d.in(0), dtype);
  ValueId squares = reduced(d, d.emit(Mul{}, {x, x}), Reduce::Kind::mean, op.axes);
  ValueId root = deviation(d, squares, dtype, op.epsilon);
  d.result(0, with_parameters(d, d.emit(Div{}, {x, root}), op.axes));
  if (d.wants(1)) d.result(1, cast_to(d, d.emit(Reciprocal{}, {root}), op.statistics));
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
  const DType dtype = d.dtype(0);
  ValueId norm = absent;
  if (op.floor == NormFloor::max_norm && (op.p == 1 || op.p == 2)) {
    norm = reduced(d, d.in(0), op.p == 1 ? Reduce::Kind::l1 : Reduce::Kind::l2, op.axes);
  } else {
    if (op.p == 2) {
      norm = reduced(d, d.in(0), Reduce::Kind::sum_of_squares, op.axes);
    } else {
      ValueId powers = d.emit(Abs{}, {d.in(0)});
      if (op.p != 1) powers = d.emit(Pow{}, {powers, d.scalar(dtype, op.p)});
      norm = reduced(d, powers, Reduce::Kind::sum, op.axes);
    }
    if (op.floor == NormFloor::max_power) norm = d.emit(Max{}, {norm, d.scalar(dtype, op.epsilon)});
    if (op.floor == NormFloor::add_power) norm = d.emit(Add{}, {norm, d.scalar(dtype, op.epsilon)});
    if (op.p == 2) norm = d.emit(Sqrt{}, {norm});
    if (op.p != 2 && op.p != 1) norm = d.emit(Pow{}, {norm, d.scalar(dtype, 1 / op.p)});
  }
  double least = op.floor == NormFloor::max_norm ? op.epsilon : 0;
  if (op.floor == NormFloor::max_norm || op.epsilon == 0)
    norm = d.emit(Max{}, {norm, d.scalar(dtype, std::max(least, tiniest(dtype)))});
  d.result(0, d.emit(Div{}, {d.in(0), norm}));
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
