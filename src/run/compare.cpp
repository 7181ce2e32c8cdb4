#include "run/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "base/error.h"
#include "ir/convert.h"
#include "run/traits.h"

namespace remodel {
namespace {

// Both tensors' elements as doubles, a block at a time.
void for_each_pair(
    const Tensor& a, const Tensor& b,
    const std::function<void(int64_t first, int64_t count, const double* a, const double* b)>& use) {
  constexpr int64_t block = 4096;
  std::vector<double> x(block), y(block);
  for (int64_t first = 0; first < a.count(); first += block) {
    int64_t count = std::min(block, a.count() - first);
    convert_elements(a.dtype(), a.as<uint8_t>() + first * size_of(a.dtype()), DType::f64, x.data(), count);
    convert_elements(b.dtype(), b.as<uint8_t>() + first * size_of(b.dtype()), DType::f64, y.data(), count);
    use(first, count, x.data(), y.data());
  }
}

std::string index_text(const Shape& shape, int64_t flat) {
  Shape index(shape.size());
  for (size_t axis = shape.size(); axis-- > 0;) {
    index[axis] = flat % shape[axis];
    flat /= shape[axis];
  }
  return text_of(index);
}

// Real and imaginary parts side by side.
Tensor as_reals(const Tensor& tensor) {
  Shape shape = tensor.shape();
  shape.push_back(2);
  return Tensor(tensor.dtype() == DType::c64 ? DType::f32 : DType::f64, shape, tensor.bytes());
}

struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  double magnitude() const { return high < low ? 0 : std::max(std::abs(low), std::abs(high)); }
  // What errors are measured against; positive.
  double range() const {
    double range = high < low ? 0 : high - low;
    if (range > 0) return range;
    return magnitude() > 0 ? magnitude() : 1;
  }
};

Extent extent_of(const Tensor& tensor) {
  Extent extent;
  for_each_pair(tensor, tensor, [&](int64_t, int64_t count, const double* x, const double*) {
    for (int64_t i = 0; i < count; ++i) extent.add(x[i]);
  });
  return extent;
}

Comparison compare_floats(const Tensor& reference, const Tensor& result, double tolerance) {
  Extent extent = extent_of(reference);
  double range = extent.range(), worst = 0;
  int64_t worst_at = -1, special = 0, special_at = -1;
  double worst_a = 0, worst_b = 0, special_a = 0, special_b = 0;
  for_each_pair(reference, result, [&](int64_t first, int64_t count, const double* a, const double* b) {
    for (int64_t i = 0; i < count; ++i) {
      if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
      if (!std::isfinite(a[i]) || !std::isfinite(b[i])) {
        if (special++ == 0) special_at = first + i, special_a = a[i], special_b = b[i];
        continue;
      }
      double error = std::abs(a[i] - b[i]) / range;
      if (error > worst) worst = error, worst_at = first + i, worst_a = a[i], worst_b = b[i];
    }
  });
  Comparison found;
  found.error = worst;
  double step = 2 * std::max(unit_roundoff(reference.dtype()), unit_roundoff(result.dtype()));
  found.tolerance = std::max(tolerance, 4 * step * extent.magnitude() / range);
  if (special) {
    found.error = std::numeric_limits<double>::infinity();
    found.difference =
        fmt::format("{} of {} elements are finite on one side only, or NaN: {} instead of {} at {}", special,
                    reference.count(), special_b, special_a, index_text(reference.shape(), special_at));
  } else if (worst > found.tolerance) {
    found.difference = fmt::format("error {:.2g} of the range: {} instead of {} at {}", worst, worst_b,
                                   worst_a, index_text(reference.shape(), worst_at));
  }
  found.equal = found.difference.empty();
  return found;
}

// Counts what differs.
struct Tally {
  int64_t different = 0, first = -1;
  void add(int64_t at) {
    if (different++ == 0) first = at;
  }
  Comparison result(const Tensor& reference,
                    const std::function<std::pair<std::string, std::string>(int64_t)>& show) {
    Comparison found;
    found.equal = different == 0;
    if (found.equal) return found;
    found.error = static_cast<double>(different) / static_cast<double>(reference.count());
    auto [was, is] = show(first);
    found.difference = fmt::format("{} of {} elements differ: {} instead of {} at {}", different,
                                   reference.count(), is, was, index_text(reference.shape(), first));
    return found;
  }
};

// Both as 64-bit integers; of one signedness where they are that wide.
Tensor widened(const Tensor& tensor) {
  if (tensor.dtype() == DType::i64) return tensor;
  if (tensor.dtype() == DType::u64) return tensor.relabeled(DType::i64);
  Tensor wide(DType::i64, tensor.shape());
  convert_elements(tensor.dtype(), tensor.raw(), DType::i64, wide.raw(), tensor.count());
  return wide;
}

Comparison compare_integers(const Tensor& reference, const Tensor& result) {
  Tensor a = widened(reference), b = widened(result);
  const int64_t *x = a.as<int64_t>(), *y = b.as<int64_t>();
  Tally tally;
  for (int64_t i = 0; i < a.count(); ++i)
    if (x[i] != y[i]) tally.add(i);
  auto text = [](const Tensor& tensor, int64_t value) {
    return tensor.dtype() == DType::u64 ? std::to_string(static_cast<uint64_t>(value))
                                        : std::to_string(value);
  };
  return tally.result(reference,
                      [&](int64_t at) { return std::pair(text(reference, x[at]), text(result, y[at])); });
}

Comparison compare_strings(const Tensor& reference, const Tensor& result) {
  Tally tally;
  for (int64_t i = 0; i < reference.count(); ++i)
    if (reference.strings()[i] != result.strings()[i]) tally.add(i);
  return tally.result(reference, [&](int64_t at) {
    return std::pair("'" + reference.strings()[at] + "'", "'" + result.strings()[at] + "'");
  });
}

enum class Class { floats, integers, booleans, complex, strings };
Class class_of(DType dtype) {
  if (is_float(dtype)) return Class::floats;
  if (is_complex(dtype)) return Class::complex;
  if (dtype == DType::string) return Class::strings;
  return dtype == DType::boolean ? Class::booleans : Class::integers;
}

Comparison compare_tensors(const Tensor& reference, const Tensor& result, double tolerance) {
  switch (class_of(reference.dtype())) {
    case Class::floats:
      return compare_floats(reference, result, tolerance);
    case Class::complex:
      return compare_floats(as_reals(reference), as_reals(result), tolerance);
    case Class::strings:
      return compare_strings(reference, result);
    default:
      return compare_integers(reference, result);
  }
}

const char* kind_name(const Datum& datum) {
  switch (datum.kind) {
    case Datum::tensor_kind:
      return "a tensor";
    case Datum::list_kind:
      return "a list";
    default:
      return "no value";
  }
}

// Bytes of one element, or strings, compared under cut shapes.
bool same_cut(const Tensor& a, const Tensor& b) {
  Shape cut(a.rank());
  for (size_t axis = 0; axis < a.rank(); ++axis) cut[axis] = std::min(a.shape()[axis], b.shape()[axis]);
  if (count_of(cut) == 0) return a.count() == b.count();
  Shape in_a = strides_of(a.shape()), in_b = strides_of(b.shape()), index(a.rank(), 0);
  size_t width = size_of(a.dtype());
  int64_t row = a.rank() ? cut.back() : 1;
  while (true) {
    int64_t from_a = 0, from_b = 0;
    for (size_t axis = 0; axis + 1 < a.rank(); ++axis) {
      from_a += index[axis] * in_a[axis];
      from_b += index[axis] * in_b[axis];
    }
    if (a.dtype() == DType::string) {
      if (!std::equal(a.strings().begin() + from_a, a.strings().begin() + from_a + row,
                      b.strings().begin() + from_b))
        return false;
    } else if (std::memcmp(a.as<uint8_t>() + from_a * width, b.as<uint8_t>() + from_b * width, row * width) !=
               0) {
      return false;
    }
    size_t axis = a.rank();
    for (axis = a.rank() < 2 ? 0 : a.rank() - 1; axis-- > 0;) {
      if (++index[axis] < cut[axis]) break;
      index[axis] = 0;
    }
    if (axis == static_cast<size_t>(-1)) return true;
  }
}

}  // namespace

std::string form_difference(const Datum& reference, const Datum& result, bool any_width) {
  if (reference.kind != result.kind)
    return fmt::format("it is {} instead of {}", kind_name(result), kind_name(reference));
  if (reference.kind == Datum::none_kind) return "";
  if (reference.is_tensor()) {
    const Tensor &a = reference.tensor, &b = result.tensor;
    if (any_width ? class_of(a.dtype()) != class_of(b.dtype()) : a.dtype() != b.dtype())
      return fmt::format("it is {} instead of {}", name_of(b.dtype()), name_of(a.dtype()));
    if (a.shape() != b.shape())
      return fmt::format("its shape is {} instead of {}", text_of(b.shape()), text_of(a.shape()));
    return "";
  }
  const auto &a = *reference.items, &b = *result.items;
  if (a.size() != b.size()) return fmt::format("it has {} items instead of {}", b.size(), a.size());
  for (size_t i = 0; i < a.size(); ++i)
    if (std::string found = form_difference(a[i], b[i], any_width); !found.empty())
      return fmt::format("item {}: {}", i, found);
  return "";
}

Comparison compare(const Datum& reference, const Datum& result, double tolerance, bool any_width) {
  Comparison worst;
  worst.tolerance = tolerance;
  if (worst.difference = form_difference(reference, result, any_width); !worst.difference.empty()) {
    worst.error = std::numeric_limits<double>::infinity();
    return worst;
  }
  if (reference.is_tensor()) return compare_tensors(reference.tensor, result.tensor, tolerance);
  worst.equal = true;
  if (reference.kind == Datum::none_kind) return worst;
  const auto &a = *reference.items, &b = *result.items;
  for (size_t i = 0; i < a.size(); ++i) {
    Comparison item = compare(a[i], b[i], tolerance, any_width);
    if (!item.equal && worst.equal) {
      worst.equal = false;
      worst.difference = fmt::format("item {}: {}", i, item.difference);
    }
    if (item.error > worst.error) worst.error = item.error;
    worst.tolerance = std::max(worst.tolerance, item.tolerance);
  }
  return worst;
}

bool nearly_tied(const Tensor& scores, int64_t axis, const Tensor& reference, const Tensor& result,
                 double tolerance) {
  if (class_of(scores.dtype()) != Class::floats && class_of(scores.dtype()) != Class::integers) return false;
  axis = resolve_axis(axis, scores.rank());
  int64_t outer = 1, size = scores.dim(axis), inner = 1;
  for (int64_t i = 0; i < axis; ++i) outer *= scores.shape()[i];
  for (size_t i = axis + 1; i < scores.rank(); ++i) inner *= scores.shape()[i];
  if (reference.count() != result.count() || outer * inner == 0 || reference.count() % (outer * inner) != 0)
    return false;
  int64_t each = reference.count() / (outer * inner);
  std::vector<double> values = scores.doubles();
  double allowed = tolerance * extent_of(scores).range();
  Tensor a = widened(reference), b = widened(result);
  for (int64_t i = 0; i < a.count(); ++i) {
    int64_t x = a.as<int64_t>()[i], y = b.as<int64_t>()[i];
    if (x == y) continue;
    if (x < 0 || y < 0 || x >= size || y >= size) return false;
    int64_t row = i / (each * inner) * size * inner + i % inner;
    double gap = std::abs(values[row + x * inner] - values[row + y * inner]);
    if (!(gap <= allowed)) return false;
  }
  return true;
}

bool within_one_step(const Tensor& reference, const Tensor& result) {
  if (reference.shape() != result.shape() || !is_integer(reference.dtype()) || !is_integer(result.dtype()))
    return false;
  Tensor a = widened(reference), b = widened(result);
  for (int64_t i = 0; i < a.count(); ++i) {
    int64_t x = a.as<int64_t>()[i], y = b.as<int64_t>()[i];
    uint64_t gap = x > y ? uint64_t(x) - uint64_t(y) : uint64_t(y) - uint64_t(x);
    if (gap > 1) return false;
  }
  return true;
}

bool same_overlap(const Datum& a, const Datum& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == Datum::none_kind) return true;
  if (a.is_tensor())
    return a.tensor.dtype() == b.tensor.dtype() && a.tensor.rank() == b.tensor.rank() &&
           same_cut(a.tensor, b.tensor);
  if (a.items->size() != b.items->size()) return false;
  for (size_t i = 0; i < a.items->size(); ++i)
    if (!same_overlap((*a.items)[i], (*b.items)[i])) return false;
  return true;
}

}  // namespace remodel
