#include "ops/resize.h"

#include <algorithm>
#include <cmath>

#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/generate.h"
#include "ops/matmul.h"
#include "ops/shape.h"
#include "passes/decompose.h"
#include "run/resample.h"

namespace remodel {

// In resize_sized.cpp: where sizes, scales or the crop are only known when the model runs.
void decompose_sized_resize(Decompose& d);

namespace {

bool is_known(Decompose& d, const Resize& op) {
  if (d.has(1) || d.has(2) || d.has(3) || !d.result_type().dims || !numbers(op.sizes)) return false;
  for (int64_t axis : op.axes) {
    const size_t at = static_cast<size_t>(resolve_axis(axis, d.dims(0).size()));
    if (!d.dims(0)[at].is_number() || !(*d.result_type().dims)[at].is_number()) return false;
  }
  return true;
}

// The op's axes; all sizes are numbers.
std::vector<ResizedAxis> known_axes(Decompose& d, const Resize& op) {
  const size_t n = op.axes.size();
  std::vector<ResizedAxis> axes(n);
  std::vector<double> scales(n);
  for (size_t i = 0; i < n; ++i) {
    const size_t at = static_cast<size_t>(resolve_axis(op.axes[i], d.dims(0).size()));
    const Dim &in = d.dims(0)[at], &out = (*d.result_type().dims)[at];
    axes[i].in = in.number();
    axes[i].out = out.number();
    axes[i].length =
        op.sizes.empty() ? resize_length(axes[i].in, op.scales[i]) : static_cast<double>(axes[i].out);
    if (op.coordinates == Coordinates::crop) axes[i].start = op.crop[i], axes[i].end = op.crop[n + i];
    if (op.sizes.empty())
      scales[i] = static_cast<float>(op.scales[i]);
    else
      scales[i] =
          static_cast<double>(op.sizes[i].number()) / static_cast<double>(std::max<int64_t>(axes[i].in, 1));
  }
  for (size_t i = 0; i < n; ++i)
    axes[i].scale = op.aspect == Aspect::stretch      ? scales[i]
                    : op.aspect == Aspect::not_larger ? *std::min_element(scales.begin(), scales.end())
                                                      : *std::max_element(scales.begin(), scales.end());
  return axes;
}

// An integer factor's nearest neighbours are the elements before, whatever the coordinates.
bool repeats(Decompose& d, const Resize& op) {
  if (op.mode != ResizeMode::nearest || op.aspect != Aspect::stretch || d.has(1) || d.has(2)) return false;
  for (size_t i = 0; i < op.sizes.size(); ++i) {
    const Dim& in = d.dims(0)[static_cast<size_t>(resolve_axis(op.axes[i], d.dims(0).size()))];
    auto factor = exact_div(op.sizes[i], in);
    if (!factor || !factor->is_number()) return false;
  }
  bool centred =
      op.coordinates == Coordinates::half_pixel || op.coordinates == Coordinates::half_pixel_symmetric;
  bool rounds = op.nearest == NearestRounding::half_down || op.nearest == NearestRounding::half_up;
  return centred && rounds && std::all_of(op.scales.begin(), op.scales.end(), [](double s) {
           return s == std::floor(s) && s < 1 << 20;
         });
}

Resize plain(const Resize& op, bool shrinks) {
  Resize result = op;
  result.coordinates = Coordinates::asymmetric;
  result.nearest = shrinks ? NearestRounding::ceil : NearestRounding::floor;
  result.aspect = Aspect::stretch;
  result.crop.clear();
  return result;
}

ValueId reshaped(Decompose& d, ValueId x, Dims dims) { return d.emit(Reshape{std::move(dims), false}, {x}); }

// The sum over an axis with weights [out, in].
template <class T>
ValueId weighted(Decompose& d, ValueId x, size_t axis, const ResizedAxis& along, const AxisWeights<T>& w) {
  const Dims dims = *d.graph().value(x).type.dims;
  const DType dtype = d.graph().value(x).type.dtype;
  Tensor matrix = Tensor::zeros(DType::f64, {along.out, along.in});
  for (int64_t i = 0; i < along.out; ++i)
    for (int64_t k = 0; k < w.count[static_cast<size_t>(i)]; ++k)
      matrix.to<double>()[i * along.in + w.first[static_cast<size_t>(i)] + k] =
          w.weights[static_cast<size_t>(i * w.width + k)];
  ValueId weights = d.constant(constant_cast(constant_tensor(matrix), dtype));
  MatMul product;
  if (axis + 1 == dims.size()) {
    product.transpose_b = true;
    return d.emit(product, {x, weights});
  }
  // The axes behind are one.
  const int64_t behind = static_cast<int64_t>(axis) + 1;
  const bool flat = axis + 2 < dims.size();
  Dims outer(dims.begin(), dims.begin() + behind), whole = dims;
  outer.push_back(remodel::product(Dims(dims.begin() + behind, dims.end())));
  whole[axis] = along.out;
  if (flat) x = reshaped(d, x, outer);
  ValueId y = d.emit(product, {weights, x});
  return flat ? reshaped(d, y, whole) : y;
}

ValueId picked(Decompose& d, ValueId x, size_t axis, std::vector<int64_t> places) {
  for (int64_t& place : places) place = std::max<int64_t>(place, 0);
  Gather gather;
  gather.axis = static_cast<int64_t>(axis);
  return d.emit(gather, {x, d.integers(places)});
}

// The value where an element of the axis lies outside of the crop.
ValueId extrapolated(Decompose& d, ValueId y, size_t axis, const std::vector<bool>& outside, double value) {
  if (std::find(outside.begin(), outside.end(), true) == outside.end()) return y;
  const Type& type = d.graph().value(y).type;
  Shape shape(type.dims->size(), 1);
  shape[axis] = static_cast<int64_t>(outside.size());
  Tensor mask(DType::boolean, shape);
  for (size_t i = 0; i < outside.size(); ++i) mask.to<uint8_t>()[i] = outside[i];
  ValueId fill = d.scalar(type.dtype, value);
  return d.emit(Select{}, {d.constant(constant_tensor(mask)), fill, y});
}

// Axis by axis: elements picked by index, or weighted sums as products with a matrix.
void decompose_resize(Decompose& d) {
  const auto& op = d.op<Resize>();
  const size_t rank = d.dims(0).size();
  if (op.coordinates == Coordinates::half_pixel_unshifted && op.mode == ResizeMode::nearest &&
      op.nearest == NearestRounding::floor) {
    Resize centred = op;
    centred.coordinates = Coordinates::half_pixel;
    centred.nearest = NearestRounding::half_up;
    return d.result(0, d.emit(centred, d.node().inputs));
  }
  if (repeats(d, op)) return d.result(0, d.emit(plain(op, false), d.node().inputs));

  if (!is_known(d, op)) return decompose_sized_resize(d);
  const std::vector<ResizedAxis> axes = known_axes(d, op);
  const DType dtype = d.dtype(0);
  ValueId y = d.in(0);
  const bool nearest = op.mode == ResizeMode::nearest, whole = !nearest && !is_float(dtype);
  if (whole) y = d.emit(Cast(DType::f32), {y});
  std::vector<std::vector<bool>> outside(axes.size());
  std::vector<size_t> at;
  for (size_t i = axes.size(); i-- > 0;) {
    const size_t axis = static_cast<size_t>(resolve_axis(op.axes[i], rank));
    if (axes[i].still(op)) continue;
    if (nearest) {
      auto places =
          dtype == DType::f64 ? resize_nearest<double>(op, axes[i]) : resize_nearest<float>(op, axes[i]);
      for (int64_t place : places) outside[i].push_back(place < 0);
      y = picked(d, y, axis, places);
    } else {
      auto apply = [&](const auto& weights) {
        for (int64_t count : weights.count) outside[i].push_back(count == 0);
        y = weighted(d, y, axis, axes[i], weights);
      };
      if (dtype == DType::f64)
        apply(resize_weights<double>(op, axes[i]));
      else
        apply(resize_weights<float>(op, axes[i]));
    }
  }
  for (size_t i = 0; i < axes.size(); ++i)
    y = extrapolated(d, y, static_cast<size_t>(resolve_axis(op.axes[i], rank)), outside[i], op.extrapolation);
  d.result(0, whole ? d.emit(Cast(dtype), {y}) : y);
}

}  // namespace

void resize_decompositions(Decompositions& table) { table.add<Resize>(decompose_resize); }

}  // namespace remodel
