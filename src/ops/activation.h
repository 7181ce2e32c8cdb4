// Activation functions, element by element, and softmax.
#pragma once

#include "ir/op.h"

namespace remodel {

struct Relu : Elementwise {
  static constexpr const char* name = "relu";
};

// x > 0 ? x : alpha * x
struct LeakyRelu : Elementwise {
  static constexpr const char* name = "leaky_relu";
  double alpha = 0.01;
  void describe(Fields& v) { v("alpha", alpha); }
};

// exp(beta * x) normalised to sum 1 along the axis.
struct Softmax {
  static constexpr const char* name = "softmax";
  int64_t axis = -1;
  double beta = 1;
  void describe(Fields& v) {
    v.axis("axis", axis);
    v("beta", beta);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
