#include "ops/matmul.h"

#include <algorithm>
#include <cmath>

#include "run/elementwise.h"
#include "run/product.h"

namespace remodel {
namespace {

// What a product of two stacks of matrices walks over: steps in elements.
struct Stacks {
  Shape batch;             // broadcast sizes of the axes before the last two
  Shape a_batch, b_batch;  // steps along them; 0 where an operand repeats
  int64_t m, n, k;
  int64_t a_row, a_column, b_row, b_column;
  Shape result;
};

Stacks stacks_of(const MatMul& op, const Shape& a_shape, const Shape& b_shape) {
  if (a_shape.empty() || b_shape.empty()) fail("a scalar is no matrix");
  Shape a = a_shape, b = b_shape;
  bool row = a.size() == 1, column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  Stacks s;
  s.a_row = a.back(), s.a_column = 1, s.b_row = b.back(), s.b_column = 1;
  s.m = a[a.size() - 2], s.k = a.back(), s.n = b.back();
  int64_t k = b[b.size() - 2];
  if (op.transpose_a) std::swap(s.m, s.k), std::swap(s.a_row, s.a_column);
  if (op.transpose_b) std::swap(s.n, k), std::swap(s.b_row, s.b_column);
  if (s.k != k) fail("{} and {} cannot be multiplied", text_of(a_shape), text_of(b_shape));
  Shape a_outer(a.begin(), a.end() - 2), b_outer(b.begin(), b.end() - 2);
  s.batch = broadcast_shapes(a_outer, b_outer);
  s.a_batch = broadcast_strides(a_outer, s.batch), s.b_batch = broadcast_strides(b_outer, s.batch);
  for (int64_t& step : s.a_batch) step *= s.m * s.k;
  for (int64_t& step : s.b_batch) step *= s.k * s.n;
  s.result = s.batch;
  if (!row) s.result.push_back(s.m);
  if (!column) s.result.push_back(s.n);
  // One matrix b for all: the matrices of a lie under one another.
  bool one_b = std::all_of(s.b_batch.begin(), s.b_batch.end(), [](int64_t step) { return step == 0; });
  if (one_b && !op.transpose_a && a_outer == s.batch) {
    s.m *= count_of(s.batch);
    s.batch.clear(), s.a_batch.clear(), s.b_batch.clear();
  }
  return s;
}

int64_t offset_at(int64_t index, const Shape& sizes, const Shape& steps) {
  int64_t offset = 0;
  for (size_t axis = sizes.size(); axis-- > 0;) {
    offset += index % sizes[axis] * steps[axis];
    index /= sizes[axis];
  }
  return offset;
}

// one(a's offset, b's offset, c's offset) for each pair of matrices.
template <class F>
void for_each_pair(Call& call, const Stacks& s, F one) {
  int64_t batches = count_of(s.batch);
  auto body = [&](int64_t i) {
    one(offset_at(i, s.batch, s.a_batch), offset_at(i, s.batch, s.b_batch), i * s.m * s.n);
  };
  constexpr double worth_threads = 1 << 20;
  bool small = static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k) < worth_threads;
  if (small && batches > 1) return call.pool.for_each(batches, body);
  for (int64_t i = 0; i < batches; ++i) body(i);
}

// Integers modulo 2^bits of T.
template <class T>
void plain_product(const Stacks& s, const T* a, const T* b, T* c) {
  for (int64_t i = 0; i < s.m; ++i)
    for (int64_t j = 0; j < s.n; ++j) {
      uint64_t sum = 0;
      for (int64_t p = 0; p < s.k; ++p)
        sum += static_cast<uint64_t>(a[i * s.a_row + p * s.a_column]) *
               static_cast<uint64_t>(b[p * s.b_row + j * s.b_column]);
      c[i * s.n + j] = static_cast<T>(sum);
    }
}

// x - zero as i32, both of 8 bits at most.
Tensor without_zero(const Tensor& x, const Tensor* zero) {
  Tensor result(DType::i32, x.shape());
  if (zero && broadcast_shapes(x.shape(), zero->shape()) != x.shape())
    fail("zero points {} do not fit {}", text_of(zero->shape()), text_of(x.shape()));
  with_number(x.dtype(), [&]<class T>(T) {
    if (zero)
      map_binary<T, T, int32_t>(x, *zero, result, [](T a, T b) { return int32_t(a) - int32_t(b); });
    else
      map_unary<T, int32_t>(x, result, [](T a) { return static_cast<int32_t>(a); });
  });
  return result;
}

template <class A, class B>
void integer_product(Call& call, const Stacks& s, const Tensor& a, int32_t a_zero, const Tensor& b,
                     int32_t b_zero, Tensor& c) {
  std::vector<int32_t> a_zeros(a_zero ? s.m : 0, a_zero), b_zeros(b_zero ? s.n : 0, b_zero);
  for_each_pair(call, s, [&](int64_t from_a, int64_t from_b, int64_t to) {
    gemm_integer<A, B>(s.m, s.n, s.k, a.as<A>() + from_a, s.a_row, s.a_column,
                       a_zero ? a_zeros.data() : nullptr, b.as<B>() + from_b, s.b_row, s.b_column,
                       b_zero ? b_zeros.data() : nullptr, c.to<int32_t>() + to, s.n, false, call.pool);
  });
}

int32_t single_zero(const Tensor* zero) {
  if (!zero) return 0;
  return is_signed(zero->dtype()) ? zero->as<int8_t>()[0] : zero->as<uint8_t>()[0];
}

void run_byte_product(Call& call, const Stacks& s, Tensor& c) {
  const Tensor &a = call.in(0), &b = call.in(1);
  const Tensor* a_zero = call.has(2) ? &call.in(2) : nullptr;
  const Tensor* b_zero = call.has(3) ? &call.in(3) : nullptr;
  if ((a_zero && a_zero->count() != 1) || (b_zero && b_zero->count() != 1)) {
    Tensor wide_a = without_zero(a, a_zero), wide_b = without_zero(b, b_zero);
    return integer_product<int32_t, int32_t>(call, s, wide_a, 0, wide_b, 0, c);
  }
  int32_t za = single_zero(a_zero), zb = single_zero(b_zero);
  bool a_signed = is_signed(a.dtype()), b_signed = is_signed(b.dtype());
  if (a_signed && b_signed) return integer_product<int8_t, int8_t>(call, s, a, za, b, zb, c);
  if (a_signed) return integer_product<int8_t, uint8_t>(call, s, a, za, b, zb, c);
  if (b_signed) return integer_product<uint8_t, int8_t>(call, s, a, za, b, zb, c);
  integer_product<uint8_t, uint8_t>(call, s, a, za, b, zb, c);
}

void run_matmul(Call& call) {
  const Tensor &a = call.in(0), &b = call.in(1);
  const auto& op = call.op<MatMul>();
  Stacks s = stacks_of(op, a.shape(), b.shape());
  bool bytes_to_i32 = op.out == DType::i32 && size_of(a.dtype()) == 1;
  if (bytes_to_i32 || call.has(2) || call.has(3))
    return run_byte_product(call, s, call.out(0, DType::i32, s.result));
  if (a.dtype() != b.dtype()) fail("{} and {} cannot be multiplied", name_of(a.dtype()), name_of(b.dtype()));
  Tensor& c = call.out(0, a.dtype(), s.result);
  if (c.count() == 0) return;
  with_number(a.dtype(), [&]<class T>(T) {
    for_each_pair(call, s, [&](int64_t from_a, int64_t from_b, int64_t to) {
      const T *x = a.as<T>() + from_a, *y = b.as<T>() + from_b;
      T* z = c.to<T>() + to;
      if constexpr (std::is_floating_point_v<T>)
        product<T>(call, s.m, s.n, s.k, {x, s.a_row, s.a_column}, {y, s.b_row, s.b_column}, z, s.n);
      else
        plain_product(s, x, y, z);
    });
  });
}

// Odometer over all labels, the result's outermost: each term of the sum by itself.
template <class T, class Sum>
void sum_products(const std::vector<Tensor>& operands, const Shape& sizes, size_t result_rank,
                  const std::vector<Shape>& steps, T* to) {
  int64_t results = 1, terms = 1;
  for (size_t i = 0; i < sizes.size(); ++i) (i < result_rank ? results : terms) *= sizes[i];
  std::vector<int64_t> offsets(operands.size(), 0);
  Shape index(sizes.size(), 0);
  for (int64_t r = 0; r < results; ++r) {
    Sum sum = 0;
    for (int64_t t = 0; t < terms; ++t) {
      Sum term = 1;
      for (size_t k = 0; k < operands.size(); ++k) term *= static_cast<Sum>(operands[k].as<T>()[offsets[k]]);
      sum += term;
      for (size_t axis = sizes.size(); axis-- > 0;) {
        for (size_t k = 0; k < offsets.size(); ++k) offsets[k] += steps[k][axis];
        if (++index[axis] < sizes[axis]) break;
        for (size_t k = 0; k < offsets.size(); ++k) offsets[k] -= steps[k][axis] * sizes[axis];
        index[axis] = 0;
      }
    }
    to[r] = static_cast<T>(sum);
  }
}

void run_einsum(Call& call) {
  std::vector<Tensor> operands;
  std::vector<int64_t> ranks;
  for (size_t i = 0; i < call.count(); ++i) {
    operands.push_back(call.in(i));
    ranks.push_back(static_cast<int64_t>(call.in(i).rank()));
  }
  const std::string& equation = call.op<Einsum>().equation;
  EinsumLabels labels = parse_einsum(equation, ranks);
  // The result's labels come first, then those that are summed over.
  std::vector<int> order = labels.result;
  for (int label = 0; label < labels.count; ++label)
    if (std::find(order.begin(), order.end(), label) == order.end()) order.push_back(label);
  Shape sizes(order.size(), 1);
  std::vector<Shape> steps(operands.size(), Shape(order.size(), 0));
  for (size_t k = 0; k < operands.size(); ++k) {
    Shape own = strides_of(operands[k].shape());
    for (size_t axis = 0; axis < own.size(); ++axis) {
      size_t place = std::find(order.begin(), order.end(), labels.operands[k][axis]) - order.begin();
      int64_t size = operands[k].dim(axis);
      if (size == 1) continue;
      if (sizes[place] != 1 && sizes[place] != size)
        fail("equation '{}': sizes {} and {} do not agree", equation, sizes[place], size);
      sizes[place] = size;
      steps[k][place] += own[axis];
    }
  }
  Shape shape(sizes.begin(), sizes.begin() + labels.result.size());
  Tensor& y = call.out(0, operands[0].dtype(), shape);
  count_of(sizes);
  with_number(y.dtype(), [&]<class T>(T) {
    using Sum = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
    sum_products<T, Sum>(operands, sizes, shape.size(), steps, y.to<T>());
  });
}

// Elimination with row exchanges.
double determinant(std::vector<double>& m, int64_t n) {
  double result = 1;
  for (int64_t column = 0; column < n; ++column) {
    int64_t pivot = column;
    for (int64_t row = column + 1; row < n; ++row)
      if (std::abs(m[row * n + column]) > std::abs(m[pivot * n + column])) pivot = row;
    double lead = m[pivot * n + column];
    if (lead == 0) return 0;
    if (pivot != column) {
      std::swap_ranges(&m[pivot * n], &m[pivot * n] + n, &m[column * n]);
      result = -result;
    }
    result *= lead;
    for (int64_t row = column + 1; row < n; ++row) {
      double factor = m[row * n + column] / lead;
      for (int64_t i = column; i < n; ++i) m[row * n + i] -= factor * m[column * n + i];
    }
  }
  return result;
}

void run_det(Call& call) {
  const Tensor& x = call.in(0);
  if (x.rank() < 2 || x.dim(-1) != x.dim(-2)) fail("{} holds no square matrices", text_of(x.shape()));
  int64_t n = x.dim(-1);
  Tensor& y = call.out(0, x.dtype(), Shape(x.shape().begin(), x.shape().end() - 2));
  with_float(x.dtype(), [&]<class T>(T) {
    std::vector<double> matrix(n * n);
    for (int64_t i = 0; i < y.count(); ++i) {
      std::copy_n(x.as<T>() + i * n * n, n * n, matrix.begin());
      y.to<T>()[i] = static_cast<T>(determinant(matrix, n));
    }
  });
}

}  // namespace

void add_matmul_kernels(Kernels& kernels) {
  kernels.add<MatMul>(run_matmul);
  kernels.add<Einsum>(run_einsum);
  kernels.add<Det>(run_det);
}

}  // namespace remodel
