#include "ops/conv.h"

#include <algorithm>

#include "ops/binary.h"
#include "ops/gather.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "passes/decompose/bodies.h"
#include "passes/decompose/spatial.h"

namespace remodel {
namespace {

// Every window's elements side by side, times the weights, in 32 bits.
void integer_conv(Decompose& d) {
  const auto& op = d.op<Conv>();
  const Dims x = d.dims(0), w = d.dims(1);
  auto window = numbers(Dims(w.begin() + 2, w.end())), spatial = numbers(Dims(x.begin() + 2, x.end()));
  auto channels = exact_div(x[1], op.groups), results = exact_div(w[0], op.groups);
  if (!window || !spatial || !channels || !results || !numbers(op.pads_low) || !numbers(op.pads_high))
    fail("the sizes of a convolution of integers are not known");
  const int64_t rank = static_cast<int64_t>(window->size());
  auto exact = [&](size_t i) {
    Term value = cast({&d, d.in(i)}, DType::i32);
    if (!d.has(i + 3)) return value;
    Term zero = cast({&d, d.in(i + 3)}, DType::i32);
    if (i == 1 && d.type(4).has_rank(1)) zero = {&d, along_channels(d, zero.id, window->size() + 1)};
    return value - zero;
  };
  Term seen{&d, padded(d, exact(0).id, op)};
  Dims apart{x[0], Dim(op.groups), *channels}, whole{x[0], w[0]};
  std::vector<int64_t> perm{0, 1, 2};
  for (size_t i = 0; i < window->size(); ++i) {
    const int64_t count = window_count(op, i, (*spatial)[i], (*window)[i]).number();
    std::vector<int64_t> places;
    for (int64_t t = 0; t < (*window)[i]; ++t)
      for (int64_t o = 0; o < count; ++o) places.push_back(o * op.strides[i] + t * op.dilations[i]);
    seen = gather(seen, {&d, d.integers(places)}, static_cast<int64_t>(i) + 2);
    apart.insert(apart.end(), {Dim((*window)[i]), Dim(count)});
    whole.push_back(count);
    perm.push_back(3 + 2 * static_cast<int64_t>(i));
  }
  for (int64_t i = 0; i < rank; ++i) perm.push_back(4 + 2 * i);
  const Dim depth = *channels * Dim(count_of(*window)),
            points = product(Dims(whole.begin() + 2, whole.end()));
  seen = reshape(transpose(reshape(seen, apart), perm), {x[0], Dim(op.groups), depth, points});
  Term weights = reshape(exact(1), {Dim(op.groups), *results, depth});
  d.result(0, reshape(product(weights, seen), whole).id);
}

// Each group's channels by themselves.
template <class T>
void group_by_group(Decompose& d, T op) {
  const size_t axis = channel_axis(op.channels, op.strides.size() + 2);
  const Dims x = d.dims(0), w = d.dims(1);
  const auto taken = exact_div(x[axis], op.groups), given = exact_div(w[0], op.groups);
  if (!taken || !given) fail("the channels of a group are not known");
  std::vector<Term> parts;
  const int64_t groups = op.groups;
  op.groups = 1;
  for (int64_t g = 0; g < groups; ++g) {
    std::vector<ValueId> operands{part({&d, d.in(0)}, static_cast<int64_t>(axis), Dim(g) * *taken, *taken).id,
                                  part({&d, d.in(1)}, 0, Dim(g) * *given, *given).id};
    if (d.has(2)) operands.push_back(part({&d, d.in(2)}, 0, Dim(g) * *given, *given).id);
    parts.push_back({&d, d.emit(op, operands)});
  }
  d.result(0, concat(parts, static_cast<int64_t>(axis)).id);
}

// A dilated window has zeros between its elements.
Term spread_weights(Term w, const std::vector<int64_t>& dilations) {
  for (size_t i = 0; i < dilations.size(); ++i) {
    if (dilations[i] == 1) continue;
    const auto axis = static_cast<int64_t>(i) + 2;
    Dims dims = dims_of(w);
    const Dim size = dims[static_cast<size_t>(axis)];
    Pad zeros;
    zeros.low.assign(dims.size() + 1, Dim(0));
    zeros.high = zeros.low;
    zeros.high[static_cast<size_t>(axis) + 1] = dilations[i] - 1;
    w = apply(zeros, {unsqueeze(w, {axis + 1})});
    dims[static_cast<size_t>(axis)] = size * Dim(dilations[i]);
    w = part(reshape(w, dims), axis, 0, (size - 1) * Dim(dilations[i]) + 1);
  }
  return w;
}

// Pads that no attribute says become elements.
void decompose_conv(Decompose& d) {
  Conv op = d.op<Conv>();
  if (op.channels == Channels::last) return with_channels_first(d, op);
  if (is_integer(d.dtype(0))) return integer_conv(d);
  if (no_pads(op)) {
    if (op.strides.size() == 1) return with_two_axes(d, op);
    if (op.groups > 1) return group_by_group(d, op);
    fail("this convolution cannot be taken apart");
  }
  std::vector<ValueId> operands = d.node().inputs;
  operands[0] = padded(d, operands[0], op);
  drop_pads(op);
  d.result(0, d.emit(op, operands));
}

// The whole result, of which pads are cut off; the bias comes last, because it reaches what they add too.
void decompose_conv_transpose(Decompose& d) {
  ConvTranspose op = d.op<ConvTranspose>();
  if (op.channels == Channels::last) return with_channels_first(d, op);
  if (no_pads(op)) {
    if (op.strides.size() == 1) return with_two_axes(d, op);
    if (std::any_of(op.dilations.begin(), op.dilations.end(),
                    [](int64_t dilation) { return dilation != 1; })) {
      std::vector<ValueId> operands = d.node().inputs;
      operands[1] = spread_weights({&d, operands[1]}, op.dilations).id;
      op.dilations.assign(op.dilations.size(), 1);
      return d.result(0, d.emit(op, operands));
    }
    if (op.groups > 1) return group_by_group(d, op);
    fail("this transposed convolution cannot be taken apart");
  }
  Sliding cut = op;
  for (Dims* pads : {&cut.pads_low, &cut.pads_high})
    for (Dim& pad : *pads) pad = Dim(0) - pad;
  drop_pads(op);
  ValueId y = padded(d, d.emit(op, {d.in(0), d.in(1)}), cut);
  if (d.has(2)) y = d.emit(Add{}, {y, along_channels(d, d.in(2), op.strides.size())});
  d.result(0, y);
}

// For sizes that are only known when the model runs: tap by tap, whose elements meet no place twice. What
// falls outside goes to a place behind the image.
void add_taps(Decompose& d) {
  const auto& op = d.op<Fold>();
  const size_t rank = op.strides.size();
  const DType dtype = d.dtype(0), i64 = DType::i64;
  const Dims x = d.dims(0);
  auto sizes_of = [&](size_t operand, const Dims& known) {
    return d.has(operand) ? cast({&d, d.in(operand)}, i64) : sizes_term(d, known);
  };
  const Term sizes = sizes_of(1, op.size), window = sizes_of(2, op.window), minus = {&d, d.integers({-1})};
  std::vector<Term> size, wide, count;
  Term taps = number(d, i64, 1), points = taps;
  for (size_t i = 0; i < rank; ++i) {
    size.push_back(at_index(sizes, 0, static_cast<int64_t>(i)));
    wide.push_back(at_index(window, 0, static_cast<int64_t>(i)));
    Term room = size[i] + size_term(d, op.pads_low[i] + op.pads_high[i]) -
                static_cast<double>(op.dilations[i]) * (wide[i] - 1) - 1;
    count.push_back(room / static_cast<double>(op.strides[i]) + 1);
    taps = taps * wide[i];
    points = points * size[i];
  }
  Term flat = concat({minus, unsqueeze(taps, {0}), sizes_term(d, {x[2]})}, 0);
  Term columns = apply(Reshape{}, {{&d, d.in(0)}, flat});  // [images, taps, windows]
  Term images = part(apply(ShapeOf{}, {columns}), 0, 0);
  Term none = apply(Expand{}, {number(d, dtype, 0), concat({images, unsqueeze(points + 1, {0})}, 0)});
  std::vector<Term> captured{columns, none, points};
  for (size_t i = 0; i < rank; ++i) {
    Term starts = static_cast<double>(op.strides[i]) * counting(count[i]) - size_term(d, op.pads_low[i]);
    captured.insert(captured.end(), {starts, size[i], wide[i]});
  }
  Term image = repeat(taps, {none}, captured, [&](Emitter& inside, const std::vector<Term>& at) {
    Term tap = at[0], sum = at[1], slice = gather(at[2], tap, 1), behind = at[4];
    Term place, seen;
    for (size_t i = 0; i < rank; ++i) {
      Term starts = at[5 + 3 * i], length = at[6 + 3 * i], inner = number(inside, i64, 1);
      for (size_t j = i + 1; j < rank; ++j) inner = inner * at[7 + 3 * j];
      Term moved = static_cast<double>(op.dilations[i]) * remainder(tap / inner, at[7 + 3 * i]);
      std::vector<int64_t> trailing;
      for (size_t j = i + 1; j < rank; ++j) trailing.push_back(static_cast<int64_t>(j - i));
      Term along = starts + moved;
      if (!trailing.empty()) along = unsqueeze(along, trailing);
      Term within = !(along < 0) && along < length;
      place = place.at ? place * length + along : along;
      seen = seen.at ? seen && within : within;
    }
    place = apply(Reshape{}, {select(seen, place, behind), Term{&inside, inside.integers({1, -1})}});
    place = apply(Expand{}, {place, apply(ShapeOf{}, {slice})});
    return std::vector<Term>{sum + apply(ScatterElements{1}, {at[3], place, slice})};
  })[0];
  image =
      apply(DynamicSlice{}, {image, {&d, d.integers({0})}, unsqueeze(points, {0}), {&d, d.integers({1})}});
  Term whole = concat({sizes_term(d, {x[0]}), minus, sizes}, 0);
  d.result(0, apply(Reshape{}, {image, whole}).id);
}

// A transposed convolution, one channel at a time, whose weights put each element of a window at its place.
void decompose_fold(Decompose& d) {
  const auto& op = d.op<Fold>();
  const Dims x = d.dims(0);
  Dims windows;
  const auto window = numbers(op.window);
  if (d.has(1) || d.has(2) || !window || !numbers(op.size) || !x[1].is_number()) return add_taps(d);
  int64_t taps = 1;
  for (size_t i = 0; i < window->size(); ++i) {
    taps *= (*window)[i];
    windows.push_back(window_count(op, i, op.size[i], (*window)[i]));
  }
  const int64_t channels = x[1].number() / taps;
  if (channels < 1 || taps > 1 << 16) fail("windows of {} elements", taps);
  ConvTranspose conv{op};
  conv.groups = channels;
  Shape shape{channels, taps};
  shape.insert(shape.end(), window->begin(), window->end());
  Tensor weights = Tensor::zeros(DType::f32, shape);
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t t = 0; t < taps; ++t) weights.to<float>()[(c * taps + t) * taps + t] = 1;
  for (size_t i = 0; i < window->size(); ++i) {
    // What the windows do not reach is left over at the end.
    Dim reach = (windows[i] - 1) * Dim(op.strides[i]) + window_reach((*window)[i], op.dilations[i]);
    conv.pads_high[i] = reach - op.pads_low[i] - op.size[i];
  }
  Dims image{x[0], x[1]};
  image.insert(image.end(), windows.begin(), windows.end());
  ValueId y = d.emit(Reshape{image, false}, {d.in(0)});
  d.result(0, d.emit(conv, {y, d.constant(constant_cast(constant_tensor(weights), d.dtype(0)))}));
}

}  // namespace

void conv_decompositions(Decompositions& table) {
  table.add<Conv>(decompose_conv);
  table.add<ConvTranspose>(decompose_conv_transpose);
  table.add<Fold>(decompose_fold);
}

}  // namespace remodel
