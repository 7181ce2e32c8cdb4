// Exact conversions between float and the small floating-point kinds; every rounding is to nearest even.
// The encoders take double, which holds any float, half or 32-bit integer exactly, so no value is rounded
// twice.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace remodel {

// IEEE binary16. NaNs keep their sign and leading payload bits and become quiet; too large values become
// infinite.
float float16_to_float(uint16_t code);
uint16_t float_to_float16(double value);

// The upper half of a float, with the rules of float16.
inline float bfloat16_to_float(uint16_t code) { return std::bit_cast<float>(uint32_t{code} << 16); }
uint16_t float_to_bfloat16(double value);

// Arrays; the results are those of the functions above on every CPU. `from` and `to` do not overlap.
void float16_to_float(const uint16_t* from, float* to, size_t count);
void float_to_float16(const float* from, uint16_t* to, size_t count);
void bfloat16_to_float(const uint16_t* from, float* to, size_t count);
void float_to_bfloat16(const float* from, uint16_t* to, size_t count);

// Eight bits. Saturating: infinite and too large values become the largest finite one. Otherwise they become
// infinite (e5m2) or NaN (the rest). The fnuz kinds have one zero and one NaN (0x80); the others keep the
// sign of both.
float e4m3fn_to_float(uint8_t code);
float e4m3fnuz_to_float(uint8_t code);
float e5m2_to_float(uint8_t code);
float e5m2fnuz_to_float(uint8_t code);
uint8_t float_to_e4m3fn(double value, bool saturate = true);
uint8_t float_to_e4m3fnuz(double value, bool saturate = true);
uint8_t float_to_e5m2(double value, bool saturate = true);
uint8_t float_to_e5m2fnuz(double value, bool saturate = true);

// A power of two, 2^-127 to 2^127, and NaN. `nearest` rounds a tie up. Values outside (zero and infinity too)
// become the nearest end when saturating, else NaN; whether a value is outside is decided after rounding. The
// sign is ignored.
enum class PowerRounding : uint8_t { up, down, nearest };
float e8m0_to_float(uint8_t code);
uint8_t float_to_e8m0(double value, PowerRounding rounding = PowerRounding::up, bool saturate = true);

// Four bits, the low ones of a byte; others are ignored. Always saturating. It has no NaN: NaN becomes -0,
// which is what ONNX's test data holds (its prose says 6).
float e2m1_to_float(uint8_t code);
uint8_t float_to_e2m1(double value);

}  // namespace remodel
