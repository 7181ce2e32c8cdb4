#include "run/gemm.h"

#include <cstring>

#include "run/gemm_packed.h"

namespace remodel {
namespace {

// c[j] (+)= sum over k of a[k] * b[k, j]: one row of a product, without packing b.
template <class T>
void gemv(int64_t n, int64_t k, const T* a, int64_t a_step, const T* b, int64_t b_row, int64_t b_col, T* c,
          int64_t c_step, bool accumulate, Pool& pool) {
  using Vector [[gnu::vector_size(16)]] = T;
  constexpr int64_t block = 256, lanes = 16 / sizeof(T);
  auto load = [](const T* from) {
    Vector value;
    std::memcpy(&value, from, sizeof value);
    return value;
  };
  auto one_block = [&](int64_t index) {
    const int64_t first = index * block, columns = std::min(block, n - first);
    const T* from = b + first * b_col;
    T sums[block] = {};
    if (b_row == 1 && a_step == 1) {
      for (int64_t j = 0; j < columns; ++j) {
        const T* column = from + j * b_col;
        Vector parts[4] = {};
        int64_t i = 0;
        for (; i + 4 * lanes <= k; i += 4 * lanes) {
#pragma GCC unroll 4
          for (int64_t p = 0; p < 4; ++p) parts[p] += load(a + i + p * lanes) * load(column + i + p * lanes);
        }
        for (; i < k; ++i) sums[j] += a[i] * column[i];
        const Vector part = (parts[0] + parts[1]) + (parts[2] + parts[3]);
        for (int64_t lane = 0; lane < lanes; ++lane) sums[j] += part[lane];
      }
    } else {
      for (int64_t i = 0; i < k; ++i) {
        const T factor = a[i * a_step];
        const T* row = from + i * b_row;
        int64_t j = 0;
        if (b_col == 1)
          for (; j + lanes <= columns; j += lanes) {
            const Vector sum = load(sums + j) + factor * load(row + j);
            std::memcpy(sums + j, &sum, sizeof sum);
          }
        for (; j < columns; ++j) sums[j] += factor * row[j * b_col];
      }
    }
    for (int64_t j = 0; j < columns; ++j) {
      T& to = c[(first + j) * c_step];
      to = accumulate ? to + sums[j] : sums[j];
    }
  };
  const int64_t blocks = (n + block - 1) / block;
  constexpr int64_t worth_threads = 1 << 17;
  if (k >= worth_threads / n) return pool.for_each(blocks, one_block);
  for (int64_t i = 0; i < blocks; ++i) one_block(i);
}

template <class T>
void gemm_any(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, int64_t a_col, const T* b,
              int64_t b_row, int64_t b_col, T* c, int64_t c_row, bool accumulate, Pool& pool) {
  if (gemm_trivial(m, n, k, c, c_row, accumulate)) return;
  if (m == 1) return gemv(n, k, a, a_col, b, b_row, b_col, c, 1, accumulate, pool);
  if (n == 1) return gemv(m, k, b, b_row, a, a_col, a_row, c, c_row, accumulate, pool);
  gemm_packed(gemm_targets().front(), m, n, k, GemmOperand<T>{a, a_row, a_col},
              GemmOperand<T>{b, b_col, b_row}, c, c_row, accumulate, pool);
}

}  // namespace

void gemm(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_col, const float* b,
          int64_t b_row, int64_t b_col, float* c, int64_t c_row, bool accumulate, Pool& pool) {
  gemm_any(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, accumulate, pool);
}
void gemm(int64_t m, int64_t n, int64_t k, const double* a, int64_t a_row, int64_t a_col, const double* b,
          int64_t b_row, int64_t b_col, double* c, int64_t c_row, bool accumulate, Pool& pool) {
  gemm_any(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, accumulate, pool);
}

template <class A, class B>
void gemm_integer(int64_t m, int64_t n, int64_t k, const A* a, int64_t a_row, int64_t a_col,
                  const int32_t* a_zeros, const B* b, int64_t b_row, int64_t b_col, const int32_t* b_zeros,
                  int32_t* c, int64_t c_row, bool accumulate, Pool& pool) {
  auto* wrapping = reinterpret_cast<uint32_t*>(c);
  if (gemm_trivial(m, n, k, wrapping, c_row, accumulate)) return;
  gemm_packed(gemm_targets().front(), m, n, k, GemmOperand<A>{a, a_row, a_col, a_zeros},
              GemmOperand<B>{b, b_col, b_row, b_zeros}, wrapping, c_row, accumulate, pool);
}

#define INSTANTIATE(A, B)                                                                           \
  template void gemm_integer(int64_t, int64_t, int64_t, const A*, int64_t, int64_t, const int32_t*, \
                             const B*, int64_t, int64_t, const int32_t*, int32_t*, int64_t, bool, Pool&);
INSTANTIATE(int8_t, int8_t)
INSTANTIATE(int8_t, uint8_t)
INSTANTIATE(uint8_t, int8_t)
INSTANTIATE(uint8_t, uint8_t)
INSTANTIATE(int32_t, int32_t)
#undef INSTANTIATE

}  // namespace remodel
