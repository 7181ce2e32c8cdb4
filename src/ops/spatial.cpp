#include "ops/spatial.h"

namespace remodel {

Dims spatial_dims(Channels channels, const Dims& dims) {
  size_t first = spatial_axis(channels, 0);
  return Dims(dims.begin() + first, dims.begin() + first + (dims.size() - 2));
}

Dims image_dims(Channels channels, const Dim& batch, const Dim& channel_count, const Dims& spatial) {
  Dims dims{batch};
  if (channels == Channels::first) dims.push_back(channel_count);
  dims.insert(dims.end(), spatial.begin(), spatial.end());
  if (channels == Channels::last) dims.push_back(channel_count);
  return dims;
}

void Sliding::unit(size_t rank) {
  strides.assign(rank, 1);
  dilations.assign(rank, 1);
  pads_low.assign(rank, Dim(0));
  pads_high.assign(rank, Dim(0));
}

Dim window_reach(int64_t window, int64_t dilation) { return (Dim(window) - 1) * Dim(dilation) + 1; }

Dim same_padding(const Dim& size, int64_t window, int64_t stride, int64_t dilation) {
  return max(Dim(0), (ceil_div(size, stride) - 1) * Dim(stride) + window_reach(window, dilation) - size);
}

Dim window_count(const Sliding& sliding, size_t i, const Dim& size, int64_t window, bool ceil) {
  const int64_t stride = sliding.strides[i], dilation = sliding.dilations[i];
  const Dim &low = sliding.pads_low[i], &high = sliding.pads_high[i];
  if (!ceil && !(low + high).is_number() && low + high == same_padding(size, window, stride, dilation))
    return ceil_div(size, stride);
  Dim room = size + low + high - window_reach(window, dilation);
  Dim count = ceil ? ceil_div(room, stride) + 1 : floor_div(room, stride) + 1;
  // The first window that starts behind the input is number ceil((size + low) / stride); where the last
  // padding and a stride are no longer than the window, there is none.
  if (ceil && !(window_reach(window, dilation) - high - stride).at_least(0))
    count = min(count, ceil_div(size + low, stride));
  if (count.is_number() && count.number() < 0)
    fail("a window of {} with dilation {} does not fit into {} elements and padding {}, {}", window, dilation,
         size.text(), low.text(), high.text());
  return count;
}

void check_sliding(const Sliding& sliding, const std::vector<int64_t>* window) {
  size_t rank = sliding.strides.size();
  if (rank == 0) fail("there is no spatial axis");
  if (sliding.dilations.size() != rank || sliding.pads_low.size() != rank ||
      sliding.pads_high.size() != rank || (window && window->size() != rank))
    fail("window, strides, dilations and pads must have one entry for each of the {} spatial axes", rank);
  // Places inside a window are computed in 64 bits.
  constexpr int64_t most = int64_t{1} << 31;
  for (size_t i = 0; i < rank; ++i) {
    if (sliding.strides[i] < 1 || sliding.strides[i] > most) fail("a stride of {}", sliding.strides[i]);
    if (sliding.dilations[i] < 1 || sliding.dilations[i] > most)
      fail("a dilation of {}", sliding.dilations[i]);
    if (window && ((*window)[i] < 1 || (*window)[i] > most)) fail("a window of {}", (*window)[i]);
    for (const Dim& pad : {sliding.pads_low[i], sliding.pads_high[i]})
      if (pad.is_number() && (pad.number() > most || pad.number() < -most))
        fail("a padding of {}", pad.text());
  }
}

void check_image(const Sliding& sliding, const Dims& x) {
  if (x.size() != sliding.strides.size() + 2)
    fail("the window has {} axes, so the input must have rank {}, but is {}", sliding.strides.size(),
         sliding.strides.size() + 2, text_of(x));
}

Dims pool_dims(const Pooling& pooling, const Dims& x) {
  check_sliding(pooling, &pooling.window);
  check_image(pooling, x);
  Dims spatial = spatial_dims(pooling.channels, x);
  for (size_t i = 0; i < spatial.size(); ++i)
    spatial[i] = window_count(pooling, i, spatial[i], pooling.window[i], pooling.ceil);
  return image_dims(pooling.channels, x[0], x[channel_axis(pooling.channels, x.size())], spatial);
}

void need_equal(const Dim& a, const Dim& b, const char* what) {
  if (a.is_number() && b.is_number() && a.number() != b.number())
    fail("{} must be equal, but are {} and {}", what, a.text(), b.text());
}

}  // namespace remodel
