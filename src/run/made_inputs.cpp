#include "run/made_inputs.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/error.h"
#include "ir/convert.h"
#include "run/input_uses.h"

namespace remodel {
namespace {

// splitmix64
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t bits() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  double between(double low, double high) { return low + (high - low) * unit(); }
  // Both included.
  int64_t whole(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(bits() % (static_cast<uint64_t>(high - low) + 1));
  }
  // A sum of four even numbers is close to a bell.
  double bell() { return (unit() + unit() + unit() + unit() - 2) * 1.04; }

 private:
  uint64_t state_;
};

bool named(const std::string& name, const char* word) {
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower.find(word) != lower.npos;
}

class Maker {
 public:
  Maker(const Graph& graph, int set, uint64_t seed) : graph_(graph), set_(set), seed_(seed) {}

  std::vector<Datum> run() {
    std::vector<InputUse> uses = input_uses(graph_);
    std::vector<Datum> made;
    for (size_t i = 0; i < uses.size(); ++i) {
      random_ = Random(seed_ * 1000003 + static_cast<uint64_t>(set_) * 7919 + i);
      const Port& port = graph_.inputs[i];
      try {
        made.push_back(make(port.name, graph_.value(port.value).type, uses[i]));
      } catch (Error& error) {
        throw error.at("input '" + port.name + "'");
      }
    }
    return made;
  }

 private:
  Datum make(const std::string& name, const Type& type, const InputUse& use) {
    if (type.kind == Type::optional) {
      if (set_ == 1) return Datum();
      return make(name, type.element ? *type.element : Type(), use);
    }
    if (type.kind == Type::list) {
      std::vector<Datum> items;
      for (int i = 0; i < 3; ++i) items.push_back(make(name, type.element ? *type.element : Type(), use));
      return Datum::list(std::move(items));
    }
    return tensor(name, type, use);
  }

  Tensor tensor(const std::string& name, const Type& type, const InputUse& use) {
    Shape shape;
    if (type.dims)
      for (const Dim& dim : *type.dims) shape.push_back(dim.is_number() ? dim.number() : 3);
    else
      shape = {2, 3};
    DType dtype = type.dtype == DType::unknown ? DType::f32 : type.dtype;
    if (count_of(shape) > (int64_t{1} << 30)) fail("{} is too large to be made up", text_of(shape));
    if (dtype == DType::string) return words(shape);
    if (is_complex(dtype)) {
      Shape parts = shape;
      parts.push_back(2);
      Tensor reals = floats(dtype == DType::c64 ? DType::f32 : DType::f64, parts, use);
      return Tensor(dtype, shape, reals.bytes());
    }
    if (!use.contents.empty() && static_cast<int64_t>(use.contents.size()) == count_of(shape))
      return converted(dtype, shape, [&, i = size_t{0}]() mutable { return use.contents[i++]; });
    bool whole = is_integer(dtype) || dtype == DType::boolean;
    if (dtype == DType::boolean || (use.mask && !use.bounded() && whole) ||
        (named(name, "mask") && !use.bounded()))
      return mask(dtype, shape);
    if (!whole) return floats(dtype, shape, use);
    return integers(name, dtype, shape, use);
  }

  template <class F>
  Tensor converted(DType dtype, const Shape& shape, F next) {
    Tensor result(dtype, shape);
    std::vector<double> block(4096);
    for (int64_t first = 0; first < result.count(); first += 4096) {
      int64_t count = std::min<int64_t>(4096, result.count() - first);
      for (int64_t i = 0; i < count; ++i) block[i] = next();
      convert_elements(DType::f64, block.data(), dtype, result.to<uint8_t>() + first * size_of(dtype), count);
    }
    return result;
  }

  Tensor floats(DType dtype, const Shape& shape, const InputUse& use) {
    return converted(dtype, shape, [&] {
      double value = random_.bell();
      if (use.bounded() && !(value >= use.low && value <= use.high)) {
        double low = std::isfinite(use.low) ? use.low : std::isfinite(use.high) ? use.high - 2 : -1;
        value = random_.between(low, std::isfinite(use.high) ? use.high : low + 2);
      }
      if (use.nonzero) value = std::copysign(std::abs(value) + 0.1, value);
      return value;
    });
  }

  Tensor integers(const std::string& name, DType dtype, const Shape& shape, const InputUse& use) {
    int64_t low = 0, high = 9;
    if (bits_of(dtype) <= 8) {
      int bits = bits_of(dtype);
      low = is_signed(dtype) ? -(int64_t{1} << (bits - 1)) : 0;
      high = low + (int64_t{1} << bits) - 1;
    }
    bool length = !use.bounded() && shape.size() <= 1 && (named(name, "len") || named(name, "num_"));
    if (length) low = 1, high = shortest_time();
    constexpr double most = 1 << 30;
    if (std::isfinite(use.low)) low = static_cast<int64_t>(std::ceil(std::clamp(use.low, -most, most)));
    if (std::isfinite(use.high)) high = static_cast<int64_t>(std::floor(std::clamp(use.high, -most, most)));
    if (low > high) {
      if (std::isfinite(use.low))
        high = low + 9;
      else
        low = high - 9;
    }
    if (use.nonzero && low <= 0) low = 1, high = std::max<int64_t>(high, 1);
    bool scalar = count_of(shape) == 1;
    Tensor result(DType::i64, shape);
    const int64_t shift = use.apart ? random_.whole(0, high - low) : 0;
    for (int64_t i = 0; i < result.count(); ++i) {
      int64_t& element = result.to<int64_t>()[i];
      if (scalar && high > low)
        element = low + (high - low + 1) / 2 - set_;  // differs between the sets wherever it can
      else if (use.apart)
        element = low + (shift + steps_to(i, shape)) % (high - low + 1);
      else
        element = random_.whole(low, high);
    }
    if (dtype == DType::i64) return result;
    Tensor narrow(dtype, shape);
    convert_elements(DType::i64, result.raw(), dtype, narrow.raw(), result.count());
    return narrow;
  }

  // A number for each element that differs from those beside it along every axis.
  static int64_t steps_to(int64_t element, const Shape& shape) {
    int64_t sum = 0;
    for (size_t axis = shape.size(); axis-- > 0; element /= shape[axis]) sum += element % shape[axis];
    return sum;
  }

  // Ones, then zeros, along the last axis, some of both where there is room; a single one differs between the
  // sets.
  Tensor mask(DType dtype, const Shape& shape) {
    int64_t row = shape.empty() ? 1 : shape.back(), at = 0, ones = 0;
    return converted(dtype, shape, [&] {
      if (row == 1) return set_ == 0 || dtype != DType::boolean ? 1.0 : 0.0;
      if (at == 0) ones = random_.whole(1, row - 1);
      double value = at < ones ? 1 : 0;
      at = (at + 1) % row;
      return value;
    });
  }

  Tensor words(const Shape& shape) {
    static const char* const list[] = {"red",   "green", "blue", "one",   "two",
                                       "three", "a",     "the",  "Zebra", "42"};
    Tensor result(DType::string, shape);
    for (std::string& word : result.strings()) word = list[random_.bits() % std::size(list)];
    return result;
  }

  // The shortest axis after the batch of inputs that have one, as lengths count along it.
  int64_t shortest_time() const {
    int64_t longest = 0;
    for (const Port& port : graph_.inputs) {
      const Type& type = graph_.value(port.value).type;
      if (!type.dims || type.dims->size() < 2) continue;
      int64_t shortest = 0;
      for (size_t axis = 1; axis < type.dims->size(); ++axis)
        if (const Dim& dim = (*type.dims)[axis]; dim.is_number() && dim.number() > 0)
          shortest = shortest ? std::min(shortest, dim.number()) : dim.number();
      if (shortest) longest = longest ? std::min(longest, shortest) : shortest;
    }
    return std::max<int64_t>(longest, 1);
  }

  const Graph& graph_;
  int set_;
  uint64_t seed_;
  Random random_{0};
};

}  // namespace

std::vector<Datum> make_inputs(const Graph& graph, int set, uint64_t seed) {
  return Maker(graph, set, seed).run();
}

}  // namespace remodel
