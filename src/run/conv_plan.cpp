#include "run/conv_plan.h"

#include <algorithm>

#include "base/pool.h"

namespace remodel {
namespace {

int64_t product(const std::vector<int64_t>& sizes) {
  int64_t total = 1;
  for (int64_t size : sizes) total *= size;
  return total;
}

std::vector<int64_t> place_of(int64_t index, const std::vector<int64_t>& sizes) {
  std::vector<int64_t> place(sizes.size());
  for (size_t i = sizes.size(); i-- > 0; index /= sizes[i]) place[i] = index % sizes[i];
  return place;
}

// The first i >= 0 with i * stride + offset >= limit.
int64_t reach(int64_t limit, int64_t offset, int64_t stride) {
  return limit <= offset ? 0 : (limit - offset - 1) / stride + 1;
}

}  // namespace

ConvPlan::ConvPlan(const ConvShape& shape) : ConvShape(shape) {
  for (size_t i = in.size(); i-- > 0;) {
    if (in[i] != 1 || out[i] != 1 || kernel[i] != 1 || pads_begin[i] != 0) continue;
    for (auto* sizes : {&in, &out, &kernel, &strides, &dilations, &pads_begin})
      sizes->erase(sizes->begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (in.empty()) {
    in = out = kernel = strides = dilations = {1};
    pads_begin = {0};
  }
  rank = in.size();
  taps = product(kernel);
  in_points = product(in);
  out_points = product(out);
  group_in = in_channels / groups;
  group_out = out_channels / groups;
  in_channel_step = channels_last ? 1 : in_points;
  in_step = channels_last ? in_channels : 1;
  out_channel_step = channels_last ? 1 : out_points;
  out_step = channels_last ? out_channels : 1;
}

std::vector<ConvPiece> conv_pieces(const ConvPlan& plan, bool transposed, int64_t first, int64_t count) {
  const std::vector<int64_t>& sizes = transposed ? plan.in : plan.out;
  const std::vector<int64_t>& others = transposed ? plan.out : plan.in;
  const size_t last = plan.rank - 1;

  // What each tap adds to a window's place.
  std::vector<std::vector<int64_t>> offsets;
  for (int64_t tap = 0; tap < plan.taps; ++tap) {
    offsets.push_back(place_of(tap, plan.kernel));
    for (size_t i = 0; i < plan.rank; ++i)
      offsets.back()[i] = offsets.back()[i] * plan.dilations[i] - plan.pads_begin[i];
  }

  std::vector<ConvPiece> pieces;
  for (int64_t point = first; point < first + count;) {
    const std::vector<int64_t> place = place_of(point, sizes);
    const int64_t along = place[last], length = std::min(sizes[last] - along, first + count - point);
    for (int64_t tap = 0; tap < plan.taps; ++tap) {
      const std::vector<int64_t>& offset = offsets[static_cast<size_t>(tap)];
      int64_t meet = 0;
      bool outside = false;
      for (size_t i = 0; i < last; ++i) {
        const int64_t at = place[i] * plan.strides[i] + offset[i];
        outside |= at < 0 || at >= others[i];
        meet = meet * others[i] + at;
      }
      int64_t begin = 0, end = 0;
      if (!outside) {
        const int64_t stride = plan.strides[last];
        begin = std::clamp<int64_t>(reach(0, offset[last], stride) - along, 0, length);
        end = std::clamp(reach(others[last], offset[last], stride) - along, begin, length);
        meet = meet * others[last] + (along + begin) * stride + offset[last];
      }
      pieces.push_back({tap, point, point + begin, point + end, point + length, meet});
    }
    point += length;
  }
  return pieces;
}

int64_t conv_tile_points(int64_t elements, int64_t points) {
  constexpr int64_t most_elements = 1 << 19, most_points = 1 << 14, fewest_points = 64;
  const int64_t fitting = most_elements / std::max<int64_t>(elements, 1);
  return std::min(points, std::clamp(fitting / fewest_points * fewest_points, fewest_points, most_points));
}

void conv_fill(const ConvPlan& plan, const float* bias, float* y, Pool& pool) {
  if (plan.channels_last) {
    pool.for_each(plan.batch * plan.out_points, [&](int64_t point) {
      float* to = y + point * plan.out_channels;
      if (bias)
        std::copy_n(bias, plan.out_channels, to);
      else
        std::fill_n(to, plan.out_channels, 0.0f);
    });
  } else {
    pool.for_each(plan.batch * plan.out_channels, [&](int64_t channel) {
      std::fill_n(y + channel * plan.out_points, plan.out_points,
                  bias ? bias[channel % plan.out_channels] : 0.0f);
    });
  }
}

}  // namespace remodel
