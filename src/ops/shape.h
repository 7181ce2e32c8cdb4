// Ops that move data or speak of sizes.
#pragma once

#include "ir/op.h"

namespace remodel {

// (x, shape?): the same elements in the same order. The sizes are resolved: no 0 or -1 that needs looking up,
// except in the operand, where -1 is what is left and 0 (unless allow_zero) copies the size of that axis.
struct Reshape {
  static constexpr const char* name = "reshape";
  Dims shape;
  bool allow_zero = false;
  void describe(Fields& v) {
    v("shape", shape);
    v("allow_zero", allow_zero);
  }
  void infer(Infer& in) const;
};

// (x): the sizes of axes start .. end as i64[n].
struct ShapeOf {
  static constexpr const char* name = "shape_of";
  void infer(Infer& in) const;
};

}  // namespace remodel
