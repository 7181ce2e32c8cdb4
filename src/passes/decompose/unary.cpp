#include "ops/unary.h"

#include <cfloat>
#include <span>

#include "ir/convert.h"
#include "passes/decompose/term.h"

namespace remodel {
namespace {

// The whole number below, and one more where more than a half is left, or a half above an odd number.
void round(Decompose& d) {
  Term x{&d, d.in(0)}, below = floor(x), rest = x - below;
  Term odd = below > 2 * floor(0.5 * below), up = rest > 0.5 || (odd && !(rest < 0.5));
  d.result(0, select(up, below + 1, below).id);
}

void is_inf(Decompose& d) {
  const double most = largest_of(d.dtype(0));
  const auto& op = d.op<IsInf>();
  Term x{&d, d.in(0)}, above = x > most, below = x < -most;
  if (op.positive && op.negative) return d.result(0, (above || below).id);
  if (op.positive || op.negative) return d.result(0, (op.positive ? above : below).id);
  d.result(0, (above && below).id);
}

// All bits set is -1; the difference borrows nowhere.
void bit_not(Decompose& d) {
  Tensor ones(d.dtype(0), {});
  std::fill_n(ones.to<uint8_t>(), ones.byte_count(), uint8_t{0xff});
  d.result(0, (Term{&d, d.constant(constant_tensor(ones))} - Term{&d, d.in(0)}).id);
}

Term real(Decompose& d) { return {&d, d.in(0)}; }

void tan(Decompose& d) { d.result(0, (apply(Sin{}, {real(d)}) / apply(Cos{}, {real(d)})).id); }
// `far`, and where x is so near 0 that what it is made of cancels, an odd polynomial in x.
void odd(Decompose& d, double near, std::initializer_list<double> factors, Term far) {
  Term x = real(d), square = x * x, sum = number(d, x.dtype(), *(factors.end() - 1));
  for (const double* factor = factors.end() - 1; factor-- != factors.begin();) sum = sum * square + *factor;
  d.result(0, select(abs(x) < near, x * sum, far).id);
}

void sinh(Decompose& d) {
  Term x = real(d);
  odd(d, 0.5, {1, 1. / 6, 1. / 120, 1. / 5040}, 0.5 * (apply(Exp{}, {x}) - apply(Exp{}, {0 - x})));
}
void cosh(Decompose& d) {
  Term x = real(d);
  d.result(0, (0.5 * (apply(Exp{}, {x}) + apply(Exp{}, {0 - x}))).id);
}
// On magnitudes, where nothing cancels but near 0; the square of what is large would leave the range.
void asinh(Decompose& d) {
  Term x = real(d), size = abs(x), moderate = min(size, 1e4);
  Term grown = apply(Log{}, {moderate + apply(Sqrt{}, {moderate * moderate + 1})});
  Term large = apply(Log{}, {max(size, 1)}) + std::log(2.0);
  odd(d, 0.25, {1, -1. / 6, 3. / 40, -15. / 336}, apply(Sign{}, {x}) * select(size > 1e4, large, grown));
}
void acosh(Decompose& d) {
  Term x = real(d);
  d.result(0, apply(Log{}, {x + apply(Sqrt{}, {(x - 1) * (x + 1)})}).id);
}
void atanh(Decompose& d) {
  Term x = real(d);
  odd(d, 0.2, {1, 1. / 3, 1. / 5, 1. / 7}, 0.5 * apply(Log{}, {(x + 1) / (1 - x)}));
}

// A rational function whose error is that of f32; beyond 4 the result is 1 to that precision.
void erf(Decompose& d) {
  static constexpr double over[] = {-2.72614225801306e-10, 2.77068142495902e-08,  -2.10102402082508e-06,
                                    -5.69250639462346e-05, -7.34990630326855e-04, -2.95459980854025e-03,
                                    -1.60960333262415e-02};
  static constexpr double under[] = {-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03,
                                     -7.37332916720468e-03, -1.42647390514189e-02};
  Term x = max(min(cast(real(d), DType::f32), 4), -4), square = x * x;
  const auto polynomial = [&](std::span<const double> factors) {
    Term sum = factors[0] * square + factors[1];
    for (double factor : factors.subspan(2)) sum = sum * square + factor;
    return sum;
  };
  d.result(0, cast(x * polynomial(over) / polynomial(under), d.dtype(0)).id);
}

void sign(Decompose& d) {
  Term x = real(d);
  if (!is_integer(x.dtype())) fail("the sign of {} has no form", name_of(x.dtype()));
  d.result(0, (cast(x > 0, x.dtype()) - cast(x < 0, x.dtype())).id);
}

}  // namespace

void unary_decompositions(Decompositions& table) {
  table.add<Round>(round);
  table.add<IsInf>(is_inf);
  table.add<BitNot>(bit_not);
  table.add<Tan>(tan);
  table.add<Sinh>(sinh);
  table.add<Cosh>(cosh);
  table.add<Asinh>(asinh);
  table.add<Acosh>(acosh);
  table.add<Atanh>(atanh);
  table.add<Erf>(erf);
  table.add<Sign>(sign);
}

}  // namespace remodel
