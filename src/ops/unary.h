// Functions of one operand, element by element. The result has the operand's type unless said otherwise.
// Floats follow IEEE 754: outside their domain they give NaN.
#pragma once

#include "ir/op.h"

namespace remodel {

// A function of real numbers: the operand is a float.
struct RealFunction : Elementwise {
  void infer(Infer& in) const;
};

// Any number; the smallest integer is its own magnitude and its own negative.
struct Abs : Elementwise {
  static constexpr const char* name = "abs";
  void infer(Infer& in) const;
};
struct Neg : Elementwise {
  static constexpr const char* name = "neg";
  void infer(Infer& in) const;
};
// -1, 0 or 1; NaN stays.
struct Sign : Elementwise {
  static constexpr const char* name = "sign";
  void infer(Infer& in) const;
};

struct Sqrt : RealFunction {
  static constexpr const char* name = "sqrt";
};
struct Reciprocal : RealFunction {
  static constexpr const char* name = "reciprocal";
};
struct Exp : RealFunction {
  static constexpr const char* name = "exp";
};
struct Log : RealFunction {
  static constexpr const char* name = "log";
};
struct Sin : RealFunction {
  static constexpr const char* name = "sin";
};
struct Cos : RealFunction {
  static constexpr const char* name = "cos";
};
struct Tan : RealFunction {
  static constexpr const char* name = "tan";
};
struct Asin : RealFunction {
  static constexpr const char* name = "asin";
};
struct Acos : RealFunction {
  static constexpr const char* name = "acos";
};
struct Atan : RealFunction {
  static constexpr const char* name = "atan";
};
struct Sinh : RealFunction {
  static constexpr const char* name = "sinh";
};
struct Cosh : RealFunction {
  static constexpr const char* name = "cosh";
};
struct Tanh : RealFunction {
  static constexpr const char* name = "tanh";
};
struct Asinh : RealFunction {
  static constexpr const char* name = "asinh";
};
struct Acosh : RealFunction {
  static constexpr const char* name = "acosh";
};
struct Atanh : RealFunction {
  static constexpr const char* name = "atanh";
};
struct Erf : RealFunction {
  static constexpr const char* name = "erf";
};

// To a whole number. Round takes ties to even.
struct Ceil : RealFunction {
  static constexpr const char* name = "ceil";
  void infer(Infer& in) const;
};
struct Floor : RealFunction {
  static constexpr const char* name = "floor";
  void infer(Infer& in) const;
};
struct Round : RealFunction {
  static constexpr const char* name = "round";
};

// A float gives a boolean.
struct IsNan : Elementwise {
  static constexpr const char* name = "is_nan";
  void infer(Infer& in) const;
};
struct IsInf : Elementwise {
  static constexpr const char* name = "is_inf";
  bool positive = true, negative = true;  // which infinities count
  void describe(Fields& v) {
    v("positive", positive);
    v("negative", negative);
  }
  void infer(Infer& in) const;
};

// Of a boolean.
struct Not : Elementwise {
  static constexpr const char* name = "not";
  void infer(Infer& in) const;
};
// Of an integer.
struct BitNot : Elementwise {
  static constexpr const char* name = "bit_not";
  void infer(Infer& in) const;
};

}  // namespace remodel
