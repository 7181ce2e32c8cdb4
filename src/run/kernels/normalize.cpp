#include "ops/normalize.h"

#include <cmath>

#include "run/elementwise.h"
#include "run/math.h"
#include "run/slide.h"

namespace remodel {
namespace {

std::vector<double> parameter(const Call& call, size_t i, int64_t count, double otherwise) {
  if (!call.has(i)) return std::vector<double>(static_cast<size_t>(count), otherwise);
  if (call.in(i).count() != count)
    fail("operand {} must have {} elements, but is {}", i, count, text_of(call.in(i).shape()));
  return call.in(i).doubles();
}

template <class T>
std::vector<T> parameter_as(const Call& call, size_t i, int64_t count, double otherwise) {
  std::vector<double> values = parameter(call, i, count, otherwise);
  return {values.begin(), values.end()};
}

// y = (x - shift) * factor + base
template <class T>
void scale_row(const T* x, T* y, int64_t count, T shift, T factor, T base) {
  using Four [[gnu::vector_size(16)]] = T;
  constexpr int64_t lanes = 16 / sizeof(T);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    Four v;
    std::memcpy(&v, x + i, 16);
    v = (v - shift) * factor + base;
    std::memcpy(y + i, &v, 16);
  }
  for (; i < count; ++i) y[i] = (x[i] - shift) * factor + base;
}

// The sizes before, at and after an axis.
struct Split {
  Split(const Tensor& x, int64_t axis) {
    for (int64_t i = 0; i < static_cast<int64_t>(x.rank()); ++i)
      (i < axis ? outer : i > axis ? inner : size) *= x.dim(i);
  }
  int64_t outer = 1, size = 1, inner = 1;
};

void run_batch_norm(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<BatchNorm>();
  const Split s(x, resolve_axis(op.axis, x.rank()));
  std::vector<double> scale = parameter(call, 1, s.size, 1), variance = parameter(call, 4, s.size, 1);
  for (size_t c = 0; c < scale.size(); ++c) scale[c] /= std::sqrt(variance[c] + op.epsilon);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  with_float(x.dtype(), [&]<class T>(T) {
    const std::vector<T> factor(scale.begin(), scale.end());
    const auto bias = parameter_as<T>(call, 2, s.size, 0), mean = parameter_as<T>(call, 3, s.size, 0);
    const T *m = mean.data(), *k = factor.data(), *b = bias.data();
    for_each_part(call.pool, s.inner == 1 ? s.outer : 0, s.size, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const T* from = x.as<T>() + row * s.size;
        T* to = y.to<T>() + row * s.size;
        for (int64_t c = 0; c < s.size; ++c) to[c] = (from[c] - m[c]) * k[c] + b[c];
      }
    });
    for_each_part(call.pool, s.inner == 1 ? 0 : s.outer * s.size, s.inner, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const size_t c = static_cast<size_t>(row % s.size);
        scale_row(x.as<T>() + row * s.inner, y.to<T>() + row * s.inner, s.inner, mean[c], factor[c], bias[c]);
      }
    });
  });
}

// Elements that share their statistics: rows of neighbours, by their offsets from the first.
struct Region {
  std::vector<int64_t> starts{0};
  int64_t width = 1;
  int64_t count() const { return static_cast<int64_t>(starts.size()) * width; }
};

// The sum of f(element), in double and in a fixed order.
template <class T, class F>
double sum_over(const Region& region, const T* x, F f) {
  double total = 0;
  for (int64_t start : region.starts) {
    const T* row = x + start;
    double lanes[8] = {};
    int64_t i = 0;
    for (; i + 8 <= region.width; i += 8)
      for (int64_t k = 0; k < 8; ++k) lanes[k] += f(static_cast<double>(row[i + k]));
    for (; i < region.width; ++i) lanes[0] += f(static_cast<double>(row[i]));
    for (double lane : lanes) total += lane;
  }
  return total;
}

struct Moments {
  double mean = 0, inverse = 1;  // inverse of the standard deviation
};

template <class T>
Moments moments(const Region& region, const T* x, double epsilon, bool centred) {
  Moments m;
  const double count = static_cast<double>(region.count());
  if (centred) m.mean = sum_over(region, x, [](double v) { return v; }) / count;
  const double mean = m.mean;
  m.inverse =
      1 / std::sqrt(sum_over(region, x, [=](double v) { return (v - mean) * (v - mean); }) / count + epsilon);
  return m;
}

// instance_norm and group_norm.
void run_groups(Call& call, Channels layout, int64_t groups, double epsilon) {
  const Tensor& x = call.in(0);
  if (x.rank() < 2) fail("the input must have a batch and a channel axis, but is {}", text_of(x.shape()));
  const int64_t batch = x.dim(0), channels = x.dim(static_cast<int64_t>(channel_axis(layout, x.rank())));
  if (groups == 0) groups = std::max<int64_t>(channels, 1);
  if (groups < 1 || channels % groups != 0) fail("{} channels in {} groups", channels, groups);
  Tensor& y = call.out(0, x.dtype(), x.shape());
  if (x.count() == 0) return;
  const int64_t points = x.count() / (batch * channels), width = channels / groups;
  const bool last = layout == Channels::last;
  Region region;
  if (last) {
    region.starts.resize(static_cast<size_t>(points));
    for (int64_t p = 0; p < points; ++p) region.starts[static_cast<size_t>(p)] = p * channels;
    region.width = width;
  } else {
    region.width = width * points;
  }
  with_float(x.dtype(), [&]<class T>(T) {
    const auto scale = parameter_as<T>(call, 1, channels, 1), bias = parameter_as<T>(call, 2, channels, 0);
    call.pool.for_each(batch * groups, [&](int64_t task) {
      const int64_t group = task % groups, first = group * width;
      const int64_t offset = task / groups * channels * points + first * (last ? 1 : points);
      const T *from = x.as<T>() + offset, *k = scale.data() + first, *b = bias.data() + first;
      T* to = y.to<T>() + offset;
      const Moments m = moments(region, from, epsilon, true);
      const T mean = static_cast<T>(m.mean), inverse = static_cast<T>(m.inverse);
      for (int64_t c = 0; c < width && !last; ++c)
        scale_row(from + c * points, to + c * points, points, mean, inverse * k[c], b[c]);
      for (int64_t p = 0; p < points && last; ++p)
        for (int64_t c = 0; c < width; ++c)
          to[p * channels + c] = (from[p * channels + c] - mean) * (inverse * k[c]) + b[c];
    });
  });
}

void run_instance_norm(Call& call) {
  run_groups(call, call.op<InstanceNorm>().channels, 0, call.op<InstanceNorm>().epsilon);
}
void run_group_norm(Call& call) {
  const auto& op = call.op<GroupNorm>();
  run_groups(call, op.channels, std::max<int64_t>(op.groups, 1), op.epsilon);
}

// Offsets of all places along some axes, the last fastest.
std::vector<int64_t> offsets_along(const Shape& shape, const Shape& strides,
                                   const std::vector<size_t>& axes) {
  std::vector<int64_t> offsets{0};
  for (size_t axis : axes) {
    std::vector<int64_t> next;
    next.reserve(offsets.size() * static_cast<size_t>(shape[axis]));
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < shape[axis]; ++i) next.push_back(offset + i * strides[axis]);
    offsets = std::move(next);
  }
  return offsets;
}

// What statistics over some axes walk over: one region of the same form at each of `places`.
struct Regions {
  Regions(const Tensor& x, const std::vector<int64_t>& axes) {
    std::vector<bool> over(x.rank());
    for (int64_t axis : axes) over[static_cast<size_t>(resolve_axis(axis, x.rank()))] = true;
    std::vector<size_t> kept, inside;
    size_t end = x.rank();
    for (; end > 0 && over[end - 1]; --end) region.width *= x.dim(static_cast<int64_t>(end) - 1);
    for (size_t i = 0; i < end; ++i) (over[i] ? inside : kept).push_back(i);
    Shape strides = strides_of(x.shape());
    region.starts = offsets_along(x.shape(), strides, inside);
    places = offsets_along(x.shape(), strides, kept);
    result = x.shape();
    for (size_t i = 0; i < x.rank(); ++i)
      if (over[i]) result[i] = 1;
  }
  Region region;
  std::vector<int64_t> places;
  Shape result;  // of the statistics
};

// layer_norm and rms_norm; `inverse_at` is the result that takes the inverse.
void run_over_axes(Call& call, const std::vector<int64_t>& axes, double epsilon, DType statistics,
                   bool centred, size_t inverse_at) {
  const Tensor& x = call.in(0);
  Tensor y = call.out(0, x.dtype(), x.shape());
  const Regions regions(x, axes);
  const Region& region = regions.region;
  const int64_t count = static_cast<int64_t>(regions.places.size());
  std::vector<double> means(static_cast<size_t>(count)), inverses(static_cast<size_t>(count));
  if (x.count() != 0)
    with_float(x.dtype(), [&]<class T>(T) {
      const auto scale = parameter_as<T>(call, 1, region.count(), 1);
      const auto bias = parameter_as<T>(call, centred ? 2 : call.count(), region.count(), 0);
      for_each_part(call.pool, count, region.count() * 8, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const T* from = x.as<T>() + regions.places[static_cast<size_t>(i)];
          T* to = y.to<T>() + regions.places[static_cast<size_t>(i)];
          const Moments m = moments(region, from, epsilon, centred);
          means[static_cast<size_t>(i)] = m.mean, inverses[static_cast<size_t>(i)] = m.inverse;
          const T mean = static_cast<T>(m.mean), inverse = static_cast<T>(m.inverse);
          const T *k = scale.data(), *b = bias.data();
          for (int64_t start : region.starts)
            for (int64_t j = 0; j < region.width; ++j)
              to[start + j] = (from[start + j] - mean) * inverse * *k++ + *b++;
        }
      });
    });
  auto give = [&](size_t k, const std::vector<double>& values) {
    if (!call.wants(k)) return;
    DType dtype = statistics == DType::f64 ? DType::f64 : DType::f32;
    Tensor& result = call.out(k, dtype, regions.result);
    with_float(dtype, [&]<class T>(T) {
      for (size_t i = 0; i < values.size() && x.count() != 0; ++i)
        result.to<T>()[i] = static_cast<T>(values[i]);
    });
  };
  if (centred) give(1, means);
  give(inverse_at, inverses);
}

void run_layer_norm(Call& call) {
  const auto& op = call.op<LayerNorm>();
  run_over_axes(call, op.axes, op.epsilon, op.statistics, true, 2);
}
void run_rms_norm(Call& call) {
  const auto& op = call.op<RmsNorm>();
  run_over_axes(call, op.axes, op.epsilon, op.statistics, false, 1);
}

void run_lp_norm(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<LpNorm>();
  Tensor& y = call.out(0, x.dtype(), x.shape());
  if (x.count() == 0) return;
  const Regions regions(x, op.axes);
  const double p = op.p, epsilon = op.epsilon;
  with_float(x.dtype(), [&]<class T>(T) {
    const int64_t count = static_cast<int64_t>(regions.places.size());
    for_each_part(call.pool, count, regions.region.count() * 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* from = x.as<T>() + regions.places[static_cast<size_t>(i)];
        T* to = y.to<T>() + regions.places[static_cast<size_t>(i)];
        double power = sum_over(regions.region, from, [=](double v) {
          return p == 1 ? std::abs(v) : p == 2 ? v * v : math::pow(std::abs(v), p);
        });
        if (op.floor == NormFloor::max_power) power = std::max(power, epsilon);
        if (op.floor == NormFloor::add_power) power += epsilon;
        double norm = p == 1 ? power : p == 2 ? std::sqrt(power) : math::pow(power, 1 / p);
        if (op.floor == NormFloor::max_norm) norm = std::max(norm, epsilon);
        for (int64_t start : regions.region.starts)
          for (int64_t j = 0; j < regions.region.width; ++j)
            to[start + j] = norm == 0 ? T(0) : static_cast<T>(static_cast<double>(from[start + j]) / norm);
      }
    });
  });
}

void run_lrn(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Lrn>();
  if (x.rank() < 2) fail("the input must have a channel axis, but is {}", text_of(x.shape()));
  const Split s(x, static_cast<int64_t>(channel_axis(op.channels, x.rank())));
  Tensor& y = call.out(0, x.dtype(), x.shape());
  if (x.count() == 0) return;
  const int64_t before = (op.size - 1) / 2, after = op.size - 1 - before;
  with_float(x.dtype(), [&]<class T>(T) {
    const T alpha = static_cast<T>(op.alpha / static_cast<double>(op.size));
    const T beta = static_cast<T>(op.beta), bias = static_cast<T>(op.bias);
    for_each_part(call.pool, s.outer * s.size, s.inner * 16, [&](int64_t begin, int64_t end) {
      std::vector<T> sums(static_cast<size_t>(s.inner));
      for (int64_t row = begin; row < end; ++row) {
        const int64_t c = row % s.size;
        const T* plane = x.as<T>() + (row - c) * s.inner;
        std::fill(sums.begin(), sums.end(), T(0));
        for (int64_t i = std::max<int64_t>(0, c - before); i <= std::min(s.size - 1, c + after); ++i)
          combine(sums.data(), plane + i * s.inner, s.inner, [](auto a, auto b) { return a + b * b; });
        for (int64_t k = 0; k < s.inner; ++k)
          y.to<T>()[row * s.inner + k] =
              plane[c * s.inner + k] /
              static_cast<T>(math::pow(bias + alpha * sums[static_cast<size_t>(k)], beta));
      }
    });
  });
}

}  // namespace

void add_normalize_kernels(Kernels& kernels) {
  kernels.add<BatchNorm>(run_batch_norm);
  kernels.add<InstanceNorm>(run_instance_norm);
  kernels.add<GroupNorm>(run_group_norm);
  kernels.add<LayerNorm>(run_layer_norm);
  kernels.add<RmsNorm>(run_rms_norm);
  kernels.add<LpNorm>(run_lp_norm);
  kernels.add<Lrn>(run_lrn);
}

}  // namespace remodel
