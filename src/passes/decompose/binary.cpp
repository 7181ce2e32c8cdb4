#include "ops/binary.h"

#include <limits>

#include "ops/cast.h"
#include "ops/sort.h"
#include "ops/unary.h"
#include "passes/decompose/bodies.h"

namespace remodel {
namespace {

Div rounded(Div::Rounding rounding) {
  Div op;
  op.rounding = rounding;
  return op;
}
Mod with_sign(Mod::Sign sign) {
  Mod op;
  op.sign = sign;
  return op;
}

// Of integers, through floats: what is left is divided again until the quotient is less than one step off,
// which the sign of the remainder then tells.
void quotient_by_floats(Decompose& d) {
  const DType dtype = d.dtype(0);
  if (bits_of(dtype) < 64) {
    Div wide;
    wide.rounding = Div::Rounding::trunc;
    Term a = cast({&d, d.in(0)}, DType::i64), b = cast({&d, d.in(1)}, DType::i64);
    return d.result(0, cast(apply(wide, {a, b}), dtype).id);
  }
  if (!is_signed(dtype)) fail("{} is not divided", name_of(dtype));
  Term a{&d, d.in(0)}, b{&d, d.in(1)};
  const auto near = [&](Term x) { return cast(truncated(cast(x, DType::f32) / cast(b, DType::f32)), dtype); };
  Term quotient = near(a);
  for (int i = 0; i < 3; ++i) quotient = quotient + near(a - quotient * b);
  // Toward zero: the remainder has the dividend's sign, and is smaller than the divisor.
  Term rest = a - quotient * b, step = apply(Sign{}, {a}) * apply(Sign{}, {b});
  Term over = (rest < 0 && a > 0) || (rest > 0 && a < 0);
  quotient = select(over, quotient - step, quotient);
  rest = a - quotient * b;
  Term under = !(abs(rest) < abs(b));
  d.result(0, select(under, quotient + step, quotient).id);
}

// Integers to an integer, by the bits of the exponent; to a float, as floats.
void pow(Decompose& d) {
  const DType dtype = d.dtype(0);
  if (!is_integer(dtype)) fail("{} is not raised to a power", name_of(dtype));
  Term base{&d, d.in(0)}, exponent{&d, d.in(1)};
  if (!is_integer(exponent.dtype()))
    return d.result(0, cast(apply(Pow{}, {cast(base, exponent.dtype()), exponent}), dtype).id);
  Term wide = cast(base, DType::i64), left = cast(exponent, DType::i64), one = number(d, DType::i64, 1);
  int bits = 31;
  if (const Constant* constant = d.graph().constant(d.in(1)); constant && constant->count() > 0) {
    const std::vector<int64_t> values = constant->tensor().ints();
    bits = 1;
    while (bits < 63 && *std::max_element(values.begin(), values.end()) >> bits > 0) ++bits;
  }
  Term power = one, square = wide, rest = max(left, 0);
  for (int bit = 0; bit < bits; ++bit) {
    Term half = cast(floor(0.5 * cast(rest, DType::f32)), DType::i64), odd = rest - 2 * half;
    power = power * select(odd == 1, square, one);
    if (bit + 1 < bits) square = square * square, rest = half;
  }
  // 1 and -1 are their own inverses.
  Term unit = abs(wide) == 1, zero = number(d, DType::i64, 0);
  Term odd = remainder(left, number(d, DType::i64, 2)) == 1;
  Term inverse = select(unit, select(odd, wide, one), zero);
  d.result(0, cast(select(left < 0, inverse, power), dtype).id);
}

void div(Decompose& d) {
  ValueId a = d.in(0), b = d.in(1);
  bool down = d.op<Div>().rounding == Div::Rounding::floor;
  if (is_integer(d.dtype(0))) {
    if (!down) return quotient_by_floats(d);
    // Without what is left the division is exact.
    ValueId rest = d.emit(with_sign(Mod::Sign::divisor), {a, b});
    return d.result(0, d.emit(rounded(Div::Rounding::trunc), {d.emit(Sub{}, {a, rest}), b}));
  }
  ValueId real = d.emit(Div{}, {a, b}), below = d.emit(Floor{}, {real});
  if (down) return d.result(0, below);
  ValueId negative = d.emit(Less{}, {real, d.scalar(d.dtype(0), 0)});
  d.result(0, d.emit(Select{}, {negative, d.emit(Ceil{}, {real}), below}));
}

// r, or r + b where the signs of r and b differ.
void take_sign_of_divisor(Decompose& d, ValueId rest) {
  ValueId b = d.in(1), zero = d.scalar(d.dtype(0), 0);
  ValueId low = d.emit(And{}, {d.emit(Less{}, {rest, zero}), d.emit(Greater{}, {b, zero})});
  ValueId high = d.emit(And{}, {d.emit(Greater{}, {rest, zero}), d.emit(Less{}, {b, zero})});
  d.result(0, d.emit(Select{}, {d.emit(Or{}, {low, high}), d.emit(Add{}, {rest, b}), rest}));
}

// The divisor is doubled as long as it goes into the dividend, and then subtracted where it fits while it is
// halved again: no step rounds.
void remainder_of_floats(Decompose& d) {
  const DType dtype = d.dtype(0);
  Term a = cast({&d, d.in(0)}, DType::f64), b = cast({&d, d.in(1)}, DType::f64);
  // More than the exponents of the type.
  Term steps = number(d, DType::i64, dtype == DType::f64 ? 2100 : 300);
  const Dims dims = dims_of(a + b);
  Term rest = expand(abs(a), dims), divisor = expand(abs(b), dims);
  Term doubled = repeat(steps, {divisor}, {rest}, [](Emitter&, const std::vector<Term>& at) {
    return std::vector<Term>{select(at[1] > 0.5 * at[2], at[1], 2 * at[1])};
  })[0];
  rest = repeat(steps, {rest, doubled}, {divisor}, [](Emitter&, const std::vector<Term>& at) {
    return std::vector<Term>{select(at[1] < at[2], at[1], at[1] - at[2]),
                             select(at[2] > at[3], 0.5 * at[2], at[2])};
  })[0];
  rest = select(divisor > 0, rest, number(d, DType::f64, std::numeric_limits<double>::quiet_NaN()));
  d.result(0, cast(select(a < 0, 0 - rest, rest), dtype).id);
}

void mod(Decompose& d) {
  ValueId a = d.in(0), b = d.in(1);
  bool divisor = d.op<Mod>().sign == Mod::Sign::divisor;
  DType dtype = d.dtype(0);
  if (is_integer(dtype)) {
    ValueId whole = d.emit(rounded(Div::Rounding::trunc), {a, b});
    ValueId rest = d.emit(Sub{}, {a, d.emit(Mul{}, {whole, b})});
    if (divisor && is_signed(dtype)) return take_sign_of_divisor(d, rest);
    return d.result(0, rest);
  }
  if (!divisor) return remainder_of_floats(d);
  take_sign_of_divisor(d, d.emit(with_sign(Mod::Sign::dividend), {a, b}));
}

template <class Op, class Better>
void extreme(Decompose& d) {
  ValueId a = d.in(0), b = d.in(1);
  if (is_integer(d.dtype(0))) return d.result(0, d.emit(Select{}, {d.emit(Better{}, {a, b}), a, b}));
  ValueId both = d.emit(Op{}, {a, b});
  ValueId known = d.emit(Select{}, {d.emit(IsNan{}, {b}), a, both});
  d.result(0, d.emit(Select{}, {d.emit(IsNan{}, {a}), b, known}));
}

// 2^places as integers of x's type, and whether places is less than the type's width.
struct Power {
  ValueId value, inside;
};
Power power_of_places(Decompose& d) {
  DType dtype = d.dtype(0);
  ValueId places = d.emit(Cast(DType::f64), {d.in(1)});
  ValueId inside = d.emit(Less{}, {places, d.scalar(DType::f64, bits_of(dtype))});
  ValueId bounded = d.emit(Select{}, {inside, places, d.scalar(DType::f64, 0)});
  return {d.emit(Cast(dtype), {d.emit(Pow{}, {d.scalar(DType::f64, 2), bounded})}), inside};
}
void shift(Decompose& d, Op op) {
  Power power = power_of_places(d);
  ValueId moved = d.emit(std::move(op), {d.in(0), power.value});
  d.result(0, d.emit(Select{}, {power.inside, moved, d.scalar(d.dtype(0), 0)}));
}

// The highest power of two of a signed type is one place short of its sign.
struct SignedPower {
  Term places, value, inside;
};
SignedPower signed_power_of_places(Decompose& d) {
  const DType dtype = d.dtype(0);
  const Term places = cast({&d, d.in(1)}, DType::f64);
  const Term bounded = min(max(places, 0), bits_of(dtype) - 2);
  return {places, cast(apply(Pow{}, {number(d, DType::f64, 2), bounded}), dtype), places == bounded};
}
void shl(Decompose& d) {
  const DType dtype = d.dtype(0);
  if (!is_signed(dtype)) return shift(d, Mul{});
  const SignedPower power = signed_power_of_places(d);
  const Term moved = Term{&d, d.in(0)} * power.value, none = number(d, dtype, 0);
  const Term last = power.places == bits_of(dtype) - 1;
  d.result(0, select(power.inside, moved, select(last, moved + moved, none)).id);
}
void shr(Decompose& d) {
  const DType dtype = d.dtype(0);
  if (!is_signed(dtype)) return shift(d, rounded(Div::Rounding::trunc));
  const SignedPower power = signed_power_of_places(d);
  const Term x{&d, d.in(0)}, sign = select(x < 0, number(d, dtype, -1), number(d, dtype, 0));
  d.result(0, select(power.inside, apply(rounded(Div::Rounding::floor), {x, power.value}), sign).id);
}

// Four bits at a time, looked up in a table of all pairs. 64-bit integers wrap on the way.
void bitwise(Decompose& d, int64_t (*combine)(int64_t, int64_t)) {
  const DType dtype = d.dtype(0);
  std::vector<int64_t> steps, pairs;
  for (int bit = 0; bit < bits_of(dtype); bit += 4) steps.push_back(int64_t{1} << bit);
  for (int64_t a = 0; a < 16; ++a)
    for (int64_t b = 0; b < 16; ++b) pairs.push_back(combine(a, b));
  Term step{&d, d.integers(steps)}, table{&d, d.integers(pairs)}, sixteen = number(d, DType::i64, 16);
  auto digits = [&](size_t i) {
    const int64_t rank = static_cast<int64_t>(d.dims(i).size());
    Term x = unsqueeze(cast({&d, d.in(i)}, DType::i64), {rank});
    return remainder((x - remainder(x, step)) / step, sixteen);
  };
  Term found = gather(table, 16 * digits(0) + digits(1), 0);
  const int64_t last = static_cast<int64_t>(dims_of(found).size()) - 1;
  // Runtimes sum integers as doubles: 32 bits at a time.
  const size_t most = 8;
  Term sum;
  for (size_t first = 0; first < steps.size(); first += most) {
    const size_t count = std::min(most, steps.size() - first);
    Term some = part(found, last, static_cast<int64_t>(first), static_cast<int64_t>(count));
    Term weights{&d, d.integers({steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(count)})};
    Term piece = reduce(Reduce::Kind::sum, some * weights, {last});
    sum = first == 0 ? piece : sum + piece * number(d, DType::i64, static_cast<double>(steps[first]));
  }
  d.result(0, cast(sum, dtype).id);
}
void bit_and(Decompose& d) {
  bitwise(d, [](int64_t a, int64_t b) { return a & b; });
}
void bit_or(Decompose& d) {
  bitwise(d, [](int64_t a, int64_t b) { return a | b; });
}
void bit_xor(Decompose& d) {
  bitwise(d, [](int64_t a, int64_t b) { return a ^ b; });
}

// Equal strings have the same number among the different ones.
void equal_strings(Decompose& d) {
  Dim counts[] = {product(d.dims(0)), product(d.dims(1))};
  Term all = concat({reshape({&d, d.in(0)}, {counts[0]}), reshape({&d, d.in(1)}, {counts[1]})}, 0);
  Term which{&d, d.emit(Unique{}, {all.id}, 4)[2]};
  Term a = reshape(part(which, 0, 0, counts[0]), d.dims(0));
  Term b = reshape(part(which, 0, counts[0], counts[1]), d.dims(1));
  d.result(0, (a == b).id);
}

// Neither less nor greater, and no NaN.
void equal(Decompose& d) {
  if (d.dtype(0) == DType::string) return equal_strings(d);
  if (!is_float(d.dtype(0))) fail("equality of {} is not made of other operators", name_of(d.dtype(0)));
  ValueId a = d.in(0), b = d.in(1);
  ValueId differ = d.emit(Or{}, {d.emit(Less{}, {a, b}), d.emit(Greater{}, {a, b})});
  ValueId nan = d.emit(IsNan{}, {d.emit(Add{}, {a, b})});  // opposite infinities differ anyway
  d.result(0, d.emit(Not{}, {d.emit(Or{}, {differ, nan})}));
}

template <class Strict, class Opposite>
void or_equal(Decompose& d) {
  ValueId a = d.in(0), b = d.in(1);
  if (is_integer(d.dtype(0))) return d.result(0, d.emit(Not{}, {d.emit(Opposite{}, {a, b})}));
  d.result(0, d.emit(Or{}, {d.emit(Strict{}, {a, b}), d.emit(Equal{}, {a, b})}));
}

// The angle within 45 degrees of an axis, and then those of the other seven parts of the plane.
void atan2(Decompose& d) {
  constexpr double pi = 3.14159265358979323846;
  Term y{&d, d.in(0)}, x{&d, d.in(1)};
  const Term high = abs(y), wide = abs(x), steep = high > wide;
  const Term large = max(high, wide), one = select(large == 0.0, large + 1, large);
  Term angle = apply(Atan{}, {min(high, wide) / one});
  angle = select(steep, pi / 2 - angle, angle);
  // Of zeros the sign shows in their reciprocal.
  const Term left = x < 0.0 || (x == 0.0 && 1 / x < 0.0), below = y < 0.0 || (y == 0.0 && 1 / y < 0.0);
  angle = select(left, pi - angle, angle);
  d.result(0, select(below, 0 - angle, angle).id);
}

}  // namespace

void binary_decompositions(Decompositions& table) {
  table.add<Div>(div);
  table.add<Mod>(mod);
  table.add<Pow>(pow);
  table.add<Atan2>(atan2);
  table.add<Max>(extreme<Max, Greater>);
  table.add<Min>(extreme<Min, Less>);
  table.add<Shl>(shl);
  table.add<Shr>(shr);
  table.add<BitAnd>(bit_and);
  table.add<BitOr>(bit_or);
  table.add<BitXor>(bit_xor);
  table.add<Equal>(equal);
  table.add<LessEqual>(or_equal<Less, Greater>);
  table.add<GreaterEqual>(or_equal<Greater, Less>);
}

}  // namespace remodel
