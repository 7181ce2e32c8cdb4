// How elements of a resized axis are made of elements of the axis as it was.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/resize.h"

namespace remodel {

// One axis of a resize under the sizes of a run.
struct ResizedAxis {
  int64_t in = 0, out = 0;
  double scale = 1, start = 0, end = 1;  // start and end: of the crop
  double length = 0;                     // `out` before it is rounded down

  // Nothing moves along this axis.
  bool still(const Resize& op) const;
};

// Element i of the result is the sum of the weights times the elements from first[i] on; no weights at all
// where it lies outside of a crop. Weights of element i stand at i * width, 0 behind the last.
template <class T>
struct AxisWeights {
  std::vector<int64_t> first, count;
  std::vector<T> weights;
  int64_t width = 1;
};

// Places are computed in T.
template <class T>
AxisWeights<T> resize_weights(const Resize& op, const ResizedAxis& axis);

// For each element of the result the nearest one, -1 outside of a crop.
template <class T>
std::vector<int64_t> resize_nearest(const Resize& op, const ResizedAxis& axis);

// Element i of n on an axis from -1 to 1.
double grid_place(int64_t i, int64_t n, bool align_corners);

}  // namespace remodel
