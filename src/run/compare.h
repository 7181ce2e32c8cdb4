// Two values compared as the check of a conversion needs it.
#pragma once

#include <string>

#include "ir/tensor.h"

namespace remodel {

struct Comparison {
  bool equal = false;  // within the tolerance
  double error = 0;  // floats: the largest |a - b| over the reference's range; others: the share that differs
  double tolerance = 0;    // that applied
  std::string difference;  // in words; empty where equal
};

// Floats: |a - b| is at most `tolerance` times the reference's range, its largest less its smallest finite
// element, or where all are equal, their magnitude. No less than a few steps of the type are allowed. NaN and
// infinities stand in the same places. Integers, booleans and strings are equal. Element types are equal, but
// with `any_width` any two kinds of floats, and any two kinds of integers, are compared by value.
Comparison compare(const Datum& reference, const Datum& result, double tolerance, bool any_width = false);

// How element types, shapes and numbers of items differ; empty where they do not.
std::string form_difference(const Datum& reference, const Datum& result, bool any_width = false);

// Whether two rows of indices differ only where the scores that they point at are closer than the tolerance
// times the scores' range. Both are the indices of `scores` along its axis: [outer, n, inner] -> [outer, k,
// inner].
bool nearly_tied(const Tensor& scores, int64_t axis, const Tensor& reference, const Tensor& result,
                 double tolerance);

// Whether integers differ by one step at most, as rounding of nearly equal numbers gives.
bool within_one_step(const Tensor& reference, const Tensor& result);

// Whether the two agree wherever both have elements: what is left of a tensor when each axis is cut to the
// smaller size. For runs of one graph on different inputs: false where the inputs had an effect.
bool same_overlap(const Datum& a, const Datum& b);

}  // namespace remodel
