// Functions of two operands of one type, which broadcast. Unless said otherwise the result has their type.
#pragma once

#include "ir/op.h"

namespace remodel {

// Integers wrap.
struct Add : Elementwise {
  static constexpr const char* name = "add";
  static constexpr bool commutative = true;
  void infer(Infer& in) const;
};
struct Sub : Elementwise {
  static constexpr const char* name = "sub";
  void infer(Infer& in) const;
};
struct Mul : Elementwise {
  static constexpr const char* name = "mul";
  static constexpr bool commutative = true;
  void infer(Infer& in) const;
};

// Integers take `trunc` or `floor` and refuse to be divided by zero; the smallest integer by -1 wraps.
struct Div : Elementwise {
  static constexpr const char* name = "div";
  enum class Rounding : uint8_t { real, trunc, floor } rounding = Rounding::real;
  void describe(Fields& v) { v.choice("rounding", rounding, {"real", "trunc", "floor"}); }
  void infer(Infer& in) const;
};
// What is left of the division that rounds to zero (the dividend's sign) or down (the divisor's sign).
struct Mod : Elementwise {
  static constexpr const char* name = "mod";
  enum class Sign : uint8_t { divisor, dividend } sign = Sign::divisor;
  void describe(Fields& v) { v.choice("sign", sign, {"divisor", "dividend"}); }
  void infer(Infer& in) const;
};

// (base, exponent): the exponent may be any number; the result has the base's type. Integers to an integer
// wrap; to a negative one they give 0 unless the base is 1 or -1. Integers to a float truncate the real
// power.
struct Pow : Elementwise {
  static constexpr const char* name = "pow";
  void infer(Infer& in) const;
};

// (y, x), floats: the angle of the point (x, y), from -pi to pi; the signs of zeros count.
struct Atan2 : Elementwise {
  static constexpr const char* name = "atan2";
  void infer(Infer& in) const;
};

// Of a number and NaN: NaN, or the number.
enum class NanRule : uint8_t { propagate, ignore };
struct Max : Elementwise {
  static constexpr const char* name = "max";
  static constexpr bool commutative = true;
  NanRule nan = NanRule::propagate;
  void describe(Fields& v) { v.choice("nan", nan, {"propagate", "ignore"}); }
  void infer(Infer& in) const;
};
struct Min : Elementwise {
  static constexpr const char* name = "min";
  static constexpr bool commutative = true;
  NanRule nan = NanRule::propagate;
  void describe(Fields& v) { v.choice("nan", nan, {"propagate", "ignore"}); }
  void infer(Infer& in) const;
};

// Of booleans.
struct Logical : Elementwise {
  void infer(Infer& in) const;
};
struct And : Logical {
  static constexpr const char* name = "and";
  static constexpr bool commutative = true;
};
struct Or : Logical {
  static constexpr const char* name = "or";
  static constexpr bool commutative = true;
};
struct Xor : Logical {
  static constexpr const char* name = "xor";
  static constexpr bool commutative = true;
};

// Of integers.
struct Bitwise : Elementwise {
  void infer(Infer& in) const;
};
struct BitAnd : Bitwise {
  static constexpr const char* name = "bit_and";
  static constexpr bool commutative = true;
};
struct BitOr : Bitwise {
  static constexpr const char* name = "bit_or";
  static constexpr bool commutative = true;
};
struct BitXor : Bitwise {
  static constexpr const char* name = "bit_xor";
  static constexpr bool commutative = true;
};
// (x, places): places at or beyond the width, and negative ones, shift everything out. A signed x keeps its
// sign to the right.
struct Shl : Bitwise {
  static constexpr const char* name = "shl";
};
struct Shr : Bitwise {
  static constexpr const char* name = "shr";
};

// Booleans from two operands of any one type; nothing compares with NaN. Strings and booleans are equal or
// not.
struct Compare : Elementwise {
  void infer_compare(Infer& in, bool ordered) const;
};
struct Equal : Compare {
  static constexpr const char* name = "equal";
  static constexpr bool commutative = true;
  void infer(Infer& in) const;
};
struct Less : Compare {
  static constexpr const char* name = "less";
  void infer(Infer& in) const;
};
struct LessEqual : Compare {
  static constexpr const char* name = "less_equal";
  void infer(Infer& in) const;
};
struct Greater : Compare {
  static constexpr const char* name = "greater";
  void infer(Infer& in) const;
};
struct GreaterEqual : Compare {
  static constexpr const char* name = "greater_equal";
  void infer(Infer& in) const;
};

// (condition, a, b): a where the condition holds, b elsewhere. Any type.
struct Select : Elementwise {
  static constexpr const char* name = "select";
  void infer(Infer& in) const;
};

}  // namespace remodel
