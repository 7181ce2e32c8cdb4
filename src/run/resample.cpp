#include "run/resample.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/limits.h"

namespace remodel {
namespace {

// Where element i lies among those of the axis as it was.
template <class T>
T place_of(const Resize& op, const ResizedAxis& axis, int64_t i) {
  const T x = static_cast<T>(i), in = static_cast<T>(axis.in), out = static_cast<T>(axis.out);
  const T scale = static_cast<T>(axis.scale), half = static_cast<T>(0.5);
  switch (op.coordinates) {
    case Coordinates::half_pixel:
      break;
    case Coordinates::half_pixel_symmetric:
      return in / 2 * (1 - out / (scale * in)) + ((x + half) / scale - half);
    case Coordinates::half_pixel_or_zero:
      if (axis.out <= 1) return 0;
      break;
    case Coordinates::half_pixel_unshifted:
      return (x + half) / scale;
    case Coordinates::align_corners: {
      const T length = static_cast<T>(axis.length);
      return length == 1 ? T(0) : x * (in - 1) / (length - 1);
    }
    case Coordinates::asymmetric:
      return x / scale;
    case Coordinates::crop: {
      const T start = static_cast<T>(axis.start), end = static_cast<T>(axis.end);
      if (axis.out <= 1) return half * (start + end) * (in - 1);
      return start * (in - 1) + x * (end - start) * (in - 1) / (out - 1);
    }
  }
  return (x + half) / scale - half;
}

template <class T>
bool outside(const Resize& op, const ResizedAxis& axis, T place) {
  return op.coordinates == Coordinates::crop && !(place >= 0 && place <= static_cast<T>(axis.in - 1));
}

// Finite and near enough to the axis for whole numbers.
template <class T>
T bounded(T place, int64_t in) {
  const T far = static_cast<T>(in) + 16;
  return std::isnan(place) ? T(0) : std::clamp(place, -far, far);
}

// The filter's value at a distance.
template <class T>
T filter(const Resize& op, T distance) {
  const T x = std::abs(distance);
  if (op.mode == ResizeMode::linear) return std::max(T(0), 1 - x);
  const T a = static_cast<T>(op.cubic_a);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : T(0);
}

}  // namespace

bool ResizedAxis::still(const Resize& op) const {
  if (in != out || scale != 1) return false;
  return op.coordinates != Coordinates::crop || (start == 0 && end == 1);
}

template <class T>
AxisWeights<T> resize_weights(const Resize& op, const ResizedAxis& axis) {
  // An antialiasing filter is as much wider as the scale is below 1.
  const T narrow = op.antialias && axis.scale < 1 ? static_cast<T>(axis.scale) : T(1);
  const T support = (op.mode == ResizeMode::cubic ? T(2) : T(1)) / narrow;
  if (!(support < 1e8)) fail("a scale of {}", axis.scale);
  AxisWeights<T> result;
  result.width = std::min(axis.in, 2 * static_cast<int64_t>(std::ceil(support)) + 2);
  need_memory(static_cast<uint64_t>(axis.out) * (16 + static_cast<uint64_t>(result.width) * sizeof(T)));
  result.weights.assign(static_cast<size_t>(axis.out * result.width), T(0));
  for (int64_t i = 0; i < axis.out; ++i) {
    const T exact = axis.still(op) ? static_cast<T>(i) : place_of<T>(op, axis, i);
    if (outside(op, axis, exact)) {
      result.first.push_back(0);
      result.count.push_back(0);
      continue;
    }
    T place = bounded(exact, axis.in);
    if (op.mode == ResizeMode::linear && narrow == 1 && !op.exclude_outside)
      place = std::clamp(place, T(0), static_cast<T>(axis.in - 1));
    const int64_t begin = static_cast<int64_t>(std::floor(place - support)) + 1;
    const int64_t end = static_cast<int64_t>(std::ceil(place + support));
    const int64_t first = std::clamp<int64_t>(begin, 0, axis.in - 1),
                  last = std::clamp<int64_t>(end - 1, 0, axis.in - 1);
    result.first.push_back(first);
    result.count.push_back(last - first + 1);
    T* weights = result.weights.data() + i * result.width;
    T total = 0;
    for (int64_t k = begin; k < end; ++k) {
      const int64_t at = std::clamp<int64_t>(k, 0, axis.in - 1);
      if (op.exclude_outside && at != k) continue;
      const T weight = filter(op, (static_cast<T>(k) - place) * narrow);
      weights[at - first] += weight;
      total += weight;
    }
    // Without widening or exclusion the weights' sum is 1 as it is.
    if ((op.exclude_outside || narrow != 1) && total != 0)
      for (int64_t k = 0; k <= last - first; ++k) weights[k] /= total;
  }
  return result;
}

template <class T>
std::vector<int64_t> resize_nearest(const Resize& op, const ResizedAxis& axis) {
  need_memory(static_cast<uint64_t>(axis.out) * 8);
  std::vector<int64_t> result;
  for (int64_t i = 0; i < axis.out; ++i) {
    if (axis.still(op)) {
      result.push_back(i);
      continue;
    }
    const T exact = place_of<T>(op, axis, i);
    if (outside(op, axis, exact)) {
      result.push_back(-1);
      continue;
    }
    const T place = bounded(exact, axis.in), low = std::floor(place), rest = place - low,
            half = static_cast<T>(0.5);
    bool up = false;
    switch (op.nearest) {
      case NearestRounding::half_down:
        up = rest > half;
        break;
      case NearestRounding::half_up:
        up = rest >= half;
        break;
      case NearestRounding::floor:
        break;
      case NearestRounding::ceil:
        up = rest > 0;
        break;
    }
    result.push_back(std::clamp<int64_t>(static_cast<int64_t>(low) + up, 0, axis.in - 1));
  }
  return result;
}

double grid_place(int64_t i, int64_t n, bool align_corners) {
  if (!align_corners) return (2.0 * static_cast<double>(i) + 1) / static_cast<double>(n) - 1;
  return n == 1 ? 0 : 2.0 * static_cast<double>(i) / static_cast<double>(n - 1) - 1;
}

template AxisWeights<float> resize_weights<float>(const Resize&, const ResizedAxis&);
template AxisWeights<double> resize_weights<double>(const Resize&, const ResizedAxis&);
template std::vector<int64_t> resize_nearest<float>(const Resize&, const ResizedAxis&);
template std::vector<int64_t> resize_nearest<double>(const Resize&, const ResizedAxis&);

}  // namespace remodel
