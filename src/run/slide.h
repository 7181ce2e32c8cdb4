// A window that slides along one axis, for what is computed axis by axis: sums, largest elements.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/pool.h"

namespace remodel {

// Calls f(begin, end) for parts of [0, count) that are worth a thread's while; an item costs about `work`
// steps.
template <class F>
void for_each_part(Pool& pool, int64_t count, int64_t work, F f) {
  const int64_t least = std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(work, 1));
  const int64_t size = std::max(least, (count + 4 * pool.size() - 1) / (4 * pool.size()));
  if (size >= count) {
    if (count > 0) f(int64_t{0}, count);
    return;
  }
  pool.for_each((count + size - 1) / size, [&](int64_t i) { f(i * size, std::min(count, (i + 1) * size)); });
}

// to[i] = f(to[i], from[i]); f takes and gives T, or vectors of T.
template <class T, class F>
void combine(T* to, const T* from, int64_t count, F f) {
  using Four [[gnu::vector_size(16)]] = T;
  constexpr int64_t lanes = 16 / sizeof(T);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    Four a, b;
    std::memcpy(&a, to + i, 16);
    std::memcpy(&b, from + i, 16);
    a = f(a, b);
    std::memcpy(to + i, &a, 16);
  }
  for (; i < count; ++i) to[i] = f(to[i], from[i]);
}

// A window along an axis of `in` elements with `out` places; place o and tap t meet o * stride + t * dilation
// - low.
struct AxisWindow {
  int64_t in, out, size, stride, dilation, low;

  // How many taps of place o meet something below `end`.
  int64_t taps_below(int64_t o, int64_t end) const {
    int64_t room = end + low - o * stride;
    return room <= 0 ? 0 : std::min(size, (room - 1) / dilation + 1);
  }
  int64_t first_tap(int64_t o) const { return taps_below(o, 0); }
  int64_t last_tap(int64_t o) const { return taps_below(o, in); }
};

// y [outer, out, inner] of x [outer, in, inner]: f over `start` and each element of the window that lies
// inside.
template <class T, class F>
void slide(const AxisWindow& w, int64_t outer, int64_t inner, const T* x, T* y, T start, F f, Pool& pool) {
  if (outer * inner * w.out == 0) return;
  if (inner > 1) {
    for_each_part(pool, outer * w.out, inner * w.size, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t o = task % w.out;
        const T* from = x + task / w.out * w.in * inner;
        T* to = y + task * inner;
        std::fill_n(to, inner, start);
        for (int64_t t = w.first_tap(o), last = w.last_tap(o); t < last; ++t)
          combine(to, from + (o * w.stride + t * w.dilation - w.low) * inner, inner, f);
      }
    });
    return;
  }
  for_each_part(pool, outer, w.out * w.size, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* from = x + row * w.in;
      T* to = y + row * w.out;
      for (int64_t o = 0; o < w.out; ++o) {
        T value = start;
        for (int64_t t = w.first_tap(o), last = w.last_tap(o); t < last; ++t)
          value = f(value, from[o * w.stride + t * w.dilation - w.low]);
        to[o] = value;
      }
    }
  });
}

}  // namespace remodel
