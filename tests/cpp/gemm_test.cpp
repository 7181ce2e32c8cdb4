#include "run/gemm.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "base/pool.h"
#include "run/gemm_packed.h"

namespace remodel {
namespace {

std::mt19937 random_bits(11);

int64_t pick(int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random_bits);
}

template <class T>
T pick_value() {
  if constexpr (std::is_floating_point_v<T>) return std::uniform_real_distribution<T>(-1, 1)(random_bits);
  return static_cast<T>(random_bits());
}

// A matrix in memory just large enough for its steps.
template <class T>
struct Matrix {
  int64_t rows, columns, row_step, column_step;
  std::vector<T> data;

  Matrix(int64_t rows, int64_t columns, bool side_by_side = false) : rows(rows), columns(columns) {
    int64_t gap = pick(1, 3);
    bool transposed = !side_by_side && pick(0, 1);
    column_step = side_by_side ? 1 : transposed ? std::max<int64_t>(rows, 1) * gap : gap % 2 + (gap == 2);
    row_step =
        transposed ? 1 + pick(0, 1) * (gap - 1) : std::max<int64_t>(columns, 1) * column_step + pick(0, 5);
    if (transposed) column_step = rows * row_step + pick(0, 3);
    bool empty = rows == 0 || columns == 0;
    data.resize(empty ? 0 : static_cast<size_t>((rows - 1) * row_step + (columns - 1) * column_step + 1));
    for (T& value : data) value = pick_value<T>();
  }
  T& at(int64_t i, int64_t j) { return data[static_cast<size_t>(i * row_step + j * column_step)]; }
};

struct Sizes {
  int64_t m, n, k;
};

Sizes pick_sizes(int round) {
  if (round < 8) return {round & 1 ? 0 : 5, round & 2 ? 0 : 5, round & 4 ? 0 : 5};
  Sizes sizes{pick(1, 130), pick(1, 130), pick(1, 130)};
  if (round % 8 == 0) sizes.m = 1;
  if (round % 8 == 1) sizes.n = 1;
  if (round % 8 == 2) sizes.k = pick(250, 700);
  if (round % 40 == 11) sizes.n = pick(2040, 2100);
  return sizes;
}

template <class T>
using Product = void(int64_t, int64_t, int64_t, const T*, int64_t, int64_t, const T*, int64_t, int64_t, T*,
                     int64_t, bool, Pool&);

template <class T>
void check_product(Product<T> product) {
  Pool one(1), three(3);
  for (int round = 0; round < 64; ++round) {
    auto [m, n, k] = pick_sizes(round);
    Matrix<T> a(m, k), b(k, n), c(m, n, true);
    const bool accumulate = round % 3 == 0;
    SCOPED_TRACE(testing::Message() << m << " " << n << " " << k << " " << accumulate);
    auto expected = c, again = c;
    product(m, n, k, a.data.data(), a.row_step, a.column_step, b.data.data(), b.row_step, b.column_step,
            c.data.data(), c.row_step, accumulate, one);
    product(m, n, k, a.data.data(), a.row_step, a.column_step, b.data.data(), b.row_step, b.column_step,
            again.data.data(), c.row_step, accumulate, three);
    ASSERT_EQ(c.data, again.data) << "depends on the number of threads";
    auto untouched = c;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = accumulate ? expected.at(i, j) : 0;
        for (int64_t l = 0; l < k; ++l) sum += static_cast<double>(a.at(i, l)) * b.at(l, j);
        ASSERT_NEAR(sum, c.at(i, j), (k + 4.0) * std::numeric_limits<T>::epsilon()) << i << " " << j;
        untouched.at(i, j) = expected.at(i, j);
      }
    ASSERT_EQ(expected.data, untouched.data) << "wrote between the rows";
  }
}

template <class T>
void check_target(GemmTarget target) {
  static GemmTarget current;
  current = target;
  check_product<T>([](int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, int64_t a_col, const T* b,
                      int64_t b_row, int64_t b_col, T* c, int64_t c_row, bool accumulate, Pool& pool) {
    if (gemm_trivial(m, n, k, c, c_row, accumulate)) return;
    gemm_packed(current, m, n, k, GemmOperand<T>{a, a_row, a_col}, GemmOperand<T>{b, b_col, b_row}, c, c_row,
                accumulate, pool);
  });
}

TEST(Gemm, Float) { check_product<float>(gemm); }
TEST(Gemm, Double) { check_product<double>(gemm); }
TEST(Gemm, PortableFloat) { check_product<float>(gemm_portable); }
TEST(Gemm, PortableDouble) { check_product<double>(gemm_portable); }

TEST(Gemm, EveryTarget) {
  for (GemmTarget target : gemm_targets()) {
    SCOPED_TRACE(static_cast<int>(target));
    check_target<float>(target);
    check_target<double>(target);
  }
}

TEST(Gemm, PortableFloatRoundsOnce) {
  Pool pool(1);
  const float a[] = {1e8f, 1.0f, -1e8f}, b[] = {1.0f, 1.0f, 1.0f};
  float c = 0.25f;
  gemm_portable(1, 1, 3, a, 3, 1, b, 1, 1, &c, 1, true, pool);
  EXPECT_EQ(1.25f, c);
}

// Padding must not turn an infinity into a NaN of a neighbour.
TEST(Gemm, InfinitiesStayInTheirRows) {
  Pool pool(1);
  for (auto* product : {static_cast<Product<float>*>(gemm), static_cast<Product<float>*>(gemm_portable)}) {
    Matrix<float> a(5, 7), b(7, 5), c(5, 5, true);
    for (float& value : a.data) value = 1;
    for (float& value : b.data) value = 1;
    a.at(2, 3) = std::numeric_limits<float>::infinity();
    product(5, 5, 7, a.data.data(), a.row_step, a.column_step, b.data.data(), b.row_step, b.column_step,
            c.data.data(), c.row_step, false, pool);
    for (int64_t i = 0; i < 5; ++i)
      for (int64_t j = 0; j < 5; ++j)
        EXPECT_EQ(i == 2 ? std::numeric_limits<float>::infinity() : 7.0f, c.at(i, j));
  }
}

template <class A, class B>
void check_integers() {
  Pool one(1), three(3);
  for (int round = 0; round < 80; ++round) {
    auto [m, n, k] = pick_sizes(round);
    SCOPED_TRACE(testing::Message() << m << " " << n << " " << k);
    Matrix<A> a(m, k);
    Matrix<B> b(k, n);
    Matrix<int32_t> c(m, n, true);
    std::vector<int32_t> a_zeros(static_cast<size_t>(m)), b_zeros(static_cast<size_t>(n));
    for (int32_t& zero : a_zeros) zero = pick_value<A>();
    for (int32_t& zero : b_zeros) zero = pick_value<B>();
    const bool accumulate = round % 3 == 0, a_zero = round % 2, b_zero = round % 5 < 2;
    auto expected = c, again = c;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        uint32_t sum = accumulate ? static_cast<uint32_t>(c.at(i, j)) : 0;
        for (int64_t l = 0; l < k; ++l) {
          uint32_t left = static_cast<uint32_t>(a.at(i, l)), right = static_cast<uint32_t>(b.at(l, j));
          if (a_zero) left -= static_cast<uint32_t>(a_zeros[static_cast<size_t>(i)]);
          if (b_zero) right -= static_cast<uint32_t>(b_zeros[static_cast<size_t>(j)]);
          sum += left * right;
        }
        expected.at(i, j) = static_cast<int32_t>(sum);
      }
    for (auto [pool, result] : {std::pair{&one, &c}, std::pair{&three, &again}}) {
      gemm_integer(m, n, k, a.data.data(), a.row_step, a.column_step, a_zero ? a_zeros.data() : nullptr,
                   b.data.data(), b.row_step, b.column_step, b_zero ? b_zeros.data() : nullptr,
                   result->data.data(), result->row_step, accumulate, *pool);
      ASSERT_EQ(expected.data, result->data);
    }
  }
}

TEST(Gemm, Integers) {
  check_integers<int8_t, int8_t>();
  check_integers<int8_t, uint8_t>();
  check_integers<uint8_t, int8_t>();
  check_integers<uint8_t, uint8_t>();
  check_integers<int32_t, int32_t>();
}

}  // namespace
}  // namespace remodel
