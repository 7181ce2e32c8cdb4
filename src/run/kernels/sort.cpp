#include "ops/sort.h"

#include <algorithm>
#include <numeric>

#include "run/elementwise.h"
#include "run/strided.h"

namespace remodel {
namespace {

// The order of all values: NaN is the largest.
template <class T>
bool before(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>)
    return b != b ? a == a : a < b;
  else
    return a < b;
}

// What elements compare by: small floats as f32.
Tensor keys_of(const Tensor& x) {
  if (!is_small_float(x.dtype())) return x;
  Tensor keys(DType::f32, x.shape());
  convert_elements(x.dtype(), x.raw(), DType::f32, keys.raw(), x.count());
  return keys;
}

// Calls f with a value of the type of the keys.
template <class F>
void with_key(const Tensor& keys, F f) {
  if (keys.dtype() == DType::string)
    f(std::string());
  else
    with_number(keys.dtype(), f);
}

void run_top_k(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<TopK>();
  int64_t axis = resolve_axis(op.axis, x.rank()), size = x.dim(axis);
  Shape counts = call.sizes_or(1, {op.k});
  if (counts.size() != 1 || counts[0] < 0 || counts[0] > size)
    fail("the top {} of {}", text_of(counts), size);
  int64_t k = counts[0], inner = 1;
  for (size_t i = axis + 1; i < x.rank(); ++i) inner *= x.dim(i);
  Shape shape = x.shape();
  shape[axis] = k;
  Tensor values(x.dtype(), shape), indices(DType::i64, shape), keys = keys_of(x);
  int64_t lines = values.count() == 0 ? 0 : values.count() / k;
  int64_t* places = indices.to<int64_t>();
  with_number(keys.dtype(), [&]<class T>(T) {
    for_parts(call.pool, lines, (int64_t{1} << 13) / std::max<int64_t>(size, 1) + 1,
              [&](int64_t first, int64_t last) {
                std::vector<int64_t> order(size);
                for (int64_t line = first; line < last; ++line) {
                  const T* key = keys.as<T>() + line / inner * inner * size + line % inner;
                  auto better = [&](int64_t a, int64_t b) {
                    const T &x = key[a * inner], &y = key[b * inner];
                    if (op.largest ? before(y, x) : before(x, y)) return true;
                    if (op.largest ? before(x, y) : before(y, x)) return false;
                    return a < b;
                  };
                  std::iota(order.begin(), order.end(), 0);
                  if (k < size / 4) std::nth_element(order.begin(), order.begin() + k, order.end(), better);
                  std::sort(order.begin(), k < size / 4 ? order.begin() + k : order.end(), better);
                  int64_t* to = places + line / inner * inner * k + line % inner;
                  for (int64_t i = 0; i < k; ++i) to[i * inner] = order[i];
                }
              });
  });
  with_element(x.dtype(), [&]<class T>(T) {
    for (int64_t i = 0; i < values.count(); ++i) {
      int64_t line = i / (inner * k) * inner + i % inner;
      elements<T>(values)[i] = elements<T>(x)[line / inner * inner * size + line % inner + places[i] * inner];
    }
  });
  call.set(0, values);
  call.set(1, indices);
}

void run_unique(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Unique>();
  Shape shape = op.flat ? Shape{x.count()} : x.shape();
  int64_t axis = op.flat ? 0 : resolve_axis(op.axis, x.rank()), size = shape[axis], inner = 1;
  for (size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  int64_t outer = size == 0 ? 0 : count_of(shape) / (size * inner == 0 ? 1 : size * inner),
          width = outer * inner;

  std::vector<int64_t> order(size);
  std::iota(order.begin(), order.end(), 0);
  std::vector<int64_t> group(size);  // by place in `order`, then by slice
  std::vector<int64_t> firsts, counts;
  Tensor keys = keys_of(x);
  with_key(keys, [&]<class T>(T) {
    const T* key = elements<T>(keys);
    auto compare = [&](int64_t a, int64_t b) {
      for (int64_t i = 0; i < width; ++i) {
        int64_t base = i / inner * inner * size + i % inner;
        const T &x = key[base + a * inner], &y = key[base + b * inner];
        if (before(x, y)) return -1;
        if (before(y, x)) return 1;
      }
      return 0;
    };
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return compare(a, b) < 0; });
    for (int64_t i = 0; i < size; ++i) {
      if (i == 0 || compare(order[i - 1], order[i]) != 0) {
        firsts.push_back(order[i]);
        counts.push_back(0);
      }
      ++counts.back();
      group[order[i]] = static_cast<int64_t>(firsts.size()) - 1;
    }
  });
  int64_t count = static_cast<int64_t>(firsts.size());
  std::vector<int64_t> rank(count);  // of the groups as they are given out
  std::iota(rank.begin(), rank.end(), 0);
  if (!op.sorted)
    std::sort(rank.begin(), rank.end(), [&](int64_t a, int64_t b) { return firsts[a] < firsts[b]; });
  std::vector<int64_t> place(count), first_out, count_out;
  for (int64_t i = 0; i < count; ++i) {
    place[rank[i]] = i;
    first_out.push_back(firsts[rank[i]]);
    count_out.push_back(counts[rank[i]]);
  }
  for (int64_t& g : group) g = place[g];
  Shape to = shape;
  to[axis] = count;
  Tensor& y = call.out(0, x.dtype(), to);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < count; ++i)
      copy_run(x, (o * size + first_out[i]) * inner, y, (o * count + i) * inner, inner);
  call.set(1, Tensor::of_ints(first_out));
  call.set(2, Tensor::of_ints(group));
  call.set(3, Tensor::of_ints(count_out));
}

}  // namespace

void add_sort_kernels(Kernels& kernels) {
  kernels.add<TopK>(run_top_k, Halves::keep);
  kernels.add<Unique>(run_unique, Halves::keep);
}

}  // namespace remodel
