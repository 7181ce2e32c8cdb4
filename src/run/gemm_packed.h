// The packed matrix product on a given instruction set; gemm.h has the contract. Only gemm.cpp and its tests
// need this.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

#include "base/pool.h"
#include "run/gemm_tile.h"

namespace remodel {

// One operand as the packing sees it: a lane is a row of a or a column of b.
template <class S>
struct GemmOperand {
  const S* data;
  int64_t lane_step, depth_step;
  const int32_t* zeros = nullptr;  // subtracted, one for each lane; only with T = uint32_t
};

struct FreeAligned {
  void operator()(void* memory) const { ::operator delete (memory, std::align_val_t{64}); }
};
template <class T>
using Scratch = std::unique_ptr<T[], FreeAligned>;
template <class T>
Scratch<T> make_scratch(int64_t count) {
  size_t bytes = static_cast<size_t>(count) * sizeof(T);
  return Scratch<T>(static_cast<T*>(::operator new (bytes, std::align_val_t{64})));
}

// Four lanes by four depths, where depths lie side by side.
template <class T>
void gemm_transpose_four(const T* from, int64_t lane_step, T* to, int lanes) {
  if constexpr (sizeof(T) == 4) {
    using Vector [[gnu::vector_size(16)]] = T;
    using Order [[gnu::vector_size(16)]] = int32_t;
    Vector in[4], pairs[4], out[4];
    for (int i = 0; i < 4; ++i) std::memcpy(&in[i], from + i * lane_step, sizeof in[i]);
    for (int i = 0; i < 2; ++i) {
      pairs[i] = __builtin_shuffle(in[2 * i], in[2 * i + 1], Order{0, 4, 1, 5});
      pairs[i + 2] = __builtin_shuffle(in[2 * i], in[2 * i + 1], Order{2, 6, 3, 7});
    }
    for (int i = 0; i < 2; ++i) {
      out[2 * i] = __builtin_shuffle(pairs[2 * i], pairs[2 * i + 1], Order{0, 1, 4, 5});
      out[2 * i + 1] = __builtin_shuffle(pairs[2 * i], pairs[2 * i + 1], Order{2, 3, 6, 7});
    }
    for (int i = 0; i < 4; ++i) std::memcpy(to + i * lanes, &out[i], sizeof out[i]);
  } else {
    for (int lane = 0; lane < 4; ++lane)
      for (int depth = 0; depth < 4; ++depth) to[depth * lanes + lane] = from[lane * lane_step + depth];
  }
}

// What is left has m, n, k > 0.
template <class T>
bool gemm_trivial(int64_t m, int64_t n, int64_t k, T* c, int64_t c_row, bool accumulate) {
  if (m > 0 && n > 0 && k > 0) return false;
  if (!accumulate && n > 0)
    for (int64_t i = 0; i < m; ++i) std::fill_n(c + i * c_row, n, T{0});
  return true;
}

// Packs `used` of `lanes` lanes as to[depth][lanes]; the other lanes become zero.
template <class T, class S>
void gemm_pack(const GemmOperand<S>& operand, int64_t first_lane, int used, int lanes, int64_t first_depth,
               int64_t depth, T* to) {
  const S* from = operand.data + first_lane * operand.lane_step + first_depth * operand.depth_step;
  if (used < lanes) std::fill(to, to + depth * lanes, T{0});
  if constexpr (std::is_same_v<T, S>) {
    if (used == lanes && lanes % 4 == 0 && !operand.zeros) {
      if (operand.lane_step == 1) {
        for (int64_t k = 0; k < depth; ++k, from += operand.depth_step, to += lanes)
          for (int lane = 0; lane < lanes; lane += 4) std::memcpy(to + lane, from + lane, 4 * sizeof(T));
        return;
      }
      if (operand.depth_step == 1) {
        int64_t k = 0;
        for (; k + 4 <= depth; k += 4)
          for (int lane = 0; lane < lanes; lane += 4)
            gemm_transpose_four(from + lane * operand.lane_step + k, operand.lane_step, to + k * lanes + lane,
                                lanes);
        for (; k < depth; ++k)
          for (int lane = 0; lane < lanes; ++lane) to[k * lanes + lane] = from[lane * operand.lane_step + k];
        return;
      }
    }
  }
  T zeros[max_tile_columns] = {};
  if (operand.zeros)
    for (int lane = 0; lane < used; ++lane) zeros[lane] = static_cast<T>(operand.zeros[first_lane + lane]);
  for (int64_t k = 0; k < depth; ++k, from += operand.depth_step, to += lanes) {
    if (operand.lane_step == 1) {
      for (int lane = 0; lane < used; ++lane) to[lane] = static_cast<T>(from[lane]) - zeros[lane];
    } else {
      for (int lane = 0; lane < used; ++lane)
        to[lane] = static_cast<T>(from[lane * operand.lane_step]) - zeros[lane];
    }
  }
}

template <class T, class A, class B>
void gemm_packed(GemmTarget target, int64_t m, int64_t n, int64_t k, const GemmOperand<A>& a,
                 const GemmOperand<B>& b, T* c, int64_t c_row, bool accumulate, Pool& pool) {
  // A block of b fills the third cache level, one of a the second, a panel of b the first.
  constexpr int64_t row_block = 128, column_block = 2048, depth_block = 256;
  constexpr int64_t worth_threads = 1 << 18;

  const GemmTile<T> tile = gemm_tile<T>(target);
  auto panels_of = [](int64_t count, int size) { return (count + size - 1) / size; };
  auto each = [&](int64_t count, auto&& body) {
    if (pool.size() > 1 && m * k >= worth_threads / n) return pool.for_each(count, body);
    for (int64_t i = 0; i < count; ++i) body(i);
  };

  const int64_t depth_most = std::min(k, depth_block);
  auto packed_b =
      make_scratch<T>(panels_of(std::min(n, column_block), tile.columns) * tile.columns * depth_most);
  const int64_t row_blocks = (m + row_block - 1) / row_block;

  for (int64_t n0 = 0; n0 < n; n0 += column_block) {
    const int64_t columns = std::min(column_block, n - n0), panels = panels_of(columns, tile.columns);
    // Few rows leave threads without work unless the columns are shared out too.
    const int64_t wanted = pool.size() > 1 ? (2 * pool.size() + row_blocks - 1) / row_blocks : 1;
    const int64_t shares = std::min(panels, wanted);
    for (int64_t k0 = 0; k0 < k; k0 += depth_block) {
      const int64_t depth = std::min(depth_block, k - k0);
      const bool add = accumulate || k0 > 0;
      each(panels, [&](int64_t p) {
        int64_t first = p * tile.columns;
        int used = static_cast<int>(std::min<int64_t>(tile.columns, columns - first));
        gemm_pack(b, n0 + first, used, tile.columns, k0, depth, packed_b.get() + first * depth);
      });
      each(row_blocks * shares, [&](int64_t task) {
        const int64_t m0 = task / shares * row_block, share = task % shares;
        const int64_t rows = std::min(row_block, m - m0), row_panels = panels_of(rows, tile.rows);
        auto packed_a = make_scratch<T>(row_panels * tile.rows * depth);
        for (int64_t p = 0; p < row_panels; ++p) {
          int used = static_cast<int>(std::min<int64_t>(tile.rows, rows - p * tile.rows));
          gemm_pack(a, m0 + p * tile.rows, used, tile.rows, k0, depth,
                    packed_a.get() + p * tile.rows * depth);
        }
        for (int64_t q = panels * share / shares; q < panels * (share + 1) / shares; ++q) {
          const T* panel_b = packed_b.get() + q * tile.columns * depth;
          const int64_t wide = std::min<int64_t>(tile.columns, columns - q * tile.columns);
          for (int64_t p = 0; p < row_panels; ++p) {
            const T* panel_a = packed_a.get() + p * tile.rows * depth;
            const int64_t high = std::min<int64_t>(tile.rows, rows - p * tile.rows);
            T* to = c + (m0 + p * tile.rows) * c_row + n0 + q * tile.columns;
            if (high == tile.rows && wide == tile.columns) {
              tile.run(depth, panel_a, panel_b, to, c_row, add);
              continue;
            }
            T whole[max_tile_rows * max_tile_columns];
            tile.run(depth, panel_a, panel_b, whole, tile.columns, false);
            for (int64_t i = 0; i < high; ++i)
              for (int64_t j = 0; j < wide; ++j) {
                T value = whole[i * tile.columns + j];
                to[i * c_row + j] = add ? to[i * c_row + j] + value : value;
              }
          }
        }
      });
    }
  }
}

}  // namespace remodel
