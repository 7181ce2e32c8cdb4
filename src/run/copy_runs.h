// Copies of equal runs between tensors, for kernels that move data.
#pragma once

#include <cstdint>

#include "ir/tensor.h"

namespace remodel {

// Where runs lie in a tensor, in elements: the first, and how far apart they start.
struct RunPlaces {
  int64_t first, step;
};

// Copies `count` runs of `length` elements between tensors of one type, strings too. The places lie inside.
void copy_runs(const Tensor& from, RunPlaces source, Tensor& to, RunPlaces target, int64_t count,
               int64_t length);

}  // namespace remodel
