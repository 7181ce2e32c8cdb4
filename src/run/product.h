// The matrix product that a call's results ask for: fast, or the same bits on every CPU.
#pragma once

#include "run/gemm.h"
#include "run/kernel.h"

namespace remodel {

// One matrix inside a tensor's elements: steps between rows and between columns.
template <class T>
struct Matrix {
  const T* data;
  int64_t row_step, column_step;
};

// c[m x n] = a[m x k] * b[k x n] (or c += with `accumulate`); T is float or double.
template <class T>
void product(const Call& call, int64_t m, int64_t n, int64_t k, Matrix<T> a, Matrix<T> b, T* c, int64_t c_row,
             bool accumulate = false) {
  if (call.portable)
    gemm_portable(m, n, k, a.data, a.row_step, a.column_step, b.data, b.row_step, b.column_step, c, c_row,
                  accumulate, call.pool);
  else
    gemm(m, n, k, a.data, a.row_step, a.column_step, b.data, b.row_step, b.column_step, c, c_row, accumulate,
         call.pool);
}

}  // namespace remodel
