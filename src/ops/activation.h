// Activation functions. The operand is a float unless said otherwise.
#pragma once

#include "ir/op.h"

namespace remodel {

// Element by element.
struct Activation : Elementwise {
  void infer(Infer& in) const;
};

// x < 0 ? 0 : x, of any number.
struct Relu : Elementwise {
  static constexpr const char* name = "relu";
  void infer(Infer& in) const;
};
// min(max(x, low), high), of any number: `high` wins. NaN stays. Bounds beyond the type's range do not bind.
struct Clamp : Elementwise {
  static constexpr const char* name = "clamp";
  double low, high;
  Clamp();  // unbounded
  Clamp(double low, double high) : low(low), high(high) {}
  void describe(Fields& v) {
    v("low", low);
    v("high", high);
  }
  void infer(Infer& in) const;
};
// x < 0 ? alpha * x : x
struct LeakyRelu : Activation {
  static constexpr const char* name = "leaky_relu";
  double alpha = 0.01;
  void describe(Fields& v) { v("alpha", alpha); }
};
// (x, slope), which broadcast; any number: x < 0 ? slope * x : x
struct Prelu : Elementwise {
  static constexpr const char* name = "prelu";
  void infer(Infer& in) const;
};
// x > at ? x : otherwise
struct Threshold : Activation {
  static constexpr const char* name = "threshold";
  double at = 0, otherwise = 0;
  void describe(Fields& v) {
    v("at", at);
    v("otherwise", otherwise);
  }
};
// x < -lambda ? x + bias : x > lambda ? x - bias : 0
struct Shrink : Activation {
  static constexpr const char* name = "shrink";
  double lambda = 0.5, bias = 0;
  void describe(Fields& v) {
    v("lambda", lambda);
    v("bias", bias);
  }
};

// x < 0 ? alpha * (e^x - 1) : x
struct Elu : Activation {
  static constexpr const char* name = "elu";
  double alpha = 1;
  void describe(Fields& v) { v("alpha", alpha); }
};
// gain * (x < 0 ? alpha * (e^x - 1) : x)
struct Selu : Activation {
  static constexpr const char* name = "selu";
  double alpha = 1.67326319217681884765625, gain = 1.05070102214813232421875;
  void describe(Fields& v) {
    v("alpha", alpha);
    v("gain", gain);
  }
};
// max(0, x) + min(0, alpha * (e^(x / alpha) - 1))
struct Celu : Activation {
  static constexpr const char* name = "celu";
  double alpha = 1;
  void describe(Fields& v) { v("alpha", alpha); }
};

// 1 / (1 + e^-x)
struct Sigmoid : Activation {
  static constexpr const char* name = "sigmoid";
};
// max(0, min(1, alpha * x + beta))
struct HardSigmoid : Activation {
  static constexpr const char* name = "hard_sigmoid";
  double alpha = 0.2, beta = 0.5;
  void describe(Fields& v) {
    v("alpha", alpha);
    v("beta", beta);
  }
};
// x * max(0, min(1, x / 6 + 1/2))
struct HardSwish : Activation {
  static constexpr const char* name = "hard_swish";
};
// x * sigmoid(beta * x)
struct Swish : Activation {
  static constexpr const char* name = "swish";
  double beta = 1;
  void describe(Fields& v) { v("beta", beta); }
};
// x * P(X <= x) for a standard normal X; tanh: x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))
struct Gelu : Activation {
  static constexpr const char* name = "gelu";
  enum class Form : uint8_t { erf, tanh } form = Form::erf;
  void describe(Fields& v) { v.choice("form", form, {"erf", "tanh"}); }
};
// log(1 + e^x)
struct Softplus : Activation {
  static constexpr const char* name = "softplus";
};
// x / (1 + |x|)
struct Softsign : Activation {
  static constexpr const char* name = "softsign";
};
// x * tanh(log(1 + e^x))
struct Mish : Activation {
  static constexpr const char* name = "mish";
};

// Along an axis.
struct AlongAxis {
  int64_t axis = -1;
  void infer(Infer& in) const;
};
// e^(beta x), divided by their sum.
struct Softmax : AlongAxis {
  static constexpr const char* name = "softmax";
  double beta = 1;
  void describe(Fields& v) {
    v.axis("axis", axis);
    v("beta", beta);
  }
};
// Its logarithm, with beta 1.
struct LogSoftmax : AlongAxis {
  static constexpr const char* name = "log_softmax";
  void describe(Fields& v) { v.axis("axis", axis); }
};
// 1 at the first of the largest elements, 0 elsewhere.
struct Hardmax : AlongAxis {
  static constexpr const char* name = "hardmax";
  void describe(Fields& v) { v.axis("axis", axis); }
};

}  // namespace remodel
