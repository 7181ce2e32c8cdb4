#include "run/conv_core.h"

#include <algorithm>
#include <cstring>

#include "base/pool.h"
#include "run/conv_plan.h"
#include "run/gemm.h"
#include "run/gemm_packed.h"

namespace remodel {
namespace {

using Four [[gnu::vector_size(16)]] = float;

Four load_four(const float* from) {
  Four value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// y[i] += x[i * stride] * factor
void add_scaled(int64_t count, const float* x, int64_t stride, float factor, float* y) {
  int64_t i = 0;
  if (stride == 1)
    for (; i + 4 <= count; i += 4) {
      const Four sum = load_four(y + i) + load_four(x + i) * factor;
      std::memcpy(y + i, &sum, sizeof sum);
    }
  for (; i < count; ++i) y[i] += x[i * stride] * factor;
}

// y[i] += x[i] * w[i]
void add_product(int64_t count, const float* x, const float* w, float* y) {
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const Four sum = load_four(y + i) + load_four(x + i) * load_four(w + i);
    std::memcpy(y + i, &sum, sizeof sum);
  }
  for (; i < count; ++i) y[i] += x[i] * w[i];
}

// to[outer][tap][inner] = w[outer][inner][tap]
Scratch<float> taps_before_channels(const float* w, int64_t outer, int64_t inner, int64_t taps) {
  auto to = make_scratch<float>(outer * inner * taps);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i)
      for (int64_t t = 0; t < taps; ++t) to[(o * taps + t) * inner + i] = w[(o * inner + i) * taps + t];
  return to;
}

// One input channel for each group; y holds the bias.
void add_depthwise(const ConvPlan& plan, const float* x, const float* w, float* y, Pool& pool) {
  const int64_t stride = plan.strides.back(), tile = conv_tile_points(plan.taps, plan.out_points);
  Scratch<float> by_tap;
  if (plan.channels_last) by_tap = taps_before_channels(w, 1, plan.out_channels, plan.taps);
  for (int64_t first = 0; first < plan.out_points; first += tile) {
    const auto pieces = conv_pieces(plan, false, first, std::min(tile, plan.out_points - first));
    if (plan.channels_last) {
      const int64_t rows = static_cast<int64_t>(pieces.size()) / plan.taps;
      pool.for_each(plan.batch * rows, [&](int64_t task) {
        const float* from = x + task / rows * plan.in_points * plan.in_channels;
        float* to = y + task / rows * plan.out_points * plan.out_channels;
        for (int64_t tap = 0; tap < plan.taps; ++tap) {
          const ConvPiece& piece = pieces[static_cast<size_t>(task % rows * plan.taps + tap)];
          const float* weights = by_tap.get() + tap * plan.out_channels;
          for (int64_t p = piece.begin; p < piece.end; ++p) {
            const float* in = from + (piece.meet + (p - piece.begin) * stride) * plan.in_channels;
            float* out = to + p * plan.out_channels;
            if (plan.group_out == 1)
              add_product(plan.out_channels, in, weights, out);
            else
              for (int64_t c = 0; c < plan.out_channels; ++c) out[c] += in[c / plan.group_out] * weights[c];
          }
        }
      });
    } else {
      pool.for_each(plan.batch * plan.out_channels, [&](int64_t task) {
        const int64_t batch = task / plan.out_channels, channel = task % plan.out_channels;
        const float* from = x + (batch * plan.in_channels + channel / plan.group_out) * plan.in_points;
        const float* weights = w + channel * plan.taps;
        float* to = y + task * plan.out_points;
        for (const ConvPiece& piece : pieces)
          if (piece.begin < piece.end)
            add_scaled(piece.end - piece.begin, from + piece.meet, stride, weights[piece.tap],
                       to + piece.begin);
      });
    }
  }
}

// The input that the points [first, first + count) see, as [channel][tap][point] or, by_point, as
// [point][tap][channel]. x is the group's first channel.
void gather(const ConvPlan& plan, const float* x, int64_t first, int64_t count, bool by_point, float* to,
            Pool& pool) {
  const auto pieces = conv_pieces(plan, false, first, count);
  const int64_t step = plan.strides.back() * plan.in_step;
  if (by_point) {
    pool.for_each(static_cast<int64_t>(pieces.size()), [&](int64_t index) {
      const ConvPiece& piece = pieces[static_cast<size_t>(index)];
      for (int64_t p = piece.row_begin; p < piece.row_end; ++p) {
        float* at = to + ((p - first) * plan.taps + piece.tap) * plan.group_in;
        if (p < piece.begin || p >= piece.end)
          std::fill_n(at, plan.group_in, 0.0f);
        else
          std::copy_n(x + piece.meet * plan.in_step + (p - piece.begin) * step, plan.group_in, at);
      }
    });
  } else {
    pool.for_each(plan.group_in, [&](int64_t channel) {
      for (const ConvPiece& piece : pieces) {
        const int64_t length = piece.end - piece.begin;
        float* row = to + (channel * plan.taps + piece.tap) * count + piece.row_begin - first;
        float* at = std::fill_n(row, piece.begin - piece.row_begin, 0.0f);
        if (length > 0) {
          const float* from = x + channel * plan.in_channel_step + piece.meet * plan.in_step;
          if (step == 1)
            std::copy_n(from, length, at);
          else
            for (int64_t i = 0; i < length; ++i) at[i] = from[i * step];
        }
        std::fill_n(at + length, piece.row_end - piece.end, 0.0f);
      }
    });
  }
}

// Shares out whole tasks if there are enough of them for all threads; else each task shares out its own work.
template <class Body>
void each_task(Pool& pool, int64_t tasks, Body body) {
  if (tasks >= 2 * pool.size()) return pool.for_each(tasks, body);
  for (int64_t task = 0; task < tasks; ++task) body(task);
}

}  // namespace

int64_t conv_out_size(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad_begin,
                      int64_t pad_end) {
  const int64_t room = in + pad_begin + pad_end - ((kernel - 1) * dilation + 1);
  return room < 0 ? 0 : room / stride + 1;
}

void conv_forward(const ConvShape& shape, const float* x, const float* w, const float* bias, float* y,
                  Pool& pool) {
  const ConvPlan plan(shape);
  if (plan.batch * plan.out_channels * plan.out_points == 0) return;
  const bool depthwise = plan.group_in == 1 && plan.groups > 1;
  const bool empty = plan.group_in * plan.in_points == 0;
  if (bias || depthwise || empty) conv_fill(plan, bias, y, pool);
  if (empty) return;
  if (depthwise) return add_depthwise(plan, x, w, y, pool);

  const int64_t depth = plan.group_in * plan.taps;
  // The input already is what gathering would give.
  const bool direct = plan.taps == 1 && plan.in == plan.out &&
                      std::ranges::all_of(plan.strides, [](int64_t stride) { return stride == 1; }) &&
                      std::ranges::all_of(plan.pads_begin, [](int64_t pad) { return pad == 0; });
  const int64_t tile = direct ? plan.out_points : conv_tile_points(depth, plan.out_points);
  const int64_t tiles = (plan.out_points - 1) / tile + 1;
  // Short runs of channels are not worth gathering one by one.
  const bool by_point = plan.channels_last && plan.group_in >= 16;
  Scratch<float> reordered;
  if (by_point && plan.taps > 1) {
    reordered = taps_before_channels(w, plan.out_channels, plan.group_in, plan.taps);
    w = reordered.get();
  }

  each_task(pool, plan.batch * plan.groups * tiles, [&](int64_t task) {
    const int64_t batch = task / tiles / plan.groups, group = task / tiles % plan.groups;
    const int64_t first = task % tiles * tile, count = std::min(tile, plan.out_points - first);
    const float* from =
        x + batch * plan.in_points * plan.in_channels + group * plan.group_in * plan.in_channel_step;
    const float* weights = w + group * plan.group_out * depth;
    float* to = y + batch * plan.out_points * plan.out_channels +
                group * plan.group_out * plan.out_channel_step + first * plan.out_step;

    Scratch<float> gathered;
    const float* seen = from + first * plan.in_step;
    int64_t point_step = plan.in_step, depth_step = plan.in_channel_step;
    if (!direct) {
      gathered = make_scratch<float>(depth * count);
      gather(plan, from, first, count, by_point, gathered.get(), pool);
      seen = gathered.get();
      point_step = by_point ? depth : 1;
      depth_step = by_point ? 1 : count;
    }
    if (plan.channels_last)
      gemm(count, plan.group_out, depth, seen, point_step, depth_step, weights, 1, depth, to, plan.out_step,
           bias != nullptr, pool);
    else
      gemm(plan.group_out, count, depth, weights, depth, 1, seen, depth_step, point_step, to,
           plan.out_channel_step, bias != nullptr, pool);
  });
}

void conv_transpose_forward(const ConvShape& shape, const float* x, const float* w, const float* bias,
                            float* y, Pool& pool) {
  const ConvPlan plan(shape);
  if (plan.batch * plan.out_channels * plan.out_points == 0) return;
  conv_fill(plan, bias, y, pool);
  if (plan.group_in * plan.in_points == 0) return;
  const int64_t outs = plan.group_out * plan.taps, stride = plan.strides.back();
  const int64_t tile = conv_tile_points(outs, plan.in_points);

  // The tiles of one group add to the same outputs, so they stay in order.
  each_task(pool, plan.batch * plan.groups, [&](int64_t task) {
    const int64_t batch = task / plan.groups, group = task % plan.groups;
    const float* from =
        x + batch * plan.in_points * plan.in_channels + group * plan.group_in * plan.in_channel_step;
    const float* weights = w + group * plan.group_in * outs;
    float* to =
        y + batch * plan.out_points * plan.out_channels + group * plan.group_out * plan.out_channel_step;
    auto spread = make_scratch<float>(outs * tile);  // [channel][tap][point]
    for (int64_t first = 0; first < plan.in_points; first += tile) {
      const int64_t count = std::min(tile, plan.in_points - first);
      gemm(outs, count, plan.group_in, weights, 1, outs, from + first * plan.in_step, plan.in_channel_step,
           plan.in_step, spread.get(), count, false, pool);
      const auto pieces = conv_pieces(plan, true, first, count);
      pool.for_each(plan.group_out, [&](int64_t channel) {
        float* plane = to + channel * plan.out_channel_step;
        for (const ConvPiece& piece : pieces) {
          const float* row = spread.get() + (channel * plan.taps + piece.tap) * count;
          for (int64_t p = piece.begin; p < piece.end; ++p)
            plane[(piece.meet + (p - piece.begin) * stride) * plan.out_step] += row[p - first];
        }
      });
    }
  });
}

}  // namespace remodel
