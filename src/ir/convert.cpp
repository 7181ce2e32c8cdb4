#include "ir/convert.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/error.h"

namespace remodel {
namespace {

// Elements pass through the widest type of their class, a block at a time: int64, uint64, double or complex.
constexpr int64_t block = 512;
using Complex = std::complex<double>;

template <class Wide, class T>
void widen(const void* from, Wide* to, int64_t count) {
  const T* elements = static_cast<const T*>(from);
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<Wide>(elements[i]);
}
template <float (*decode)(uint8_t)>
void widen_code(const void* from, double* to, int64_t count) {
  const auto* codes = static_cast<const uint8_t*>(from);
  for (int64_t i = 0; i < count; ++i) to[i] = decode(codes[i]);
}
template <float (*decode)(uint16_t)>
void widen_code(const void* from, double* to, int64_t count) {
  const auto* codes = static_cast<const uint16_t*>(from);
  for (int64_t i = 0; i < count; ++i) to[i] = decode(codes[i]);
}
float decode_bfloat16(uint16_t code) { return bfloat16_to_float(code); }

double real_of(double value) { return value; }
double real_of(const Complex& value) { return value.real(); }
int64_t real_of(int64_t value) { return value; }
uint64_t real_of(uint64_t value) { return value; }

template <class T, class Wide>
T to_integer(Wide value) {
  if constexpr (std::is_floating_point_v<Wide>) {
    if (std::isnan(value)) return 0;
    // The bounds are exact as doubles: low is a power of two or 0, and past is one.
    constexpr double low = static_cast<double>(std::numeric_limits<T>::min());
    const double past = std::ldexp(1.0, std::numeric_limits<T>::digits);
    if (value <= low) return std::numeric_limits<T>::min();
    if (value >= past) return std::numeric_limits<T>::max();
    return static_cast<T>(value);
  } else {
    return static_cast<T>(value);
  }
}

// 4- and 2-bit integers, kept one a byte; signed ones are sign-extended. All values wrap, floats too.
template <class Wide>
uint8_t to_small(Wide value, int bits, bool is_signed) {
  uint8_t code = static_cast<uint8_t>(static_cast<uint64_t>(to_integer<int64_t>(value)) & ((1u << bits) - 1));
  if (is_signed && code >> (bits - 1)) code |= static_cast<uint8_t>(0xff << bits);
  return code;
}

template <class Wide>
void narrow(const Wide* from, DType to, void* target, int64_t count, bool saturate, PowerRounding power) {
  auto each = [&](auto* out, auto convert) {
    for (int64_t i = 0; i < count; ++i) out[i] = convert(real_of(from[i]));
  };
  auto integer = [&]<class T>(T* out) { each(out, [](auto v) { return to_integer<T>(v); }); };
  auto* bytes = static_cast<uint8_t*>(target);
  auto* words = static_cast<uint16_t*>(target);
  switch (to) {
    case DType::f64:
      return each(static_cast<double*>(target), [](auto v) { return static_cast<double>(v); });
    case DType::f32:
      return each(static_cast<float*>(target), [](auto v) { return static_cast<float>(v); });
    case DType::f16:
      return each(words, [](auto v) { return float_to_float16(static_cast<double>(v)); });
    case DType::bf16:
      return each(words, [](auto v) { return float_to_bfloat16(static_cast<double>(v)); });
    case DType::f8e4m3fn:
      return each(bytes, [=](auto v) { return float_to_e4m3fn(static_cast<double>(v), saturate); });
    case DType::f8e4m3fnuz:
      return each(bytes, [=](auto v) { return float_to_e4m3fnuz(static_cast<double>(v), saturate); });
    case DType::f8e5m2:
      return each(bytes, [=](auto v) { return float_to_e5m2(static_cast<double>(v), saturate); });
    case DType::f8e5m2fnuz:
      return each(bytes, [=](auto v) { return float_to_e5m2fnuz(static_cast<double>(v), saturate); });
    case DType::f8e8m0:
      return each(bytes, [=](auto v) { return float_to_e8m0(static_cast<double>(v), power, saturate); });
    case DType::f4e2m1:
      return each(bytes, [](auto v) { return float_to_e2m1(static_cast<double>(v)); });
    case DType::i64:
      return integer(static_cast<int64_t*>(target));
    case DType::i32:
      return integer(static_cast<int32_t*>(target));
    case DType::i16:
      return integer(static_cast<int16_t*>(target));
    case DType::i8:
      return integer(static_cast<int8_t*>(target));
    case DType::u64:
      return integer(static_cast<uint64_t*>(target));
    case DType::u32:
      return integer(static_cast<uint32_t*>(target));
    case DType::u16:
      return integer(static_cast<uint16_t*>(target));
    case DType::u8:
      return integer(bytes);
    case DType::i4:
      return each(bytes, [](auto v) { return to_small(v, 4, true); });
    case DType::i2:
      return each(bytes, [](auto v) { return to_small(v, 2, true); });
    case DType::u4:
      return each(bytes, [](auto v) { return to_small(v, 4, false); });
    case DType::u2:
      return each(bytes, [](auto v) { return to_small(v, 2, false); });
    case DType::boolean:
      return each(bytes, [](auto v) { return static_cast<uint8_t>(v != 0); });
    case DType::c64:
    case DType::c128: {
      auto complex = [&]<class T>(std::complex<T>* out) {
        for (int64_t i = 0; i < count; ++i) {
          if constexpr (std::is_same_v<Wide, Complex>)
            out[i] = std::complex<T>(from[i]);
          else
            out[i] = std::complex<T>(static_cast<T>(from[i]));
        }
      };
      return to == DType::c64 ? complex(static_cast<std::complex<float>*>(target))
                              : complex(static_cast<Complex*>(target));
    }
    case DType::unknown:
    case DType::string:
      break;
  }
  fail("elements cannot become {}", name_of(to));
}

template <class Wide>
void convert_through(void (*widen)(const void*, Wide*, int64_t), DType from, const void* source, DType to,
                     void* target, int64_t count, bool saturate, PowerRounding power) {
  Wide wide[block];
  for (int64_t done = 0; done < count; done += block) {
    int64_t part = std::min(block, count - done);
    widen(static_cast<const uint8_t*>(source) + done * size_of(from), wide, part);
    narrow(wide, to, static_cast<uint8_t*>(target) + done * size_of(to), part, saturate, power);
  }
}

}  // namespace

void convert_elements(DType from, const void* source, DType to, void* target, int64_t count,
                      Overflow overflow, PowerRounding power) {
  if (count == 0) return;
  if (from == to) {
    std::memcpy(target, source, count * size_of(from));
    return;
  }
  if (from == DType::f16 && to == DType::f32)
    return float16_to_float(static_cast<const uint16_t*>(source), static_cast<float*>(target), count);
  if (from == DType::f32 && to == DType::f16)
    return float_to_float16(static_cast<const float*>(source), static_cast<uint16_t*>(target), count);
  if (from == DType::bf16 && to == DType::f32)
    return bfloat16_to_float(static_cast<const uint16_t*>(source), static_cast<float*>(target), count);
  if (from == DType::f32 && to == DType::bf16)
    return float_to_bfloat16(static_cast<const float*>(source), static_cast<uint16_t*>(target), count);

  auto through = [&]<class Wide>(void (*widen)(const void*, Wide*, int64_t)) {
    convert_through<Wide>(widen, from, source, to, target, count, overflow == Overflow::saturate, power);
  };
  switch (from) {
    case DType::f64:
      return through(widen<double, double>);
    case DType::f32:
      return through(widen<double, float>);
    case DType::f16:
      return through(widen_code<float16_to_float>);
    case DType::bf16:
      return through(widen_code<decode_bfloat16>);
    case DType::f8e4m3fn:
      return through(widen_code<e4m3fn_to_float>);
    case DType::f8e4m3fnuz:
      return through(widen_code<e4m3fnuz_to_float>);
    case DType::f8e5m2:
      return through(widen_code<e5m2_to_float>);
    case DType::f8e5m2fnuz:
      return through(widen_code<e5m2fnuz_to_float>);
    case DType::f8e8m0:
      return through(widen_code<e8m0_to_float>);
    case DType::f4e2m1:
      return through(widen_code<e2m1_to_float>);
    case DType::i64:
      return through(widen<int64_t, int64_t>);
    case DType::i32:
      return through(widen<int64_t, int32_t>);
    case DType::i16:
      return through(widen<int64_t, int16_t>);
    case DType::i8:
    case DType::i4:
    case DType::i2:
      return through(widen<int64_t, int8_t>);
    case DType::u64:
      return through(widen<uint64_t, uint64_t>);
    case DType::u32:
      return through(widen<int64_t, uint32_t>);
    case DType::u16:
      return through(widen<int64_t, uint16_t>);
    case DType::u8:
    case DType::u4:
    case DType::u2:
    case DType::boolean:
      return through(widen<int64_t, uint8_t>);
    case DType::c64:
      return through(widen<Complex, std::complex<float>>);
    case DType::c128:
      return through(widen<Complex, Complex>);
    case DType::unknown:
    case DType::string:
      break;
  }
  fail("elements of type {} cannot be converted", name_of(from));
}

double largest_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return DBL_MAX;
    case DType::f32:
      return FLT_MAX;
    case DType::bf16:
      return 0x1.fep127;
    case DType::f16:
      return 65504;
    default:
      fail("it does not compute on {}", name_of(dtype));
  }
}

}  // namespace remodel
