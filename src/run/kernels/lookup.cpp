#include <cmath>
#include <cstring>
#include <unordered_map>

#include "ops/gather.h"
#include "run/kernel.h"

namespace remodel {
namespace {

constexpr int64_t nowhere = -1;

// For each element its place among the keys.
template <class Key>
std::vector<int64_t> places_of(const std::vector<Key>& elements, const std::vector<Key>& keys) {
  std::unordered_map<Key, int64_t> places;
  for (size_t i = 0; i < keys.size(); ++i) places[keys[i]] = static_cast<int64_t>(i);
  std::vector<int64_t> result;
  result.reserve(elements.size());
  for (const Key& element : elements) {
    auto place = places.find(element);
    result.push_back(place == places.end() ? nowhere : place->second);
  }
  return result;
}

// Equal for elements that count as equal.
std::vector<int64_t> real_codes(const Tensor& tensor) {
  std::vector<int64_t> codes;
  for (double value : tensor.doubles()) {
    if (std::isnan(value)) value = std::nan("");
    if (value == 0) value = 0;
    int64_t code;
    std::memcpy(&code, &value, sizeof code);
    codes.push_back(code);
  }
  return codes;
}

std::vector<int64_t> places_of(const Tensor& x, const Tensor& keys) {
  if (x.dtype() != keys.dtype())
    fail("keys are {}, but elements {}", name_of(keys.dtype()), name_of(x.dtype()));
  if (x.dtype() == DType::string) return places_of(x.strings(), keys.strings());
  if (is_float(x.dtype())) return places_of(real_codes(x), real_codes(keys));
  return places_of(x.ints(), keys.ints());
}

void run_lookup(Call& call) {
  const Tensor &x = call.in(0), &values = call.in(2), &otherwise = call.in(3);
  if (call.in(1).count() != values.count() || otherwise.count() != 1 || otherwise.dtype() != values.dtype())
    fail("{} keys, {} values and {} others", call.in(1).count(), values.count(), otherwise.count());
  std::vector<int64_t> places = places_of(x, call.in(1));
  Tensor& y = call.out(0, values.dtype(), x.shape());
  if (values.dtype() == DType::string) {
    for (size_t i = 0; i < places.size(); ++i)
      y.strings()[i] = places[i] == nowhere ? otherwise.strings()[0] : values.strings()[places[i]];
    return;
  }
  const size_t size = size_of(values.dtype());
  for (size_t i = 0; i < places.size(); ++i) {
    const uint8_t* from = places[i] == nowhere ? otherwise.as<uint8_t>()
                                               : values.as<uint8_t>() + static_cast<size_t>(places[i]) * size;
    std::memcpy(y.to<uint8_t>() + i * size, from, size);
  }
}

}  // namespace

void add_lookup_kernels(Kernels& kernels) { kernels.add<Lookup>(run_lookup, Halves::keep); }

}  // namespace remodel
