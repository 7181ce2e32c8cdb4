// Over axes: sums and the like, positions of extremes, running sums.
#pragma once

#include "ir/op.h"

namespace remodel {

// (x, axes?): over `axes`, each given once, which stay as size 1 with `keep`. The operand stands for axes
// that are only known at run time, where an empty one means all axes, or with `empty_is_none` none.
//
// Of no elements: sum 0, product 1, mean NaN (integers refuse), max the lowest and min the highest of the
// type (floats: infinities). Integers wrap in sums and products; their mean truncates, and what takes roots
// or logarithms truncates the real result. Max and min of floats propagate NaN; of booleans they are any and
// all.
struct Reduce {
  static constexpr const char* name = "reduce";
  enum class Kind : uint8_t {
    sum,
    mean,
    product,
    max,
    min,
    l1,
    l2,
    sum_of_squares,
    log_sum,
    log_sum_exp
  } kind = Kind::sum;
  std::vector<int64_t> axes;
  bool keep = true;
  bool empty_is_none = false;
  void describe(Fields& v) {
    v.choice(
        "kind", kind,
        {"sum", "mean", "product", "max", "min", "l1", "l2", "sum_of_squares", "log_sum", "log_sum_exp"});
    v.axes("axes", axes);
    v("keep", keep);
    v("empty_is_none", empty_is_none);
  }
  void infer(Infer& in) const;
};

// (x): where along the axis the largest (smallest) element is, the first of several or with `last` the last,
// as i64. NaN counts as larger (smaller) than any number.
struct ArgExtreme {
  int64_t axis = 0;
  bool keep = true, last = false;
  void describe(Fields& v) {
    v.axis("axis", axis);
    v("keep", keep);
    v("last", last);
  }
  void infer(Infer& in) const;
};
struct ArgMax : ArgExtreme {
  static constexpr const char* name = "arg_max";
};
struct ArgMin : ArgExtreme {
  static constexpr const char* name = "arg_min";
};

// (x, axis?): running sums or products. `exclusive` leaves out the element itself, `reverse` starts at the
// end. The operand stands for an axis that is only known at run time.
struct Cumulate {
  static constexpr const char* name = "cumulate";
  enum class Kind : uint8_t { sum, product } kind = Kind::sum;
  int64_t axis = 0;
  bool exclusive = false, reverse = false;
  void describe(Fields& v) {
    v.choice("kind", kind, {"sum", "product"});
    v.axis("axis", axis);
    v("exclusive", exclusive);
    v("reverse", reverse);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
