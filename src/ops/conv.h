// Convolutions. Weights are [out channels, in channels / groups, window...] whatever the layout of x.
#pragma once

#include "ops/spatial.h"

namespace remodel {

// (x, w, bias?, x_zero?, w_zero?): sums of windows of x times w. `out` unknown: they have x's type. Integers
// of 8 bits at most may have zero points, one each or one for each channel of w's results, and then, or where
// `out` says so, give i32: the zero points are subtracted exactly, and pads stand for x's. They have no bias.
struct Conv : Sliding {
  static constexpr const char* name = "conv";
  int64_t groups = 1;
  DType out = DType::unknown;
  void describe(Fields& v) {
    describe_sliding(v);
    v("groups", groups);
    v("out", out);
  }
  void infer(Infer& in) const;
};

// (x, w, bias?): the transpose of conv with regard to x. The input at i meets the weights at t in the output
// at i * stride + t * dilation - pad_low; pads crop the output, negative ones extend it by places that only
// the bias reaches.
struct ConvTranspose : Sliding {
  static constexpr const char* name = "conv_transpose";
  int64_t groups = 1;
  void describe(Fields& v) {
    describe_sliding(v);
    v("groups", groups);
  }
  void infer(Infer& in) const;
};

// (x, w, offsets, bias?, mask?): conv whose taps are moved by offsets [batch, offset groups * taps * axes,
// out...] and weighted by mask [batch, offset groups * taps, out...]; x is read linearly between its
// elements, 0 outside. Channels stand first.
struct DeformConv : Sliding {
  static constexpr const char* name = "deform_conv";
  int64_t groups = 1, offset_groups = 1;
  void describe(Fields& v) {
    describe_sliding(v);
    v("groups", groups);
    v("offset_groups", offset_groups);
  }
  void infer(Infer& in) const;
};

// (x, size?, window?): x [batch, channels * window..., windows] added into an image [batch, channels,
// size...].
struct Fold : Sliding {
  static constexpr const char* name = "fold";
  Dims window, size;
  void describe(Fields& v) {
    v("window", window);
    v("size", size);
    describe_sliding(v);
  }
  void infer(Infer& in) const;
};

// The sizes of the results; refuses operands that do not fit together.
Dims conv_dims(const Conv& op, const Dims& x, const Dims& w);
Dims conv_transpose_dims(const ConvTranspose& op, const Dims& x, const Dims& w);
Dims deform_conv_dims(const DeformConv& op, const Dims& x, const Dims& w, const Dims& offsets,
                      const Dims* mask);
Dims fold_dims(const Fold& op, const std::vector<int64_t>& window, const Dims& x, const Dims& size);
void check_bias(const Dims& bias, const Dim& channels);

}  // namespace remodel
