#include "ops/reduce.h"

#include <limits>

#include "run/elementwise.h"
#include "run/math.h"

namespace remodel {
namespace {

using Kind = Reduce::Kind;

// Axes as (size, step) pairs; neighbours that are walked evenly are one.
struct Axes {
  Shape sizes, steps;
  void add(int64_t size, int64_t step) {
    if (size == 1) return;
    if (!sizes.empty() && steps.back() == step * size) {
      sizes.back() *= size;
      steps.back() = step;
    } else {
      sizes.push_back(size);
      steps.push_back(step);
    }
  }
  int64_t count() const { return count_of(sizes); }
  // Of the element with this number in row-major order.
  int64_t offset(int64_t number) const {
    int64_t result = 0;
    for (size_t axis = sizes.size(); axis-- > 0; number /= sizes[axis])
      result += number % sizes[axis] * steps[axis];
    return result;
  }
};

// Elements are read as double, int64 or uint64.
template <class T>
using Wide = std::conditional_t<std::is_floating_point_v<T>, double,
                                std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;

constexpr int64_t block = 256;

// All elements of one group, a block at a time.
template <class T, class W, class F>
void for_blocks(const T* from, const Axes& over, F use) {
  W values[block];
  int64_t length = over.sizes.empty() ? 1 : over.sizes.back(),
          step = over.sizes.empty() ? 1 : over.steps.back();
  for (int64_t row = 0, count = over.count(); row < count; row += length) {
    const T* line = from + over.offset(row);
    for (int64_t first = 0; first < length; first += block) {
      int64_t part = std::min(block, length - first);
      for (int64_t i = 0; i < part; ++i) values[i] = static_cast<W>(line[(first + i) * step]);
      use(values, part);
    }
  }
}

// Sums of integers wrap.
template <class W>
using Sum = std::conditional_t<std::is_floating_point_v<W>, double, uint64_t>;

template <class W>
W accumulate(Kind kind, W so_far, const W* values, int64_t count) {
  Sum<W> sum = static_cast<Sum<W>>(so_far);
  switch (kind) {
    case Kind::product:
      for (int64_t i = 0; i < count; ++i) sum *= static_cast<Sum<W>>(values[i]);
      return static_cast<W>(sum);
    case Kind::max:
      for (int64_t i = 0; i < count; ++i)
        so_far = (values[i] > so_far) | (values[i] != values[i]) ? values[i] : so_far;
      return so_far;
    case Kind::min:
      for (int64_t i = 0; i < count; ++i)
        so_far = (values[i] < so_far) | (values[i] != values[i]) ? values[i] : so_far;
      return so_far;
    case Kind::l1:
      for (int64_t i = 0; i < count; ++i)
        sum += values[i] < 0 ? -static_cast<Sum<W>>(values[i]) : static_cast<Sum<W>>(values[i]);
      return static_cast<W>(sum);
    case Kind::l2:
    case Kind::sum_of_squares:
      for (int64_t i = 0; i < count; ++i) {
        Sum<W> value = static_cast<Sum<W>>(values[i]);
        sum += value * value;
      }
      return static_cast<W>(sum);
    default:
      for (int64_t i = 0; i < count; ++i) sum += static_cast<Sum<W>>(values[i]);
      return static_cast<W>(sum);
  }
}

template <class T>
T from_real(double value, DType type) {
  if constexpr (std::is_floating_point_v<T>) return static_cast<T>(value);
  T result;
  convert_elements(DType::f64, &value, type, &result, 1);
  return result;
}

// log(sum(e^x)) without overflow.
template <class T>
double log_sum_exp(const T* from, const Axes& over) {
  double most = -math::infinity, sum = 0;
  for_blocks<T, double>(from, over, [&](const double* values, int64_t count) {
    most = accumulate(Kind::max, most, values, count);
  });
  if (!(std::fabs(most) < math::infinity)) return most;
  for_blocks<T, double>(from, over, [&](const double* values, int64_t count) {
    for (int64_t i = 0; i < count; ++i) sum += math::exp(values[i] - most);
  });
  return most + math::log(sum);
}

template <class T>
T initial(Kind kind, bool boolean) {
  constexpr bool real = std::is_floating_point_v<T>;
  using Limits = std::numeric_limits<T>;
  switch (kind) {
    case Kind::product:
      return 1;
    case Kind::max:
      return boolean ? T(0) : real ? -Limits::infinity() : Limits::lowest();
    case Kind::min:
      return boolean ? T(1) : real ? Limits::infinity() : Limits::max();
    default:
      return 0;
  }
}

template <class T>
T reduce_group(const T* from, const Axes& over, Kind kind, DType type) {
  if (kind == Kind::log_sum_exp) return from_real<T>(log_sum_exp(from, over), type);
  if (kind == Kind::l2 || kind == Kind::log_sum) {
    double sum = 0;
    for_blocks<T, double>(
        from, over, [&](const double* values, int64_t count) { sum = accumulate(kind, sum, values, count); });
    return from_real<T>(kind == Kind::l2 ? std::sqrt(sum) : math::log(sum), type);
  }
  using W = Wide<T>;
  W result = initial<T>(kind, type == DType::boolean);
  for_blocks<T, W>(from, over,
                   [&](const W* values, int64_t count) { result = accumulate(kind, result, values, count); });
  if (kind == Kind::mean) {
    if (std::is_integral_v<T> && over.count() == 0) fail("the mean of no integers is not a number");
    result = static_cast<W>(result / static_cast<W>(over.count()));
  }
  return static_cast<T>(result);
}

void run_reduce(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Reduce>();
  std::vector<int64_t> axes = call.has(1) ? call.in(1).ints() : op.axes;
  std::vector<bool> reduced(x.rank(), call.has(1) && axes.empty() && !op.empty_is_none);
  for (int64_t axis : axes) {
    int64_t at = resolve_axis(axis, x.rank());
    if (reduced[at]) fail("axis {} is given twice", axis);
    reduced[at] = true;
  }
  Shape shape, steps = strides_of(x.shape());
  Axes over, kept;
  bool empty = false;
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    (reduced[axis] ? over : kept).add(x.dim(axis), steps[axis]);
    if (!reduced[axis])
      shape.push_back(x.dim(axis));
    else if (op.keep)
      shape.push_back(1);
    empty = empty || (reduced[axis] && x.dim(axis) == 0);
  }
  if (empty) over.sizes = {0}, over.steps = {1};
  if (x.dtype() == DType::boolean && op.kind != Kind::max && op.kind != Kind::min)
    fail("it does not compute on bool");
  if (is_packed(x.dtype())) fail("it does not compute on {}", name_of(x.dtype()));
  Tensor& y = call.out(0, x.dtype(), shape);
  int64_t together = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, over.count()));
  with_number(x.dtype(), [&]<class T>(T) {
    call.pool.for_each((y.count() + together - 1) / together, [&](int64_t task) {
      for (int64_t i = task * together, last = std::min(y.count(), i + together); i < last; ++i)
        y.to<T>()[i] = reduce_group(x.as<T>() + (empty ? 0 : kept.offset(i)), over, op.kind, x.dtype());
    });
  });
}

}  // namespace

void add_reduce_kernels(Kernels& kernels) { kernels.add<Reduce>(run_reduce); }

}  // namespace remodel
