#include "run/gemm.h"
#include "run/gemm_packed.h"

namespace remodel {

// The product of two floats is exact in double, so it makes no difference whether it is fused with the sum.
void gemm_portable(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_col,
                   const float* b, int64_t b_row, int64_t b_col, float* c, int64_t c_row, bool accumulate,
                   Pool& pool) {
  if (gemm_trivial(m, n, k, c, c_row, accumulate)) return;
  constexpr int64_t rows = 128, columns = 2048;
  auto sums = make_scratch<double>(std::min(m, rows) * std::min(n, columns));
  for (int64_t n0 = 0; n0 < n; n0 += columns) {
    const int64_t wide = std::min(columns, n - n0);
    for (int64_t m0 = 0; m0 < m; m0 += rows) {
      const int64_t high = std::min(rows, m - m0);
      gemm_packed(GemmTarget::baseline, high, wide, k, GemmOperand<float>{a + m0 * a_row, a_row, a_col},
                  GemmOperand<float>{b + n0 * b_col, b_col, b_row}, sums.get(), wide, false, pool);
      for (int64_t i = 0; i < high; ++i)
        for (int64_t j = 0; j < wide; ++j) {
          float& to = c[(m0 + i) * c_row + n0 + j];
          const double sum = sums[i * wide + j];
          to = static_cast<float>(accumulate ? to + sum : sum);
        }
    }
  }
}

void gemm_portable(int64_t m, int64_t n, int64_t k, const double* a, int64_t a_row, int64_t a_col,
                   const double* b, int64_t b_row, int64_t b_col, double* c, int64_t c_row, bool accumulate,
                   Pool& pool) {
  if (gemm_trivial(m, n, k, c, c_row, accumulate)) return;
  gemm_packed(GemmTarget::baseline, m, n, k, GemmOperand<double>{a, a_row, a_col},
              GemmOperand<double>{b, b_col, b_row}, c, c_row, accumulate, pool);
}

}  // namespace remodel
