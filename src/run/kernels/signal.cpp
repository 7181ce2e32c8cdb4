#include "ops/signal.h"

#include <algorithm>
#include <cmath>
#include <complex>

#include "base/limits.h"
#include "ir/convert.h"
#include "run/elementwise.h"
#include "run/math.h"

namespace remodel {
namespace {

using Number = std::complex<double>;
constexpr double pi = 3.14159265358979323846;

Number times(Number a, Number b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// Transforms of one length, by its prime factors.
class Transform {
 public:
  explicit Transform(int64_t n, bool inverse) : n_(n) {
    count_of({n, 2});
    turns_.resize(n);
    for (int64_t i = 0; i < n; ++i) {
      double angle = 2 * pi * static_cast<double>(i) / static_cast<double>(n);
      turns_[i] = {math::cos(angle), inverse ? math::sin(angle) : -math::sin(angle)};
    }
    for (int64_t rest = n, factor = 2; rest > 1;) {
      if (rest % factor == 0)
        factors_.push_back(factor), rest /= factor;
      else
        factor = factor * factor > rest ? rest : factor + 1;
    }
    room_.resize(n);
  }
  std::vector<Number> operator()(const std::vector<Number>& x) {
    std::vector<Number> y(n_);
    step(x.data(), 1, y.data(), n_, 0);
    return y;
  }

 private:
  // to[0 .. n) is the transform of n elements of x that lie `stride` apart, where n * stride is the whole
  // length.
  void step(const Number* x, int64_t stride, Number* to, int64_t n, size_t depth) {
    if (n == 1) {
      *to = *x;
      return;
    }
    int64_t p = factors_[depth], m = n / p;
    for (int64_t i = 0; i < p; ++i) step(x + i * stride, stride * p, to + i * m, m, depth + 1);
    for (int64_t k = 0; k < n; ++k) {
      Number sum = 0;
      for (int64_t i = 0; i < p; ++i) sum += times(turns_[i * k % n * stride], to[i * m + k % m]);
      room_[k] = sum;
    }
    std::copy_n(room_.data(), n, to);
  }
  int64_t n_;
  std::vector<Number> turns_, room_;
  std::vector<int64_t> factors_;
};

int64_t parts_of(const Tensor& x) {
  int64_t parts = x.rank() ? x.dim(-1) : 0;
  if (parts != 1 && parts != 2) fail("the last axis of {} must have size 1 or 2", text_of(x.shape()));
  return parts;
}

int64_t single_integer(const Call& call, size_t i) {
  auto values = call.in(i).ints();
  if (values.size() != 1) fail("operand {} should have one element", i);
  return values[0];
}

void run_dft(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Dft>();
  int64_t parts = parts_of(x), axis = resolve_axis(call.has(2) ? single_integer(call, 2) : op.axis, x.rank());
  if (axis + 1 == static_cast<int64_t>(x.rank())) fail("the last axis holds the parts");
  if (op.onesided && parts != (op.inverse ? 2 : 1)) fail("a onesided transform cannot take {} parts", parts);
  bool to_real = op.inverse && op.onesided;
  int64_t size = x.dim(axis);
  Shape given = call.sizes_or(1, op.length);
  if (given.size() > 1) fail("there are {} lengths", given.size());
  int64_t n = !given.empty() ? given[0] : to_real ? 2 * (size - 1) : size;
  if (n < 1) fail("a transform of length {}", n);
  Shape shape = x.shape();
  shape[axis] = op.onesided && !op.inverse ? n / 2 + 1 : n;
  shape.back() = to_real ? 1 : 2;
  Tensor& y = call.out(0, x.dtype(), shape);
  int64_t outer = 1, inner = 1;
  for (int64_t i = 0; i < axis; ++i) outer *= shape[i];
  for (size_t i = axis + 1; i + 1 < shape.size(); ++i) inner *= shape[i];
  if (outer * inner == 0) return;
  Transform transform(n, op.inverse);
  int64_t taken = std::min(size, to_real ? n / 2 + 1 : n);
  with_float(x.dtype(), [&]<class T>(T) {
    std::vector<Number> line(n);
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        std::fill(line.begin(), line.end(), Number());
        for (int64_t j = 0; j < taken; ++j) {
          const T* from = x.as<T>() + ((o * size + j) * inner + i) * parts;
          line[j] = {from[0], parts == 2 ? from[1] : T(0)};
        }
        // The frequencies that a onesided spectrum leaves out mirror the others.
        if (to_real)
          for (int64_t j = n / 2 + 1; j < n; ++j) line[j] = std::conj(line[n - j]);
        if (to_real) line[0].imag(0);
        if (to_real && n % 2 == 0) line[n / 2].imag(0);
        std::vector<Number> result = transform(line);
        double scale = op.inverse ? 1 / static_cast<double>(n) : 1;
        for (int64_t j = 0; j < shape[axis]; ++j) {
          T* to = y.to<T>() + ((o * shape[axis] + j) * inner + i) * shape.back();
          to[0] = static_cast<T>(result[j].real() * scale);
          if (!to_real) to[1] = static_cast<T>(result[j].imag() * scale);
        }
      }
  });
}

void run_stft(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Stft>();
  if (x.rank() != 3) fail("{} should have rank 3", text_of(x.shape()));
  int64_t parts = parts_of(x), size = x.dim(1);
  int64_t step = call.has(2) ? single_integer(call, 2) : call.size(op.step);
  int64_t length = call.has(3) ? single_integer(call, 3) : call.size(op.length);
  if (step < 1 || length < 1 || length > size)
    fail("frames of {} every {} in {} samples", length, step, size);
  if (op.onesided && parts == 2) fail("a onesided transform cannot take 2 parts");
  if (call.has(1) && call.in(1).shape() != Shape{length})
    fail("the window {} does not fit frames of {}", text_of(call.in(1).shape()), length);
  int64_t frames = (size - length) / step + 1, frequencies = op.onesided ? length / 2 + 1 : length;
  Tensor& y = call.out(0, x.dtype(), {x.dim(0), frames, frequencies, 2});
  Transform transform(length, false);
  with_float(x.dtype(), [&]<class T>(T) {
    std::vector<Number> line(length);
    for (int64_t i = 0; i < x.dim(0) * frames; ++i) {
      const T* from = x.as<T>() + (i / frames * size + i % frames * step) * parts;
      for (int64_t j = 0; j < length; ++j) {
        line[j] = {from[j * parts], parts == 2 ? from[j * parts + 1] : T(0)};
        if (call.has(1)) line[j] *= static_cast<double>(call.in(1).as<T>()[j]);
      }
      std::vector<Number> result = transform(line);
      T* to = y.to<T>() + i * frequencies * 2;
      for (int64_t j = 0; j < frequencies; ++j)
        to[2 * j] = static_cast<T>(result[j].real()), to[2 * j + 1] = static_cast<T>(result[j].imag());
    }
  });
}

// A tensor of these values in a type; integers are truncated.
Tensor tensor_of(const std::vector<double>& values, DType dtype, Shape shape) {
  Tensor result(dtype, std::move(shape));
  convert_elements(DType::f64, values.data(), dtype, result.raw(), static_cast<int64_t>(values.size()));
  return result;
}

void run_window(Call& call) {
  const auto& op = call.op<Window>();
  Shape given = call.sizes_or(0, {op.size});
  if (given.size() != 1) fail("there are {} sizes", given.size());
  need_memory(static_cast<uint64_t>(count_of({given[0], 8})));
  std::vector<double> values(given[0]);
  double last = static_cast<double>(op.periodic ? given[0] : given[0] - 1);
  for (int64_t i = 0; i < given[0]; ++i) {
    double turn = last == 0 ? 0 : 2 * pi * static_cast<double>(i) / last, half = math::sin(turn / 2);
    switch (op.kind) {
      case Window::Kind::hann:
        values[i] = half * half;
        break;
      case Window::Kind::hamming:
        values[i] = 25.0 / 46 - 21.0 / 46 * math::cos(turn);
        break;
      case Window::Kind::blackman:
        values[i] = 0.42 - 0.5 * math::cos(turn) + 0.08 * math::cos(2 * turn);
        break;
    }
  }
  call.set(0, tensor_of(values, op.dtype, {given[0]}));
}

double single(const Call& call, size_t i) {
  auto values = call.in(i).doubles();
  if (values.size() != 1) fail("operand {} should have one element", i);
  return values[0];
}

int64_t single_size(const Call& call, size_t i) {
  int64_t value = single_integer(call, i);
  if (value < 1) fail("operand {} should be positive, not {}", i, value);
  return value;
}

void run_mel_weights(Call& call) {
  int64_t bands = single_size(call, 0), length = single_size(call, 1), rate = single_size(call, 2);
  int64_t frequencies = length / 2 + 1;
  std::vector<double> weights(count_of({frequencies, bands}));
  auto mel = [](double hertz) { return 2595 / math::log(10.0) * math::log(1 + hertz / 700); };
  double low = mel(single(call, 3)), high = mel(single(call, 4));
  double apart = (high - low) / static_cast<double>(bands + 2);
  // Each band rises from one of these frequencies to the next, and falls to the one after it.
  std::vector<int64_t> edges;
  for (int64_t i = 0; i < bands + 2; ++i) {
    double hertz = 700 * (math::pow(10.0, (low + static_cast<double>(i) * apart) / 2595) - 1);
    double at = std::floor(static_cast<double>(length + 1) * hertz / static_cast<double>(rate));
    if (!(at >= 0 && at < static_cast<double>(frequencies)))
      fail("{} hertz is outside of the spectrum", hertz);
    edges.push_back(static_cast<int64_t>(at));
  }
  for (int64_t band = 0; band < bands; ++band) {
    int64_t from = edges[band], peak = edges[band + 1], to = edges[band + 2];
    if (peak == from) weights[peak * bands + band] = 1;
    for (int64_t i = from; i <= peak && peak > from; ++i)
      weights[i * bands + band] = static_cast<double>(i - from) / static_cast<double>(peak - from);
    for (int64_t i = peak; i < to; ++i)
      weights[i * bands + band] = static_cast<double>(to - i) / static_cast<double>(to - peak);
  }
  call.set(0, tensor_of(weights, call.op<MelWeights>().dtype, {frequencies, bands}));
}

// Complex numbers are pairs in memory.
template <class T>
void run_parts(const Tensor& x, size_t part, Tensor& y) {
  for (int64_t i = 0; i < y.count(); ++i) y.to<T>()[i] = x.as<T>()[2 * i + static_cast<int64_t>(part)];
}
template <size_t part>
void run_part(Call& call) {
  const Tensor& x = call.in(0);
  const bool narrow = x.dtype() == DType::c64;
  Tensor& y = call.out(0, narrow ? DType::f32 : DType::f64, x.shape());
  narrow ? run_parts<float>(x, part, y) : run_parts<double>(x, part, y);
}

template <class T>
void join_parts(const Tensor& real, const Tensor& imaginary, Tensor& y) {
  for (int64_t i = 0; i < y.count(); ++i) {
    y.to<T>()[2 * i] = real.as<T>()[i];
    y.to<T>()[2 * i + 1] = imaginary.as<T>()[i];
  }
}
void run_complex(Call& call) {
  const Shape shape = broadcast_shapes(call.in(0).shape(), call.in(1).shape());
  const Tensor real = constant_tensor(call.in(0))->expanded(shape)->tensor();
  const Tensor imaginary = constant_tensor(call.in(1))->expanded(shape)->tensor();
  const bool narrow = real.dtype() == DType::f32;
  Tensor& y = call.out(0, narrow ? DType::c64 : DType::c128, shape);
  narrow ? join_parts<float>(real, imaginary, y) : join_parts<double>(real, imaginary, y);
}

}  // namespace

void add_signal_kernels(Kernels& kernels) {
  kernels.add<Complex>(run_complex);
  kernels.add<Real>(run_part<0>);
  kernels.add<Imaginary>(run_part<1>);
  kernels.add<Dft>(run_dft);
  kernels.add<Stft>(run_stft);
  kernels.add<Window>(run_window);
  kernels.add<MelWeights>(run_mel_weights, Halves::keep);
}

}  // namespace remodel
