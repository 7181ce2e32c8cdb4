// Element types. In memory every element takes whole bytes: 4-bit and 2-bit kinds are unpacked, one a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace remodel {

enum class DType : uint8_t {
  unknown,
  f64,
  f32,
  f16,
  bf16,
  f8e4m3fn,
  f8e4m3fnuz,
  f8e5m2,
  f8e5m2fnuz,
  f8e8m0,
  f4e2m1,
  i64,
  i32,
  i16,
  i8,
  i4,
  i2,
  u64,
  u32,
  u16,
  u8,
  u4,
  u2,
  boolean,
  c64,
  c128,
  string,
};

std::string_view name_of(DType);
std::optional<DType> parse_dtype(std::string_view);

// Bytes of one element in memory; 0 for unknown and string.
size_t size_of(DType);
// Bits of one element in a packed file.
int bits_of(DType);

bool is_float(DType);    // real floating point of any width
bool is_integer(DType);  // not boolean
bool is_signed(DType);   // integers with a sign
bool is_complex(DType);
// A float narrower than 32 bits: arithmetic on it computes in f32 and rounds once an op.
bool is_small_float(DType);
bool is_packed(DType);  // less than a byte wide in files

}  // namespace remodel
