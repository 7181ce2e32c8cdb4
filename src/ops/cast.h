// From one element type to another.
#pragma once

#include "ir/convert.h"
#include "ir/op.h"

namespace remodel {

// Floats round to nearest even. A float becomes an integer toward zero; outside its range it saturates, and
// NaN gives 0. Integers narrow by wrapping. Anything but zero is true. `overflow` is what too large a number
// becomes in an 8-bit float: the largest, or infinity or NaN. `rounding` is for f8e8m0. Numbers become
// strings as Python prints them, the shortest text that reads back as the same number; strings are read as
// decimal numbers, "inf" and "nan" (any case).
struct Cast : Elementwise {
  static constexpr const char* name = "cast";
  DType to = DType::f32;
  Overflow overflow = Overflow::saturate;
  PowerRounding rounding = PowerRounding::up;
  Cast() = default;
  explicit Cast(DType to) : to(to) {}
  void describe(Fields& v) {
    v("to", to);
    v.choice("overflow", overflow, {"saturate", "wrap"});
    v.choice("rounding", rounding, {"up", "down", "nearest"});
  }
  void infer(Infer& in) const;
};
// (x): the bytes of its elements as those of another type. A wider type takes the last axis in, which has as
// many elements as make up one; a narrower one adds such an axis.
struct Bitcast {
  static constexpr const char* name = "bitcast";
  DType to = DType::i32;
  void describe(Fields& v) { v("to", to); }
  void infer(Infer& in) const;
};

inline Cast cast_to(DType to) {
  Cast cast;
  cast.to = to;
  return cast;
}

}  // namespace remodel
