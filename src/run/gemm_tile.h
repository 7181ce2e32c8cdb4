// The inner kernels of the packed matrix product, one for each instruction set. Only gemm.cpp and its tests
// need this.
#pragma once

#include <cstdint>
#include <vector>

namespace remodel {

enum class GemmTarget { avx512, avx2, baseline };

template <class T>
struct GemmTile {
  int rows, columns;
  // c[rows x columns] (+)= a * b, with a packed as [depth][rows] and b as [depth][columns].
  void (*run)(int64_t depth, const T* a, const T* b, T* c, int64_t c_row, bool accumulate);
};

// The largest `rows` and `columns` of any tile.
constexpr int max_tile_rows = 8;
constexpr int max_tile_columns = 32;

// What this CPU can run, best first; baseline is always there.
const std::vector<GemmTarget>& gemm_targets();

// For float, double and uint32_t.
template <class T>
GemmTile<T> gemm_tile(GemmTarget target);

}  // namespace remodel
