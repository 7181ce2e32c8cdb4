#include "run/conv_core.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/pool.h"

namespace remodel {
namespace {

std::mt19937 random_bits(5);

int64_t pick(int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random_bits);
}

std::vector<float> pick_values(int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = std::uniform_real_distribution<float>(-1, 1)(random_bits);
  return values;
}

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

// The index of a point's channel.
size_t index_of(bool channels_last, int64_t batch, int64_t channel, int64_t channels, int64_t point,
                int64_t points) {
  return static_cast<size_t>(channels_last ? (batch * points + point) * channels + channel
                                           : (batch * channels + channel) * points + point);
}

// Adds every product of an input and a weight to the output that it belongs to, for both directions: `wide`
// is the side that holds the window's taps (x of a convolution, y of a transposed one), `narrow` the other.
std::vector<double> reference(const ConvShape& s, bool transposed, const std::vector<float>& x,
                              const std::vector<float>& w, const std::vector<float>& bias) {
  const auto& narrow = transposed ? s.in : s.out;
  const auto& wide = transposed ? s.out : s.in;
  const int64_t in_points = product(s.in), out_points = product(s.out), taps = product(s.kernel);
  const int64_t group_in = s.in_channels / s.groups, group_out = s.out_channels / s.groups;

  struct Meeting {
    int64_t tap, from, to;
  };
  std::vector<Meeting> meetings;
  for (int64_t point = 0; point < product(narrow); ++point)
    for (int64_t tap = 0; tap < taps; ++tap) {
      const auto place = place_of(point, narrow), offset = place_of(tap, s.kernel);
      int64_t met = 0;
      bool inside = true;
      for (size_t d = 0; d < narrow.size(); ++d) {
        const int64_t at = place[d] * s.strides[d] + offset[d] * s.dilations[d] - s.pads_begin[d];
        inside = inside && at >= 0 && at < wide[d];
        met = met * wide[d] + at;
      }
      if (inside) meetings.push_back({tap, transposed ? point : met, transposed ? met : point});
    }

  std::vector<double> y(static_cast<size_t>(s.batch * s.out_channels * out_points));
  for (int64_t n = 0; n < s.batch; ++n)
    for (int64_t oc = 0; oc < s.out_channels; ++oc) {
      for (int64_t p = 0; p < out_points; ++p)
        y[index_of(s.channels_last, n, oc, s.out_channels, p, out_points)] =
            bias.empty() ? 0 : bias[static_cast<size_t>(oc)];
      for (int64_t i = 0; i < group_in; ++i) {
        const int64_t ic = oc / group_out * group_in + i;
        const int64_t weights = (transposed ? ic * group_out + oc % group_out : oc * group_in + i) * taps;
        for (const auto& [tap, from, to] : meetings)
          y[index_of(s.channels_last, n, oc, s.out_channels, to, out_points)] +=
              static_cast<double>(x[index_of(s.channels_last, n, ic, s.in_channels, from, in_points)]) *
              w[static_cast<size_t>(weights + tap)];
      }
    }
  return y;
}

void check(const ConvShape& s, bool transposed, bool with_bias) {
  static Pool one(1), three(3);
  const auto x = pick_values(s.batch * s.in_channels * product(s.in));
  const auto w = pick_values(s.in_channels * s.out_channels / s.groups * product(s.kernel));
  const auto bias = pick_values(with_bias ? s.out_channels : 0);
  const auto expected = reference(s, transposed, x, w, bias);
  auto run = [&](Pool& pool) {
    std::vector<float> y(expected.size(), std::nanf(""));
    (transposed ? conv_transpose_forward : conv_forward)(s, x.data(), w.data(),
                                                         with_bias ? bias.data() : nullptr, y.data(), pool);
    return y;
  };
  const auto y = run(one);
  for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(expected[i], y[i], 1e-4) << i;
  ASSERT_EQ(y, run(three)) << "depends on the number of threads";
}

std::string text_of(const ConvShape& s) {
  std::string text =
      testing::PrintToString(std::vector<int64_t>{s.batch, s.in_channels, s.out_channels, s.groups});
  for (auto* sizes : {&s.in, &s.out, &s.kernel, &s.strides, &s.dilations, &s.pads_begin})
    text.append(" ").append(testing::PrintToString(*sizes));
  return text + (s.channels_last ? " last" : " first");
}

ConvShape pick_shape(size_t rank, bool transposed) {
  ConvShape s;
  s.batch = pick(1, 2);
  s.groups = pick(0, 1) ? 1 : pick(2, 4);
  s.in_channels = s.groups * (pick(0, 3) ? pick(1, 1 + pick(0, 5)) : pick(16, 20));
  s.out_channels = s.groups * pick(1, 1 + pick(0, 9));
  s.channels_last = pick(0, 1);
  const bool pointwise = pick(0, 5) == 0;
  for (size_t i = 0; i < rank; ++i) {
    s.in.push_back(pick(1, rank > 3 ? 4 : rank > 2 ? 6 : 12));
    s.kernel.push_back(pointwise ? 1 : pick(1, rank > 2 ? 3 : 5));
    s.strides.push_back(pointwise ? 1 : pick(1, 3));
    s.dilations.push_back(pick(1, 3));
    s.pads_begin.push_back(pointwise ? 0 : pick(-1, 3));
    const int64_t pad_end = pointwise ? 0 : pick(-1, 3);
    const int64_t whole = (s.in[i] - 1) * s.strides[i] + (s.kernel[i] - 1) * s.dilations[i] + 1;
    s.out.push_back(transposed ? std::max<int64_t>(1, whole - s.pads_begin[i] - pad_end + pick(0, 2))
                               : conv_out_size(s.in[i], s.kernel[i], s.strides[i], s.dilations[i],
                                               s.pads_begin[i], pad_end));
  }
  return s;
}

TEST(ConvCore, RandomShapes) {
  for (bool transposed : {false, true})
    for (int round = 0; round < 400; ++round) {
      const ConvShape s = pick_shape(static_cast<size_t>(round % 20 < 19 ? 1 + round % 3 : 4), transposed);
      SCOPED_TRACE(text_of(s) + (transposed ? " transposed" : ""));
      check(s, transposed, round % 2);
      if (HasFatalFailure()) return;
    }
}

// More points than one tile holds.
TEST(ConvCore, ManyTiles) {
  for (bool transposed : {false, true})
    for (bool channels_last : {false, true})
      for (int64_t groups : {1, 3}) {
        ConvShape s;
        s.in_channels = s.out_channels = 3;
        s.groups = groups;
        s.in = s.out = {90, 211};
        s.kernel = {3, 3};
        s.strides = s.dilations = s.pads_begin = {1, 1};
        s.channels_last = channels_last;
        SCOPED_TRACE(text_of(s) + (transposed ? " transposed" : ""));
        check(s, transposed, true);
        s.in_channels = groups * 90;
        s.out_channels = groups * 4;
        s.in = s.out = {9, 81};
        check(s, transposed, false);
      }
}

TEST(ConvCore, NoSpatialAxes) {
  ConvShape s;
  s.batch = 3;
  s.in_channels = 5;
  s.out_channels = 7;
  for (bool transposed : {false, true}) check(s, transposed, true);
}

TEST(ConvCore, EmptyInputGivesTheBias) {
  ConvShape s;
  s.in_channels = s.out_channels = 2;
  s.in = {0, 3};
  s.out = {2, 3};
  s.kernel = {3, 3};
  s.strides = s.dilations = s.pads_begin = {1, 1};
  for (bool transposed : {false, true})
    for (int64_t groups : {1, 2}) {
      s.groups = groups;
      check(s, transposed, true);
      check(s, transposed, false);
    }
}

TEST(ConvCore, OutSize) {
  EXPECT_EQ(112, conv_out_size(224, 7, 2, 1, 3, 3));
  EXPECT_EQ(3, conv_out_size(7, 3, 2, 1, 0, 0));
  EXPECT_EQ(1, conv_out_size(5, 3, 1, 2, 0, 0));
  EXPECT_EQ(0, conv_out_size(4, 3, 1, 2, 0, 0));
}

}  // namespace
}  // namespace remodel
