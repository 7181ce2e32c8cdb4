#include "ops/cast.h"
#include "ops/resize.h"
#include "passes/decompose/sample.h"

namespace remodel {
namespace {

using Kind = Reduce::Kind;

// One axis of a resize whose numbers are computed when the model runs. `real` is the type of places.
struct Axis {
  size_t at = 0;
  DType real = DType::f32;
  Term in, out, count;     // sizes: real, real, and i64[] of the result
  Term length;             // the size of the result before it is rounded down
  Term scale, start, end;  // start and end: of the crop
};

std::vector<Axis> axes_of(Decompose& d, const Resize& op) {
  const size_t n = op.axes.size();
  const Dims dims = d.dims(0);
  const DType real = d.dtype(0) == DType::f64 ? DType::f64 : DType::f32;
  const bool by_sizes = d.has(1) || !op.sizes.empty(), cropped = op.coordinates == Coordinates::crop;
  auto given = [&](size_t operand, size_t i) {
    return cast(at_index({&d, d.in(operand)}, 0, static_cast<int64_t>(i)), real);
  };
  std::vector<Axis> axes(n);
  std::vector<Term> wished;
  for (size_t i = 0; i < n; ++i) {
    Axis& axis = axes[i];
    axis.at = static_cast<size_t>(resolve_axis(op.axes[i], dims.size()));
    axis.real = real;
    axis.in = size_term(d, dims[axis.at], real);
    if (cropped) {
      axis.start = d.has(3) ? given(3, i) : number(d, real, op.crop[i]);
      axis.end = d.has(3) ? given(3, n + i) : number(d, real, op.crop[n + i]);
    }
    if (by_sizes) {
      wished.push_back(d.has(1) ? cast(at_index({&d, d.in(1)}, 0, static_cast<int64_t>(i)), DType::i64)
                                : size_term(d, op.sizes[i]));
      axis.count = wished.back();
      axis.scale = cast(wished.back(), real) / axis.in;
    } else {
      axis.scale = d.has(2) ? given(2, i) : number(d, real, op.scales[i]);
      Term spanned = cropped ? axis.in * (axis.end - axis.start) : axis.in;
      axis.length = spanned * axis.scale;
      axis.count = cast(floor(axis.length), DType::i64);
    }
  }
  if (by_sizes && op.aspect != Aspect::stretch) {
    const bool least = op.aspect == Aspect::not_larger;
    auto better = [&](Term a, Term b) { return select(least ? a < b : a > b, a, b); };
    Term common = axes[0].scale;
    for (size_t i = 1; i < n; ++i) common = better(common, axes[i].scale);
    for (size_t i = 0; i < n; ++i) {
      Term in = size_term(d, dims[axes[i].at]);
      for (size_t j = 0; j < n; ++j) {
        if (j == i) continue;
        // wished[j] / in[j] * in[i], rounded
        Term other = size_term(d, dims[axes[j].at]);
        axes[i].count = better(axes[i].count, (2 * wished[j] * in + other) / (2 * other));
      }
      axes[i].scale = common;
    }
  }
  for (Axis& axis : axes) {
    axis.out = cast(axis.count, real);
    if (by_sizes) axis.length = axis.out;
  }
  return axes;
}

// Where the elements of the result lie among those of the axis: [out].
Term places_of(const Resize& op, const Axis& axis) {
  Term x = counting(axis.count, axis.real);
  const Term one = number(*x.at, axis.real, 1), last = max(axis.out - 1, 1);
  Term centred = (x + 0.5) / axis.scale - 0.5;
  switch (op.coordinates) {
    case Coordinates::half_pixel:
      return centred;
    case Coordinates::half_pixel_symmetric:
      return axis.in / 2 * (1 - axis.out / (axis.scale * axis.in)) + centred;
    case Coordinates::half_pixel_or_zero:
      return select(axis.out > one, centred, number(*x.at, axis.real, 0));
    case Coordinates::half_pixel_unshifted:
      return (x + 0.5) / axis.scale;
    case Coordinates::align_corners:
      return select(axis.length == one, number(*x.at, axis.real, 0), x * (axis.in - 1) / (axis.length - 1));
    case Coordinates::asymmetric:
      return x / axis.scale;
    case Coordinates::crop:
      break;
  }
  Term spread = axis.start * (axis.in - 1) + x * (axis.end - axis.start) * (axis.in - 1) / last;
  return select(axis.out > one, spread, 0.5 * (axis.start + axis.end) * (axis.in - 1));
}

Term inside_axis(Term places, const Axis& axis) { return min(max(places, 0), axis.in - 1); }

Term nearest_elements(const Resize& op, Term places) {
  Term low = floor(places), rest = places - low;
  switch (op.nearest) {
    case NearestRounding::half_down:
      return select(rest > 0.5, low + 1, low);
    case NearestRounding::half_up:
      return select(rest < 0.5, low, low + 1);
    case NearestRounding::floor:
      return low;
    case NearestRounding::ceil:
      break;
  }
  return ceil(places);
}

// A few neighbours of each place, weighted.
Term neighbours_sum(const Resize& op, const Axis& axis, Term y, Term places) {
  const size_t trailing = dims_of(y).size() - axis.at - 1;
  if (op.mode == ResizeMode::linear && !op.exclude_outside) places = inside_axis(places, axis);
  std::vector<Tap> taps = taps_around(places, op.mode, op.cubic_a);
  Term total;
  if (op.exclude_outside)
    for (Tap& tap : taps) {
      Term outside = tap.place < 0 || tap.place > axis.in - 1;
      tap.weight = select(outside, number(*y.at, axis.real, 0), tap.weight);
      total = total.at ? total + tap.weight : tap.weight;
    }
  std::vector<int64_t> behind;
  for (size_t i = 0; i < trailing; ++i) behind.push_back(static_cast<int64_t>(i) + 1);
  Term sum;
  for (Tap& tap : taps) {
    Term weight = total.at ? tap.weight / total : tap.weight;
    if (!behind.empty()) weight = unsqueeze(weight, behind);
    Term index = cast(inside_axis(tap.place, axis), DType::i64);
    Term term = gather(y, index, static_cast<int64_t>(axis.at)) * weight;
    sum = sum.at ? sum + term : term;
  }
  return sum;
}

// All elements, and those before and behind that the ends stand for, times a matrix of weights.
Term widened_sum(const Resize& op, const Axis& axis, Term y, Term places) {
  Term narrow = min(axis.scale, 1);
  Term beyond = ceil((op.mode == ResizeMode::cubic ? 2.0 : 1.0) / narrow) + 1;
  Term steps = counting(cast(axis.in + 2 * beyond, DType::i64), axis.real) - beyond;
  Term distance = abs((unsqueeze(steps, {1}) - places) * narrow);
  Term weights = filter_at(distance, op.mode, op.cubic_a);
  Term index = inside_axis(steps, axis);
  if (op.exclude_outside) weights = weights * unsqueeze(cast(index == steps, axis.real), {1});
  weights = weights / reduce(Kind::sum, weights, {0}, true);
  const size_t rank = dims_of(y).size();
  std::vector<int64_t> swap;
  for (size_t i = 0; i < rank; ++i) swap.push_back(static_cast<int64_t>(i));
  std::swap(swap[axis.at], swap.back());
  const bool moves = axis.at + 1 != rank;
  y = gather(y, cast(index, DType::i64), static_cast<int64_t>(axis.at));
  if (moves) y = transpose(y, swap);
  y = product(y, weights);
  return moves ? transpose(y, swap) : y;
}

}  // namespace

void decompose_sized_resize(Decompose& d) {
  const auto& op = d.op<Resize>();
  const DType dtype = d.dtype(0);
  const size_t rank = d.dims(0).size();
  const bool nearest = op.mode == ResizeMode::nearest;
  const DType wide = nearest || dtype == DType::f64 ? dtype : DType::f32;
  Term y = cast({&d, d.in(0)}, wide);
  std::vector<std::pair<Term, size_t>> outside;
  for (const Axis& axis : axes_of(d, op)) {
    Term places = places_of(op, axis);
    if (op.coordinates == Coordinates::crop)
      outside.emplace_back(places < 0 || places > axis.in - 1, rank - axis.at - 1);
    if (nearest) {
      Term index = inside_axis(nearest_elements(op, places), axis);
      y = gather(y, cast(index, DType::i64), static_cast<int64_t>(axis.at));
    } else if (op.antialias) {
      y = widened_sum(op, axis, y, places);
    } else {
      y = neighbours_sum(op, axis, y, places);
    }
  }
  for (auto& [mask, trailing] : outside) {
    std::vector<int64_t> behind;
    for (size_t i = 0; i < trailing; ++i) behind.push_back(static_cast<int64_t>(i) + 1);
    if (!behind.empty()) mask = unsqueeze(mask, behind);
    y = select(mask, number(d, wide, op.extrapolation), y);
  }
  d.result(0, cast(y, dtype).id);
}

}  // namespace remodel
