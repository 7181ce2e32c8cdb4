#include "ops/slice.h"

#include <algorithm>

#include "ops/gather.h"
#include "ops/generate.h"
#include "ops/shape.h"
#include "passes/block_move.h"
#include "passes/decompose/term.h"

namespace remodel {
namespace {

// Where steps or bounds cannot be said, the elements are picked one by one.
void decompose_slice(Decompose& d) {
  const auto& op = d.op<Slice>();
  Term x{&d, d.in(0)};
  Slice plain;
  // A slice that the target does not take although nothing is odd about it.
  const bool is_plain =
      std::all_of(op.steps.begin(), op.steps.end(), [](int64_t step) { return step == 1; }) &&
      numbers(op.starts) && numbers(op.sizes);
  for (size_t i = 0; i < op.axes.size(); ++i) {
    auto known = numbers({op.starts[i], op.sizes[i]});
    if (known && op.steps[i] == 1 && !is_plain) {
      plain.axes.push_back(op.axes[i]);
      plain.starts.push_back(op.starts[i]);
      plain.sizes.push_back(op.sizes[i]);
      plain.steps.push_back(1);
      continue;
    }
    Term places;
    if (known && known->at(1) <= (1 << 16)) {
      std::vector<int64_t> values;
      for (int64_t k = 0; k < known->at(1); ++k) values.push_back(known->at(0) + k * op.steps[i]);
      places = {&d, d.integers(values)};
    } else {
      places = {&d, d.emit(Range{DType::i64, op.starts[i], op.sizes[i], op.steps[i]}, {})};
    }
    x = gather(x, places, op.axes[i]);
  }
  if (!plain.axes.empty()) x = apply(plain, {x});
  d.result(0, x.id);
}

Term i64_operand(Decompose& d, size_t i) { return cast({&d, d.in(i)}, DType::i64); }

Term filled(Decompose& d, size_t count, int64_t value) {
  return {&d, d.integers(std::vector<int64_t>(count, value))};
}

void decompose_dynamic_slice(Decompose& d) {
  const Dims dims = d.dims(0);
  const int64_t rank = static_cast<int64_t>(dims.size());
  const Constant* chosen = d.has(3) ? d.graph().constant(d.in(3)) : nullptr;
  Term starts = i64_operand(d, 1), ends = i64_operand(d, 2), steps;
  if (d.has(4)) steps = i64_operand(d, 4);
  std::vector<int64_t> axes;
  if (chosen) {
    axes = chosen->tensor().ints();
  } else if (d.has(3)) {
    // Numbers for all axes, those of the whole where nothing is said.
    Term at = from_front({&d, d.in(3)}, rank);
    auto spread = [&](Term whole, Term some) { return apply(ScatterElements{}, {whole, at, some}); };
    starts = spread(filled(d, dims.size(), 0), starts);
    ends = spread(sizes_term(d, dims), ends);
    if (steps.at) steps = spread(filled(d, dims.size(), 1), steps);
    for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  } else {
    const auto& length = d.type(1).dims;
    if (!length || length->size() != 1 || !(*length)[0].is_number())
      fail("the number of sliced axes is not known");
    for (int64_t axis = 0; axis < (*length)[0].number(); ++axis) axes.push_back(axis);
  }
  Dims lengths;
  for (int64_t& axis : axes) {
    axis = resolve_axis(axis, dims.size());
    lengths.push_back(dims[axis]);
  }
  if (!steps.at) steps = filled(d, axes.size(), 1);
  Term size = sizes_term(d, lengths), back = steps < 0;
  Term last = select(back, size - 1, size),
       least = select(back, filled(d, axes.size(), -1), number(d, DType::i64, 0));
  Term start = min(max(from_front(starts, size), 0), last),
       end = min(max(from_front(ends, size), least), last);
  Term x{&d, d.in(0)};
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t at = static_cast<int64_t>(i);
    Term places = apply(Range{}, {at_index(start, 0, at), at_index(end, 0, at), at_index(steps, 0, at)});
    x = gather(x, places, axes[i]);
  }
  d.result(0, x.id);
}

void decompose_split(Decompose& d) {
  const auto& op = d.op<Split>();
  Term x{&d, d.in(0)};
  if (!d.has(1)) {
    Dims sizes = op.sizes.empty() ? equal_parts(d.dims(0)[op.axis], d.node().outputs.size()) : op.sizes;
    Dim start(0);
    for (size_t k = 0; k < sizes.size(); ++k) {
      if (d.wants(k)) d.result(k, part(x, op.axis, start, sizes[k]).id);
      start = start + sizes[k];
    }
    return;
  }
  Term sizes = i64_operand(d, 1), start = filled(d, 1, 0), axis = filled(d, 1, op.axis);
  for (size_t k = 0; k < d.node().outputs.size(); ++k) {
    Term end = start + part(sizes, 0, static_cast<int64_t>(k));
    if (d.wants(k)) d.result(k, apply(DynamicSlice{}, {x, start, end, axis}).id);
    start = end;
  }
}

// Places of x for the places of the padded axis, in range.
Term reflected_places(PadMode mode, Term places, Term size) {
  switch (mode) {
    case PadMode::edge:
      return min(max(places, 0), size - 1);
    case PadMode::wrap:
      return remainder(places, size);
    case PadMode::reflect: {
      Term period = max(2 * (size - 1), 1), place = remainder(places, period);
      return min(place, period - place);
    }
    case PadMode::symmetric: {
      Term period = 2 * size, place = remainder(places, period);
      return min(place, period - 1 - place);
    }
    case PadMode::constant:
      break;
  }
  fail("a constant is repeated");
}

// Pads as a list i64[2 * rank].
Term pad_repeating(Decompose& d, PadMode mode, Term pads) {
  const Dims dims = d.dims(0);
  const int64_t rank = static_cast<int64_t>(dims.size());
  Term x{&d, d.in(0)};
  for (int64_t axis = 0; axis < rank; ++axis) {
    Term size = size_term(d, dims[axis]), start = 0 - at_index(pads, 0, axis);
    Term end = size + at_index(pads, 0, rank + axis);
    Term places = apply(Range{}, {start, end, number(d, DType::i64, 1)});
    x = gather(x, reflected_places(mode, places, size), axis);
  }
  return x;
}

// `value` filling x's shape with another size along the axis; size is i64[1].
Term filling(Term x, int64_t axis, int64_t rank, Term size, Term value) {
  Term shape = apply(ShapeOf{}, {x});
  std::vector<Term> parts;
  if (axis > 0) parts.push_back(part(shape, 0, 0, axis));
  parts.push_back(size);
  if (axis + 1 < rank) parts.push_back(part(shape, 0, axis + 1, rank - axis - 1));
  return apply(Expand{}, {value, parts.size() == 1 ? parts[0] : concat(parts, 0)});
}

Term pad_value(Decompose& d) {
  if (d.has(1)) return {&d, d.in(1)};
  if (d.dtype(0) == DType::string) return {&d, d.constant(constant_strings({}, {""}))};
  return number(d, d.dtype(0), 0);
}

Term pad_constant(Decompose& d, Term pads) {
  const Dims dims = d.dims(0);
  const int64_t rank = static_cast<int64_t>(dims.size());
  Term value = pad_value(d), crop = max(0 - pads, 0), grow = max(pads, 0);
  Term end = sizes_term(d, dims) - part(crop, 0, rank, rank);
  Term x = apply(DynamicSlice{}, {{&d, d.in(0)}, part(crop, 0, 0, rank), max(end, 0)});
  for (int64_t axis = 0; axis < rank; ++axis) {
    Term low = filling(x, axis, rank, part(grow, 0, axis), value);
    Term high = filling(x, axis, rank, part(grow, 0, rank + axis), value);
    x = concat({low, x, high}, axis);
  }
  return x;
}

// Pads whose signs are known: slices and constant blocks.
Term pad_with_blocks(Decompose& d, const Pad& op) {
  Dims dims = d.dims(0);
  Term x{&d, d.in(0)}, value = pad_value(d);
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
  if (!crop.axes.empty()) x = apply(crop, {x});
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    std::vector<Term> parts;
    auto block = [&](const Dim& size) {
      if (size.is_number(0)) return;
      Dims shape = dims;
      shape[axis] = size;
      parts.push_back(expand(value, shape));
    };
    Dim low = max(op.low[axis], 0), high = max(op.high[axis], 0);
    block(low);
    parts.push_back(x);
    block(high);
    dims[axis] = dims[axis] + low + high;
    if (parts.size() > 1) x = concat(parts, static_cast<int64_t>(axis));
  }
  return x;
}

constexpr int64_t most_places = 1 << 20;

void decompose_pad(Decompose& d) {
  const auto& op = d.op<Pad>();
  const Dims dims = d.dims(0);
  const int64_t rank = static_cast<int64_t>(dims.size());
  if (d.has(3)) {
    Term axes = from_front({&d, d.in(3)}, rank);
    Term ends = axes + static_cast<double>(rank), none = filled(d, 2 * dims.size(), 0);
    Term pads = apply(ScatterElements{}, {none, concat({axes, ends}, 0), i64_operand(d, 2)});
    return d.result(0, d.emit(Pad{{}, {}, op.mode}, {d.in(0), d.has(1) ? d.in(1) : absent, pads.id}));
  }
  const bool constant = op.mode == PadMode::constant;
  auto computed = [&](Term pads) {
    return constant ? pad_constant(d, pads) : pad_repeating(d, op.mode, pads);
  };
  if (d.has(2)) return d.result(0, computed(i64_operand(d, 2)).id);
  Dims both = op.low;
  both.insert(both.end(), op.high.begin(), op.high.end());
  bool signs = true;
  for (const Dim& pad : both) signs = signs && (pad.at_least(0) || (Dim(0) - pad).at_least(0));
  if (constant && signs) return d.result(0, pad_with_blocks(d, op).id);
  if (constant || !numbers(both) || !numbers(dims)) return d.result(0, computed(sizes_term(d, both)).id);
  Term x{&d, d.in(0)};
  for (int64_t axis = 0; axis < rank; ++axis) {
    int64_t low = op.low[axis].number(), high = op.high[axis].number(), size = dims[axis].number();
    if (low == 0 && high == 0) continue;
    if (low > most_places || high > most_places || size > most_places)
      fail("an axis of {} elements, padded with {} and {}, is too long to be written down place by place",
           size, low, high);
    std::vector<int64_t> places;
    for (int64_t i = -low; i < size + high; ++i) places.push_back(padded_place(op.mode, i, size));
    x = gather(x, {&d, d.integers(places)}, axis);
  }
  d.result(0, x.id);
}

void decompose_center_crop_pad(Decompose& d) {
  const Dims dims = d.dims(0);
  std::vector<int64_t> axes = d.op<CenterCropPad>().axes;
  if (axes.empty())
    for (size_t axis = 0; axis < dims.size(); ++axis) axes.push_back(axis);
  Dims sizes;
  std::vector<int64_t> place(dims.size(), -1);
  for (size_t i = 0; i < axes.size(); ++i) {
    int64_t axis = resolve_axis(axes[i], dims.size());
    sizes.push_back(dims[axis]);
    place[axis] = static_cast<int64_t>(i);
  }
  Term more = i64_operand(d, 1) - sizes_term(d, sizes);
  Term low = max(more, 0) / 2 - max(0 - more, 0) / 2, high = more - low;
  Term none = filled(d, 1, 0);
  std::vector<Term> pads;
  for (Term side : {low, high})
    for (int64_t i : place) pads.push_back(i < 0 ? none : part(side, 0, i));
  d.result(0, d.emit(Pad{}, {d.in(0), absent, concat(pads, 0).id}));
}

// Steps of all batch entries as one list, picked in the new order.
void decompose_reverse_sequence(Decompose& d) {
  const auto& op = d.op<ReverseSequence>();
  const Dims dims = d.dims(0);
  int64_t rank = static_cast<int64_t>(dims.size());
  int64_t time = resolve_axis(op.time_axis, rank), batch = resolve_axis(op.batch_axis, rank);
  std::vector<int64_t> to{batch, time}, back(rank);
  for (int64_t axis = 0; axis < rank; ++axis)
    if (axis != time && axis != batch) to.push_back(axis);
  for (int64_t i = 0; i < rank; ++i) back[to[i]] = i;
  if (batch > 1 || time > 1) {
    // For targets that only know them as the first two.
    Term moved = transpose({&d, d.in(0)}, to);
    return d.result(0, transpose(apply(ReverseSequence{1, 0}, {moved, {&d, d.in(1)}}), back).id);
  }
  Dims flat{dims[batch] * dims[time]}, entries{dims[batch], 1};
  for (int64_t i = 2; i < rank; ++i) flat.push_back(dims[to[i]]);
  Term steps = counting(d, dims[time]), lengths = reshape(i64_operand(d, 1), entries);
  Term place = select(steps < lengths, lengths - 1 - steps, steps);
  Term starts = reshape(counting(d, dims[batch]), entries) * size_term(d, dims[time]);
  bool moves = batch != 0 || time != 1;
  Term x{&d, d.in(0)};
  if (moves) x = transpose(x, to);
  x = gather(reshape(x, flat), starts + place, 0);
  d.result(0, (moves ? transpose(x, back) : x).id);
}

// The axes of blocks apart, in another order, and joined again.
template <class T>
void decompose_blocks(Decompose& d) {
  const Dims to = *d.result_type().dims;
  const BlockMove move = block_move(d.op<T>(), d.dims(0), to);
  d.result(0, reshape(transpose(reshape({&d, d.in(0)}, move.apart), move.perm), to).id);
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
