// Elementary functions on doubles, from additions, multiplications, divisions and square roots alone, so that
// every CPU gives the same bits; the C library's differ with the CPU. They stay within 4 units in the last
// place, most within 2, so what is rounded to float afterwards is as good as exact.
//
// T is double, or a pair of them that compute side by side.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace remodel::math {

using Pair [[gnu::vector_size(16)]] = double;

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// Functions of this file are inlined everywhere, or pairs would be slower than single numbers.
#define REMODEL_MATH \
  template <class T> \
  [[gnu::always_inline]] inline T

namespace detail {

template <class T>
struct BitsOf {
  using Type = uint64_t;
};
template <>
struct BitsOf<Pair> {
  using Type [[gnu::vector_size(16)]] = uint64_t;
};
template <class T>
using Bits = typename BitsOf<T>::Type;

inline constexpr uint64_t sign_bit = uint64_t{1} << 63;
REMODEL_MATH absolute(T x) { return std::bit_cast<T>(std::bit_cast<Bits<T>>(x) & ~sign_bit); }
REMODEL_MATH with_sign(T x, T sign) {
  return std::bit_cast<T>((std::bit_cast<Bits<T>>(x) & ~sign_bit) |
                          (std::bit_cast<Bits<T>>(sign) & sign_bit));
}
[[gnu::always_inline]] inline double root(double x) { return __builtin_sqrt(x); }
[[gnu::always_inline]] inline Pair root(Pair x) { return Pair{__builtin_sqrt(x[0]), __builtin_sqrt(x[1])}; }

// Adding and subtracting it rounds to the nearest integer, ties to even, where |x| < 2^51. The low bits of a
// sum with it are that integer.
inline constexpr double rounder = 0x1.8p52;
inline constexpr double ln2 = 0x1.62e42fefa39efp-1;
inline constexpr double ln2_high = 0x1.62e42fefa3800p-1, ln2_low = 0x1.ef35793c76730p-45;
inline constexpr double half_pi = 0x1.921fb54442d18p+0;
inline constexpr double half_pi_parts[] = {0x1.921fb54400000p+0, 0x1.0b4611a600000p-34,
                                           0x1.3198a2e037073p-69};

REMODEL_MATH nearest(T x) { return (x + rounder) - rounder; }

// c0 + c1 x + c2 x^2 + ...
REMODEL_MATH polynomial(T x, double c0, double c1) { return c0 + x * c1; }
template <class T, class... C>
[[gnu::always_inline]] inline T polynomial(T x, double c, C... rest) {
  return c + x * polynomial(x, rest...);
}

// 2^n for a whole n in -1022 .. 1023.
REMODEL_MATH power_of_two(T n) {
  return std::bit_cast<T>(std::bit_cast<Bits<T>>(n + (rounder + 1023)) << 52);
}

// e^r - 1 for |r| <= ln(2) / 2.
REMODEL_MATH expm1_near(T r) {
  return r + r * r *
                 polynomial(r, 1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320,
                            1. / 362880, 1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800);
}

// A positive x = (1 + f) 2^k with 1 + f between sqrt(1/2) and sqrt(2), and log(1 + f) = f - f^2/2 +
// correction.
template <class T>
struct LogParts {
  T k, f, correction;
};
template <class T>
[[gnu::always_inline]] inline LogParts<T> log_parts(T x) {
  auto tiny = x < std::numeric_limits<double>::min();
  Bits<T> bits = std::bit_cast<Bits<T>>(tiny ? x * 0x1p54 : x);
  // The exponent lands in the low bits of a number near 2^52.
  T k = std::bit_cast<T>((bits >> 52) | uint64_t{0x4330000000000000}) - (0x1p52 + 1023);
  T m = std::bit_cast<T>((bits & uint64_t{0x000fffffffffffff}) | uint64_t{0x3ff0000000000000});
  k = tiny ? k - 54 : k;
  auto big = m > 1.4142135623730951;
  k = big ? k + 1 : k;
  m = big ? m * 0.5 : m;
  T f = m - 1, s = f / (2 + f), z = s * s;
  T tail =
      z * polynomial(z, 2. / 3, 2. / 5, 2. / 7, 2. / 9, 2. / 11, 2. / 13, 2. / 15, 2. / 17, 2. / 19, 2. / 21);
  return {k, f, s * (0.5 * f * f + tail)};
}

// For |r| <= pi / 4.
REMODEL_MATH sin_near(T r) {
  T z = r * r;
  return r + r * z *
                 polynomial(z, -1. / 6, 1. / 120, -1. / 5040, 1. / 362880, -1. / 39916800, 1. / 6227020800,
                            -1. / 1307674368000, 1. / 355687428096000);
}
REMODEL_MATH cos_near(T r) {
  T z = r * r;
  return 1 - z * (0.5 - z * polynomial(z, 1. / 24, -1. / 720, 1. / 40320, -1. / 3628800, 1. / 479001600,
                                       -1. / 87178291200, 1. / 20922789888000));
}

// An angle r + turns * pi/2 with |r| <= pi/4 and turns in -2 .. 2.
template <class T>
struct Angle {
  T r, turns;
};
// Exact enough for |x| <= near_limit.
inline constexpr double near_limit = 1e6;
template <class T>
[[gnu::always_inline]] inline Angle<T> near_angle(T x) {
  T n = nearest(x * (1 / half_pi));
  T r = ((x - n * half_pi_parts[0]) - n * half_pi_parts[1]) - n * half_pi_parts[2];
  return {r, n - 4 * nearest(n * 0.25)};
}
Angle<double> far_angle(double x);

REMODEL_MATH sin_of(Angle<T> a) {
  T value = absolute(a.turns) == 1 ? cos_near(a.r) : sin_near(a.r);
  return (absolute(a.turns) == 2) | (a.turns == -1) ? -value : value;
}
REMODEL_MATH cos_of(Angle<T> a) {
  T value = absolute(a.turns) == 1 ? sin_near(a.r) : cos_near(a.r);
  return (absolute(a.turns) == 2) | (a.turns == 1) ? -value : value;
}
REMODEL_MATH tan_of(Angle<T> a) {
  auto odd = absolute(a.turns) == 1;
  T s = sin_near(a.r), c = cos_near(a.r);
  return (odd ? -c : s) / (odd ? s : c);
}

}  // namespace detail

REMODEL_MATH exp(T x) {
  x = x > 710 ? 710. : x;
  x = x < -746 ? -746. : x;
  T n = detail::nearest(x * (1 / detail::ln2));
  T r = (x - n * detail::ln2_high) - n * detail::ln2_low;
  T half = detail::nearest(n * 0.5);  // 2^n itself may not be a double
  return (1 + detail::expm1_near(r)) * detail::power_of_two(half) * detail::power_of_two(n - half);
}

// e^x - 1; infinite above 709.
REMODEL_MATH expm1(T x) {
  T inside = x > 709 ? 709. : x;
  inside = inside < -40 ? -40. : inside;
  T n = detail::nearest(inside * (1 / detail::ln2));
  T r = (inside - n * detail::ln2_high) - n * detail::ln2_low;
  T scale = detail::power_of_two(n);
  T value = scale * detail::expm1_near(r) + (scale - 1);
  value = x > 709 ? infinity : value;
  return x == 0 ? x : value;
}

REMODEL_MATH log(T x) {
  auto [k, f, correction] = detail::log_parts(x);
  T value = k * detail::ln2_high - ((0.5 * f * f - (correction + k * detail::ln2_low)) - f);
  value = x < infinity ? value : x;  // NaN too
  value = x < 0 ? not_a_number : value;
  return x == 0 ? -infinity : value;
}

// log(1 + x)
REMODEL_MATH log1p(T x) {
  T u = 1 + x, lost = (x - (u - 1)) / u;
  lost = (u > 0) & (u < infinity) ? lost : 0.;
  T value = math::log(u) + lost;
  return x == 0 ? x : value;
}

REMODEL_MATH sinh(T x) {
  T a = detail::absolute(x), e = math::expm1(a > 700 ? 700. : a), h = math::exp(a * 0.5);
  return detail::with_sign(a > 700 ? 0.5 * h * h : 0.5 * (e + e / (e + 1)), x);
}
REMODEL_MATH cosh(T x) {
  T a = detail::absolute(x), h = math::exp(a * 0.5), e = math::exp(a > 700 ? 700. : a);
  return a > 700 ? 0.5 * h * h : 0.5 * e + 0.5 / e;
}
REMODEL_MATH tanh(T x) {
  T a = detail::absolute(x), e = math::expm1(2 * (a > 22 ? 22. : a));
  return detail::with_sign(e / (e + 2), x);
}
REMODEL_MATH asinh(T x) {
  T a = detail::absolute(x), square = a * a;
  auto large = a > 0x1p60;
  T value = math::log1p(large ? a : a + square / (1 + detail::root(1 + square)));
  return detail::with_sign(large ? value + detail::ln2 : value, x);
}
REMODEL_MATH acosh(T x) {
  T t = x - 1;
  auto large = x > 0x1p60;
  T value = math::log1p(large ? x : t + detail::root(2 * t + t * t));
  value = large ? value + detail::ln2 : value;
  return x < 1 ? not_a_number : value;
}
REMODEL_MATH atanh(T x) {
  T a = detail::absolute(x);
  return detail::with_sign(0.5 * math::log1p(2 * a / (1 - a)), x);
}

REMODEL_MATH atan(T x) {
  constexpr double sqrt3 = 1.7320508075688772, tan_15_degrees = 0.2679491924311227;
  T a = detail::absolute(x);
  auto inverted = a > 1;
  a = inverted ? 1 / a : a;
  auto turned = a > tan_15_degrees;
  a = turned ? (a * sqrt3 - 1) / (a + sqrt3) : a;
  T z = a * a;
  T value = a - a * z *
                    detail::polynomial(z, 1. / 3, -1. / 5, 1. / 7, -1. / 9, 1. / 11, -1. / 13, 1. / 15,
                                       -1. / 17, 1. / 19, -1. / 21, 1. / 23, -1. / 25, 1. / 27, -1. / 29);
  value = turned ? value + detail::half_pi / 3 : value;
  value = inverted ? detail::half_pi - value : value;
  return detail::with_sign(value, x);
}
REMODEL_MATH asin(T x) { return math::atan(x / detail::root((1 - x) * (1 + x))); }
REMODEL_MATH acos(T x) { return 2 * math::atan(detail::root((1 - x) / (1 + x))); }

REMODEL_MATH erf(T x) {
  T a = detail::absolute(x), z = a * a;
  // Chebyshev interpolation of erf(a) / a in a^2 over 0 .. 1.
  T low = a * detail::polynomial(z, 1.1283791670955126, -0.37612638903183543, 0.11283791670945006,
                                 -0.02686617064323777, 0.0052239776071164225, -0.0008548325975389692,
                                 0.00012055294904839707, -1.492473690741966e-05, 1.6447424703317362e-06,
                                 -1.6208483801871705e-07, 1.3720064546777686e-08, -7.795898827002142e-10);
  // The same of (1 - erf(a)) e^(a^2) over 1 .. 6, in a variable linear in 1 / (a + 3) that goes from 1 to -1.
  T far = a > 6 ? 6. : a, y = 14.4 / (far + 3) - 2.6;
  T tail = detail::polynomial(
      y, 0.20798329133342885, 0.15436117429436919, 0.04969844540339414, 0.012713147695691918,
      0.002479314697086253, 0.0003316029605792838, 1.956358319778174e-05, -2.425557485042923e-06,
      -5.54127309801664e-07, 4.5267318133461335e-09, 1.133933573114706e-08, 2.637756022974126e-10,
      -2.5700407551346905e-10, -6.02173256030324e-12, 6.043792147788813e-12, -6.697645564790815e-15);
  T high = 1 - math::exp(-far * far) * tail;
  return detail::with_sign(a < 1 ? low : high, x);
}

REMODEL_MATH sigmoid(T x) {
  T e = math::exp(-detail::absolute(x)), value = 1 / (1 + e);
  return x < 0 ? e * value : value;
}
// log(1 + e^x)
REMODEL_MATH softplus(T x) {
  T e = math::exp(-detail::absolute(x));
  return (x > 0 ? x : 0.) + math::log1p(e);
}

#undef REMODEL_MATH

inline double sin(double x) {
  if (x == 0) return x;
  return detail::sin_of(std::fabs(x) <= detail::near_limit ? detail::near_angle(x) : detail::far_angle(x));
}
inline double cos(double x) {
  return detail::cos_of(std::fabs(x) <= detail::near_limit ? detail::near_angle(x) : detail::far_angle(x));
}
inline double tan(double x) {
  if (x == 0) return x;
  return detail::tan_of(std::fabs(x) <= detail::near_limit ? detail::near_angle(x) : detail::far_angle(x));
}

// C's pow, special cases included.
double pow(double x, double y);

}  // namespace remodel::math
