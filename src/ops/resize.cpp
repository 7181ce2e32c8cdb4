#include "ops/resize.h"

#include <cmath>

#include "ir/infer.h"

namespace remodel {
namespace {

// floor(in * scale) as an exact expression, for scales that are simple binary fractions.
std::optional<Dim> scaled_symbol(const Dim& in, double scale) {
  for (int64_t under = 1; under <= 64; under *= 2) {
    double over = scale * static_cast<double>(under);
    if (over > 256) break;
    if (over == std::floor(over)) return floor_div(in * Dim(static_cast<int64_t>(over)), under);
  }
  return std::nullopt;
}

Dims numbered_from(const Dims& dims, const std::vector<int64_t>& axes) {
  Dims chosen;
  for (int64_t axis : axes) chosen.push_back(dims[static_cast<size_t>(axis)]);
  return chosen;
}

}  // namespace

double resize_length(int64_t in, double scale, double span) {
  if (span == 1) return static_cast<float>(in) * static_cast<float>(scale);
  return static_cast<float>(in) * static_cast<float>(span) * static_cast<float>(scale);
}

int64_t resize_scaled(int64_t in, double scale, double span) {
  double whole = resize_length(in, scale, span);
  if (!(whole >= 0 && whole < 9e15)) fail("{} elements scaled by {}", in, scale);
  return static_cast<int64_t>(whole);
}

Dims resize_sizes(Aspect aspect, const Dims& in, const Dims& wished) {
  if (aspect == Aspect::stretch) return wished;
  Dims sizes;
  for (size_t i = 0; i < in.size(); ++i) {
    Dim size = wished[i];
    for (size_t j = 0; j < in.size(); ++j) {
      if (j == i) continue;
      if (in[j].is_number(0)) fail("an empty axis has no aspect");
      // wished[j] / in[j] * in[i], rounded
      Dim other = floor_div(wished[j] * in[i] * Dim(2) + in[j], in[j] * Dim(2));
      size = aspect == Aspect::not_larger ? min(size, other) : max(size, other);
    }
    sizes.push_back(size);
  }
  return sizes;
}

void Resize::infer(Infer& in) const {
  in.need_count(1, 4);
  size_t n = axes.size();
  bool by_sizes = in.has(1) || !sizes.empty(), by_scales = in.has(2) || !scales.empty();
  if (n && by_sizes == by_scales) fail("either sizes or scales must be given");
  if (!in.has(1) && by_sizes && sizes.size() != n) fail("{} sizes for {} axes", sizes.size(), n);
  if (!in.has(2) && by_scales && scales.size() != n) fail("{} scales for {} axes", scales.size(), n);
  if (coordinates == Coordinates::crop && !in.has(3) && crop.size() != 2 * n)
    fail("{} numbers of a crop for {} axes", crop.size(), n);
  for (double scale : scales)
    if (!(scale > 0 && std::isfinite(scale))) fail("scale {} is not positive", scale);
  if (antialias && mode == ResizeMode::nearest) fail("nearest neighbours have no antialiasing");
  if (!in.dims(0)) return in.out(0, in.dtype(0), std::nullopt);

  Dims dims = *in.dims(0);
  std::vector<int64_t> over;
  std::vector<bool> seen(dims.size());
  for (int64_t axis : axes) {
    over.push_back(in.axis(0, axis));
    if (seen[static_cast<size_t>(over.back())]) fail("axis {} stands twice", axis);
    seen[static_cast<size_t>(over.back())] = true;
  }
  auto known = by_sizes ? in.sizes_or(1, sizes) : std::nullopt;
  if (known && known->size() != n) fail("{} sizes for {} axes", known->size(), n);
  if (known) known = resize_sizes(aspect, numbered_from(dims, over), *known);
  for (size_t i = 0; i < n; ++i) {
    Dim& dim = dims[static_cast<size_t>(over[i])];
    if (known) {
      dim = (*known)[i];
      if (dim.is_number() && dim.number() < 0) fail("size {} is negative", dim.text());
      continue;
    }
    bool cropped = coordinates == Coordinates::crop;
    std::optional<Dim> size;
    if (by_scales && !in.has(2) && !(cropped && in.has(3))) {
      double span = cropped ? crop[n + i] - crop[i] : 1;
      if (dim.is_number())
        size = resize_scaled(dim.number(), scales[i], span);
      else if (span == 1)
        size = scaled_symbol(dim, static_cast<float>(scales[i]));
    }
    dim = size ? *size : in.fresh(0, static_cast<size_t>(over[i]));
  }
  in.out(0, in.dtype(0), dims);
}

void GridSample::infer(Infer& in) const {
  in.need_count(2, 2);
  in.need_dtype(1, is_float, "of floats");
  if (in.rank(0) >= 0 && in.rank(0) < 3) fail("the input must have spatial axes, but is {}", in.in(0).text());
  if (in.rank(0) >= 0) in.need_rank(1, in.rank(0));
  int64_t rank = in.rank(0) >= 0 ? in.rank(0) : in.rank(1);
  if (rank < 0) return in.out(0, in.dtype(0), std::nullopt);
  Dims dims = in.fresh_dims(0, static_cast<size_t>(rank));
  if (const Dims* grid = in.dims(1)) {
    if (grid->back().is_number() && grid->back().number() != rank - 2)
      fail("the grid {} must have {} coordinates", in.in(1).text(), rank - 2);
    for (int64_t i = 2; i < rank; ++i) dims[static_cast<size_t>(i)] = (*grid)[static_cast<size_t>(i - 1)];
    dims[0] = (*grid)[0];
  }
  if (const Dims* x = in.dims(0)) {
    if (in.dims(1)) {
      const Dim &a = (*x)[0], &b = (*in.dims(1))[0];
      if (a.is_number() && b.is_number() && a.number() != b.number())
        fail("input {} and grid {} must have one batch", in.in(0).text(), in.in(1).text());
    }
    dims[0] = (*x)[0];
    dims[1] = (*x)[1];
  }
  in.out(0, in.dtype(0), dims);
}

void AffineGrid::infer(Infer& in) const {
  in.need_count(1, 2);
  in.need_rank(0, 3);
  in.need_dtype(0, is_float, "of floats");
  auto sizes = in.sizes_or(1, size);
  if (!sizes) {
    int64_t rank = -1;
    if (in.dims(0) && (*in.dims(0))[1].is_number()) rank = (*in.dims(0))[1].number();
    if (rank != 2 && rank != 3) return in.out(0, in.dtype(0), std::nullopt);
    Dims dims = in.fresh_dims(0, static_cast<size_t>(rank) + 2);
    dims.back() = rank;
    return in.out(0, in.dtype(0), dims);
  }
  int64_t spatial = static_cast<int64_t>(sizes->size()) - 2;
  if (spatial != 2 && spatial != 3) fail("the size must have 4 or 5 numbers, but is {}", text_of(*sizes));
  if (const Dims* theta = in.dims(0)) {
    const Dim &rows = (*theta)[1], &columns = (*theta)[2];
    if ((rows.is_number() && rows.number() != spatial) ||
        (columns.is_number() && columns.number() != spatial + 1))
      fail("theta must be [batch, {}, {}], but is {}", spatial, spatial + 1, text_of(*theta));
  }
  Dims dims{(*sizes)[0]};
  dims.insert(dims.end(), sizes->begin() + 2, sizes->end());
  dims.push_back(spatial);
  in.out(0, in.dtype(0), dims);
}

}  // namespace remodel
