#include "run/strided.h"

#include <algorithm>
#include <cstring>

namespace remodel {
namespace {

// One axis of a copy.
struct Axis {
  int64_t size, from, to;
};

template <class T>
void copy_elements(const T* from, T* to, int64_t count) {
  if constexpr (std::is_same_v<T, std::string>)
    std::copy_n(from, count, to);
  else
    std::memcpy(to, from, count * sizeof(T));
}

// Consecutive elements to `rows` lines a stride apart, and back: the source is read and the target written a
// whole cache line at a time, through a small tile.
template <class T>
void transpose_tiles(const T* from, int64_t from_step, T* to, int64_t to_step, int64_t rows,
                     int64_t columns) {
  // to[r * to_step + c] = from[r + c * from_step]
  constexpr int64_t tile = std::is_same_v<T, std::string> || sizeof(T) > 8 ? 16 : sizeof(T) == 8 ? 32 : 64;
  T square[tile * tile];
  for (int64_t r0 = 0; r0 < rows; r0 += tile) {
    int64_t height = std::min(tile, rows - r0);
    for (int64_t c0 = 0; c0 < columns; c0 += tile) {
      int64_t width = std::min(tile, columns - c0);
      for (int64_t c = 0; c < width; ++c)
        copy_elements(from + r0 + (c0 + c) * from_step, square + c * tile, height);
      for (int64_t r = 0; r < height; ++r) {
        T* line = to + (r0 + r) * to_step + c0;
        for (int64_t c = 0; c < width; ++c) line[c] = square[c * tile + r];
      }
    }
  }
}

template <class T>
void copy_axes(std::vector<Axis> axes, const T* from, T* to, Pool& pool) {
  // The innermost axis, and one that the source runs along where that is another.
  Axis inner = axes.back();
  axes.pop_back();
  Axis across{1, 1, 0};
  if (inner.from != 1 && inner.to == 1) {
    auto best = std::find_if(axes.begin(), axes.end(), [](const Axis& axis) { return axis.from == 1; });
    if (best != axes.end() && (best->size >= 4 || inner.size < 16)) {
      across = *best;
      axes.erase(best);
    }
  }
  // An axis is cut so that there is work to share.
  int64_t outer = 1;
  for (const Axis& axis : axes) outer *= axis.size;
  int64_t each = inner.size * across.size, pieces = 1, piece = across.size;
  if (across.size > 1 && outer < 16) {
    piece = std::max<int64_t>(64, (across.size / 16 + 63) / 64 * 64);
    pieces = (across.size + piece - 1) / piece;
    each = inner.size * std::min(piece, across.size);
  }
  for_parts(pool, outer * pieces, (int64_t{1} << 16) / std::max<int64_t>(each, 1) + 1,
            [&](int64_t first, int64_t last) {
              std::vector<int64_t> index(axes.size());
              int64_t rest = first / pieces, source = 0, target = 0;
              for (size_t k = axes.size(); k-- > 0;) {
                index[k] = rest % axes[k].size;
                rest /= axes[k].size;
                source += index[k] * axes[k].from;
                target += index[k] * axes[k].to;
              }
              for (int64_t unit = first; unit < last; ++unit) {
                if (across.size > 1) {
                  int64_t row = unit % pieces * piece;
                  transpose_tiles(from + source + row, inner.from, to + target + row * across.to, across.to,
                                  std::min(piece, across.size - row), inner.size);
                  if (unit % pieces != pieces - 1) continue;
                } else if (inner.from == 1 && inner.to == 1) {
                  copy_elements(from + source, to + target, inner.size);
                } else if (inner.from == 0 && inner.to == 1) {
                  std::fill_n(to + target, inner.size, from[source]);
                } else {
                  const T* x = from + source;
                  T* y = to + target;
                  for (int64_t i = 0; i < inner.size; ++i) y[i * inner.to] = x[i * inner.from];
                }
                for (size_t k = axes.size(); k-- > 0;) {
                  source += axes[k].from;
                  target += axes[k].to;
                  if (++index[k] < axes[k].size) break;
                  source -= axes[k].from * axes[k].size;
                  target -= axes[k].to * axes[k].size;
                  index[k] = 0;
                }
              }
            });
}

}  // namespace

Tensor blank(DType dtype, const Shape& shape) {
  return dtype == DType::string ? Tensor(dtype, shape) : Tensor::zeros(dtype, shape);
}

Box box_of(const Tensor& tensor) { return {0, strides_of(tensor.shape())}; }

void copy_box(const Shape& shape, const Tensor& from, const Box& source, Tensor& to, const Box& target,
              Pool& pool) {
  std::vector<Axis> axes;
  for (size_t k = 0; k < shape.size(); ++k) {
    if (shape[k] == 0) return;
    if (shape[k] == 1) continue;
    Axis axis{shape[k], source.strides[k], target.strides[k]};
    // Neighbours that both sides walk evenly are one.
    if (!axes.empty() && axes.back().from == axis.from * axis.size && axes.back().to == axis.to * axis.size)
      axes.back() = {axes.back().size * axis.size, axis.from, axis.to};
    else
      axes.push_back(axis);
  }
  if (axes.empty()) axes.push_back({1, 1, 1});
  with_element(from.dtype(), [&]<class T>(T) {
    copy_axes(std::move(axes), elements<T>(from) + source.offset, elements<T>(to) + target.offset, pool);
  });
}

void copy_places(const Tensor& from, const std::vector<std::vector<int64_t>>& places, Tensor& to,
                 Pool& pool) {
  if (to.count() == 0) return;
  if (places.empty()) return copy_run(from, 0, to, 0, 1);
  const auto& inner = places.back();
  int64_t length = static_cast<int64_t>(inner.size()), rows = to.count() / length;
  with_element(from.dtype(), [&]<class T>(T) {
    const T* x = elements<T>(from);
    T* y = elements<T>(to);
    for_parts(pool, rows, (int64_t{1} << 15) / length + 1, [&](int64_t first, int64_t last) {
      for (int64_t row = first; row < last; ++row) {
        int64_t rest = row, base = 0;
        for (size_t axis = places.size() - 1; axis-- > 0;) {
          int64_t size = static_cast<int64_t>(places[axis].size());
          base += places[axis][rest % size];
          rest /= size;
        }
        for (int64_t i = 0; i < length; ++i) y[row * length + i] = x[base + inner[i]];
      }
    });
  });
}

void copy_run(const Tensor& from, int64_t at, Tensor& to, int64_t first, int64_t count) {
  if (from.dtype() == DType::string) {
    std::copy_n(from.strings().begin() + at, count, to.strings().begin() + first);
    return;
  }
  size_t size = size_of(from.dtype());
  if (count > 0) std::memcpy(to.to<uint8_t>() + first * size, from.as<uint8_t>() + at * size, count * size);
}

void fill_with(const Tensor& value, Tensor& to) {
  with_element(to.dtype(),
               [&]<class T>(T) { std::fill_n(elements<T>(to), to.count(), *elements<T>(value)); });
}

}  // namespace remodel
