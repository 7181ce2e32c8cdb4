#include "run/elementwise.h"

#include <algorithm>

namespace remodel {

Shape broadcast_shapes(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < result.size(); ++i) {
    int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) fail("shapes {} and {} do not broadcast", text_of(a), text_of(b));
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

Shape broadcast_strides(const Shape& operand, const Shape& result) {
  Shape strides(result.size(), 0), own = strides_of(operand);
  size_t shift = result.size() - operand.size();
  for (size_t i = 0; i < operand.size(); ++i) strides[shift + i] = operand[i] == 1 ? 0 : own[i];
  return strides;
}

BroadcastRows::BroadcastRows(const Shape& result, std::vector<Shape> operand_shapes) {
  std::vector<Shape> strides;
  for (const Shape& shape : operand_shapes) strides.push_back(broadcast_strides(shape, result));
  // Neighbouring axes that every operand walks evenly are one.
  Shape sizes;
  std::vector<Shape> kept(strides.size());
  for (size_t axis = 0; axis < result.size(); ++axis) {
    if (result[axis] == 1) continue;
    bool merges = !sizes.empty();
    for (size_t k = 0; merges && k < strides.size(); ++k)
      merges = kept[k].back() == strides[k][axis] * result[axis];
    if (merges) {
      sizes.back() *= result[axis];
      for (size_t k = 0; k < strides.size(); ++k) kept[k].back() = strides[k][axis];
    } else {
      sizes.push_back(result[axis]);
      for (size_t k = 0; k < strides.size(); ++k) kept[k].push_back(strides[k][axis]);
    }
  }
  if (sizes.empty()) {
    sizes.push_back(1);
    for (Shape& one : kept) one.push_back(0);
  }
  length = sizes.back();
  for (Shape& one : kept) {
    steps.push_back(one.back());
    one.pop_back();
  }
  sizes.pop_back();
  for (int64_t size : sizes) rows *= size;
  outer = std::move(sizes);
  outer_strides = std::move(kept);
}

}  // namespace remodel
