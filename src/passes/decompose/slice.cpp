#include "ops/slice.h"

#include "ops/binary.h"
#include "ops/gather.h"
#include "ops/generate.h"
#include "ops/shape.h"
#include "passes/block_move.h"
#include "passes/decompose/places.h"

namespace remodel {
namespace {

Slice slice_of(int64_t axis, const Dim& start, const Dim& size, int64_t step = 1) {
  return {{axis}, {start}, {size}, {step}};
}

// Where steps or bounds cannot be said, the elements are picked one by one.
void decompose_slice(Decompose& node) {
  const auto& op = node.op<Slice>();
  ValueId x = node.in(0);
  Slice plain;
  for (size_t i = 0; i < op.axes.size(); ++i) {
    auto known = numbers({op.starts[i], op.sizes[i]});
    if (known && op.steps[i] == 1) {
      plain.axes.push_back(op.axes[i]);
      plain.starts.push_back(op.starts[i]);
      plain.sizes.push_back(op.sizes[i]);
      plain.steps.push_back(1);
      continue;
    }
    ValueId places;
    if (known && known->at(1) <= (1 << 16)) {
      std::vector<int64_t> values;
      for (int64_t k = 0; k < known->at(1); ++k) values.push_back(known->at(0) + k * op.steps[i]);
      places = node.integers(values);
    } else {
      places = node.emit(Range{DType::i64, op.starts[i], op.sizes[i], op.steps[i]}, {});
    }
    x = node.emit(Gather{op.axes[i]}, {x, places});
  }
  if (!plain.axes.empty()) x = node.emit(plain, {x});
  node.result(0, x);
}

void decompose_dynamic_slice(Decompose& node) {
  const Dims dims = node.dims(0);
  const Constant* chosen = node.has(3) ? node.graph().constant(node.in(3)) : nullptr;
  ValueId starts = as_i64(node, node.in(1)), ends = as_i64(node, node.in(2));
  ValueId given_steps = node.has(4) ? as_i64(node, node.in(4)) : absent;
  std::vector<int64_t> axes;
  if (chosen) {
    axes = chosen->tensor().ints();
  } else if (node.has(3)) {
    // Numbers for all axes, those of the whole where nothing is said.
    const int64_t rank = static_cast<int64_t>(dims.size());
    ValueId at =
        from_front(node, as_i64(node, node.in(3)), node.scalar(DType::i64, static_cast<double>(rank)));
    auto spread = [&](ValueId whole, ValueId some) {
      return node.emit(ScatterElements{}, {whole, at, some});
    };
    starts = spread(node.integers(std::vector<int64_t>(dims.size(), 0)), starts);
    ends = spread(sizes_value(node, dims), ends);
    if (given_steps != absent)
      given_steps = spread(node.integers(std::vector<int64_t>(dims.size(), 1)), given_steps);
    for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  } else {
    const auto& length = node.type(1).dims;
    if (!length || length->size() != 1 || !(*length)[0].is_number())
      fail("the number of sliced axes is not known");
    for (int64_t axis = 0; axis < (*length)[0].number(); ++axis) axes.push_back(axis);
  }
  Dims lengths;
  for (int64_t& axis : axes) {
    axis = resolve_axis(axis, dims.size());
    lengths.push_back(dims[axis]);
  }
  ValueId size = sizes_value(node, lengths), one = node.scalar(DType::i64, 1),
          zero = node.scalar(DType::i64, 0);
  ValueId steps = given_steps == absent ? node.integers(std::vector<int64_t>(axes.size(), 1)) : given_steps;
  ValueId back = less(node, steps, zero), minus = node.emit(Sub{}, {size, one});
  ValueId start = from_front(node, starts, size), end = from_front(node, ends, size);
  ValueId last = node.emit(Select{}, {back, minus, size});
  ValueId least = node.emit(Select{}, {back, node.integers(std::vector<int64_t>(axes.size(), -1)), zero});
  start = smaller_of(node, not_negative(node, start), last);
  end = smaller_of(node, larger_of(node, end, least), last);
  ValueId x = node.in(0);
  for (size_t i = 0; i < axes.size(); ++i) {
    ValueId places =
        node.emit(Range{}, {element(node, start, i), element(node, end, i), element(node, steps, i)});
    x = node.emit(Gather{axes[i]}, {x, places});
  }
  node.result(0, x);
}

void decompose_split(Decompose& node) {
  const auto& op = node.op<Split>();
  if (!node.has(1)) {
    Dims sizes = op.sizes.empty() ? equal_parts(node.dims(0)[op.axis], node.node().outputs.size()) : op.sizes;
    Dim start(0);
    for (size_t k = 0; k < sizes.size(); ++k) {
      if (node.wants(k)) node.result(k, node.emit(slice_of(op.axis, start, sizes[k]), {node.in(0)}));
      start = start + sizes[k];
    }
    return;
  }
  ValueId sizes = as_i64(node, node.in(1)), start = node.integers({0}), axis = node.integers({op.axis});
  for (size_t k = 0; k < node.node().outputs.size(); ++k) {
    ValueId size = node.emit(slice_of(0, static_cast<int64_t>(k), 1), {sizes});
    ValueId end = node.emit(Add{}, {start, size});
    if (node.wants(k)) node.result(k, node.emit(DynamicSlice{}, {node.in(0), start, end, axis}));
    start = end;
  }
}

// Places of x for the places of the padded axis, in range.
ValueId reflected_places(Decompose& node, PadMode mode, ValueId places, ValueId size) {
  ValueId one = node.scalar(DType::i64, 1), last = node.emit(Sub{}, {size, one});
  switch (mode) {
    case PadMode::edge:
      return smaller_of(node, not_negative(node, places), last);
    case PadMode::wrap:
      return modulo(node, places, size);
    case PadMode::reflect: {
      ValueId period = larger_of(node, node.emit(Add{}, {last, last}), one);
      ValueId place = modulo(node, places, period);
      return smaller_of(node, place, node.emit(Sub{}, {period, place}));
    }
    case PadMode::symmetric: {
      ValueId period = node.emit(Add{}, {size, size}), place = modulo(node, places, period);
      ValueId other = node.emit(Sub{}, {node.emit(Sub{}, {period, one}), place});
      return smaller_of(node, place, other);
    }
    case PadMode::constant:
      break;
  }
  fail("a constant is repeated");
}

// Pads as a list i64[2 * rank].
ValueId pad_repeating(Decompose& node, PadMode mode, ValueId pads) {
  const Dims dims = node.dims(0);
  int64_t rank = static_cast<int64_t>(dims.size());
  ValueId x = node.in(0), zero = node.scalar(DType::i64, 0), one = node.scalar(DType::i64, 1);
  for (int64_t axis = 0; axis < rank; ++axis) {
    ValueId size = size_value(node, dims[axis]);
    ValueId start = node.emit(Sub{}, {zero, element(node, pads, axis)});
    ValueId end = node.emit(Add{}, {size, element(node, pads, rank + axis)});
    ValueId places = node.emit(Range{}, {start, end, one});
    x = node.emit(Gather{axis}, {x, reflected_places(node, mode, places, size)});
  }
  return x;
}

// `value` filling x's shape with another size along the axis; size is i64[1].
ValueId filling(Decompose& node, ValueId x, int64_t axis, int64_t rank, ValueId size, ValueId value) {
  ValueId shape = node.emit(ShapeOf{}, {x});
  std::vector<ValueId> parts;
  if (axis > 0) parts.push_back(node.emit(slice_of(0, 0, axis), {shape}));
  parts.push_back(size);
  if (axis + 1 < rank) parts.push_back(node.emit(slice_of(0, axis + 1, rank - axis - 1), {shape}));
  return node.emit(Expand{}, {value, parts.size() == 1 ? parts[0] : node.emit(Concat{}, parts)});
}

ValueId pad_value(Decompose& node) {
  if (node.has(1)) return node.in(1);
  if (node.dtype(0) == DType::string) return node.constant(constant_strings({}, {""}));
  return node.scalar(node.dtype(0), 0);
}

ValueId pad_constant(Decompose& node, ValueId pads) {
  const Dims dims = node.dims(0);
  int64_t rank = static_cast<int64_t>(dims.size());
  ValueId zero = node.scalar(DType::i64, 0), value = pad_value(node);
  ValueId crop = not_negative(node, node.emit(Sub{}, {zero, pads})), grow = not_negative(node, pads);
  ValueId end = node.emit(Sub{}, {sizes_value(node, dims), node.emit(slice_of(0, rank, rank), {crop})});
  ValueId x = node.emit(DynamicSlice{},
                        {node.in(0), node.emit(slice_of(0, 0, rank), {crop}), not_negative(node, end)});
  for (int64_t axis = 0; axis < rank; ++axis) {
    ValueId low = filling(node, x, axis, rank, node.emit(slice_of(0, axis, 1), {grow}), value);
    ValueId high = filling(node, x, axis, rank, node.emit(slice_of(0, rank + axis, 1), {grow}), value);
    x = node.emit(Concat{axis}, {low, x, high});
  }
  return x;
}

// Pads whose signs are known: slices and constant blocks.
ValueId pad_with_blocks(Decompose& node, const Pad& op) {
  Dims dims = node.dims(0);
  ValueId x = node.in(0), value = pad_value(node);
  Slice crop;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    Dim low = min(op.low[axis], 0), high = min(op.high[axis], 0);
    if (low.is_number(0) && high.is_number(0)) continue;
    dims[axis] = dims[axis] + low + high;
    crop.axes.push_back(static_cast<int64_t>(axis));
    crop.starts.push_back(Dim(0) - low);
    crop.sizes.push_back(dims[axis]);
    crop.steps.push_back(1);
  }
  if (!crop.axes.empty()) x = node.emit(crop, {x});
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    std::vector<ValueId> parts;
    auto block = [&](const Dim& size) {
      if (size.is_number(0)) return;
      Dims shape = dims;
      shape[axis] = size;
      parts.push_back(node.emit(Expand{shape}, {value}));
    };
    Dim low = max(op.low[axis], 0), high = max(op.high[axis], 0);
    block(low);
    parts.push_back(x);
    block(high);
    dims[axis] = dims[axis] + low + high;
    if (parts.size() > 1) x = node.emit(Concat{static_cast<int64_t>(axis)}, parts);
  }
  return x;
}

constexpr int64_t most_places = 1 << 20;

void decompose_pad(Decompose& node) {
  const auto& op = node.op<Pad>();
  int64_t rank = static_cast<int64_t>(node.dims(0).size());
  if (node.has(3)) {
    ValueId axes =
        from_front(node, as_i64(node, node.in(3)), node.scalar(DType::i64, static_cast<double>(rank)));
    ValueId ends = node.emit(Add{}, {axes, node.scalar(DType::i64, static_cast<double>(rank))});
    ValueId none = node.integers(std::vector<int64_t>(2 * rank, 0));
    ValueId pads =
        node.emit(ScatterElements{}, {none, node.emit(Concat{}, {axes, ends}), as_i64(node, node.in(2))});
    return node.result(
        0, node.emit(Pad{{}, {}, op.mode}, {node.in(0), node.has(1) ? node.in(1) : absent, pads}));
  }
  bool constant = op.mode == PadMode::constant;
  if (node.has(2)) {
    ValueId pads = as_i64(node, node.in(2));
    return node.result(0, constant ? pad_constant(node, pads) : pad_repeating(node, op.mode, pads));
  }
  Dims both = op.low;
  both.insert(both.end(), op.high.begin(), op.high.end());
  bool signs = true;
  for (const Dim& pad : both) signs = signs && (pad.at_least(0) || (Dim(0) - pad).at_least(0));
  if (constant)
    return node.result(0, signs ? pad_with_blocks(node, op) : pad_constant(node, sizes_value(node, both)));
  ValueId x = node.in(0);
  const Dims dims = node.dims(0);
  if (!numbers(both) || !numbers(dims))
    return node.result(0, pad_repeating(node, op.mode, sizes_value(node, both)));
  for (int64_t axis = 0; axis < rank; ++axis) {
    int64_t low = op.low[axis].number(), high = op.high[axis].number(), size = dims[axis].number();
    if (low == 0 && high == 0) continue;
    if (low > most_places || high > most_places || size > most_places)
      fail("an axis of {} elements, padded with {} and {}, is too long to be written down place by place",
           size, low, high);
    std::vector<int64_t> places;
    for (int64_t i = -low; i < size + high; ++i) places.push_back(padded_place(op.mode, i, size));
    x = node.emit(Gather{axis}, {x, node.integers(places)});
  }
  node.result(0, x);
}

void decompose_center_crop_pad(Decompose& node) {
  const Dims dims = node.dims(0);
  std::vector<int64_t> axes = node.op<CenterCropPad>().axes;
  if (axes.empty())
    for (size_t axis = 0; axis < dims.size(); ++axis) axes.push_back(axis);
  Dims sizes;
  std::vector<int64_t> place(dims.size(), -1);
  for (size_t i = 0; i < axes.size(); ++i) {
    int64_t axis = resolve_axis(axes[i], dims.size());
    sizes.push_back(dims[axis]);
    place[axis] = static_cast<int64_t>(i);
  }
  ValueId from = sizes_value(node, sizes), two = node.scalar(DType::i64, 2);
  ValueId more = node.emit(Sub{}, {as_i64(node, node.in(1)), from});
  auto half = [&](ValueId x) {
    return node.emit(Div{{}, Div::Rounding::trunc}, {not_negative(node, x), two});
  };
  ValueId fewer = node.emit(Sub{}, {node.scalar(DType::i64, 0), more});
  ValueId low = node.emit(Sub{}, {half(more), half(fewer)}), high = node.emit(Sub{}, {more, low});
  ValueId none = node.integers({0});
  std::vector<ValueId> pads;
  for (ValueId side : {low, high})
    for (int64_t i : place) pads.push_back(i < 0 ? none : node.emit(slice_of(0, i, 1), {side}));
  node.result(0, node.emit(Pad{}, {node.in(0), absent, node.emit(Concat{}, pads)}));
}

// Steps of all batch entries as one list, picked in the new order.
void decompose_reverse_sequence(Decompose& node) {
  const auto& op = node.op<ReverseSequence>();
  const Dims dims = node.dims(0);
  int64_t rank = static_cast<int64_t>(dims.size());
  int64_t time = resolve_axis(op.time_axis, rank), batch = resolve_axis(op.batch_axis, rank);
  std::vector<int64_t> to{batch, time}, back(rank);
  for (int64_t axis = 0; axis < rank; ++axis)
    if (axis != time && axis != batch) to.push_back(axis);
  for (int64_t i = 0; i < rank; ++i) back[to[i]] = i;
  Dims flat{dims[batch] * dims[time]}, entries{dims[batch], 1};
  for (int64_t i = 2; i < rank; ++i) flat.push_back(dims[to[i]]);
  ValueId steps = count_up(node, dims[time]), one = node.scalar(DType::i64, 1);
  ValueId lengths = node.emit(Reshape{entries}, {as_i64(node, node.in(1))});
  ValueId mirrored = node.emit(Sub{}, {node.emit(Sub{}, {lengths, one}), steps});
  ValueId place = node.emit(Select{}, {less(node, steps, lengths), mirrored, steps});
  ValueId starts = node.emit(
      Mul{}, {node.emit(Reshape{entries}, {count_up(node, dims[batch])}), size_value(node, dims[time])});
  bool moves = batch != 0 || time != 1;
  ValueId x = moves ? node.emit(Transpose{to}, {node.in(0)}) : node.in(0);
  x = node.emit(Gather{}, {node.emit(Reshape{flat}, {x}), node.emit(Add{}, {starts, place})});
  node.result(0, moves ? node.emit(Transpose{back}, {x}) : x);
}

// The axes of blocks apart, in another order, and joined again.
template <class T>
void decompose_blocks(Decompose& node) {
  const Dims to = *node.result_type().dims;
  const BlockMove move = block_move(node.op<T>(), node.dims(0), to);
  ValueId x = node.emit(Transpose{move.perm}, {node.emit(Reshape{move.apart}, {node.in(0)})});
  node.result(0, node.emit(Reshape{to}, {x}));
}

}  // namespace

void slice_decompositions(Decompositions& table) {
  table.add<Slice>(decompose_slice);
  table.add<DynamicSlice>(decompose_dynamic_slice);
  table.add<Split>(decompose_split);
  table.add<Pad>(decompose_pad);
  table.add<CenterCropPad>(decompose_center_crop_pad);
  table.add<ReverseSequence>(decompose_reverse_sequence);
  table.add<DepthToSpace>(decompose_blocks<DepthToSpace>);
  table.add<SpaceToDepth>(decompose_blocks<SpaceToDepth>);
}

}  // namespace remodel
