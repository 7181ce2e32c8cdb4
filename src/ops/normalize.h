// Normalisations. All compute their statistics on the values as they are, without Bessel's correction.
#pragma once

#include "ops/spatial.h"

namespace remodel {

// (x, scale?, bias?, mean, variance): (x - mean) / sqrt(variance + epsilon) * scale + bias, all but x [size
// of axis].
struct BatchNorm {
  static constexpr const char* name = "batch_norm";
  int64_t axis = 1;
  double epsilon = 1e-5;
  void describe(Fields& v) {
    v.axis("axis", axis);
    v("epsilon", epsilon);
  }
  void infer(Infer& in) const;
};

// (x, scale?, bias?): (x - mean) / sqrt(variance + epsilon) * scale + bias with the statistics of each
// channel of each image; scale and bias are [channels].
struct InstanceNorm {
  static constexpr const char* name = "instance_norm";
  double epsilon = 1e-5;
  Channels channels = Channels::first;
  void describe(Fields& v) {
    v("epsilon", epsilon);
    v.choice("channels", channels, {"first", "last"});
  }
  void infer(Infer& in) const;
};

// The same with the statistics of each group of neighbouring channels.
struct GroupNorm {
  static constexpr const char* name = "group_norm";
  int64_t groups = 1;
  double epsilon = 1e-5;
  Channels channels = Channels::first;
  void describe(Fields& v) {
    v("groups", groups);
    v("epsilon", epsilon);
    v.choice("channels", channels, {"first", "last"});
  }
  void infer(Infer& in) const;
};

// (x, scale?, bias?) -> (y, mean?, 1 / sqrt(variance + epsilon)?): statistics over the axes, which ascend;
// scale and bias have the sizes of these axes. The statistics are computed in `statistics` or a wider type,
// and are results of that type that keep the axes at size 1.
struct LayerNorm {
  static constexpr const char* name = "layer_norm";
  std::vector<int64_t> axes = {-1};
  double epsilon = 1e-5;
  DType statistics = DType::f32;
  void describe(Fields& v) {
    v.axes("axes", axes);
    v("epsilon", epsilon);
    v("statistics", statistics);
  }
  void infer(Infer& in) const;
};

// (x, scale?) -> (y, 1 / sqrt(mean of squares + epsilon)?): x / sqrt(mean of squares + epsilon) * scale.
struct RmsNorm {
  static constexpr const char* name = "rms_norm";
  std::vector<int64_t> axes = {-1};
  double epsilon = 1e-5;
  DType statistics = DType::f32;
  void describe(Fields& v) {
    v.axes("axes", axes);
    v("epsilon", epsilon);
    v("statistics", statistics);
  }
  void infer(Infer& in) const;
};

// (x): x over its p-norm along the axes, 0 where the norm is 0.
enum class NormFloor : uint8_t {
  max_power,  // (max(sum of |x|^p, epsilon))^(1/p)
  add_power,  // (sum of |x|^p + epsilon)^(1/p)
  max_norm,   // max(norm, epsilon)
};
struct LpNorm {
  static constexpr const char* name = "lp_norm";
  std::vector<int64_t> axes = {-1};
  double p = 2, epsilon = 0;
  NormFloor floor = NormFloor::max_norm;
  void describe(Fields& v) {
    v.axes("axes", axes);
    v("p", p);
    v("epsilon", epsilon);
    v.choice("floor", floor, {"max_power", "add_power", "max_norm"});
  }
  void infer(Infer& in) const;
};

// (x): x / (bias + alpha / size * sum of squares of `size` neighbouring channels)^beta; channel c sees those
// from c - floor((size - 1) / 2) on.
struct Lrn {
  static constexpr const char* name = "lrn";
  int64_t size = 1;
  double alpha = 1e-4, beta = 0.75, bias = 1;
  Channels channels = Channels::first;
  void describe(Fields& v) {
    v("size", size);
    v("alpha", alpha);
    v("beta", beta);
    v("bias", bias);
    v.choice("channels", channels, {"first", "last"});
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
