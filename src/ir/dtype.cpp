#include "ir/dtype.h"

namespace remodel {
namespace {

enum class Class : uint8_t { none, real, sign, plain, truth, complex, text };
struct Info {
  std::string_view name;
  int bits;
  Class kind;
};
// In the order of DType.
constexpr Info infos[] = {
    {"?", 0, Class::none},          {"f64", 64, Class::real},      {"f32", 32, Class::real},
    {"f16", 16, Class::real},       {"bf16", 16, Class::real},     {"f8e4m3fn", 8, Class::real},
    {"f8e4m3fnuz", 8, Class::real}, {"f8e5m2", 8, Class::real},    {"f8e5m2fnuz", 8, Class::real},
    {"f8e8m0", 8, Class::real},     {"f4e2m1", 4, Class::real},    {"i64", 64, Class::sign},
    {"i32", 32, Class::sign},       {"i16", 16, Class::sign},      {"i8", 8, Class::sign},
    {"i4", 4, Class::sign},         {"i2", 2, Class::sign},        {"u64", 64, Class::plain},
    {"u32", 32, Class::plain},      {"u16", 16, Class::plain},     {"u8", 8, Class::plain},
    {"u4", 4, Class::plain},        {"u2", 2, Class::plain},       {"bool", 8, Class::truth},
    {"c64", 64, Class::complex},    {"c128", 128, Class::complex}, {"string", 0, Class::text},
};
const Info& info(DType type) { return infos[static_cast<size_t>(type)]; }

}  // namespace

std::string_view name_of(DType type) { return info(type).name; }

std::optional<DType> parse_dtype(std::string_view name) {
  for (size_t i = 0; i < std::size(infos); ++i)
    if (infos[i].name == name) return static_cast<DType>(i);
  return std::nullopt;
}

size_t size_of(DType type) { return static_cast<size_t>(info(type).bits + 7) / 8; }
int bits_of(DType type) { return info(type).bits; }
bool is_float(DType type) { return info(type).kind == Class::real; }
bool is_integer(DType type) { return info(type).kind == Class::sign || info(type).kind == Class::plain; }
bool is_signed(DType type) { return info(type).kind == Class::sign; }
bool is_complex(DType type) { return info(type).kind == Class::complex; }
bool is_small_float(DType type) { return is_float(type) && info(type).bits < 32; }
bool is_packed(DType type) { return info(type).bits > 0 && info(type).bits < 8; }

}  // namespace remodel
