#include "base/half.h"

#include <algorithm>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace remodel {
namespace {

constexpr uint64_t sign_bit = uint64_t{1} << 63;
constexpr uint64_t infinity_bits = uint64_t{0x7ff} << 52;

struct Parts {
  bool negative;
  bool nan;
  uint64_t magnitude;  // the double's bits without the sign
};

Parts parts_of(double value) {
  uint64_t bits = std::bit_cast<uint64_t>(value);
  uint64_t magnitude = bits & ~sign_bit;
  return {(bits & sign_bit) != 0, magnitude > infinity_bits, magnitude};
}

// The code without a sign of a double's magnitude in a kind with unlimited exponents upwards: a code above
// the kind's largest is out of its range.
uint64_t round_magnitude(uint64_t magnitude, int mantissa_bits, int bias) {
  int exponent = static_cast<int>(magnitude >> 52) - 1023 + bias;
  uint64_t mantissa = (magnitude & ((uint64_t{1} << 52) - 1)) | uint64_t{1} << 52;
  int shift = 52 - mantissa_bits + (exponent < 1 ? 1 - exponent : 0);
  if (shift > 53) return 0;  // below half of the smallest code
  uint64_t kept = mantissa >> shift;
  uint64_t rest = mantissa & ((uint64_t{1} << shift) - 1);
  uint64_t half = uint64_t{1} << (shift - 1);
  if (rest > half || (rest == half && (kept & 1))) ++kept;
  return kept + (static_cast<uint64_t>(std::max(exponent, 1) - 1) << mantissa_bits);
}

// 2^exponent, within the normal range.
float power(int exponent) { return std::bit_cast<float>(static_cast<uint32_t>(exponent + 127) << 23); }

float magnitude_of(int code, int mantissa_bits, int bias) {
  int exponent = code >> mantissa_bits;
  int mantissa = code & ((1 << mantissa_bits) - 1);
  if (exponent)
    mantissa |= 1 << mantissa_bits;
  else
    exponent = 1;
  return static_cast<float>(mantissa) * power(exponent - bias - mantissa_bits);
}

float with_sign(float magnitude, bool negative) { return negative ? -magnitude : magnitude; }

constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();

uint16_t encode16(double value, int mantissa_bits, int bias) {
  Parts parts = parts_of(value);
  uint64_t infinity = (uint64_t{0x7fff} >> mantissa_bits) << mantissa_bits;
  uint64_t code;
  if (parts.nan) {
    uint64_t payload = (parts.magnitude & ~infinity_bits) >> (52 - mantissa_bits);
    code = infinity | uint64_t{1} << (mantissa_bits - 1) | payload;
  } else {
    code = std::min(round_magnitude(parts.magnitude, mantissa_bits, bias), infinity);
  }
  return static_cast<uint16_t>(code | (parts.negative ? 0x8000 : 0));
}

struct Float8 {
  int mantissa_bits, bias;
  uint8_t largest;   // finite
  uint8_t overflow;  // what too large values become when not saturating
  uint8_t nan;
  bool one_zero;  // and one NaN: 0x80
};

constexpr Float8 e4m3fn{3, 7, 0x7e, 0x7f, 0x7f, false};
constexpr Float8 e4m3fnuz{3, 8, 0x7f, 0x80, 0x80, true};
constexpr Float8 e5m2{2, 15, 0x7b, 0x7c, 0x7e, false};
constexpr Float8 e5m2fnuz{2, 16, 0x7f, 0x80, 0x80, true};

float decode(const Float8& kind, uint8_t code) {
  if (kind.one_zero && code == 0x80) return quiet_nan;
  bool negative = code & 0x80;
  int magnitude = code & 0x7f;
  if (magnitude <= kind.largest)
    return with_sign(magnitude_of(magnitude, kind.mantissa_bits, kind.bias), negative);
  bool infinite = magnitude == kind.overflow && kind.overflow != kind.nan;
  return with_sign(infinite ? std::numeric_limits<float>::infinity() : quiet_nan, negative);
}

uint8_t encode(const Float8& kind, double value, bool saturate) {
  Parts parts = parts_of(value);
  uint64_t code = parts.nan ? kind.nan : round_magnitude(parts.magnitude, kind.mantissa_bits, kind.bias);
  if (!parts.nan && code > kind.largest) code = saturate ? kind.largest : kind.overflow;
  if (kind.one_zero && code == 0) return 0;
  return static_cast<uint8_t>(code | (parts.negative ? 0x80 : 0));
}

#if defined(__x86_64__)
// Every processor with AVX2 has it; not every compiler can ask for it by name.
bool has_f16c() { return __builtin_cpu_supports("avx2"); }

// Both convert whole groups of eight and return how many elements that were.
[[gnu::target("avx,f16c")]] size_t widen_f16c(const uint16_t* from, float* to, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
  return i;
}
[[gnu::target("avx,f16c")]] size_t narrow_f16c(const float* from, uint16_t* to, size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m128i codes = _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), codes);
  }
  return i;
}
#else
bool has_f16c() { return false; }
size_t widen_f16c(const uint16_t*, float*, size_t) { return 0; }
size_t narrow_f16c(const float*, uint16_t*, size_t) { return 0; }
#endif

}  // namespace

float float16_to_float(uint16_t code) {
  uint32_t sign = uint32_t{code & 0x8000u} << 16;
  uint32_t magnitude = code & 0x7fff;
  if (magnitude > 0x7c00) return std::bit_cast<float>(sign | 0x7fc00000 | magnitude << 13);
  if (magnitude == 0x7c00) return std::bit_cast<float>(sign | 0x7f800000);
  return with_sign(magnitude_of(static_cast<int>(magnitude), 10, 15), sign != 0);
}
uint16_t float_to_float16(double value) { return encode16(value, 10, 15); }
uint16_t float_to_bfloat16(double value) { return encode16(value, 7, 127); }

void float16_to_float(const uint16_t* from, float* to, size_t count) {
  size_t done = has_f16c() ? widen_f16c(from, to, count) : 0;
  for (size_t i = done; i < count; ++i) to[i] = float16_to_float(from[i]);
}
void float_to_float16(const float* from, uint16_t* to, size_t count) {
  size_t done = has_f16c() ? narrow_f16c(from, to, count) : 0;
  for (size_t i = done; i < count; ++i) to[i] = float_to_float16(from[i]);
}
void bfloat16_to_float(const uint16_t* from, float* to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = bfloat16_to_float(from[i]);
}
void float_to_bfloat16(const float* from, uint16_t* to, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits = std::bit_cast<uint32_t>(from[i]);
    bool nan = (bits & 0x7fffffff) > 0x7f800000;
    uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
    to[i] = static_cast<uint16_t>((nan ? bits | 0x400000 : rounded) >> 16);
  }
}

float e4m3fn_to_float(uint8_t code) { return decode(e4m3fn, code); }
float e4m3fnuz_to_float(uint8_t code) { return decode(e4m3fnuz, code); }
float e5m2_to_float(uint8_t code) { return decode(e5m2, code); }
float e5m2fnuz_to_float(uint8_t code) { return decode(e5m2fnuz, code); }
uint8_t float_to_e4m3fn(double value, bool saturate) { return encode(e4m3fn, value, saturate); }
uint8_t float_to_e4m3fnuz(double value, bool saturate) { return encode(e4m3fnuz, value, saturate); }
uint8_t float_to_e5m2(double value, bool saturate) { return encode(e5m2, value, saturate); }
uint8_t float_to_e5m2fnuz(double value, bool saturate) { return encode(e5m2fnuz, value, saturate); }

float e8m0_to_float(uint8_t code) {
  if (code == 0xff) return quiet_nan;
  return std::bit_cast<float>(code ? uint32_t{code} << 23 : uint32_t{1} << 22);
}

uint8_t float_to_e8m0(double value, PowerRounding rounding, bool saturate) {
  Parts parts = parts_of(value);
  if (parts.nan) return 0xff;
  int exponent = static_cast<int>(parts.magnitude >> 52) - 1023 + 127;
  uint64_t fraction = parts.magnitude & ((uint64_t{1} << 52) - 1);
  bool up = (rounding == PowerRounding::up && fraction) ||
            (rounding == PowerRounding::nearest && fraction >= uint64_t{1} << 51);
  int code = exponent + (up ? 1 : 0);
  if (code >= 0 && code <= 0xfe) return static_cast<uint8_t>(code);
  if (!saturate) return 0xff;
  return code < 0 ? 0 : 0xfe;
}

float e2m1_to_float(uint8_t code) { return with_sign(magnitude_of(code & 7, 1, 1), code & 8); }

uint8_t float_to_e2m1(double value) {
  Parts parts = parts_of(value);
  if (parts.nan) return 8;
  uint64_t code = std::min<uint64_t>(round_magnitude(parts.magnitude, 1, 1), 7);
  return static_cast<uint8_t>(code | (parts.negative ? 8 : 0));
}

}  // namespace remodel
