// Between real numbers and the integers (or tiny floats) that stand for them: real = (code - zero) * scale.
//
// Scale and zero have one element, one for each index of `axis`, or with a `block` the operand's rank: each
// then serves `block` indices of `axis`, the last one as many as are left. A missing zero is 0. Generic
// passes leave these ops be.
#pragma once

#include "ir/op.h"

namespace remodel {

// Scales or zeros of this type are certainly a single one.
bool has_one_element(const Type& type);

// (x, scale, zero?): x / scale, rounded half to even, or half away from zero, plus zero, saturated to `to`;
// NaN counts as 0. An 8- or 4-bit float has no zero point and is rounded as a cast does; `saturate` is that
// cast's. The quotient is rounded to `precision` first where that is a small float; otherwise it is an f32.
struct Quantize {
  static constexpr const char* name = "quantize";
  DType to = DType::u8;
  int64_t axis = 0, block = 0;
  bool saturate = true, half_away = false;
  DType precision = DType::unknown;
  void describe(Fields& v) {
    v("to", to);
    v.axis("axis", axis);
    v("block", block);
    v("saturate", saturate);
    v("half_away", half_away);
    v("precision", precision);
  }
  void infer(Infer& in) const;
};

// (x, scale, zero?): (x - zero) * scale, computed in f32 and rounded once to `to`.
struct Dequantize {
  static constexpr const char* name = "dequantize";
  DType to = DType::f32;
  int64_t axis = 0, block = 0;
  void describe(Fields& v) {
    v("to", to);
    v.axis("axis", axis);
    v("block", block);
  }
  void infer(Infer& in) const;
};

// (x): x as u8 on the grid that just holds its values and 0; also that grid's scale (f32, 1 where all of x is
// 0) and zero (u8), both scalars. With `rows` each row, the elements along the last axis, has its own: then
// both have x's rank and a last axis of size 1. `symmetric`: i8 from -127 to 127, rounded half away from
// zero, with zero 0.
struct DynamicQuantize {
  static constexpr const char* name = "dynamic_quantize";
  bool symmetric = false, rows = false;
  void describe(Fields& v) {
    v("symmetric", symmetric);
    v("rows", rows);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
