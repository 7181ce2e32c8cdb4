#include "ops/cast.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "run/kernel.h"

namespace remodel {
namespace {

constexpr int64_t grain = 1 << 15;

// As Python prints floats: plain from 1e-4 up to 1e16, with one digit after the point at least.
std::string python_text(std::string_view digits, int exponent) {
  std::string text(digits);
  int count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    if (count > 1) text.insert(1, ".");
    return fmt::format("{}e{}{:02}", text, exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) return "0." + std::string(-exponent - 1, '0') + text;
  if (count <= exponent + 1) return text + std::string(exponent + 1 - count, '0') + ".0";
  return text.insert(exponent + 1, ".");
}

// The shortest digits that convert back to the element.
std::string text_of(double value, DType type) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  std::to_chars_result end{};
  if (type == DType::f64) {
    end = std::to_chars(buffer, std::end(buffer), value, std::chars_format::scientific);
  } else if (type == DType::f32) {
    end = std::to_chars(buffer, std::end(buffer), static_cast<float>(value), std::chars_format::scientific);
  } else {
    for (int precision = 0; precision < 17; ++precision) {
      end = std::to_chars(buffer, std::end(buffer), value, std::chars_format::scientific, precision);
      double back = 0, rounded = 0;
      std::from_chars(buffer, end.ptr, back);
      uint16_t code = 0;
      convert_elements(DType::f64, &back, type, &code, 1);
      convert_elements(type, &code, DType::f64, &rounded, 1);
      if (rounded == value) break;
    }
  }
  std::string_view text(buffer, end.ptr - buffer);
  std::string sign = text[0] == '-' ? "-" : "";
  text.remove_prefix(sign.size());
  size_t e = text.find('e');
  int exponent = std::stoi(std::string(text.substr(e + 1)));
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  return sign + python_text(digits, exponent);
}

void to_strings(const Tensor& x, Tensor& y) {
  std::vector<std::string>& texts = y.strings();
  if (x.dtype() == DType::boolean) {
    for (int64_t i = 0; i < x.count(); ++i) texts[i] = x.as<uint8_t>()[i] ? "True" : "False";
  } else if (x.dtype() == DType::u64) {
    for (int64_t i = 0; i < x.count(); ++i) texts[i] = std::to_string(x.as<uint64_t>()[i]);
  } else if (is_integer(x.dtype())) {
    std::vector<int64_t> values = x.ints();
    for (int64_t i = 0; i < x.count(); ++i) texts[i] = std::to_string(values[i]);
  } else {
    std::vector<double> values = x.doubles();
    for (int64_t i = 0; i < x.count(); ++i) texts[i] = text_of(values[i], x.dtype());
  }
}

std::string_view trimmed(std::string_view text) {
  size_t first = text.find_first_not_of(" \t\n\r"), last = text.find_last_not_of(" \t\n\r");
  return first == std::string_view::npos ? "" : text.substr(first, last - first + 1);
}

template <class T>
bool parse(std::string_view text, T& value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if constexpr (std::is_floating_point_v<T>) {
    // Too large or too small: what rounding gives.
    if (error == std::errc::result_out_of_range) {
      bool negative = text[0] == '-';
      size_t e = text.find_first_of("eE");
      bool small = e != std::string_view::npos && e + 1 < text.size() && text[e + 1] == '-';
      value = small ? T(0) : std::numeric_limits<T>::infinity();
      if (negative) value = -value;
      return true;
    }
  }
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

void from_strings(const Tensor& x, const Cast& op, Tensor& y) {
  auto* to = y.to<uint8_t>();
  size_t size = size_of(op.to);
  for (int64_t i = 0; i < x.count(); ++i, to += size) {
    std::string_view text = trimmed(x.strings()[i]);
    bool good = true;
    auto convert = [&]<class T>(T value, DType type) {
      good = parse(text, value);
      if (good) convert_elements(type, &value, op.to, to, 1, op.overflow, op.rounding);
    };
    if (op.to == DType::f32) {
      convert(float{}, DType::f32);
    } else if (op.to == DType::boolean && (text == "True" || text == "False")) {
      *to = text == "True";
    } else if (op.to == DType::u64) {
      convert(uint64_t{}, DType::u64);
    } else if (is_integer(op.to)) {
      convert(int64_t{}, DType::i64);
    } else {
      convert(double{}, DType::f64);
    }
    if (!good) fail("'{}' is not a number that {} holds", text, name_of(op.to));
  }
}

void run_cast(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<Cast>();
  if (x.dtype() == op.to) return call.set(0, x);
  Tensor& y = call.out(0, op.to, x.shape());
  if (op.to == DType::string) return to_strings(x, y);
  if (x.dtype() == DType::string) return from_strings(x, op, y);
  size_t from = size_of(x.dtype()), to = size_of(op.to);
  call.pool.for_each((x.count() + grain - 1) / grain, [&](int64_t task) {
    int64_t first = task * grain, count = std::min(grain, x.count() - first);
    convert_elements(x.dtype(), x.as<uint8_t>() + first * from, op.to, y.to<uint8_t>() + first * to, count,
                     op.overflow, op.rounding);
  });
}

void run_bitcast(Call& call) {
  const Tensor& x = call.in(0);
  const DType to = call.op<Bitcast>().to;
  const size_t from = size_of(x.dtype()), wanted = size_of(to);
  Shape shape = x.shape();
  if (wanted > from) {
    if (shape.empty() || shape.back() != static_cast<int64_t>(wanted / from))
      fail("{} does not end in an axis of {} elements", remodel::text_of(shape), wanted / from);
    shape.pop_back();
  } else if (wanted < from) {
    shape.push_back(static_cast<int64_t>(from / wanted));
  }
  Tensor& y = call.out(0, to, shape);
  if (y.byte_count() > 0) std::memcpy(y.raw(), x.raw(), y.byte_count());
}

}  // namespace

void add_cast_kernels(Kernels& kernels) {
  kernels.add<Cast>(run_cast, Halves::keep);
  kernels.add<Bitcast>(run_bitcast, Halves::keep);
}

}  // namespace remodel
