#include "run/math.h"

namespace remodel::math {
namespace detail {

Angle<double> far_angle(double x) {
  if (!(std::fabs(x) < infinity)) return {not_a_number, 0};
  // |x| = whole * 2^exponent, so |x| * 2/pi modulo 4 comes from a window of 2/pi's bits that the exponent
  // chooses: bits before it give whole multiples of 4, and bits after its 192 are too small to matter.
  uint64_t bits = std::bit_cast<uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1075;
  uint64_t whole = (bits & 0x000fffffffffffffu) | 0x0010000000000000u;
  // A word of zeros, then 2/pi after the binary point.
  static constexpr uint64_t two_over_pi[] = {0,
                                             0xa2f9836e4e441529,
                                             0xfc2757d1f534ddc0,
                                             0xdb6295993c439041,
                                             0xfe5163abdebbc561,
                                             0xb7246e3a424dd2e0,
                                             0x06492eea09d1921c,
                                             0xfe1deb1cb129a73e,
                                             0xe88235f52ebb4484,
                                             0xe99c7026b45f7e41,
                                             0x3991d639835339f4,
                                             0x9c845f8bbdf9283b,
                                             0x1ff897ffde05980f,
                                             0xef2f118b5a0a6d1f,
                                             0x6d367ecf27cb09b7,
                                             0x4f463f669e5fea2d,
                                             0x7527bac7ebe5f17b,
                                             0x3d0739f78a5292ea,
                                             0x6bfb5fb11f8d5d08,
                                             0x56033046fc7b6bab};
  int window = 64 + exponent - 2;
  auto word = [&](int i) {
    int at = window + 64 * i, shift = at % 64;
    uint64_t high = two_over_pi[at / 64], low = two_over_pi[at / 64 + 1];
    return shift ? high << shift | low >> (64 - shift) : high;
  };
  using Wide [[gnu::mode(TI)]] = unsigned;
  // whole * window modulo 2^192: two bits of turns, then the fraction of a turn.
  Wide low = Wide{whole} * word(2);
  Wide middle = Wide{whole} * word(1) + (low >> 64);
  uint64_t high = whole * word(0) + static_cast<uint64_t>(middle >> 64);
  double turns = static_cast<double>(high >> 62);
  Wide fraction =
      Wide{high} << 66 | Wide{static_cast<uint64_t>(middle)} << 2 | static_cast<uint64_t>(low) >> 62;
  bool up = fraction >> 127 != 0;
  if (up) fraction = -fraction;
  int zeros = 0;
  if (fraction != 0) {
    uint64_t top = static_cast<uint64_t>(fraction >> 64);
    zeros = top ? std::countl_zero(top) : 64 + std::countl_zero(static_cast<uint64_t>(fraction));
  }
  double r = std::ldexp(static_cast<double>(static_cast<uint64_t>(fraction << zeros >> 64)), -64 - zeros);
  r *= half_pi;
  if (up) r = -r, turns = turns == 3 ? 0 : turns + 1;
  if (turns == 3) turns = -1;
  return x < 0 ? Angle<double>{-r, -turns} : Angle<double>{r, turns};
}

}  // namespace detail

namespace {

// a * b as a sum of two doubles; exact where nothing over- or underflows.
struct Sum {
  double high, low;
};
Sum product(double a, double b) {
  auto split = [](double v) {
    double high = std::bit_cast<double>(std::bit_cast<uint64_t>(v) & 0xfffffffff8000000u);
    return Sum{high, v - high};
  };
  Sum x = split(a), y = split(b);
  double high = a * b;
  return {high, ((x.high * y.high - high) + x.high * y.low + x.low * y.high) + x.low * y.low};
}
Sum sum(double a, double b) {
  double high = a + b, part = high - a;
  return {high, (a - (high - part)) + (b - part)};
}

// log(x) for a positive finite x, to some 2^-62 of itself.
Sum log_pair(double x) {
  auto [k, f, unused] = detail::log_parts(x);
  // s = f / (2 + f) with what the division loses.
  double whole = 2 + f, whole_low = f - (whole - 2);
  double s = f / whole;
  Sum back = product(s, whole);
  double s_low = ((f - back.high) - back.low - s * whole_low) / whole;
  double z = s * s;
  Sum square = product(s, s), cube = product(square.high, s);
  double cube_low = cube.low + square.low * s + 3 * z * s_low;
  Sum third = product(cube.high, 2. / 3);
  double third_low = third.low + cube.high * 0x1.5555555555555p-54 + cube_low * (2. / 3);
  double rest =
      s * z * z *
      detail::polynomial(z, 2. / 5, 2. / 7, 2. / 9, 2. / 11, 2. / 13, 2. / 15, 2. / 17, 2. / 19, 2. / 21);
  Sum scaled = sum(k * detail::ln2_high, 2 * s);
  Sum total = sum(scaled.high, third.high);
  double low = total.low + scaled.low + k * detail::ln2_low + 2 * s_low + third_low + rest;
  return sum(total.high, low);
}

}  // namespace

double pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (std::isnan(x) || std::isnan(y)) return not_a_number;
  double a = std::fabs(x);
  if (std::fabs(y) == infinity) return a == 1 ? 1 : (a > 1) == (y > 0) ? infinity : 0;
  bool whole = y == std::trunc(y), odd = whole && std::fabs(y) < 0x1p53 && std::fmod(y, 2) != 0;
  double sign = x < 0 || (x == 0 && std::signbit(x)) ? (odd ? -1 : 1) : 1;
  if (x == 0) return y > 0 ? sign * 0.0 : sign * infinity;
  if (a == infinity) return y > 0 ? sign * infinity : sign * 0.0;
  if (x < 0 && !whole) return not_a_number;
  if (y == 1) return x;
  if (y == 2) return x * x;
  if (y == -1) return 1 / x;
  if (y == 0.5) return std::sqrt(x);
  Sum logarithm = log_pair(a);
  if (std::fabs(y) > 0x1p80) y = std::copysign(0x1p80, y);
  Sum exponent = product(y, logarithm.high);
  if (exponent.high > 710) return sign * infinity;
  if (exponent.high < -746) return sign * 0.0;
  exponent.low += y * logarithm.low;
  double value = math::exp(exponent.high);
  return sign * (value + value * exponent.low);
}

}  // namespace remodel::math
