// Random numbers: never folded, merged or dropped. An op without a seed draws from a seed of its runtime's
// choice.
#pragma once

#include "ir/op.h"

namespace remodel {

// (shape?): numbers from low up to, but not including, high.
struct RandomUniform {
  static constexpr const char* name = "random_uniform";
  static constexpr bool effect = true;
  DType dtype = DType::f32;
  Dims shape;
  double low = 0, high = 1;
  bool seeded = false;
  double seed = 0;
  void describe(Fields& v) {
    v("dtype", dtype);
    v("shape", shape);
    v("low", low);
    v("high", high);
    v("seeded", seeded);
    v("seed", seed);
  }
  void infer(Infer& in) const;
};

// (shape?): normally distributed numbers.
struct RandomNormal {
  static constexpr const char* name = "random_normal";
  static constexpr bool effect = true;
  DType dtype = DType::f32;
  Dims shape;
  double mean = 0, deviation = 1;
  bool seeded = false;
  double seed = 0;
  void describe(Fields& v) {
    v("dtype", dtype);
    v("shape", shape);
    v("mean", mean);
    v("deviation", deviation);
    v("seeded", seeded);
    v("seed", seed);
  }
  void infer(Infer& in) const;
};

// (probabilities): 1 with each element's probability, otherwise 0.
struct Bernoulli {
  static constexpr const char* name = "bernoulli";
  static constexpr bool effect = true;
  DType dtype = DType::unknown;  // unknown: the operand's
  bool seeded = false;
  double seed = 0;
  void describe(Fields& v) {
    v("dtype", dtype);
    v("seeded", seeded);
    v("seed", seed);
  }
  void infer(Infer& in) const;
};

// (logarithms of weights [rows, classes]): `count` classes for each row, drawn in proportion to the weights.
struct Multinomial {
  static constexpr const char* name = "multinomial";
  static constexpr bool effect = true;
  DType dtype = DType::i32;
  Dim count = 1;
  bool seeded = false;
  double seed = 0;
  void describe(Fields& v) {
    v("dtype", dtype);
    v("count", count);
    v("seeded", seeded);
    v("seed", seed);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
