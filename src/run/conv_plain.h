// Convolution by its definition, for every type of number and for results that must have the same bits on
// every CPU.
#pragma once

#include <type_traits>

#include "base/pool.h"
#include "run/conv_core.h"

namespace remodel {

namespace conv_detail {
// Advances an index into `sizes`; false after the last.
inline bool advance(std::vector<int64_t>& index, const std::vector<int64_t>& sizes) {
  for (size_t i = sizes.size(); i-- > 0; index[i] = 0)
    if (++index[i] < sizes[i]) return true;
  return false;
}
}  // namespace conv_detail

// w is [out_channels, in_channels / groups, kernel...] for the transposed one too; bias may be null. Products
// are summed as Sum, tap by tap. Integer types wrap around.
template <class T, class Sum>
void conv_plain(const ConvShape& s, bool transposed, const T* x, const T* w, const T* bias, T* y,
                Pool& pool) {
  using Term =
      std::conditional_t<std::is_integral_v<Sum>, std::make_unsigned<Sum>, std::type_identity<Sum>>::type;
  const size_t rank = s.in.size();
  int64_t in_points = 1, out_points = 1, taps = 1;
  for (size_t i = 0; i < rank; ++i) in_points *= s.in[i], out_points *= s.out[i], taps *= s.kernel[i];
  if (out_points == 0) return;
  const int64_t group_in = s.in_channels / s.groups, group_out = s.out_channels / s.groups;
  const int64_t in_channel = s.channels_last ? 1 : in_points, in_point = s.channels_last ? s.in_channels : 1;
  const int64_t out_channel = s.channels_last ? 1 : out_points,
                out_point = s.channels_last ? s.out_channels : 1;

  pool.for_each(s.batch * s.out_channels, [&](int64_t task) {
    const int64_t batch = task / s.out_channels, channel = task % s.out_channels;
    const T* from = x + batch * in_points * s.in_channels + channel / group_out * group_in * in_channel;
    const T* weights = w + channel * group_in * taps;
    T* to = y + batch * out_points * s.out_channels + channel * out_channel;
    std::vector<int64_t> place(rank, 0), tap(rank, 0);
    for (int64_t point = 0; point < out_points; ++point) {
      Term sum = bias ? static_cast<Term>(bias[channel]) : Term(0);
      for (int64_t t = 0; t < taps; ++t) {
        int64_t meet = 0;
        bool inside = true;
        for (size_t i = 0; i < rank; ++i) {
          int64_t at = transposed ? place[i] + s.pads_begin[i] - tap[i] * s.dilations[i]
                                  : place[i] * s.strides[i] + tap[i] * s.dilations[i] - s.pads_begin[i];
          if (transposed) {
            inside = inside && at % s.strides[i] == 0;
            at /= s.strides[i];
          }
          inside = inside && at >= 0 && at < s.in[i];
          meet = meet * s.in[i] + at;
        }
        if (inside)
          for (int64_t c = 0; c < group_in; ++c)
            sum += static_cast<Term>(from[c * in_channel + meet * in_point]) *
                   static_cast<Term>(weights[c * taps + t]);
        conv_detail::advance(tap, s.kernel);
      }
      to[point * out_point] = static_cast<T>(sum);
      conv_detail::advance(place, s.out);
    }
  });
}

}  // namespace remodel
