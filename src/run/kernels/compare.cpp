#include "ops/binary.h"

#include "run/map.h"

namespace remodel {
namespace {

template <class T>
struct AndOf {
  T operator()(T a, T b) const { return a & b; }
};
template <class T>
struct OrOf {
  T operator()(T a, T b) const { return a | b; }
};
template <class T>
struct XorOf {
  T operator()(T a, T b) const { return a ^ b; }
};
template <class T>
struct ShlOf {
  T operator()(T x, T places) const {
    bool inside = places >= 0 && static_cast<uint64_t>(places) < sizeof(T) * 8;
    return inside ? static_cast<T>(static_cast<uint64_t>(x) << places) : T(0);
  }
};
template <class T>
struct ShrOf {
  T operator()(T x, T places) const {
    bool inside = places >= 0 && static_cast<uint64_t>(places) < sizeof(T) * 8;
    return inside ? static_cast<T>(x >> places) : x < 0 ? T(-1) : T(0);
  }
};

template <class T>
struct EqualOf {
  uint8_t operator()(T a, T b) const { return a == b; }
};
template <class T>
struct LessOf {
  uint8_t operator()(T a, T b) const { return a < b; }
};
template <class T>
struct LessEqualOf {
  uint8_t operator()(T a, T b) const { return a <= b; }
};

template <template <class> class F>
void run_integer(Call& call) {
  auto [a, b, shape] = operands(call);
  if (!is_integer(a.dtype())) fail("it computes on integers, not on {}", name_of(a.dtype()));
  Tensor& y = call.out(0, a.dtype(), shape);
  with_whole_number(a.dtype(), [&]<class T>(T) {
    if constexpr (std::is_integral_v<T>) map_stretches(call.pool, {&a, &b}, y, binary_stretch<T, T, T, F<T>>);
  });
}
template <template <class> class F>
void run_bitwise(Call& call) {
  if (!is_integer(call.in(0).dtype()))
    fail("it computes on integers, not on {}", name_of(call.in(0).dtype()));
  auto [a, b, shape] = operands(call);
  Tensor& y = call.out(0, a.dtype(), shape);
  with_bits(a.dtype(), [&]<class T>(T) {
    if constexpr (std::is_integral_v<T>) map_stretches(call.pool, {&a, &b}, y, binary_stretch<T, T, T, F<T>>);
  });
}
template <template <class> class F>
void run_logical(Call& call) {
  auto [a, b, shape] = operands(call);
  if (a.dtype() != DType::boolean) fail("it computes on booleans, not on {}", name_of(a.dtype()));
  Tensor& y = call.out(0, a.dtype(), shape);
  map_stretches(call.pool, {&a, &b}, y, binary_stretch<uint8_t, uint8_t, uint8_t, F<uint8_t>>);
}
template <template <class> class F, bool swap = false>
void run_compare(Call& call) {
  auto [a, b, shape] = operands(call);
  Tensor& y = call.out(0, DType::boolean, shape);
  std::vector<const Tensor*> both = {swap ? &b : &a, swap ? &a : &b};
  with_number(a.dtype(),
              [&]<class T>(T) { map_stretches(call.pool, both, y, binary_stretch<T, T, uint8_t, F<T>>); });
}

void run_equal(Call& call) {
  auto [a, b, shape] = operands(call);
  if (a.dtype() != DType::string) return run_compare<EqualOf>(call);
  Tensor& y = call.out(0, DType::boolean, shape);
  if (y.count() == 0) return;
  BroadcastRows walk(shape, {a.shape(), b.shape()});
  const auto &left = a.strings(), &right = b.strings();
  walk.for_each([&](int64_t start, const std::vector<int64_t>& offsets) {
    for (int64_t i = 0; i < walk.length; ++i)
      y.to<uint8_t>()[start + i] =
          left[offsets[0] + i * walk.steps[0]] == right[offsets[1] + i * walk.steps[1]];
  });
}

template <class T>
void select_stretch(const Stretch& part) {
  const auto* condition = static_cast<const uint8_t*>(part.in[0]);
  const T *a = static_cast<const T*>(part.in[1]), *b = static_cast<const T*>(part.in[2]);
  T* out = static_cast<T*>(part.out);
  for (int64_t i = 0; i < part.count; ++i)
    out[i] = condition[i * part.step[0]] ? a[i * part.step[1]] : b[i * part.step[2]];
}

void run_select(Call& call) {
  const Tensor &condition = call.in(0), &a = call.in(1), &b = call.in(2);
  if (condition.dtype() != DType::boolean) fail("the condition is {}", name_of(condition.dtype()));
  if (a.dtype() != b.dtype()) fail("operands are {} and {}", name_of(a.dtype()), name_of(b.dtype()));
  Tensor& y =
      call.out(0, a.dtype(), broadcast_shapes(condition.shape(), broadcast_shapes(a.shape(), b.shape())));
  if (y.count() == 0) return;
  if (a.dtype() == DType::string) {
    BroadcastRows walk(y.shape(), {condition.shape(), a.shape(), b.shape()});
    walk.for_each([&](int64_t start, const std::vector<int64_t>& offsets) {
      for (int64_t i = 0; i < walk.length; ++i) {
        bool first = condition.as<uint8_t>()[offsets[0] + i * walk.steps[0]];
        y.strings()[start + i] =
            first ? a.strings()[offsets[1] + i * walk.steps[1]] : b.strings()[offsets[2] + i * walk.steps[2]];
      }
    });
    return;
  }
  struct Sixteen {
    uint64_t parts[2];
  };
  std::vector<const Tensor*> all = {&condition, &a, &b};
  switch (size_of(a.dtype())) {
    case 1:
      return map_stretches(call.pool, all, y, select_stretch<uint8_t>);
    case 2:
      return map_stretches(call.pool, all, y, select_stretch<uint16_t>);
    case 4:
      return map_stretches(call.pool, all, y, select_stretch<uint32_t>);
    case 8:
      return map_stretches(call.pool, all, y, select_stretch<uint64_t>);
    default:
      return map_stretches(call.pool, all, y, select_stretch<Sixteen>);
  }
}

}  // namespace

void add_compare_kernels(Kernels& kernels) {
  kernels.add<And>(run_logical<AndOf>);
  kernels.add<Or>(run_logical<OrOf>);
  kernels.add<Xor>(run_logical<XorOf>);
  kernels.add<BitAnd>(run_bitwise<AndOf>);
  kernels.add<BitOr>(run_bitwise<OrOf>);
  kernels.add<BitXor>(run_bitwise<XorOf>);
  kernels.add<Shl>(run_integer<ShlOf>);
  kernels.add<Shr>(run_integer<ShrOf>);
  kernels.add<Equal>(run_equal);
  kernels.add<Less>(run_compare<LessOf>);
  kernels.add<LessEqual>(run_compare<LessEqualOf>);
  kernels.add<Greater>(run_compare<LessOf, true>);
  kernels.add<GreaterEqual>(run_compare<LessEqualOf, true>);
  kernels.add<Select>(run_select, Halves::keep);
}

}  // namespace remodel
