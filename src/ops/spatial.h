// What ops over images share: where the channels are, and how a window slides.
#pragma once

#include "ir/infer.h"
#include "ir/op.h"

namespace remodel {

// x is [batch, channels, spatial...] or [batch, spatial..., channels].
enum class Channels : uint8_t { first, last };

inline size_t channel_axis(Channels channels, size_t rank) {
  return channels == Channels::first ? 1 : rank - 1;
}
inline size_t spatial_axis(Channels channels, size_t i) {
  return channels == Channels::first ? i + 2 : i + 1;
}
// The sizes of the spatial axes; `dims` has a rank of at least 2.
Dims spatial_dims(Channels channels, const Dims& dims);
Dims image_dims(Channels channels, const Dim& batch, const Dim& channel_count, const Dims& spatial);

// A window over the spatial axes; every list has one entry for each of them. Window t at place o meets the
// input at o * stride + t * dilation - pad_low. Pads may be negative: they crop.
struct Sliding {
  std::vector<int64_t> strides, dilations;
  Dims pads_low, pads_high;
  Channels channels = Channels::first;

  void describe_sliding(Fields& v) {
    v("strides", strides);
    v("dilations", dilations);
    v("pads_low", pads_low);
    v("pads_high", pads_high);
    v.choice("channels", channels, {"first", "last"});
  }
  // Strides and dilations 1, no pads.
  void unit(size_t rank);
};

// A window of pooling. With `ceil` a last window may reach beyond the padded input, but never starts behind
// the input and its low padding.
struct Pooling : Sliding {
  std::vector<int64_t> window;
  bool ceil = false;

  void describe_pooling(Fields& v) {
    v("window", window);
    describe_sliding(v);
    v("ceil", ceil);
  }
};

// The elements that a dilated window reaches over.
Dim window_reach(int64_t window, int64_t dilation);
// The total padding that gives ceil(size / stride) windows.
Dim same_padding(const Dim& size, int64_t window, int64_t stride, int64_t dilation);
// How many windows there are on spatial axis i of size `size`. Refuses a window that does not fit.
Dim window_count(const Sliding& sliding, size_t i, const Dim& size, int64_t window, bool ceil = false);

// Refuses lists of different lengths, and strides, dilations or windows that are not positive.
void check_sliding(const Sliding& sliding, const std::vector<int64_t>* window = nullptr);
// Refuses an x that does not have the sliding's number of spatial axes.
void check_image(const Sliding& sliding, const Dims& x);
// What pooling an x of these sizes gives.
Dims pool_dims(const Pooling& pooling, const Dims& x);

// Refuses two sizes that cannot be equal.
void need_equal(const Dim& a, const Dim& b, const char* what);

}  // namespace remodel
