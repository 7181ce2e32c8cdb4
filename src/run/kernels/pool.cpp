#include "ops/pool.h"

#include <cmath>
#include <limits>

#include "run/elementwise.h"
#include "run/math.h"
#include "run/slide.h"

namespace remodel {
namespace {

// A pooling under the sizes of this run.
struct Plan {
  Pooling op;
  Shape y;
  std::vector<AxisWindow> axes;  // one a spatial axis
};

Plan plan_of(const Call& call, const Pooling& op) {
  Plan plan{op, {}, {}};
  plan.op.pads_low = to_dims(call.sizes(op.pads_low));
  plan.op.pads_high = to_dims(call.sizes(op.pads_high));
  const Shape& x = call.in(0).shape();
  plan.y = *numbers(pool_dims(plan.op, to_dims(x)));
  for (size_t i = 0; i < op.window.size(); ++i) {
    size_t axis = spatial_axis(op.channels, i);
    plan.axes.push_back(
        {x[axis], plan.y[axis], op.window[i], op.strides[i], op.dilations[i], plan.op.pads_low[i].number()});
  }
  return plan;
}

// Slides over one spatial axis after the other.
template <class T, class F>
void slide_axes(const Call& call, const Plan& plan, const T* x, Tensor& y, T start, F f) {
  Shape shape = call.in(0).shape();
  Tensor before, after;
  for (size_t i = 0; i < plan.axes.size(); ++i) {
    const size_t axis = spatial_axis(plan.op.channels, i);
    int64_t outer = 1, inner = 1;
    for (size_t k = 0; k < axis; ++k) outer *= shape[k];
    for (size_t k = axis + 1; k < shape.size(); ++k) inner *= shape[k];
    shape[axis] = plan.axes[i].out;
    bool last = i + 1 == plan.axes.size();
    if (!last) after = Tensor(y.dtype(), shape);
    slide(plan.axes[i], outer, inner, x, last ? y.to<T>() : after.to<T>(), start, f, call.pool);
    before = std::move(after);
    x = before.as<T>();
  }
}

constexpr auto larger = [](auto a, auto b) { return ((b > a) | (b != b)) ? b : a; };
constexpr auto sum = [](auto a, auto b) { return a + b; };

template <class T>
constexpr T smallest() {
  if constexpr (std::is_floating_point_v<T>) return -std::numeric_limits<T>::infinity();
  return std::numeric_limits<T>::lowest();
}

void run_max_pool(Call& call) {
  const Tensor& x = call.in(0);
  Plan plan = plan_of(call, call.op<MaxPool>());
  Tensor& y = call.out(0, x.dtype(), plan.y);
  with_number(x.dtype(), [&]<class T>(T) { slide_axes(call, plan, x.as<T>(), y, smallest<T>(), larger); });
}

// Calls f(outer, inner, place) for each place of the result: x's plane starts at outer and its points lie
// `inner` apart.
template <class F>
void for_each_place(const Plan& plan, const Shape& x, Pool& pool, F f) {
  const bool last = plan.op.channels == Channels::last;
  const int64_t channels = x[channel_axis(plan.op.channels, x.size())];
  int64_t in_points = 1, out_points = 1;
  for (const AxisWindow& axis : plan.axes) in_points *= axis.in, out_points *= axis.out;
  if (out_points == 0) return;
  pool.for_each(x[0] * channels, [&](int64_t task) {
    const int64_t batch = task / channels, channel = task % channels;
    const int64_t start = batch * channels * in_points + (last ? channel : channel * in_points);
    const int64_t result = batch * channels * out_points + (last ? channel : channel * out_points);
    std::vector<int64_t> place(plan.axes.size(), 0);
    for (int64_t p = 0; p < out_points; ++p) {
      f(start, result + p * (last ? channels : 1), place);
      for (size_t i = place.size(); i-- > 0; place[i] = 0)
        if (++place[i] < plan.axes[i].out) break;
    }
  });
}

void run_max_pool_index(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<MaxPoolIndex>();
  Plan plan = plan_of(call, op);
  Tensor& index = call.out(1, DType::i64, plan.y);
  Tensor& y = call.out(0, x.dtype(), plan.y);
  const size_t rank = plan.axes.size();
  const int64_t step = op.channels == Channels::last ? x.dim(-1) : 1;
  // What one step along each axis adds to an index, and to an offset in x.
  std::vector<int64_t> counts(rank, 1), steps(rank, step);
  for (size_t i = rank - 1; i-- > 0;) steps[i] = steps[i + 1] * plan.axes[i + 1].in;
  if (op.column_major)
    for (size_t i = 1; i < rank; ++i) counts[i] = counts[i - 1] * plan.axes[i - 1].in;
  else
    for (size_t i = rank - 1; i-- > 0;) counts[i] = counts[i + 1] * plan.axes[i + 1].in;
  const int64_t scale = op.span == IndexSpan::tensor ? step : 1;
  with_number(x.dtype(), [&]<class T>(T) {
    for_each_place(plan, x.shape(), call.pool,
                   [&](int64_t start, int64_t result, const std::vector<int64_t>& place) {
                     const T* plane = x.as<T>() + start;
                     T best = smallest<T>();
                     int64_t best_index = -1;
                     std::vector<int64_t> tap(rank), first(rank), end(rank);
                     for (size_t i = 0; i < rank; ++i) {
                       tap[i] = first[i] = plan.axes[i].first_tap(place[i]);
                       end[i] = plan.axes[i].last_tap(place[i]);
                       if (first[i] >= end[i]) best_index = 0;  // a window of padding only
                     }
                     for (bool more = best_index < 0; more;) {
                       int64_t offset = 0, count = 0;
                       for (size_t i = 0; i < rank; ++i) {
                         const AxisWindow& axis = plan.axes[i];
                         int64_t at = place[i] * axis.stride + tap[i] * axis.dilation - axis.low;
                         offset += at * steps[i];
                         count += at * counts[i];
                       }
                       T value = plane[offset];
                       if (best_index < 0 || value > best || (value != value && best == best))
                         best = value, best_index = count;
                       more = false;
                       for (size_t i = rank; i-- > 0 && !more;) {
                         more = ++tap[i] < end[i];
                         if (!more) tap[i] = first[i];
                       }
                     }
                     y.to<T>()[result] = best;
                     index.to<int64_t>()[result] =
                         op.span == IndexSpan::tensor ? start + best_index * scale : best_index;
                   });
  });
}

void run_max_unpool(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<MaxUnpool>();
  if (call.in(1).shape() != x.shape())
    fail("input {} and indices {} must have one shape", text_of(x.shape()), text_of(call.in(1).shape()));
  std::vector<int64_t> indices = call.in(1).ints();
  call.set(0, Tensor::zeros(x.dtype(), call.sizes_or(2, op.shape)));
  Tensor& y = call.results()[0].tensor;
  size_t width = size_of(x.dtype());
  if (width == 0) fail("it does not run on {}", name_of(x.dtype()));
  for (int64_t i = 0; i < x.count(); ++i) {
    int64_t at = indices[static_cast<size_t>(i)];
    if (at < 0 || at >= y.count()) fail("index {} is outside of {}", at, text_of(y.shape()));
    std::memcpy(y.to<uint8_t>() + static_cast<size_t>(at) * width,
                x.as<uint8_t>() + static_cast<size_t>(i) * width, width);
  }
}

// For each place of an axis what the divisor counts along it.
std::vector<int64_t> divisors(const Plan& plan, size_t i, Divisor divisor) {
  const AxisWindow& axis = plan.axes[i];
  std::vector<int64_t> counts;
  for (int64_t o = 0; o < axis.out; ++o) {
    if (divisor == Divisor::inside)
      counts.push_back(std::max<int64_t>(0, axis.last_tap(o) - axis.first_tap(o)));
    else if (divisor == Divisor::padded)
      counts.push_back(axis.taps_below(o, axis.in + plan.op.pads_high[i].number()));
    else
      counts.push_back(axis.size);
  }
  return counts;
}

void run_avg_pool(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<AvgPool>();
  Plan plan = plan_of(call, op);
  Tensor& y = call.out(0, x.dtype(), plan.y);
  with_float(x.dtype(), [&]<class T>(T) {
    slide_axes(call, plan, x.as<T>(), y, T(0), sum);
    std::vector<T> over{T(1)};
    for (size_t i = 0; i < plan.axes.size(); ++i) {
      std::vector<T> next;
      auto counts = divisors(plan, i, op.divisor);
      for (T before : over)
        for (int64_t count : counts) next.push_back(before * static_cast<T>(count));
      over = std::move(next);
    }
    const int64_t points = static_cast<int64_t>(over.size());
    const int64_t inner = op.channels == Channels::last ? plan.y.back() : 1;
    if (y.count() == 0) return;
    for_each_part(call.pool, y.count() / inner, inner, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        T* at = y.to<T>() + i * inner;
        for (int64_t k = 0; k < inner; ++k) at[k] /= over[static_cast<size_t>(i % points)];
      }
    });
  });
}

void run_lp_pool(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<LpPool>();
  if (!(op.p > 0)) fail("a norm of order {}", op.p);
  Plan plan = plan_of(call, op);
  Tensor& y = call.out(0, x.dtype(), plan.y);
  with_float(x.dtype(), [&]<class T>(T) {
    const T p = static_cast<T>(op.p);
    Tensor powers(x.dtype(), x.shape());
    map_unary<T, T>(x, powers, [=](T v) {
      return p == 1 ? std::abs(v) : p == 2 ? v * v : static_cast<T>(math::pow(std::abs(v), p));
    });
    slide_axes(call, plan, powers.as<T>(), y, T(0), sum);
    if (p != 1)
      map_unary<T, T>(y, y, [=](T v) { return p == 2 ? std::sqrt(v) : static_cast<T>(math::pow(v, 1 / p)); });
  });
}

// Where a sample along one axis lies: two neighbours and their weights.
struct Sample {
  int64_t low = 0, high = 0;
  double low_weight = 0, high_weight = 0;
};

Sample sample_at(double at, int64_t size) {
  if (!(at >= -1 && at <= static_cast<double>(size))) return {};
  at = std::max(at, 0.0);
  int64_t low = static_cast<int64_t>(at);
  if (low >= size - 1) return {size - 1, size - 1, 1, 0};
  return {low, low + 1, 1 - (at - static_cast<double>(low)), at - static_cast<double>(low)};
}

std::vector<Sample> samples_of(double start, double length, int64_t bins, int64_t per_bin, int64_t size) {
  std::vector<Sample> samples;
  double bin = length / static_cast<double>(bins);
  for (int64_t b = 0; b < bins; ++b)
    for (int64_t s = 0; s < per_bin; ++s)
      samples.push_back(sample_at(start + static_cast<double>(b) * bin +
                                      (static_cast<double>(s) + 0.5) * bin / static_cast<double>(per_bin),
                                  size));
  return samples;
}

constexpr int64_t most_samples = 1 << 14;  // along an axis

int64_t samples_per_bin(const RoiAlign& op, double length, int64_t bins) {
  if (op.samples > most_samples) fail("{} samples a bin", op.samples);
  if (op.samples > 0) return op.samples;
  double count = std::ceil(length / static_cast<double>(bins));
  if (!(count <= most_samples)) fail("a roi of {} elements", length);
  return static_cast<int64_t>(std::max(count, 0.0));
}

void run_roi_align(Call& call) {
  const Tensor &x = call.in(0), &rois = call.in(1);
  const auto& op = call.op<RoiAlign>();
  if (x.rank() != 4 || rois.rank() != 2 || rois.dim(1) != 4 || rois.dtype() != x.dtype())
    fail("input {} and rois {} do not fit", text_of(x.shape()), text_of(rois.shape()));
  std::vector<int64_t> batches = call.in(2).ints();
  const int64_t count = rois.dim(0), channels = x.dim(1), h = x.dim(2), w = x.dim(3);
  if (static_cast<int64_t>(batches.size()) != count)
    fail("{} rois, but {} batch indices", count, batches.size());
  if (h == 0 || w == 0) fail("the image {} is empty", text_of(x.shape()));
  Tensor& y = call.out(0, x.dtype(), {count, channels, op.height, op.width});
  with_float(x.dtype(), [&]<class T>(T) {
    call.pool.for_each(count, [&](int64_t n) {
      const T* roi = rois.as<T>() + n * 4;
      const int64_t batch = batches[static_cast<size_t>(n)];
      if (batch < 0 || batch >= x.dim(0)) fail("batch index {} is outside of {}", batch, x.dim(0));
      const bool centres = op.places == RoiPlaces::centres;
      const double shift = centres ? 0.5 : 0;
      const double left = roi[0] * op.scale - shift, top = roi[1] * op.scale - shift;
      double width = roi[2] * op.scale - shift - left, height = roi[3] * op.scale - shift - top;
      if (!centres) width = std::max(width, 1.0), height = std::max(height, 1.0);
      const int64_t down = samples_per_bin(op, height, op.height),
                    across = samples_per_bin(op, width, op.width);
      auto rows = samples_of(top, height, op.height, down, h),
           columns = samples_of(left, width, op.width, across, w);
      for (int64_t c = 0; c < channels; ++c) {
        const T* plane = x.as<T>() + (batch * channels + c) * h * w;
        T* to = y.to<T>() + (n * channels + c) * op.height * op.width;
        for (int64_t bin = 0; bin < op.height * op.width; ++bin) {
          double total = 0;
          bool first = true;
          for (int64_t i = 0; i < down; ++i)
            for (int64_t k = 0; k < across; ++k) {
              const Sample& r = rows[static_cast<size_t>(bin / op.width * down + i)];
              const Sample& s = columns[static_cast<size_t>(bin % op.width * across + k)];
              const double parts[] = {r.low_weight * s.low_weight * plane[r.low * w + s.low],
                                      r.low_weight * s.high_weight * plane[r.low * w + s.high],
                                      r.high_weight * s.low_weight * plane[r.high * w + s.low],
                                      r.high_weight * s.high_weight * plane[r.high * w + s.high]};
              if (op.mode == RoiMode::average) {
                total += parts[0] + parts[1] + parts[2] + parts[3];
              } else {
                double most = std::max(std::max(parts[0], parts[1]), std::max(parts[2], parts[3]));
                total = first ? most : std::max(total, most);
                first = false;
              }
            }
          if (op.mode == RoiMode::average) total /= static_cast<double>(std::max<int64_t>(down * across, 1));
          to[bin] = static_cast<T>(total);
        }
      }
    });
  });
}

void run_roi_pool(Call& call) {
  const Tensor &x = call.in(0), &rois = call.in(1);
  const auto& op = call.op<RoiPool>();
  if (x.rank() != 4 || rois.rank() != 2 || rois.dim(1) != 5 || rois.dtype() != x.dtype())
    fail("input {} and rois {} do not fit", text_of(x.shape()), text_of(rois.shape()));
  const int64_t count = rois.dim(0), channels = x.dim(1), h = x.dim(2), w = x.dim(3);
  Tensor& y = call.out(0, x.dtype(), {count, channels, op.height, op.width});
  with_float(x.dtype(), [&]<class T>(T) {
    call.pool.for_each(count, [&](int64_t n) {
      const T* roi = rois.as<T>() + n * 5;
      if (!(roi[0] >= 0 && roi[0] < static_cast<T>(x.dim(0))))
        fail("batch index {} is outside of {}", roi[0], x.dim(0));
      const int64_t batch = static_cast<int64_t>(roi[0]);
      auto element = [&](T at) {
        double place = std::round(static_cast<double>(at) * op.scale);
        if (!(std::abs(place) < 1e9)) fail("a roi with the coordinate {}", at);
        return static_cast<int64_t>(place);
      };
      const int64_t left = element(roi[1]), top = element(roi[2]);
      const int64_t width = std::max<int64_t>(element(roi[3]) - left + 1, 1);
      const int64_t height = std::max<int64_t>(element(roi[4]) - top + 1, 1);
      // Bins in exact fractions: from floor(b * length / bins) to ceil((b + 1) * length / bins).
      auto begin = [](int64_t b, int64_t length, int64_t bins, int64_t start, int64_t size) {
        return std::clamp<int64_t>(b * length / bins + start, 0, size);
      };
      auto end = [](int64_t b, int64_t length, int64_t bins, int64_t start, int64_t size) {
        return std::clamp<int64_t>(((b + 1) * length + bins - 1) / bins + start, 0, size);
      };
      for (int64_t c = 0; c < channels; ++c) {
        const T* plane = x.as<T>() + (batch * channels + c) * h * w;
        T* to = y.to<T>() + (n * channels + c) * op.height * op.width;
        for (int64_t bin = 0; bin < op.height * op.width; ++bin) {
          const int64_t row = bin / op.width, column = bin % op.width;
          const int64_t y0 = begin(row, height, op.height, top, h), y1 = end(row, height, op.height, top, h);
          const int64_t x0 = begin(column, width, op.width, left, w),
                        x1 = end(column, width, op.width, left, w);
          T best = y0 < y1 && x0 < x1 ? smallest<T>() : T(0);
          for (int64_t i = y0; i < y1; ++i)
            for (int64_t k = x0; k < x1; ++k) best = larger(best, plane[i * w + k]);
          to[bin] = best;
        }
      }
    });
  });
}

}  // namespace

void add_pool_kernels(Kernels& kernels) {
  kernels.add<MaxPool>(run_max_pool);
  kernels.add<MaxPoolIndex>(run_max_pool_index);
  kernels.add<MaxUnpool>(run_max_unpool, Halves::keep);
  kernels.add<AvgPool>(run_avg_pool);
  kernels.add<LpPool>(run_lp_pool);
  kernels.add<RoiAlign>(run_roi_align);
  kernels.add<RoiPool>(run_roi_pool);
}

}  // namespace remodel
