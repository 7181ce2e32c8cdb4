#include "ops/binary.h"

#include "run/map.h"

namespace remodel {
namespace {

// Integers as wide as int at least, so that unsigned arithmetic is not promoted to signed.
template <class T>
using Wide = std::conditional_t<std::is_integral_v<T> && sizeof(T) < 4, uint32_t, T>;

template <class T>
struct AddOf {
  static constexpr bool fast = true;
  T operator()(T a, T b) const { return static_cast<T>(Wide<T>(a) + Wide<T>(b)); }
};
template <class T>
struct SubOf {
  static constexpr bool fast = true;
  T operator()(T a, T b) const { return static_cast<T>(Wide<T>(a) - Wide<T>(b)); }
};
template <class T>
struct MulOf {
  static constexpr bool fast = true;
  T operator()(T a, T b) const { return static_cast<T>(Wide<T>(a) * Wide<T>(b)); }
};
template <class T>
struct MaxOf {
  static constexpr bool fast = true;
  T operator()(T a, T b) const { return (a > b) | (a != a) ? a : b; }
};
template <class T>
struct MinOf {
  static constexpr bool fast = true;
  T operator()(T a, T b) const { return (a < b) | (a != a) ? a : b; }
};
template <class T>
struct MaxNumber {
  T operator()(T a, T b) const { return (a > b) | (b != b) ? a : b; }
};
template <class T>
struct MinNumber {
  T operator()(T a, T b) const { return (a < b) | (b != b) ? a : b; }
};

// Integer quotient and remainder toward zero; the smallest integer by -1 wraps.
template <class T>
T quotient(T a, T b) {
  if (b == 0) fail("an integer is divided by zero");
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return static_cast<T>(-static_cast<std::make_unsigned_t<T>>(a));
  return static_cast<T>(a / b);
}
template <class T>
T remainder(T a, T b) {
  if (b == 0) fail("an integer is divided by zero");
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return 0;
  return static_cast<T>(a % b);
}
template <class T>
bool opposite(T a, T b) {
  return (a < 0) != (b < 0);
}

template <class T>
struct DivOf {
  static constexpr bool fast = true;
  T operator()(T a, T b) const { return a / b; }
};
template <class T>
struct TruncDivOf {
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>)
      return quotient(a, b);
    else
      return std::trunc(a / b);
  }
};
template <class T>
struct FloorDivOf {
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      T whole = quotient(a, b);
      return remainder(a, b) != 0 && opposite(a, b) ? static_cast<T>(whole - 1) : whole;
    } else {
      return std::floor(a / b);
    }
  }
};
template <class T>
struct ModOf {
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      T rest = remainder(a, b);
      return rest != 0 && opposite(rest, b) ? static_cast<T>(rest + b) : rest;
    } else {
      T rest = std::fmod(a, b);
      if (rest == 0) return std::copysign(rest, b);
      return opposite(rest, b) ? rest + b : rest;
    }
  }
};
template <class T>
struct RemainderOf {
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>)
      return remainder(a, b);
    else
      return std::fmod(a, b);
  }
};

// Every type has its own function.
template <template <class> class F>
void run_number(Call& call) {
  auto [a, b, shape] = operands(call);
  Tensor& y = call.out(0, a.dtype(), shape);
  with_whole_number(a.dtype(), [&]<class T>(T) {
    map_stretches(call.pool, {&a, &b}, y, binary_stretch<T, T, T, F<T>>);
  });
}
template <template <class> class F>
void run_float(Call& call) {
  auto [a, b, shape] = operands(call);
  Tensor& y = call.out(0, a.dtype(), shape);
  with_float(a.dtype(), [&]<class T>(T) {
    map_stretches(call.pool, {&a, &b}, y, binary_stretch<T, T, T, F<T>>);
  });
}
// Integers of one size share it.
template <template <class> class F>
void run_bits(Call& call) {
  auto [a, b, shape] = operands(call);
  Tensor& y = call.out(0, a.dtype(), shape);
  with_bits(a.dtype(), [&]<class T>(T) {
    map_stretches(call.pool, {&a, &b}, y, binary_stretch<T, T, T, F<T>>);
  });
}
void run_div(Call& call) {
  switch (call.op<Div>().rounding) {
    case Div::Rounding::real:
      return run_float<DivOf>(call);
    case Div::Rounding::trunc:
      return run_number<TruncDivOf>(call);
    case Div::Rounding::floor:
      return run_number<FloorDivOf>(call);
  }
}
void run_mod(Call& call) {
  call.op<Mod>().sign == Mod::Sign::divisor ? run_number<ModOf>(call) : run_number<RemainderOf>(call);
}
void run_max(Call& call) {
  bool ignores = call.op<Max>().nan == NanRule::ignore && is_float(call.in(0).dtype());
  ignores ? run_float<MaxNumber>(call) : run_number<MaxOf>(call);
}
void run_min(Call& call) {
  bool ignores = call.op<Min>().nan == NanRule::ignore && is_float(call.in(0).dtype());
  ignores ? run_float<MinNumber>(call) : run_number<MinOf>(call);
}

template <class T>
struct PowOf {
  T operator()(T base, double exponent) const { return static_cast<T>(math::pow(base, exponent)); }
};
template <class T>
struct WholePowOf {
  T operator()(T base, int64_t exponent) const {
    if (exponent < 0) {
      if (base == T(1)) return 1;
      if (std::is_signed_v<T> && base == T(-1)) return exponent % 2 ? T(-1) : T(1);
      return 0;
    }
    uint64_t result = 1, square = static_cast<uint64_t>(base);
    for (; exponent; exponent >>= 1, square *= square)
      if (exponent & 1) result *= square;
    return static_cast<T>(result);
  }
};

template <class T>
struct TruncPowOf {
  T operator()(T base, double exponent) const {
    // A whole power is exact, where the rounded one could fall just below it.
    if (exponent >= 0 && exponent < 64 && exponent == static_cast<double>(static_cast<int64_t>(exponent)))
      return WholePowOf<T>()(base, static_cast<int64_t>(exponent));
    return saturated<T>(math::pow(static_cast<double>(base), exponent));
  }
};
void run_pow(Call& call) {
  const Tensor &a = call.in(0), &b = call.in(1);
  bool whole = is_integer(b.dtype()) && is_integer(a.dtype());
  Tensor exponent(whole ? DType::i64 : DType::f64, b.shape());
  convert_elements(b.dtype(), b.raw(), exponent.dtype(), exponent.raw(), b.count());
  Tensor& y = call.out(0, a.dtype(), broadcast_shapes(a.shape(), b.shape()));
  with_whole_number(a.dtype(), [&]<class T>(T) {
    StretchFn compute;
    if constexpr (std::is_floating_point_v<T>)
      compute = binary_stretch<T, double, T, PowOf<T>>;
    else
      compute =
          whole ? binary_stretch<T, int64_t, T, WholePowOf<T>> : binary_stretch<T, double, T, TruncPowOf<T>>;
    map_stretches(call.pool, {&a, &exponent}, y, compute);
  });
}

template <class T>
struct Atan2Of {
  T operator()(T y, T x) const {
    constexpr double pi = 3.14159265358979323846;
    const double a = static_cast<double>(y), b = static_cast<double>(x);
    if (std::isnan(a) || std::isnan(b)) return static_cast<T>(a + b);
    const double high = std::abs(a), wide = std::abs(b);
    double angle = high == wide  ? (high == 0 ? 0 : pi / 4)
                   : high > wide ? pi / 2 - math::atan(wide / high)
                                 : math::atan(high / wide);
    if (std::signbit(b)) angle = pi - angle;
    return static_cast<T>(std::copysign(angle, a));
  }
};
void run_atan2(Call& call) {
  const Tensor &a = call.in(0), &b = call.in(1);
  Tensor& y = call.out(0, a.dtype(), broadcast_shapes(a.shape(), b.shape()));
  if (a.dtype() == DType::f64)
    return map_stretches(call.pool, {&a, &b}, y, binary_stretch<double, double, double, Atan2Of<double>>);
  map_stretches(call.pool, {&a, &b}, y, binary_stretch<float, float, float, Atan2Of<float>>);
}

}  // namespace

void add_binary_kernels(Kernels& kernels) {
  kernels.add<Add>(run_bits<AddOf>);
  kernels.add<Sub>(run_bits<SubOf>);
  kernels.add<Mul>(run_bits<MulOf>);
  kernels.add<Div>(run_div);
  kernels.add<Mod>(run_mod);
  kernels.add<Pow>(run_pow);
  kernels.add<Atan2>(run_atan2);
  kernels.add<Max>(run_max);
  kernels.add<Min>(run_min);
}

}  // namespace remodel
