#include "ops/contents.h"

#include <bit>

namespace remodel {
namespace {

// In lowest terms as far as that shows, and the divisor positive.
Known fraction(const Dim& over, const Dim& under) {
  if (under.is_number(0)) return std::nullopt;
  if (under.is_number() && under.number() < 0) return fraction(Dim(0) - over, Dim(0) - under);
  if (!under.at_least(0)) return std::nullopt;
  if (auto whole = exact_div(over, under)) return Quantity{*whole};
  return Quantity{over, under};
}

bool fits(const Dim& number, DType dtype) {
  int bits = bits_of(dtype);
  if (!number.is_number()) {
    // Sizes are taken to fit in 32 bits with a sign; what subtraction may push below zero wraps in unsigned
    // types.
    return bits >= 32 && (is_signed(dtype) || number.at_least(0));
  }
  int64_t value = number.number();
  if (dtype == DType::boolean) return value == 0 || value == 1;
  if (!is_signed(dtype)) return value >= 0 && (bits == 64 || value >> bits == 0);
  return bits == 64 || (value >= -(int64_t{1} << (bits - 1)) && value < int64_t{1} << (bits - 1));
}

bool holds(const Quantity& element, DType dtype) {
  if (is_integer(dtype) || dtype == DType::boolean)
    return element.under.is_number(1) && fits(element.over, dtype);
  if (dtype != DType::f32 && dtype != DType::f64) return false;
  if (!element.over.is_number()) return true;
  if (element.over.is_number(0)) return false;
  int64_t most = int64_t{1} << (dtype == DType::f32 ? 24 : 53);
  return element.over.number() <= most && element.over.number() >= -most;
}

}  // namespace

Known sum(const Quantity& a, const Quantity& b) {
  return fraction(a.over * b.under + b.over * a.under, a.under * b.under);
}
Known difference(const Quantity& a, const Quantity& b) {
  return fraction(a.over * b.under - b.over * a.under, a.under * b.under);
}
Known product(const Quantity& a, const Quantity& b) { return fraction(a.over * b.over, a.under * b.under); }
Known quotient(const Quantity& a, const Quantity& b) { return fraction(a.over * b.under, a.under * b.over); }
Known floor_of(const Quantity& a) { return Quantity{floor_div(a.over, a.under)}; }
Known ceil_of(const Quantity& a) { return Quantity{ceil_div(a.over, a.under)}; }
Known truncated(const Quantity& a) {
  if (a.under.is_number(1)) return a;
  if (a.over.at_least(0)) return floor_of(a);
  if ((Dim(0) - a.over).at_least(0)) return ceil_of(a);
  return std::nullopt;
}
Known smaller(const Quantity& a, const Quantity& b) {
  if (auto less = is_less(a, b)) return *less ? a : b;
  if (!a.under.is_number(1) || !b.under.is_number(1)) return std::nullopt;
  return Quantity{min(a.over, b.over)};
}
Known larger(const Quantity& a, const Quantity& b) {
  if (auto less = is_less(a, b)) return *less ? b : a;
  if (!a.under.is_number(1) || !b.under.is_number(1)) return std::nullopt;
  return Quantity{max(a.over, b.over)};
}
std::optional<bool> is_less(const Quantity& a, const Quantity& b) {
  Dim gap = b.over * a.under - a.over * b.under;
  if (gap.at_least(1)) return true;
  if ((Dim(0) - gap).at_least(0)) return false;
  return std::nullopt;
}
std::optional<bool> is_equal(const Quantity& a, const Quantity& b) {
  Dim gap = b.over * a.under - a.over * b.under;
  if (gap.is_number(0)) return true;
  if (gap.at_least(1) || (Dim(0) - gap).at_least(1)) return false;
  return std::nullopt;
}
bool is_binary(const Quantity& a) {
  return a.under.is_number() && std::has_single_bit(static_cast<uint64_t>(a.under.number()));
}

void content_out(Infer& in, DType dtype, const std::vector<Known>& elements) {
  Content content;
  for (const Known& element : elements) {
    if (!element || !holds(*element, dtype)) return;
    content.push_back(*element);
  }
  in.content_out(std::move(content));
}

void elementwise_content(Infer& in, DType dtype,
                         const std::function<Known(std::span<const Quantity>)>& compute) {
  std::vector<Content> operands;
  size_t length = 1;
  for (size_t i = 0; i < in.count(); ++i) {
    auto content = in.content(i);
    if (!content || in.rank(i) > 1) return;
    if (content->size() != 1) length = content->size();
    operands.push_back(std::move(*content));
  }
  for (const Content& content : operands)
    if (content.size() != 1 && content.size() != length) return;
  std::vector<Known> elements;
  std::vector<Quantity> taken(operands.size());
  try {
    for (size_t i = 0; i < length; ++i) {
      for (size_t k = 0; k < operands.size(); ++k) taken[k] = operands[k][operands[k].size() == 1 ? 0 : i];
      elements.push_back(compute(taken));
      if (!elements.back()) return;
    }
  } catch (const Error&) {
    return;  // a number past 64 bits: not a size
  }
  content_out(in, dtype, elements);
}

}  // namespace remodel
