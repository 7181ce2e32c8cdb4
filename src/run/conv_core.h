// Convolution and its transpose over any number of spatial axes, on the matrix product of gemm.h.
#pragma once

#include <cstdint>
#include <vector>

namespace remodel {

class Pool;

// `in` are the spatial sizes of x and `out` those of y. Padding at the ends is what `out` asks for beyond the
// input; at the beginnings it may be negative, which crops. x and y are [batch, channels, spatial...], or
// [batch, spatial..., channels] with channels_last. Sizes, strides and dilations are positive (`in` and `out`
// may be 0); groups divides both channel counts; every vector has one entry for each spatial axis.
struct ConvShape {
  int64_t batch = 1, in_channels = 1, out_channels = 1, groups = 1;
  std::vector<int64_t> in, out, kernel, strides, dilations, pads_begin;
  bool channels_last = false;
};

// The size of y along one axis; 0 where the kernel does not fit.
int64_t conv_out_size(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad_begin,
                      int64_t pad_end);

// w is [out_channels, in_channels / groups, kernel...]; bias has out_channels elements or is null.
void conv_forward(const ConvShape& shape, const float* x, const float* w, const float* bias, float* y,
                  Pool& pool);

// w is [in_channels, out_channels / groups, kernel...]. The input at i meets the kernel at t in the output at
// i * stride + t * dilation - pad_begin; what lies outside of `out` is dropped.
void conv_transpose_forward(const ConvShape& shape, const float* x, const float* w, const float* bias,
                            float* y, Pool& pool);

}  // namespace remodel
