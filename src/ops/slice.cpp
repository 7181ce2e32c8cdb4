#include "ops/slice.h"

#include <algorithm>

#include "ir/infer.h"
#include "ops/shape.h"

namespace remodel {
namespace {

// Where the axis of a grid goes: every axis but one stays; none can be told.
Infer::MovedAxis unless(int64_t changed) {
  return [changed](int64_t axis) { return axis == changed ? std::nullopt : std::optional(axis); };
}
std::optional<int64_t> nowhere(int64_t) { return std::nullopt; }

// Nobody has an axis that long, so a bound beyond it is the end of the axis.
constexpr int64_t beyond = INT32_MAX;

Dim within_reach(const Dim& bound) {
  return bound.is_number() ? Dim(std::clamp(bound.number(), -beyond, beyond)) : bound;
}

bool surely_negative(const Dim& dim) { return (Dim(-1) - dim).at_least(0); }

Span resolve_numbers(int64_t length, int64_t start, int64_t end, int64_t step) {
  if (length == 0) return {0, 0};
  int64_t last = step > 0 ? length : length - 1, least = step > 0 ? 0 : -1;
  start = std::clamp<int64_t>(start < 0 ? start + length : start, 0, last);
  end = std::clamp<int64_t>(end < 0 ? end + length : end, least, last);
  if (step > 0) return {start, start < end ? (end - start - 1) / step + 1 : 0};
  int64_t back = -std::max(step, -INT64_MAX);
  return {start, start > end ? (start - end - 1) / back + 1 : 0};
}

Span resolve_forward(const Dim& length, const Dim& start, const Dim& end, int64_t step) {
  auto count = [step](const Dim& span) { return ceil_div(span, step); };
  bool to_end = end.is_number() && end.number() >= beyond;
  bool end_far = surely_negative(end);
  if (start.is_number() && start.number() <= -beyond) return resolve_forward(length, 0, end, step);
  if ((start.is_number() && start.number() >= beyond) || (end.is_number() && end.number() <= -beyond))
    return {0, 0};
  // The least of what each bound leaves, where the bounds are start or length + start, end or length + end.
  if (!surely_negative(start)) {
    Dim size = to_end    ? count(length - start)
               : end_far ? count(length + end - start)
                         : min(count(end - start), count(length - start));
    return {start, max(0, size)};
  }
  Dim size = to_end    ? min(count(Dim(0) - start), count(length))
             : end_far ? min(count(end - start), count(length + end))
                       : min(min(count(end - length - start), count(Dim(0) - start)),
                             min(count(end), count(length)));
  return {max(length + start, 0), max(0, size)};
}

Span resolve_backward(const Dim& length, const Dim& start, const Dim& end, int64_t step) {
  Dim back = Dim(0) - Dim(step);
  bool from_end = start.is_number() && (start.number() >= beyond || start.number() == -1);
  Dim first = from_end                 ? length - Dim(1)
              : surely_negative(start) ? max(length + start, 0)
                                       : min(start, length - Dim(1));
  bool to_start = end.is_number() && end.number() <= -beyond;
  Dim stop = to_start ? Dim(-1) : surely_negative(end) ? max(length + end, -1) : min(end, length - Dim(1));
  Dim size = max(0, ceil_div(first - stop, back));
  return {first, from_end ? size : min(size, ceil_div(length, back))};
}

}  // namespace

std::optional<Span> resolve_slice(const Dim& length, const Dim& from, const Dim& to, int64_t step) {
  if (step == 0) fail("a slice has step 0");
  if (length.is_number() && from.is_number() && to.is_number())
    return resolve_numbers(length.number(), from.number(), to.number(), step);
  const Dim start = within_reach(from), end = within_reach(to);
  for (const Dim* bound : {&start, &end})
    if (!bound->at_least(0) && !surely_negative(*bound)) return std::nullopt;
  if (step > 0) return resolve_forward(length, start, end, std::min(step, beyond));
  if (step <= -beyond) return std::nullopt;
  return resolve_backward(length, start, end, step);
}

Dims equal_parts(const Dim& length, int64_t parts) {
  if (parts < 1) fail("a split into {} parts", parts);
  Dim part = ceil_div(length, parts), last = length - part * Dim(parts - 1);
  if (last.is_number() && last.number() < 0) fail("{} cannot be split into {} parts", length.text(), parts);
  Dims sizes(parts - 1, part);
  sizes.push_back(last);
  return sizes;
}

void Concat::infer(Infer& in) const {
  if (in.count() == 0) fail("nothing to join");
  const Dims* known = nullptr;
  for (size_t i = 0; i < in.count(); ++i) {
    in.need_same_dtype(0, i);
    if (!known) known = in.dims(i);
    if (known && in.dims(i) && in.dims(i)->size() != known->size())
      fail("operand {} has another rank: {}", i, in.in(i).text());
  }
  DType dtype = DType::unknown;
  for (size_t i = 0; i < in.count() && dtype == DType::unknown; ++i) dtype = in.dtype(i);
  if (!known) return in.out(0, dtype, std::nullopt);
  int64_t at = resolve_axis(axis, known->size());
  Dims to = *known;
  bool whole = true;
  to[at] = 0;
  for (size_t i = 0; i < in.count(); ++i) {
    if (!in.dims(i)) {
      whole = false;
      continue;
    }
    const Dims& from = *in.dims(i);
    for (size_t k = 0; k < from.size(); ++k) {
      if (static_cast<int64_t>(k) == at) {
        to[k] = to[k] + from[k];
      } else if (from[k].is_number()) {
        if (to[k].is_number() && !(to[k] == from[k]))
          fail("operand {} has another size along axis {}: {}", i, k, in.in(i).text());
        to[k] = from[k];
      }
    }
  }
  if (!whole) to[at] = in.fresh(0, at);
  in.out(0, dtype, to);
  bool one_grid = true;
  for (size_t i = 1; i < in.count(); ++i) one_grid = one_grid && same_grid(in.in(0), in.in(i));
  if (one_grid) in.keep_grid(0, 0, unless(at));
  auto sizes = numbers(to);
  if (!whole || !sizes) return;
  Content joined;
  int64_t outer = 1;
  for (int64_t k = 0; k < at; ++k) outer *= std::min<int64_t>((*sizes)[k], 2048);
  std::vector<Content> parts;
  for (size_t i = 0; i < in.count(); ++i) {
    auto content = in.content(i, SIZE_MAX);
    if (!content || outer > 1024) return;
    parts.push_back(*content);
  }
  for (int64_t o = 0; o < outer; ++o)
    for (const Content& part : parts) {
      size_t run = part.size() / outer;
      joined.insert(joined.end(), part.begin() + o * run, part.begin() + (o + 1) * run);
    }
  in.content_out(joined);
}

void Split::infer(Infer& in) const {
  in.need_count(1, 2);
  const Dims* from = in.dims(0);
  auto known = in.sizes_or(1, sizes);
  if (!from) {
    for (size_t k = 0; k < in.outputs(); ++k) in.out(k, in.dtype(0), std::nullopt);
    return;
  }
  int64_t at = resolve_axis(axis, from->size());
  if (known && known->empty() && !in.has(1)) known = equal_parts((*from)[at], in.outputs());
  if (known) {
    if (known->size() != in.outputs()) fail("{} sizes for {} parts", known->size(), in.outputs());
    check_sizes(*known);
    Dim sum(0);
    for (const Dim& size : *known) sum = sum + size;
    if (sum.is_number() && (*from)[at].is_number() && !(sum == (*from)[at]))
      fail("parts of sizes {} are not all of axis {} of {}", text_of(*known), at, in.in(0).text());
  }
  Dim place(0);
  for (size_t k = 0; k < in.outputs(); ++k) {
    Dims to = *from;
    to[at] = known ? (*known)[k] : in.fresh(k, at);
    in.out(k, in.dtype(0), to);
    in.keep_grid(k, 0, unless(at));
    auto part = numbers(to), all = numbers(*from);
    if (part && all && place.is_number() && in.content(0, SIZE_MAX)) {
      Shape strides = strides_of(*all);
      content_view_out(in, k, place.number() * strides[at], strides, *part);
    }
    place = place + to[at];
  }
}

void Slice::infer(Infer& in) const {
  in.need_count(1, 1);
  size_t count = axes.size();
  if (starts.size() != count || sizes.size() != count || steps.size() != count)
    fail("{} axes, {} starts, {} sizes, {} steps", count, starts.size(), sizes.size(), steps.size());
  check_sizes(sizes);
  const Dims* from = in.dims(0);
  if (!from) return in.out(0, in.dtype(0), std::nullopt);
  sorted_axes(axes, from->size());
  Dims to = *from;
  for (size_t i = 0; i < count; ++i) {
    int64_t axis = resolve_axis(axes[i], from->size());
    const Dim& length = (*from)[axis];
    to[axis] = sizes[i];
    if (!length.is_number() || !starts[i].is_number() || !sizes[i].is_number() || sizes[i].is_number(0))
      continue;
    Dim first = starts[i], last = first + (sizes[i] - Dim(1)) * Dim(steps[i]);
    if (std::min(first.number(), last.number()) < 0 ||
        std::max(first.number(), last.number()) >= length.number())
      fail("elements {} to {} are not all in axis {} of {}", first.number(), last.number(), axis,
           in.in(0).text());
  }
  in.out(0, in.dtype(0), to);
  in.keep_grid(0, 0, [&](int64_t axis) -> std::optional<int64_t> {
    for (int64_t cut : axes)
      if (resolve_axis(cut, from->size()) == axis) return std::nullopt;
    return axis;
  });
  auto all = numbers(*from), part = numbers(to), first = numbers(starts);
  if (!all || !part || !first || !in.content(0, SIZE_MAX)) return;
  Shape strides = strides_of(*all);
  int64_t offset = 0;
  if (count_of(*part) == 0) return in.content_out({});
  for (size_t i = 0; i < count; ++i) {
    int64_t axis = resolve_axis(axes[i], from->size());
    offset += (*first)[i] * strides[axis];
    strides[axis] = (*part)[axis] > 1 ? strides[axis] * steps[i] : 0;
  }
  content_view_out(in, 0, offset, strides, *part);
}

void DynamicSlice::infer(Infer& in) const {
  in.need_count(3, 5);
  const Dims* from = in.dims(0);
  if (!from) return in.out(0, in.dtype(0), std::nullopt);
  auto starts = in.sizes(1), ends = in.sizes(2), steps = in.sizes(4);
  std::optional<std::vector<int64_t>> axes;
  if (in.has(3)) {
    if (auto known = in.sizes(3)) axes = numbers(*known);
  } else if (const Dims* length = in.dims(1); length && length->size() == 1 && (*length)[0].is_number()) {
    if ((*length)[0].number() > in.rank(0)) fail("{} slices of {}", (*length)[0].number(), in.in(0).text());
    axes.emplace();
    for (int64_t axis = 0; axis < (*length)[0].number(); ++axis) axes->push_back(axis);
  }
  if (!axes) return in.out(0, in.dtype(0), in.fresh_dims(0, from->size()));
  sorted_axes(*axes, from->size());
  Dims to = *from;
  for (size_t i = 0; i < axes->size(); ++i) {
    int64_t axis = resolve_axis((*axes)[i], from->size());
    std::optional<Span> span;
    bool one = !in.has(4) || (steps && i < steps->size() && (*steps)[i].is_number());
    if (starts && ends && one && i < starts->size() && i < ends->size())
      span = resolve_slice((*from)[axis], (*starts)[i], (*ends)[i], in.has(4) ? (*steps)[i].number() : 1);
    to[axis] = span ? span->size : in.fresh(0, axis);
  }
  in.out(0, in.dtype(0), to);
  in.keep_grid(0, 0, nowhere);
}

Pad resolve_pads(PadMode mode, const Dims& pads, const std::vector<int64_t>& axes, int64_t rank) {
  if (pads.size() != 2 * axes.size()) fail("{} pads for {} axes", pads.size(), axes.size());
  Pad op{Dims(rank, 0), Dims(rank, 0), mode};
  sorted_axes(axes, rank);
  for (size_t i = 0; i < axes.size(); ++i) {
    int64_t axis = resolve_axis(axes[i], rank);
    op.low[axis] = pads[i];
    op.high[axis] = pads[axes.size() + i];
  }
  return op;
}

int64_t padded_place(PadMode mode, int64_t place, int64_t size) {
  if (place >= 0 && place < size) return place;
  if (mode == PadMode::edge || size == 1) return place < 0 ? 0 : size - 1;
  int64_t period = mode == PadMode::wrap ? size : mode == PadMode::symmetric ? 2 * size : 2 * size - 2;
  place %= period;
  if (place < 0) place += period;
  if (place < size) return place;
  return mode == PadMode::symmetric ? period - 1 - place : period - place;
}

Span center_pads(const Dim& from, const Dim& to) {
  Dim low = floor_div(max(to - from, 0), 2) - floor_div(max(from - to, 0), 2);
  return {low, to - from - low};
}

void Pad::infer(Infer& in) const {
  in.need_count(1, 4);
  if (in.has(1)) in.need_same_dtype(0, 1);
  const Dims* from = in.dims(0);
  if (!from) return in.out(0, in.dtype(0), std::nullopt);
  Pad known = *this;
  if (in.has(2)) {
    std::vector<int64_t> axes;
    for (int64_t axis = 0; axis < in.rank(0); ++axis) axes.push_back(axis);
    auto pads = in.sizes(2), chosen = in.sizes(3);
    if (!pads || (in.has(3) && (!chosen || !numbers(*chosen)))) {
      Dims to = in.fresh_dims(0, from->size());
      for (int64_t axis : axes)
        if (chosen && numbers(*chosen) &&
            !std::ranges::count(sorted_axes(*numbers(*chosen), in.rank(0)), axis))
          to[axis] = (*from)[axis];
      return in.out(0, in.dtype(0), to);
    }
    known = resolve_pads(mode, *pads, in.has(3) ? *numbers(*chosen) : axes, in.rank(0));
  }
  if (known.low.size() != from->size() || known.high.size() != from->size())
    fail("{} and {} pads for {}", known.low.size(), known.high.size(), in.in(0).text());
  Dims to;
  for (size_t axis = 0; axis < from->size(); ++axis) {
    to.push_back((*from)[axis] + known.low[axis] + known.high[axis]);
    if (to.back().is_number() && to.back().number() < 0)
      fail("pads {} and {} take more than axis {} of {} has", known.low[axis].text(), known.high[axis].text(),
           axis, in.in(0).text());
  }
  in.out(0, in.dtype(0), to);
  in.keep_grid(0, 0, [&](int64_t axis) -> std::optional<int64_t> {
    bool whole = known.low[axis].is_number(0) && known.high[axis].is_number(0);
    return whole ? std::optional(axis) : std::nullopt;
  });
}

void CenterCropPad::infer(Infer& in) const {
  in.need_count(2, 2);
  const Dims* from = in.dims(0);
  if (!from) return in.out(0, in.dtype(0), std::nullopt);
  auto sizes = in.sizes(1);
  std::vector<int64_t> chosen = axes;
  if (chosen.empty())
    for (int64_t axis = 0; axis < in.rank(0); ++axis) chosen.push_back(axis);
  if (sizes && sizes->size() != chosen.size()) fail("{} sizes for {} axes", sizes->size(), chosen.size());
  if (sizes) check_sizes(*sizes);
  sorted_axes(chosen, from->size());
  Dims to = *from;
  for (size_t i = 0; i < chosen.size(); ++i) {
    int64_t axis = resolve_axis(chosen[i], from->size());
    to[axis] = sizes ? (*sizes)[i] : in.fresh(0, axis);
  }
  in.out(0, in.dtype(0), to);
}

void ReverseSequence::infer(Infer& in) const {
  in.need_count(2, 2);
  in.need_rank(1, 1);
  in.need_dtype(1, is_integer, "integers");
  if (in.axis(0, time_axis) == in.axis(0, batch_axis)) fail("time and batch are the same axis");
  in.same_as(0);
  in.keep_grid(0, 0, unless(in.axis(0, time_axis)));
}

namespace {
void check_block(int64_t block) {
  if (block < 1 || block > (1 << 20)) fail("blocks of size {}", block);
}
// A size that must be a multiple of the block, divided.
Dim divided(const Dim& size, int64_t by) {
  if (size.is_number() && size.number() % by != 0) fail("{} is no multiple of {}", size.number(), by);
  return floor_div(size, by);
}
}  // namespace

void SpaceToDepth::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_rank(0, 4);
  check_block(block);
  if (!in.dims(0)) return in.out(0, in.dtype(0), in.fresh_dims(0, 4));
  Dims to = *in.dims(0);
  size_t deep = channels == Channels::first ? 1 : 3, rows = channels == Channels::first ? 2 : 1;
  to[deep] = to[deep] * Dim(block * block);
  to[rows] = divided(to[rows], block);
  to[rows + 1] = divided(to[rows + 1], block);
  in.out(0, in.dtype(0), to);
  in.keep_grid(0, 0, nowhere);
}

void DepthToSpace::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_rank(0, 4);
  check_block(block);
  if (!in.dims(0)) return in.out(0, in.dtype(0), in.fresh_dims(0, 4));
  Dims to = *in.dims(0);
  size_t deep = channels == Channels::first ? 1 : 3, rows = channels == Channels::first ? 2 : 1;
  to[deep] = divided(to[deep], block * block);
  to[rows] = to[rows] * Dim(block);
  to[rows + 1] = to[rows + 1] * Dim(block);
  in.out(0, in.dtype(0), to);
  in.keep_grid(0, 0, nowhere);
}

}  // namespace remodel
