#include "base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace remodel {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Kind {
  const char* name;
  int bits, mantissa_bits, bias;
  int largest;  // code of the largest finite value
  bool has_negative_zero;
  std::function<float(int)> decode;
  std::function<int(double)> encode;           // saturating where there is a choice
  std::function<int(double)> encode_overflow;  // not saturating
  int overflow, nan;                           // what too large values (not saturating) and NaN become
};

std::vector<Kind> kinds() {
  auto half = [](double x) { return float_to_float16(x); };
  auto brain = [](double x) { return float_to_bfloat16(x); };
  auto tiny = [](double x) { return float_to_e2m1(x); };
  return {
      {"float16", 16, 10, 15, 0x7bff, true, [](int c) { return float16_to_float(static_cast<uint16_t>(c)); },
       half, half, 0x7c00, 0x7e00},
      {"bfloat16", 16, 7, 127, 0x7f7f, true,
       [](int c) { return bfloat16_to_float(static_cast<uint16_t>(c)); }, brain, brain, 0x7f80, 0x7fc0},
      {"e4m3fn", 8, 3, 7, 0x7e, true, [](int c) { return e4m3fn_to_float(static_cast<uint8_t>(c)); },
       [](double x) { return float_to_e4m3fn(x); }, [](double x) { return float_to_e4m3fn(x, false); }, 0x7f,
       0x7f},
      {"e4m3fnuz", 8, 3, 8, 0x7f, false, [](int c) { return e4m3fnuz_to_float(static_cast<uint8_t>(c)); },
       [](double x) { return float_to_e4m3fnuz(x); }, [](double x) { return float_to_e4m3fnuz(x, false); },
       0x80, 0x80},
      {"e5m2", 8, 2, 15, 0x7b, true, [](int c) { return e5m2_to_float(static_cast<uint8_t>(c)); },
       [](double x) { return float_to_e5m2(x); }, [](double x) { return float_to_e5m2(x, false); }, 0x7c,
       0x7e},
      {"e5m2fnuz", 8, 2, 16, 0x7f, false, [](int c) { return e5m2fnuz_to_float(static_cast<uint8_t>(c)); },
       [](double x) { return float_to_e5m2fnuz(x); }, [](double x) { return float_to_e5m2fnuz(x, false); },
       0x80, 0x80},
      {"e2m1", 4, 1, 1, 7, true, [](int c) { return e2m1_to_float(static_cast<uint8_t>(c)); }, tiny, tiny, 7,
       8},
  };
}

bool saturates(const Kind& kind) { return kind.bits < 16; }

TEST(Half, DecodesEveryFiniteCodeByTheDefinition) {
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    int sign = 1 << (kind.bits - 1);
    for (int code = 0; code <= kind.largest; ++code) {
      int exponent = code >> kind.mantissa_bits, mantissa = code & ((1 << kind.mantissa_bits) - 1);
      double fraction = std::ldexp(mantissa, -kind.mantissa_bits);
      double value =
          exponent ? std::ldexp(1 + fraction, exponent - kind.bias) : std::ldexp(fraction, 1 - kind.bias);
      ASSERT_EQ(value, kind.decode(code)) << code;
      if (code == 0 && !kind.has_negative_zero) continue;
      ASSERT_EQ(-value, kind.decode(code | sign)) << code;
      ASSERT_TRUE(std::signbit(kind.decode(code | sign))) << code;
    }
  }
}

TEST(Half, DecodesSpecialCodes) {
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    int sign = 1 << (kind.bits - 1);
    for (int code = kind.largest + 1; code < sign; ++code) {
      bool infinite = code == kind.overflow && kind.overflow != kind.nan;
      for (int signed_code : {code, code | sign}) {
        float value = kind.decode(signed_code);
        ASSERT_EQ(infinite ? std::isinf(value) : std::isnan(value), true) << signed_code;
        ASSERT_EQ(std::signbit(value), signed_code >= sign) << signed_code;
      }
    }
    if (!kind.has_negative_zero) {
      EXPECT_TRUE(std::isnan(kind.decode(0x80)));
    }
  }
}

TEST(Half, EveryCodeComesBack) {
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    for (int code = 0; code < 1 << kind.bits; ++code) {
      float value = kind.decode(code);
      int back = kind.encode_overflow(value);
      if (std::isnan(value)) {
        ASSERT_TRUE(std::isnan(kind.decode(back))) << code;
      } else {
        ASSERT_EQ(code, back);
      }
    }
  }
}

TEST(Half, RoundsToNearestEvenBetweenAllNeighbours) {
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    int sign = 1 << (kind.bits - 1);
    for (int code = 0; code < kind.largest; ++code) {
      double low = kind.decode(code), high = kind.decode(code + 1);
      double tie = (low + high) / 2;
      int even = code + (code & 1);
      ASSERT_EQ(even, kind.encode(tie)) << code;
      ASSERT_EQ(code, kind.encode(std::nextafter(tie, 0.0))) << code;
      ASSERT_EQ(code + 1, kind.encode(std::nextafter(tie, inf))) << code;
      int negative = even == 0 && !kind.has_negative_zero ? 0 : even | sign;
      ASSERT_EQ(negative, kind.encode(-tie)) << code;
    }
  }
}

TEST(Half, Overflows) {
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    int sign = 1 << (kind.bits - 1);
    double largest = kind.decode(kind.largest),
           step = largest - static_cast<double>(kind.decode(kind.largest - 1));
    double tie = largest + step / 2;
    // The tie goes to the even code, be it the largest or the one above.
    int at_tie = kind.largest & 1 ? kind.overflow : kind.largest;
    EXPECT_EQ(at_tie, kind.encode_overflow(tie));
    EXPECT_EQ(kind.largest, kind.encode_overflow(std::nextafter(tie, 0.0)));
    for (double value : {std::nextafter(tie, inf), largest + step, 1e300, inf}) {
      EXPECT_EQ(kind.overflow, kind.encode_overflow(value)) << value;
      EXPECT_EQ(kind.overflow | sign, kind.encode_overflow(-value)) << value;
      if (!saturates(kind)) continue;
      EXPECT_EQ(kind.largest, kind.encode(value)) << value;
      EXPECT_EQ(kind.largest | sign, kind.encode(-value)) << value;
    }
  }
}

TEST(Half, ZerosAndNans) {
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    int sign = 1 << (kind.bits - 1);
    EXPECT_EQ(0, kind.encode(0.0));
    EXPECT_EQ(0, kind.encode(5e-324));
    EXPECT_EQ(kind.has_negative_zero ? sign : 0, kind.encode(-0.0));
    EXPECT_EQ(kind.has_negative_zero ? sign : 0, kind.encode(-1e-300));
    for (auto& encode : {kind.encode, kind.encode_overflow}) {
      EXPECT_EQ(kind.nan, encode(nan));
      EXPECT_EQ(kind.nan | sign, encode(-nan));
    }
  }
}

TEST(Half, DoublesRoundOnce) {
  // Just above a tie of float16, by less than a float can hold: through float it would round to even,
  // downwards.
  double above = 1.0 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40);
  EXPECT_EQ(0x3c01, float_to_float16(above));
  EXPECT_EQ(0x3c00, float_to_float16(static_cast<float>(above)));
  EXPECT_EQ(0x3f81, float_to_bfloat16(1.0 + std::ldexp(1.0, -8) + std::ldexp(1.0, -40)));
}

TEST(Half, KeepsNanPayloads) {
  EXPECT_EQ(0x7e2a, float_to_float16(std::bit_cast<float>(0x7fc54000u)));
  EXPECT_EQ(0xffd5, float_to_bfloat16(std::bit_cast<float>(0xffd50001u)));
  EXPECT_EQ(0x7e00, float_to_float16(std::bit_cast<float>(0x7f800001u)));
  EXPECT_EQ(0x7fc54000u, std::bit_cast<uint32_t>(float16_to_float(0x7e2a)));
  EXPECT_EQ(0x7fc02000u, std::bit_cast<uint32_t>(float16_to_float(0x7c01)));
}

TEST(Half, ArraysGiveTheSameBitsAsSingles) {
  std::vector<uint16_t> codes(65536 + 5);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<uint16_t>(i);
  std::vector<float> half(codes.size()), brain(codes.size());
  float16_to_float(codes.data(), half.data(), codes.size());
  bfloat16_to_float(codes.data(), brain.data(), codes.size());
  for (size_t i = 0; i < codes.size(); ++i) {
    ASSERT_EQ(std::bit_cast<uint32_t>(float16_to_float(codes[i])), std::bit_cast<uint32_t>(half[i])) << i;
    ASSERT_EQ(std::bit_cast<uint32_t>(bfloat16_to_float(codes[i])), std::bit_cast<uint32_t>(brain[i])) << i;
  }

  std::mt19937 random(7);
  std::vector<float> values(100003);
  for (size_t i = 0; i < values.size(); ++i) {
    // A third are ties of float16, a third have exponents near it, the rest are any bits.
    uint32_t bits = static_cast<uint32_t>(random());
    if (i % 3 == 0) bits = (bits & 0x80fff000u) | (100 + bits % 45) << 23 | 0x1000;
    if (i % 3 == 1) bits = (bits & 0x807fffffu) | (100 + bits % 45) << 23;
    values[i] = std::bit_cast<float>(bits);
  }
  std::vector<uint16_t> narrow(values.size());
  float_to_float16(values.data(), narrow.data(), values.size());
  for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(float_to_float16(values[i]), narrow[i]) << values[i];
  float_to_bfloat16(values.data(), narrow.data(), values.size());
  for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(float_to_bfloat16(values[i]), narrow[i]) << values[i];
}

TEST(Half, E8m0Decodes) {
  for (int code = 0; code < 255; ++code)
    ASSERT_EQ(std::ldexp(1.0, code - 127), e8m0_to_float(static_cast<uint8_t>(code))) << code;
  EXPECT_TRUE(std::isnan(e8m0_to_float(255)));
}

TEST(Half, E8m0Rounds) {
  using enum PowerRounding;
  for (auto rounding : {up, down, nearest}) {
    for (int code = 0; code < 254; ++code) {
      double low = std::ldexp(1.0, code - 127);
      ASSERT_EQ(code, float_to_e8m0(low, rounding)) << code;
      ASSERT_EQ(rounding == up ? code + 1 : code, float_to_e8m0(std::nextafter(low * 1.5, 0.0), rounding))
          << code;
      ASSERT_EQ(rounding == down ? code : code + 1, float_to_e8m0(low * 1.5, rounding)) << code;
    }
  }
}

TEST(Half, E8m0Ends) {
  using enum PowerRounding;
  const double largest = std::ldexp(1.0, 127), smallest = std::ldexp(1.0, -127);
  struct {
    double value;
    PowerRounding rounding;
    int saturated, strict;
  } cases[] = {
      {0.0, up, 0, 255},
      {0.0, nearest, 0, 255},
      {inf, up, 254, 255},
      {inf, nearest, 254, 255},
      {nan, up, 255, 255},
      {nan, nearest, 255, 255},
      {largest, up, 254, 254},
      {largest * 1.2, nearest, 254, 254},
      {largest * 1.2, up, 254, 255},
      {largest * 1.5, nearest, 254, 255},
      {largest * 1.9, down, 254, 254},
      {smallest, down, 0, 0},
      {smallest / 2, up, 0, 255},
      {smallest * 0.75, up, 0, 0},
      {smallest * 0.75, nearest, 0, 0},
      {smallest * 0.75, down, 0, 255},
  };
  for (auto& c : cases) {
    EXPECT_EQ(c.saturated, float_to_e8m0(c.value, c.rounding, true)) << c.value;
    EXPECT_EQ(c.strict, float_to_e8m0(c.value, c.rounding, false)) << c.value;
  }
}

}  // namespace
}  // namespace remodel
