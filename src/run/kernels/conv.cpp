#include "ops/conv.h"

#include <cmath>

#include "run/conv_core.h"
#include "run/conv_plain.h"
#include "run/elementwise.h"
#include "run/product.h"

namespace remodel {
namespace {

// The op with its pads as the numbers of this run.
template <class T>
T resolved(const Call& call) {
  T op = call.op<T>();
  op.pads_low = to_dims(call.sizes(op.pads_low));
  op.pads_high = to_dims(call.sizes(op.pads_high));
  return op;
}

ConvShape conv_shape(const Sliding& op, int64_t groups, const Shape& x, const Shape& w, const Shape& y) {
  ConvShape s;
  s.batch = x[0];
  s.channels_last = op.channels == Channels::last;
  s.groups = groups;
  s.in_channels = x[channel_axis(op.channels, x.size())];
  s.out_channels = w[0];
  for (size_t i = 0; i < op.strides.size(); ++i) {
    s.in.push_back(x[spatial_axis(op.channels, i)]);
    s.out.push_back(y[spatial_axis(op.channels, i)]);
    s.kernel.push_back(w[i + 2]);
    s.pads_begin.push_back(op.pads_low[i].number());
  }
  s.strides = op.strides;
  s.dilations = op.dilations;
  return s;
}

// w [out, in / groups, taps] as [in, out / groups, taps].
std::vector<float> in_before_out(const ConvShape& s, const float* w, int64_t taps) {
  const int64_t group_in = s.in_channels / s.groups, group_out = s.out_channels / s.groups;
  std::vector<float> to(static_cast<size_t>(s.in_channels * group_out * taps));
  float* at = to.data();
  for (int64_t group = 0; group < s.groups; ++group)
    for (int64_t i = 0; i < group_in; ++i)
      for (int64_t o = 0; o < group_out; ++o, at += taps)
        std::copy_n(w + ((group * group_out + o) * group_in + i) * taps, taps, at);
  return to;
}

void run_shape(Call& call, const ConvShape& s, bool transposed, const Shape& y_shape) {
  const Tensor &x = call.in(0), &w = call.in(1);
  if (w.dtype() != x.dtype() || (call.has(2) && call.in(2).dtype() != x.dtype()))
    fail("input {}, weights {} and bias must have one type", name_of(x.dtype()), name_of(w.dtype()));
  if (call.has(2)) check_bias(to_dims(call.in(2).shape()), s.out_channels);
  Tensor& y = call.out(0, x.dtype(), y_shape);
  if (y.count() == 0) return;
  with_number(x.dtype(), [&]<class T>(T) {
    const T* bias = call.has(2) ? call.in(2).as<T>() : nullptr;
    if constexpr (std::is_same_v<T, float>) {
      if (!call.portable && transposed) {
        auto turned = in_before_out(s, w.as<float>(), w.count() / std::max<int64_t>(w.dim(0) * w.dim(1), 1));
        return conv_transpose_forward(s, x.as<float>(), turned.data(), bias, y.to<float>(), call.pool);
      }
      if (!call.portable)
        return conv_forward(s, x.as<float>(), w.as<float>(), bias, y.to<float>(), call.pool);
    }
    using Sum = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
    conv_plain<T, Sum>(s, transposed, x.as<T>(), w.as<T>(), bias, y.to<T>(), call.pool);
  });
}

// As i32 without its zero points: one, or one for each index of the first axis.
Tensor without_zero(const Tensor& x, const Tensor* zero) {
  int64_t lines = zero && zero->count() != 1 ? zero->count() : 1;
  if (lines != 1 && (zero->rank() != 1 || x.rank() == 0 || lines != x.dim(0)))
    fail("zero points {} do not fit {}", text_of(zero->shape()), text_of(x.shape()));
  Tensor result(DType::i32, x.shape());
  with_number(x.dtype(), [&]<class T>(T) {
    int64_t line = std::max<int64_t>(x.count() / lines, 1);
    for (int64_t i = 0; i < x.count(); ++i)
      result.to<int32_t>()[i] = static_cast<int32_t>(x.as<T>()[i]) -
                                (zero ? static_cast<int32_t>(zero->as<T>()[lines == 1 ? 0 : i / line]) : 0);
  });
  return result;
}

void run_conv_integer(Call& call, const ConvShape& s, const Shape& y_shape) {
  if (call.has(3) && (call.in(3).count() != 1 || call.in(3).dtype() != call.in(0).dtype()))
    fail("x has one zero point of its type");
  if (call.has(4) && call.in(4).dtype() != call.in(1).dtype()) fail("the zero points of w have another type");
  Tensor x = without_zero(call.in(0), call.has(3) ? &call.in(3) : nullptr);
  Tensor w = without_zero(call.in(1), call.has(4) ? &call.in(4) : nullptr);
  Tensor& y = call.out(0, DType::i32, y_shape);
  conv_plain<int32_t, int64_t>(s, false, x.as<int32_t>(), w.as<int32_t>(), nullptr, y.to<int32_t>(),
                               call.pool);
}

void run_conv(Call& call) {
  Conv op = resolved<Conv>(call);
  const Shape &x = call.in(0).shape(), &w = call.in(1).shape();
  Shape y = *numbers(conv_dims(op, to_dims(x), to_dims(w)));
  if (op.out != DType::unknown || call.has(3) || call.has(4))
    return run_conv_integer(call, conv_shape(op, op.groups, x, w, y), y);
  run_shape(call, conv_shape(op, op.groups, x, w, y), false, y);
}

void run_conv_transpose(Call& call) {
  ConvTranspose op = resolved<ConvTranspose>(call);
  const Shape &x = call.in(0).shape(), &w = call.in(1).shape();
  Shape y = *numbers(conv_transpose_dims(op, to_dims(x), to_dims(w)));
  run_shape(call, conv_shape(op, op.groups, x, w, y), true, y);
}

// x at a place between its elements, linearly; 0 outside.
template <class T>
T read_linear(const T* x, const std::vector<int64_t>& sizes, const std::vector<T>& place) {
  const size_t rank = sizes.size();
  T sum = 0;
  for (size_t corner = 0; corner < (size_t{1} << rank); ++corner) {
    T weight = 1;
    int64_t offset = 0;
    bool inside = true;
    for (size_t i = 0; i < rank && inside; ++i) {
      if (!(place[i] > -1 && place[i] < static_cast<T>(sizes[i]))) return 0;
      const T low = std::floor(place[i]);
      const int64_t at = static_cast<int64_t>(low) + static_cast<int64_t>(corner >> i & 1);
      weight *= corner >> i & 1 ? place[i] - low : 1 - (place[i] - low);
      inside = at >= 0 && at < sizes[i];
      offset = offset * sizes[i] + at;
    }
    if (inside) sum += weight * x[offset];
  }
  return sum;
}

void run_deform_conv(Call& call) {
  DeformConv op = resolved<DeformConv>(call);
  const Tensor &x = call.in(0), &w = call.in(1), &offsets = call.in(2);
  const Tensor* mask = call.has(4) ? &call.in(4) : nullptr;
  Dims mask_dims = mask ? to_dims(mask->shape()) : Dims{};
  Shape y_shape = *numbers(deform_conv_dims(op, to_dims(x.shape()), to_dims(w.shape()),
                                            to_dims(offsets.shape()), mask ? &mask_dims : nullptr));
  if (op.strides.size() > 8) fail("{} spatial axes", op.strides.size());
  for (size_t i = 1; i < call.count(); ++i)
    if (call.has(i) && call.in(i).dtype() != x.dtype()) fail("the operands must have one type");
  if (call.has(3)) check_bias(to_dims(call.in(3).shape()), w.dim(0));
  const ConvShape s = conv_shape(op, op.groups, x.shape(), w.shape(), y_shape);
  const size_t rank = s.in.size();
  const int64_t in_points = count_of(s.in), points = count_of(s.out), taps = count_of(s.kernel);
  const int64_t group_in = s.in_channels / s.groups, group_out = s.out_channels / s.groups;
  Tensor& y = call.out(0, x.dtype(), y_shape);
  if (y.count() == 0) return;

  with_float(x.dtype(), [&]<class T>(T) {
    std::vector<T> seen(static_cast<size_t>(group_in * taps * points));
    for (int64_t task = 0; task < s.batch * s.groups; ++task) {
      const int64_t batch = task / s.groups, group = task % s.groups;
      call.pool.for_each(group_in, [&](int64_t c) {
        const int64_t channel = group * group_in + c;
        const int64_t offset_group = channel / (s.in_channels / op.offset_groups);
        const T* plane = x.as<T>() + (batch * s.in_channels + channel) * in_points;
        const T* moved = offsets.as<T>() + (batch * op.offset_groups + offset_group) * taps *
                                               static_cast<int64_t>(rank) * points;
        const T* weight =
            mask ? mask->as<T>() + (batch * op.offset_groups + offset_group) * taps * points : nullptr;
        std::vector<int64_t> tap(rank, 0), place(rank, 0);
        std::vector<T> at(rank);
        for (int64_t t = 0; t < taps; ++t, conv_detail::advance(tap, s.kernel))
          for (int64_t p = 0; p < points; ++p, conv_detail::advance(place, s.out)) {
            for (size_t i = 0; i < rank; ++i)
              at[i] = static_cast<T>(place[i] * s.strides[i] + tap[i] * s.dilations[i] - s.pads_begin[i]) +
                      moved[(t * static_cast<int64_t>(rank) + static_cast<int64_t>(i)) * points + p];
            T value = read_linear(plane, s.in, at);
            seen[static_cast<size_t>((c * taps + t) * points + p)] =
                weight ? value * weight[t * points + p] : value;
          }
      });
      const int64_t first = group * group_out, depth = group_in * taps;
      T* to = y.to<T>() + (batch * s.out_channels + first) * points;
      for (int64_t o = 0; o < group_out; ++o)
        std::fill_n(to + o * points, points, call.has(3) ? call.in(3).as<T>()[first + o] : T(0));
      product<T>(call, group_out, points, depth, {w.as<T>() + first * depth, depth, 1},
                 {seen.data(), points, 1}, to, points, true);
    }
  });
}

void run_fold(Call& call) {
  Fold op = resolved<Fold>(call);
  const Tensor& x = call.in(0);
  Shape size = call.sizes_or(1, op.size), window = call.sizes_or(2, op.window);
  Shape y_shape = *numbers(fold_dims(op, window, to_dims(x.shape()), to_dims(size)));
  const size_t rank = size.size();
  Shape windows;
  for (size_t i = 0; i < rank; ++i) windows.push_back(window_count(op, i, size[i], window[i]).number());
  const int64_t points = count_of(windows), taps = count_of(window), whole = count_of(size);
  Tensor& y = call.out(0, x.dtype(), y_shape);
  with_number(x.dtype(), [&]<class T>(T) {
    using Term =
        std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>, std::type_identity<T>>::type;
    std::fill_n(y.to<T>(), y.count(), T(0));
    if (points == 0 || whole == 0) return;
    call.pool.for_each(y.dim(0) * y.dim(1), [&](int64_t plane) {
      const T* from = x.as<T>() + plane * taps * points;
      T* to = y.to<T>() + plane * whole;
      std::vector<int64_t> tap(rank, 0), place(rank, 0);
      for (int64_t t = 0; t < taps; ++t, conv_detail::advance(tap, window))
        for (int64_t p = 0; p < points; ++p, ++from, conv_detail::advance(place, windows)) {
          int64_t offset = 0;
          bool inside = true;
          for (size_t i = 0; i < rank && inside; ++i) {
            int64_t at = place[i] * op.strides[i] + tap[i] * op.dilations[i] - op.pads_low[i].number();
            inside = at >= 0 && at < size[i];
            offset = offset * size[i] + at;
          }
          if (inside) to[offset] = static_cast<T>(static_cast<Term>(to[offset]) + static_cast<Term>(*from));
        }
    });
  });
}

}  // namespace

void add_conv_kernels(Kernels& kernels) {
  kernels.add<Conv>(run_conv);
  kernels.add<ConvTranspose>(run_conv_transpose);
  kernels.add<DeformConv>(run_deform_conv);
  kernels.add<Fold>(run_fold);
}

}  // namespace remodel
