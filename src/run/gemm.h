// Matrix products: c[m x n] = a[m x k] * b[k x n], or c += a * b.
//
// Every operand has a step between its rows and one between its columns, in elements, so a transpose is free;
// c's columns lie side by side. c overlaps neither operand. A product over k = 0 is zero. The steps in k are
// added in an order that depends on the sizes and steps only, never on the number of threads.
#pragma once

#include <cstdint>

namespace remodel {

class Pool;

// As fast as the CPU allows; CPUs with other vector units round differently.
void gemm(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_col, const float* b,
          int64_t b_row, int64_t b_col, float* c, int64_t c_row, bool accumulate, Pool& pool);
void gemm(int64_t m, int64_t n, int64_t k, const double* a, int64_t a_row, int64_t a_col, const double* b,
          int64_t b_row, int64_t b_col, double* c, int64_t c_row, bool accumulate, Pool& pool);

// The same bits on every CPU, for what ends up in files. Floats are summed in double and rounded once.
void gemm_portable(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_col,
                   const float* b, int64_t b_row, int64_t b_col, float* c, int64_t c_row, bool accumulate,
                   Pool& pool);
void gemm_portable(int64_t m, int64_t n, int64_t k, const double* a, int64_t a_row, int64_t a_col,
                   const double* b, int64_t b_row, int64_t b_col, double* c, int64_t c_row, bool accumulate,
                   Pool& pool);

// c = (a - a_zeros) * (b - b_zeros), wrapping around in 32 bits: exact on every CPU. The zero points are one
// for each row of a and each column of b; null stands for zeros. A and B are int8_t or uint8_t each, or
// int32_t both.
template <class A, class B>
void gemm_integer(int64_t m, int64_t n, int64_t k, const A* a, int64_t a_row, int64_t a_col,
                  const int32_t* a_zeros, const B* b, int64_t b_row, int64_t b_col, const int32_t* b_zeros,
                  int32_t* c, int64_t c_row, bool accumulate, Pool& pool);

}  // namespace remodel
