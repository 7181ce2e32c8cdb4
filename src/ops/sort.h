// Ops that order elements.
#pragma once

#include "ir/op.h"

namespace remodel {

// (x, k?) -> (values, indices i64): the k largest or smallest elements of each line of the axis, largest or
// smallest first where `sorted`. Of equal ones the lower index comes first. NaN counts as larger than all
// numbers.
struct TopK {
  static constexpr const char* name = "top_k";
  int64_t axis = -1;
  Dim k;
  bool largest = true, sorted = true;
  void describe(Fields& v) {
    v.axis("axis", axis);
    v("k", k);
    v("largest", largest);
    v("sorted", sorted);
  }
  void infer(Infer& in) const;
};

// (x) -> (values, indices, inverse, counts): the different slices of the axis (flat: elements, as a list),
// ascending where `sorted`, otherwise as they come first; where each comes first, for each slice of x its
// place among them, and how often each occurs, all i64. All NaNs are one, the largest.
struct Unique {
  static constexpr const char* name = "unique";
  bool flat = true;
  int64_t axis = 0;
  bool sorted = true;
  void describe(Fields& v) {
    v("flat", flat);
    v.axis("axis", axis);
    v("sorted", sorted);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
