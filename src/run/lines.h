// The lines of a tensor along one axis.
#pragma once

#include <algorithm>

#include "base/pool.h"
#include "ir/tensor.h"

namespace remodel {

struct Lines {
  Lines(const Shape& shape, int64_t axis) {
    int64_t at = resolve_axis(axis, shape.size());
    for (int64_t i = 0; i < at; ++i) outer *= shape[i];
    size = shape[at];
    for (size_t i = at + 1; i < shape.size(); ++i) step *= shape[i];
  }
  // Calls line(number, offset of its first element) for each, in parallel. Lines are numbered in the order of
  // the elements that stand first in them.
  template <class F>
  void for_each(Pool& pool, F line) const {
    int64_t count = outer * step;
    int64_t together = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, size));
    pool.for_each((count + together - 1) / together, [&](int64_t task) {
      for (int64_t i = task * together, last = std::min(count, i + together); i < last; ++i)
        line(i, i / step * step * size + i % step);
    });
  }
  int64_t outer = 1, size = 1, step = 1;  // neighbours in a line are `step` elements apart
};

}  // namespace remodel
