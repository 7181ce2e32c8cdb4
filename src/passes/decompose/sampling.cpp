#include <algorithm>

#include "ops/conv.h"
#include "ops/matmul.h"
#include "ops/pool.h"
#include "ops/resize.h"
#include "ops/shape.h"
#include "ops/unary.h"
#include "passes/decompose/sample.h"
#include "passes/decompose/spatial.h"

namespace remodel {
namespace {

DType wide_of(DType dtype) { return dtype == DType::f64 ? DType::f64 : DType::f32; }

// x [batch, channels, spatial...] as [batch * points, channels].
Term rows_of(Term x, DType dtype) {
  const Dims dims = dims_of(x);
  std::vector<int64_t> perm{0};
  for (size_t i = 2; i < dims.size(); ++i) perm.push_back(static_cast<int64_t>(i));
  perm.push_back(1);
  Dims spatial(dims.begin() + 2, dims.end());
  return cast(reshape(transpose(x, perm), {dims[0] * product(spatial), dims[1]}), dtype);
}

// The number of each image's first row: [batch, 1].
Term first_rows(Emitter& at, const Dim& batch, const Dim& points) {
  return unsqueeze(counting(at, batch) * size_term(at, points), {1});
}

// Between the ends back and forth.
Term reflected(Term place, Term low, Term span) {
  Term over = abs(place - low), period = 2 * span;
  over = over - floor(over / period) * period;
  return select(span > 0, low + select(over > span, period - over, over), low);
}

std::vector<Tap> grid_taps(const GridSample& op, Term normal, Term size) {
  Term place = op.align_corners ? (normal + 1) / 2 * (size - 1) : ((normal + 1) * size - 1) / 2;
  if (op.mode == ResizeMode::nearest) place = apply(Round{}, {place});
  Emitter& at = *normal.at;
  place = select(apply(IsNan{}, {place}), number(at, size.dtype(), -1), place);
  Term low = number(at, size.dtype(), op.align_corners ? 0 : -0.5);
  Term span = op.align_corners ? size - 1 : size;
  // Cubic interpolation goes on beyond the border, where all neighbours are the same.
  if (op.padding == GridPadding::border && op.mode != ResizeMode::cubic) place = min(max(place, 0), size - 1);
  if (op.padding == GridPadding::reflection) place = reflected(place, low, span);
  place = min(max(place, -4), size + 4);
  std::vector<Tap> taps;
  if (op.mode == ResizeMode::nearest)
    taps = {{place, 0 * place + 1}};
  else
    taps = taps_around(place, op.mode, -0.75);
  for (Tap& tap : taps) {
    if (op.padding == GridPadding::zeros) {
      tap = zero_outside(tap, size);
      continue;
    }
    if (op.padding == GridPadding::reflection) tap.place = floor(reflected(tap.place, low, span));
    tap.place = min(max(tap.place, 0), size - 1);
  }
  return taps;
}

void decompose_grid_sample(Decompose& d) {
  const auto& op = d.op<GridSample>();
  const Dims x = d.dims(0), grid = d.dims(1);
  const DType dtype = d.dtype(0), wide = wide_of(dtype), real = wide_of(d.dtype(1));
  const Dims sizes(x.begin() + 2, x.end()), out(grid.begin() + 1, grid.end() - 1);
  const int64_t rank = static_cast<int64_t>(sizes.size());
  const Dim points = product(out);
  Term places = reshape(cast({&d, d.in(1)}, real), {x[0], points, Dim(rank)});
  std::vector<std::vector<Tap>> taps;
  for (int64_t axis = 0; axis < rank; ++axis) {
    Term normal = at_index(places, 2, rank - 1 - axis);
    taps.push_back(grid_taps(op, normal, size_term(d, sizes[static_cast<size_t>(axis)], real)));
    for (Tap& tap : taps.back()) tap.weight = cast(tap.weight, wide);
  }
  Term rows = rows_of({&d, d.in(0)}, wide);
  Term y = sampled_rows(rows, first_rows(d, x[0], product(sizes)), taps, sizes);
  Dims whole{x[0], x[1]};
  whole.insert(whole.end(), out.begin(), out.end());
  d.result(0, cast(reshape(transpose(y, {0, 2, 1}), whole), dtype).id);
}

// The places where a window's taps meet one axis, without offsets: [taps, points].
Term tap_places(Decompose& d, const Sliding& op, size_t axis, const Shape& window, const Dims& out,
                DType dtype) {
  std::vector<double> moved;
  int64_t taps = count_of(window), inner = 1;
  for (size_t i = axis + 1; i < window.size(); ++i) inner *= window[i];
  for (int64_t t = 0; t < taps; ++t)
    moved.push_back(static_cast<double>(t / inner % window[axis] * op.dilations[axis]));
  ConstantPtr constant = constant_tensor(Tensor::of<double>(DType::f64, {taps, 1}, moved));
  Term by_tap{&d, d.constant(constant_cast(constant, dtype))};
  Dims line(out.size(), Dim(1));
  line[axis] = out[axis];
  Term along = static_cast<double>(op.strides[axis]) * counting(d, out[axis], dtype) -
               size_term(d, op.pads_low[axis], dtype);
  return by_tap + reshape(expand(reshape(along, line), out), {Dim(1), product(out)});
}

// Columns of the elements that each window meets, times the weights.
void decompose_deform_conv(Decompose& d) {
  const auto& op = d.op<DeformConv>();
  const Dims x = d.dims(0), w = d.dims(1), offsets = d.dims(2);
  const DType dtype = d.dtype(0), real = wide_of(dtype);
  const Dims sizes(x.begin() + 2, x.end()), out(offsets.begin() + 2, offsets.end());
  auto window = numbers(Dims(w.begin() + 2, w.end()));
  auto shared = exact_div(x[1], op.offset_groups), grouped = exact_div(x[1], op.groups),
       results = exact_div(w[0], op.groups);
  if (!window || !shared || !grouped || !results) fail("the sizes of the weights are not known");
  const int64_t rank = static_cast<int64_t>(sizes.size());
  const Dim taps(count_of(*window)), points = product(out), groups(op.offset_groups), images = x[0] * groups,
                                     positions = taps * points;

  Term moved = reshape(cast({&d, d.in(2)}, real), {images, taps, Dim(rank), points});
  std::vector<std::vector<Tap>> around;
  for (int64_t axis = 0; axis < rank; ++axis) {
    const size_t i = static_cast<size_t>(axis);
    Term place = at_index(moved, 2, axis) + tap_places(d, op, i, *window, out, real);
    place = reshape(place, {images, positions});
    Term size = size_term(d, sizes[i], real);
    std::vector<Tap> found = taps_around(place, ResizeMode::linear, 0);
    for (Tap& tap : found) tap = zero_outside(tap, size);
    around.push_back(found);
  }
  Dims image{images, *shared};
  image.insert(image.end(), sizes.begin(), sizes.end());
  Term rows = rows_of(reshape({&d, d.in(0)}, image), real);
  Term seen = sampled_rows(rows, first_rows(d, images, product(sizes)), around, sizes);
  if (d.has(4)) seen = seen * reshape(cast({&d, d.in(4)}, real), {images, positions, Dim(1)});
  seen = transpose(reshape(seen, {images, taps, points, *shared}), {0, 3, 1, 2});
  seen = reshape(seen, {x[0], Dim(op.groups), *grouped * taps, points});
  Term weights = reshape(cast({&d, d.in(1)}, real), {Dim(op.groups), *results, *grouped * taps});
  Dims whole{x[0], w[0]};
  whole.insert(whole.end(), out.begin(), out.end());
  Term y = reshape(product(weights, seen), whole);
  if (d.has(3)) y = y + Term{&d, along_channels(d, cast({&d, d.in(3)}, real).id, out.size())};
  d.result(0, cast(y, dtype).id);
}

// The places of an image whose sizes are only known when the model runs, times theta.
void decompose_affine_grid(Decompose& d) {
  const auto& op = d.op<AffineGrid>();
  const Dims theta = d.dims(0);
  const auto& sizes = d.has(1) ? d.type(1).dims : std::nullopt;
  const bool counted = sizes && sizes->size() == 1 && (*sizes)[0].is_number();
  if (!theta[1].is_number() && !counted && d.has(1)) fail("the number of axes is not known");
  const int64_t rank = theta[1].is_number() ? theta[1].number()
                       : counted            ? (*sizes)[0].number() - 2
                                            : static_cast<int64_t>(op.size.size()) - 2;
  const DType dtype = d.dtype(0), real = wide_of(dtype);
  Term size = d.has(1) ? cast({&d, d.in(1)}, DType::i64) : sizes_term(d, op.size);
  Term spatial = part(size, 0, 2, rank), one{&d, d.integers({1})};
  std::vector<Term> coordinates;
  for (int64_t axis = rank; axis-- > 0;) {
    Term count = at_index(size, 0, axis + 2), n = cast(count, real);
    Term i = counting(count, real);
    Term place =
        op.align_corners ? select(n > 1, 2 * i / max(n - 1, 1) - 1, number(d, real, 0)) : (2 * i + 1) / n - 1;
    std::vector<int64_t> behind;
    for (int64_t a = axis + 1; a <= rank; ++a) behind.push_back(a - axis);
    coordinates.push_back(apply(Expand{}, {unsqueeze(place, behind), concat({spatial, one}, 0)}));
  }
  coordinates.push_back(apply(Expand{}, {number(d, real, 1), concat({spatial, one}, 0)}));
  Term places = apply(Reshape{}, {concat(coordinates, rank), Term{&d, d.integers({-1, rank + 1})}});
  MatMul product;
  product.transpose_b = true;
  Term y = apply(product, {places, cast({&d, d.in(0)}, real)});
  Term whole = concat({part(size, 0, 0), spatial, Term{&d, d.integers({rank})}}, 0);
  d.result(0, cast(apply(Reshape{}, {y, whole}), dtype).id);
}

// The taps along one axis of the samples of each roi, [rois, bins * samples].
std::vector<Tap> roi_taps(Term start, Term length, int64_t bins, int64_t samples, Term size) {
  std::vector<double> shares;
  for (int64_t i = 0; i < bins * samples; ++i)
    shares.push_back((static_cast<double>(i) + 0.5) / static_cast<double>(samples * bins));
  Emitter& at = *start.at;
  const ConstantPtr all = constant_tensor(Tensor::of<double>(DType::f64, {bins * samples}, shares));
  Term place = unsqueeze(start, {1}) +
               unsqueeze(length, {1}) * Term{&at, at.constant(constant_cast(all, start.dtype()))};
  Term nothing = number(at, start.dtype(), 0), last = size - 1;
  Term outside = place < -1 || place > size, inside = min(max(place, 0), last);
  Term low = floor(inside), rest = inside - low;
  return {{low, select(outside, nothing, 1 - rest)}, {min(low + 1, last), select(outside, nothing, rest)}};
}

// Bins and samples of both axes as one list of points: (row of bins, column, row of samples, column).
Term at_all_points(Term along, bool rows, const RoiAlign& op) {
  const Dims whole{dims_of(along)[0], op.height, op.width, op.samples, op.samples};
  Dims line = whole;
  line[rows ? 2 : 1] = line[rows ? 4 : 3] = 1;
  return reshape(expand(reshape(along, line), whole),
                 {whole[0], product(Dims(whole.begin() + 1, whole.end()))});
}

void decompose_roi_align(Decompose& d) {
  const auto& op = d.op<RoiAlign>();
  if (op.samples == 0) fail("the number of a bin's samples is only known when the model runs");
  constexpr int64_t most_places = 1 << 12;  // along an axis
  if (op.samples > most_places / std::max<int64_t>({op.height, op.width, 1}))
    fail("{} samples in each of {} x {} bins", op.samples, op.height, op.width);
  const Dims x = d.dims(0);
  const Dim count = d.dims(1)[0], bins(op.height * op.width), samples(op.samples * op.samples);
  const DType dtype = d.dtype(0), real = wide_of(dtype);
  const bool corners = op.places == RoiPlaces::corners;
  Term rois = op.scale * cast({&d, d.in(1)}, real);
  if (!corners) rois = rois - 0.5;
  const Dims sizes{x[2], x[3]};
  std::vector<std::vector<Tap>> taps;
  for (const bool rows : {true, false}) {
    Term start = at_index(rois, 1, rows ? 1 : 0), length = at_index(rois, 1, rows ? 3 : 2) - start;
    if (corners) length = max(length, 1);
    std::vector<Tap> along = roi_taps(start, length, rows ? op.height : op.width, op.samples,
                                      size_term(d, sizes[rows ? 0 : 1], real));
    for (Tap& tap : along) tap = {at_all_points(tap.place, rows, op), at_all_points(tap.weight, rows, op)};
    taps.push_back(std::move(along));
  }
  Term first = unsqueeze(cast({&d, d.in(2)}, DType::i64) * size_term(d, product(sizes)), {1});
  const bool largest = op.mode == RoiMode::max;
  Term y = sampled_rows(rows_of({&d, d.in(0)}, real), first, taps, sizes, largest);
  y = reduce(largest ? Reduce::Kind::max : Reduce::Kind::mean, reshape(y, {count, bins, samples, x[1]}), {2});
  y = reshape(transpose(y, {0, 2, 1}), {count, x[1], Dim(op.height), Dim(op.width)});
  d.result(0, cast(y, dtype).id);
}

}  // namespace

void sampling_decompositions(Decompositions& table) {
  table.add<GridSample>(decompose_grid_sample);
  table.add<DeformConv>(decompose_deform_conv);
  table.add<AffineGrid>(decompose_affine_grid);
  table.add<RoiAlign>(decompose_roi_align);
}

}  // namespace remodel
