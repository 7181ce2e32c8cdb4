#include "ops/resize.h"

#include <cmath>

#include "ir/convert.h"
#include "run/elementwise.h"
#include "run/resample.h"
#include "run/slide.h"

namespace remodel {
namespace {

// The op's axes under the sizes of this run, counted from the front.
std::vector<ResizedAxis> resized_axes(const Call& call, const Resize& op, std::vector<int64_t>& at) {
  const Shape& x = call.in(0).shape();
  const size_t n = op.axes.size();
  std::vector<double> scales = call.has(2) ? call.in(2).doubles() : op.scales;
  std::vector<double> crop = call.has(3) ? call.in(3).doubles() : op.crop;
  Shape sizes = call.sizes_or(1, op.sizes);
  const bool cropped = op.coordinates == Coordinates::crop;
  if ((sizes.size() != n && scales.size() != n) || (cropped && crop.size() != 2 * n))
    fail("{} sizes, {} scales and {} numbers of a crop for {} axes", sizes.size(), scales.size(), crop.size(),
         n);
  std::vector<ResizedAxis> axes(n);
  Dims before;
  for (size_t i = 0; i < n; ++i) {
    at.push_back(resolve_axis(op.axes[i], x.size()));
    axes[i].in = x[static_cast<size_t>(at[i])];
    before.push_back(axes[i].in);
    if (cropped) axes[i].start = crop[i], axes[i].end = crop[n + i];
  }
  if (sizes.empty()) {
    for (size_t i = 0; i < n; ++i) {
      axes[i].scale = static_cast<float>(scales[i]);
      if (!(axes[i].scale > 0)) fail("scale {} is not positive", scales[i]);
      axes[i].out = resize_scaled(axes[i].in, scales[i], axes[i].end - axes[i].start);
      axes[i].length = resize_length(axes[i].in, scales[i]);
    }
  } else {
    Dims real = resize_sizes(op.aspect, before, to_dims(sizes));
    double common = 0;
    for (size_t i = 0; i < n; ++i) {
      axes[i].out = real[i].number();
      axes[i].length = static_cast<double>(axes[i].out);
      axes[i].scale = static_cast<double>(op.aspect == Aspect::stretch ? axes[i].out : sizes[i]) /
                      static_cast<double>(std::max<int64_t>(axes[i].in, 1));
      common = i == 0                            ? axes[i].scale
               : op.aspect == Aspect::not_larger ? std::min(common, axes[i].scale)
                                                 : std::max(common, axes[i].scale);
    }
    for (size_t i = 0; i < n && op.aspect != Aspect::stretch; ++i) axes[i].scale = common;
  }
  for (const ResizedAxis& axis : axes) {
    if (axis.out < 0 || axis.out > int64_t{1} << 40) fail("a size of {}", axis.out);
    if (axis.in == 0 && axis.out > 0) fail("an empty axis cannot get {} elements", axis.out);
  }
  return axes;
}

// The sizes before and behind an axis.
struct Around {
  Around(const Shape& shape, int64_t axis) {
    for (int64_t i = 0; i < static_cast<int64_t>(shape.size()); ++i)
      (i < axis ? outer : i > axis ? inner : same) *= shape[static_cast<size_t>(i)];
  }
  int64_t outer = 1, inner = 1, same = 1;
};

// y with x's elements at the given places of an axis; -1 leaves a place as it is.
Tensor picked(const Tensor& x, int64_t axis, const std::vector<int64_t>& places) {
  Shape shape = x.shape();
  shape[static_cast<size_t>(axis)] = static_cast<int64_t>(places.size());
  const Around around(x.shape(), axis);
  Tensor y = Tensor::zeros(x.dtype(), shape);
  const int64_t in = x.dim(axis), count = static_cast<int64_t>(places.size());
  if (x.dtype() == DType::string) {
    for (int64_t o = 0; o < around.outer; ++o)
      for (int64_t i = 0; i < count; ++i)
        for (int64_t k = 0; k < around.inner && places[static_cast<size_t>(i)] >= 0; ++k)
          y.strings()[static_cast<size_t>((o * count + i) * around.inner + k)] =
              x.strings()[static_cast<size_t>((o * in + places[static_cast<size_t>(i)]) * around.inner + k)];
    return y;
  }
  const int64_t width = around.inner * static_cast<int64_t>(size_of(x.dtype()));
  for (int64_t o = 0; o < around.outer; ++o)
    for (int64_t i = 0; i < count; ++i)
      if (int64_t from = places[static_cast<size_t>(i)]; from >= 0)
        std::memcpy(y.to<uint8_t>() + (o * count + i) * width, x.as<uint8_t>() + (o * in + from) * width,
                    static_cast<size_t>(width));
  return y;
}

template <class T>
Tensor weighted(const Tensor& x, int64_t axis, const AxisWeights<T>& w, int64_t out, Pool& pool) {
  Shape shape = x.shape();
  shape[static_cast<size_t>(axis)] = out;
  const Around around(x.shape(), axis);
  Tensor y(x.dtype(), shape);
  const int64_t in = x.dim(axis), inner = around.inner;
  for_each_part(pool, around.outer * out, inner * w.width, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const size_t i = static_cast<size_t>(row % out);
      const T* from = x.as<T>() + (row / out * in + w.first[i]) * inner;
      const T* weights = w.weights.data() + static_cast<int64_t>(i) * w.width;
      T* to = y.to<T>() + row * inner;
      if (inner == 1) {
        T sum = 0;
        for (int64_t k = 0; k < w.count[i]; ++k) sum += weights[k] * from[k];
        *to = sum;
        continue;
      }
      std::fill_n(to, inner, T(0));
      for (int64_t k = 0; k < w.count[i]; ++k)
        combine(to, from + k * inner, inner,
                [weight = weights[k]](auto a, auto b) { return a + b * weight; });
    }
  });
  return y;
}

// Sets all elements of y at the places of an axis that lie outside of a crop.
void fill_outside(Tensor& y, int64_t axis, const std::vector<bool>& outside, double value) {
  const Around around(y.shape(), axis);
  const int64_t count = y.dim(axis);
  Tensor one(y.dtype(), {1});
  convert_elements(DType::f64, &value, y.dtype(), one.raw(), 1);
  const size_t width = size_of(y.dtype());
  for (int64_t o = 0; o < around.outer; ++o)
    for (int64_t i = 0; i < count; ++i)
      for (int64_t k = 0; k < around.inner && outside[static_cast<size_t>(i)]; ++k)
        std::memcpy(y.to<uint8_t>() + static_cast<size_t>((o * count + i) * around.inner + k) * width,
                    one.raw(), width);
}

void run_resize(Call& call) {
  const auto& op = call.op<Resize>();
  std::vector<int64_t> at;
  const std::vector<ResizedAxis> axes = resized_axes(call, op, at);
  Tensor y = call.in(0);
  const DType dtype = y.dtype();
  const bool wide = dtype == DType::f64, nearest = op.mode == ResizeMode::nearest;
  if (op.antialias && nearest) fail("nearest neighbours have no antialiasing");
  if (!nearest && !is_float(dtype)) {
    if (dtype == DType::string || is_complex(dtype)) fail("it does not interpolate {}", name_of(dtype));
    Tensor real(DType::f32, y.shape());
    convert_elements(dtype, y.raw(), DType::f32, real.raw(), y.count());
    y = real;
  }
  std::vector<std::vector<bool>> outside(axes.size());
  // The last axis first: its steps are the slowest, and what grows is smaller then.
  for (size_t i = axes.size(); i-- > 0;) {
    if (axes[i].still(op)) continue;
    if (nearest) {
      auto places = wide ? resize_nearest<double>(op, axes[i]) : resize_nearest<float>(op, axes[i]);
      for (int64_t place : places) outside[i].push_back(place < 0);
      y = picked(y, at[i], places);
    } else {
      with_float(y.dtype(), [&]<class T>(T) {
        auto weights = resize_weights<T>(op, axes[i]);
        for (int64_t count : weights.count) outside[i].push_back(count == 0);
        y = weighted(y, at[i], weights, axes[i].out, call.pool);
      });
    }
  }
  for (size_t i = 0; i < axes.size(); ++i)
    if (std::find(outside[i].begin(), outside[i].end(), true) != outside[i].end()) {
      if (dtype == DType::string) fail("strings have no extrapolation");
      fill_outside(y, at[i], outside[i], op.extrapolation);
    }
  if (y.dtype() != dtype) {
    Tensor whole(dtype, y.shape());
    convert_elements(y.dtype(), y.raw(), dtype, whole.raw(), y.count());
    y = whole;
  }
  call.set(0, y);
}

// Elements along one axis that a place is made of.
struct Taps {
  int64_t index[4];
  double weight[4];
  int count = 0;
};

double reflected(double x, double low, double high) {
  const double span = high - low;
  if (!(span > 0)) return low;
  double over = std::fmod(std::abs(x < low ? low - x : x - low), 2 * span);
  return low + (over <= span ? over : 2 * span - over);
}

// The place that a grid's number says, in elements. Halves and floats compute in float, where ties fall
// otherwise.
template <class T>
double unnormalized(double normal, int64_t size, bool align_corners) {
  const T x = static_cast<T>(normal), n = static_cast<T>(size);
  return align_corners ? (x + 1) / 2 * (n - 1) : ((x + 1) * n - 1) / 2;
}

Taps taps_of(const GridSample& op, double x, int64_t size) {
  const double n = static_cast<double>(size);
  if (op.mode == ResizeMode::nearest) x = std::nearbyint(x);
  const double low = op.align_corners ? 0 : -0.5, high = op.align_corners ? n - 1 : n - 0.5;
  if (std::isnan(x)) x = -1;
  if (x < low || x > high) {
    if (op.padding == GridPadding::border && op.mode != ResizeMode::cubic) x = std::clamp(x, 0.0, n - 1);
    if (op.padding == GridPadding::reflection) x = reflected(x, low, high);
  }
  x = std::clamp(x, -4.0, n + 4);
  const double down = std::floor(x), rest = x - down;
  Taps taps;
  auto add = [&](double place, double weight) {
    int64_t index = static_cast<int64_t>(place);
    if (index < 0 || index >= size) {
      if (op.padding == GridPadding::zeros) return;
      index = op.padding == GridPadding::border
                  ? std::clamp<int64_t>(index, 0, size - 1)
                  : std::clamp<int64_t>(static_cast<int64_t>(reflected(place, low, high)), 0, size - 1);
    }
    taps.index[taps.count] = index;
    taps.weight[taps.count++] = weight;
  };
  if (op.mode == ResizeMode::nearest) {
    add(x, 1);
  } else if (op.mode == ResizeMode::linear) {
    add(down, 1 - rest);
    add(down + 1, rest);
  } else {
    constexpr double a = -0.75;
    auto near = [](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
    auto far = [](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
    add(down - 1, far(rest + 1));
    add(down, near(rest));
    add(down + 1, near(1 - rest));
    add(down + 2, far(2 - rest));
  }
  return taps;
}

void run_grid_sample(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<GridSample>();
  const size_t rank = x.rank() - 2;
  const Tensor& grid = call.in(1);
  if (x.rank() < 3 || grid.rank() != x.rank() || grid.dim(0) != x.dim(0) ||
      grid.dim(-1) != static_cast<int64_t>(rank))
    fail("input {} and grid {} do not fit", text_of(x.shape()), text_of(grid.shape()));
  if (rank > 6) fail("{} spatial axes", rank);
  std::vector<double> places = grid.doubles();
  const bool wide = grid.dtype() == DType::f64;
  Shape sizes(x.shape().begin() + 2, x.shape().end()), shape(grid.shape().begin(), grid.shape().end() - 1);
  shape.insert(shape.begin() + 1, x.dim(1));
  const int64_t in_points = count_of(sizes), channels = x.dim(1);
  Tensor& y = call.out(0, x.dtype(), shape);
  if (y.count() == 0) return;
  if (in_points == 0) fail("the image {} is empty", text_of(x.shape()));
  const int64_t points = y.count() / (x.dim(0) * channels);
  with_number(x.dtype(), [&]<class T>(T) {
    for_each_part(call.pool, x.dim(0) * points, 16 + 8 * channels, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        std::vector<std::pair<int64_t, double>> parts{{0, 1.0}}, next;
        for (size_t axis = 0; axis < rank; ++axis) {
          const double normal = places[static_cast<size_t>(i) * rank + (rank - 1 - axis)];
          Taps taps = taps_of(op,
                              wide ? unnormalized<double>(normal, sizes[axis], op.align_corners)
                                   : unnormalized<float>(normal, sizes[axis], op.align_corners),
                              sizes[axis]);
          next.clear();
          for (const auto& [offset, weight] : parts)
            for (int t = 0; t < taps.count; ++t)
              next.push_back({offset * sizes[axis] + taps.index[t], weight * taps.weight[t]});
          parts.swap(next);
        }
        for (int64_t c = 0; c < channels; ++c) {
          const T* plane = x.as<T>() + (i / points * channels + c) * in_points;
          T* to = y.to<T>() + (i / points * channels + c) * points + i % points;
          if (op.mode == ResizeMode::nearest) {
            *to = parts.empty() ? T(0) : plane[parts[0].first];
            continue;
          }
          double sum = 0;
          for (const auto& [offset, weight] : parts) sum += weight * static_cast<double>(plane[offset]);
          if constexpr (std::is_floating_point_v<T>)
            *to = static_cast<T>(sum);
          else
            convert_elements(DType::f64, &sum, x.dtype(), to, 1);
        }
      }
    });
  });
}

void run_affine_grid(Call& call) {
  const Tensor& theta = call.in(0);
  const auto& op = call.op<AffineGrid>();
  Shape size = call.sizes_or(1, op.size);
  const int64_t rank = static_cast<int64_t>(size.size()) - 2;
  if ((rank != 2 && rank != 3) || theta.rank() != 3 || theta.dim(0) != size[0] || theta.dim(1) != rank ||
      theta.dim(2) != rank + 1)
    fail("theta {} does not fit the size {}", text_of(theta.shape()), text_of(size));
  Shape shape = size;
  shape.erase(shape.begin() + 1);
  shape.push_back(rank);
  Tensor& y = call.out(0, theta.dtype(), shape);
  if (y.count() == 0) return;
  const int64_t points = y.count() / rank / size[0];
  with_float(theta.dtype(), [&]<class T>(T) {
    T* to = y.to<T>();
    for (int64_t batch = 0; batch < size[0]; ++batch)
      for (int64_t p = 0; p < points; ++p) {
        double place[4];
        int64_t rest = p;
        for (int64_t axis = rank; axis-- > 0;) {
          const int64_t n = size[static_cast<size_t>(axis) + 2], i = rest % n;
          rest /= n;
          // The last axis is x, the first of the place.
          place[rank - 1 - axis] = grid_place(i, n, op.align_corners);
        }
        place[rank] = 1;
        for (int64_t row = 0; row < rank; ++row) {
          const T* factors = theta.as<T>() + (batch * rank + row) * (rank + 1);
          double sum = 0;
          for (int64_t k = 0; k <= rank; ++k) sum += static_cast<double>(factors[k]) * place[k];
          *to++ = static_cast<T>(sum);
        }
      }
  });
}

}  // namespace

void add_resize_kernels(Kernels& kernels) {
  kernels.add<Resize>(run_resize);
  kernels.add<GridSample>(run_grid_sample);
  kernels.add<AffineGrid>(run_affine_grid);
}

}  // namespace remodel
