#include "run/map.h"

#include <algorithm>

namespace remodel {
namespace {

// Elements that one task computes.
constexpr int64_t grain = 1 << 15;

}  // namespace

Operands operands(const Call& call) {
  const Tensor &a = call.in(0), &b = call.in(1);
  if (a.dtype() != b.dtype()) fail("operands are {} and {}", name_of(a.dtype()), name_of(b.dtype()));
  return {a, b, broadcast_shapes(a.shape(), b.shape())};
}

void map_stretches(Pool& pool, const std::vector<const Tensor*>& operands, Tensor& result, StretchFn compute,
                   const double* numbers) {
  if (result.count() == 0) return;
  std::vector<Shape> shapes;
  std::vector<const uint8_t*> bases;
  std::vector<int64_t> sizes;
  for (const Tensor* operand : operands) {
    shapes.push_back(operand->shape());
    bases.push_back(operand->as<uint8_t>());
    sizes.push_back(static_cast<int64_t>(size_of(operand->dtype())));
  }
  BroadcastRows walk(result.shape(), shapes);
  uint8_t* out = result.to<uint8_t>();
  int64_t out_size = static_cast<int64_t>(size_of(result.dtype()));
  auto stretch = [&](int64_t start, int64_t count, int64_t inside, const std::vector<int64_t>& offsets) {
    Stretch part{};
    for (size_t k = 0; k < operands.size(); ++k) {
      part.in[k] = bases[k] + (offsets[k] + inside * walk.steps[k]) * sizes[k];
      part.step[k] = walk.steps[k];
    }
    part.out = out + (start + inside) * out_size;
    part.count = count;
    part.numbers = numbers;
    compute(part);
  };
  if (walk.rows == 1) {
    std::vector<int64_t> none(operands.size(), 0);
    pool.for_each((walk.length + grain - 1) / grain, [&](int64_t task) {
      int64_t first = task * grain;
      stretch(0, std::min(grain, walk.length - first), first, none);
    });
    return;
  }
  int64_t rows = std::max<int64_t>(1, grain / walk.length);
  pool.for_each((walk.rows + rows - 1) / rows, [&](int64_t task) {
    walk.for_rows(
        task * rows, std::min(walk.rows, (task + 1) * rows),
        [&](int64_t start, const std::vector<int64_t>& offsets) { stretch(start, walk.length, 0, offsets); });
  });
}

void map_reals(Pool& pool, const Tensor& x, Tensor& y, RealBlockFn compute, const double* numbers) {
  int64_t count = x.count();
  auto task_of = [&]<class T>(T, int64_t task) {
    for (int64_t first = task * grain, last = std::min(count, first + grain); first < last;
         first += real_block) {
      int64_t part = std::min(real_block, last - first);
      const T* from = x.as<T>() + first;
      T* to = y.to<T>() + first;
      double values[real_block];
      if (part == real_block) {
        for (int64_t i = 0; i < real_block; ++i) values[i] = from[i];
        compute(values, numbers);
        for (int64_t i = 0; i < real_block; ++i) to[i] = static_cast<T>(values[i]);
      } else {
        std::fill(std::copy(from, from + part, values), values + real_block, 1.0);
        compute(values, numbers);
        for (int64_t i = 0; i < part; ++i) to[i] = static_cast<T>(values[i]);
      }
    }
  };
  with_float(x.dtype(), [&]<class T>(T type) {
    pool.for_each((count + grain - 1) / grain, [&](int64_t task) { task_of(type, task); });
  });
}

}  // namespace remodel
