// Activation functions found in the arithmetic that exporters make of them. Each rule lowers the number of
// nodes; a target that lacks the function takes it apart again.
#include <cmath>
#include <limits>

#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/unary.h"
#include "passes/optimise.h"

namespace remodel {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

void gelu_rules(Rules& rules) {
  Expr x = rules.any();
  auto gated = [&](Expr gate, const Gelu& gelu) {
    Expr one_more = 1.0 + gate;
    for (Expr form :
         {(x * one_more) * 0.5, (x * 0.5) * one_more, x * (one_more * 0.5), x * (gate * 0.5 + 0.5)})
      rules.add("gelu", Effect::rounding, form, rules.op(gelu, {x}));
  };
  const double root = std::sqrt(2.0);
  for (Expr scaled : {x / root, x * (1 / root)}) gated(rules.op(Erf{}, {scaled}), Gelu{});

  const double scale = std::sqrt(2 / M_PI), cubic = 0.044715;
  Gelu by_tanh;
  by_tanh.form = Gelu::Form::tanh;
  std::vector<Expr> inner;
  for (Expr cube : {rules.op(Pow{}, {x, rules.literal(3)}), (x * x) * x}) {
    inner.push_back((x + cube * cubic) * scale);
    inner.push_back(x * scale + cube * (cubic * scale));
  }
  for (Expr square : {(x * x) * cubic, (x * cubic) * x, rules.op(Pow{}, {x, rules.literal(2)}) * cubic}) {
    inner.push_back((x * scale) * (1.0 + square));
    inner.push_back(x * (1.0 + square) * scale);
    inner.push_back((x + x * square) * scale);
  }
  for (Expr one : inner) gated(rules.op(Tanh{}, {one}), by_tanh);
}

// A constant of one number that leaves the type of x as it is.
std::optional<double> number(Match& match, Expr constant, Expr x, Expr result) {
  if (!same_shape_and_dtype(match.type(result), match.type(x))) return std::nullopt;
  return splat_value(*match.constant(constant));
}

// min and max with numbers.
void clamp_rules(Rules& rules) {
  Expr x = rules.any(), bound = rules.constant();
  Expr above = rules.op(Max{}, {x, bound}), below = rules.op(Min{}, {x, bound});
  for (Expr root : {above, below})
    rules.add("clamp", Effect::exact, root, [=](Match& match) -> ValueId {
      auto at = number(match, bound, x, root);
      if (!at || std::isnan(*at) || !is_float(match.type(x).dtype)) return absent;
      return match.emit(root.id == above.id ? Clamp{*at, infinity} : Clamp{-infinity, *at}, {match[x]});
    });
  Expr inner = rules.some<Clamp>({x}), outer = rules.some<Clamp>({inner});
  rules.add("join clamps", Effect::exact, outer, [=](Match& match) -> ValueId {
    const Clamp a = match.op<Clamp>(inner), b = match.op<Clamp>(outer);
    Clamp both{std::min(std::max(a.low, b.low), b.high), std::min(std::max(a.high, b.low), b.high)};
    return a.low <= a.high && b.low <= b.high ? match.emit(both, {match[x]}) : absent;
  });
  // Runtimes have it for floats first of all.
  rules.add(
      "relu", Effect::exact, rules.op(Clamp{0, infinity}, {x}),
      [=](Match& match) { return is_float(match.type(x).dtype); },
      [=](Match& match) { return match.emit(Relu{}, {match[x]}); });
  Expr relu = rules.op(Relu{}, {x}), clamped = rules.some<Clamp>({relu});
  rules.add("relu into clamp", Effect::exact, clamped, [=](Match& match) -> ValueId {
    const Clamp op = match.op<Clamp>(clamped);
    if (op.high < 0 || op.low > op.high) return absent;
    return match.emit(Clamp{std::max(op.low, 0.0), op.high}, {match[x]});
  });
}

void hard_rules(Rules& rules) {
  Expr x = rules.any();
  HardSigmoid sixth;
  sixth.alpha = 1.0 / 6;
  Expr hard = rules.some<HardSigmoid>({x});
  rules.add(
      "hard swish", Effect::rounding, x * hard,
      [=](Match& match) {
        const auto& op = match.op<HardSigmoid>(hard);
        return std::abs(op.alpha - 1.0 / 6) < 1e-6 && op.beta == 0.5;
      },
      [=](Match& match) { return match.emit(HardSwish{}, {match[x]}); });
  Expr clamped = rules.op(Clamp{0, 6}, {x + 3.0});
  for (Expr form : {(x * clamped) / 6.0, (x * clamped) * (1.0 / 6)})
    rules.add("hard swish", Effect::rounding, form, rules.op(HardSwish{}, {x}));
  rules.add("hard swish", Effect::rounding, clamped * (x * (1.0 / 6)), rules.op(HardSwish{}, {x}));
  for (Expr form : {clamped / 6.0, clamped * (1.0 / 6)})
    rules.add("hard sigmoid", Effect::rounding, form, rules.op(sixth, {x}));

  Expr slope = rules.constant(), offset = rules.constant();
  for (bool divided : {false, true}) {
    Expr scaled = divided ? x / slope : x * slope;
    Expr line = scaled + offset;
    rules.add("hard sigmoid", Effect::rounding, rules.op(Clamp{0, 1}, {line}), [=](Match& match) -> ValueId {
      auto by = number(match, slope, x, scaled), plus = number(match, offset, scaled, line);
      if (!by || !plus || *by == 0) return absent;
      HardSigmoid op;
      op.alpha = divided ? 1 / *by : *by, op.beta = *plus;
      return match.emit(op, {match[x]});
    });
  }
}

void smooth_rules(Rules& rules) {
  Expr x = rules.any(), beta = rules.constant();
  Expr plus_one = rules.op(Exp{}, {rules.op(Neg{}, {x})}) + 1.0;
  for (Expr form : {1.0 / plus_one, rules.op(Reciprocal{}, {plus_one})})
    rules.add("sigmoid", Effect::rounding, form, rules.op(Sigmoid{}, {x}));
  for (Expr form : {x * rules.op(Sigmoid{}, {x}), x / plus_one})
    rules.add("swish", Effect::rounding, form, rules.op(Swish{}, {x}));
  Expr scaled = x * beta;
  rules.add("swish", Effect::rounding, x * rules.op(Sigmoid{}, {scaled}), [=](Match& match) -> ValueId {
    auto by = number(match, beta, x, scaled);
    if (!by) return absent;
    Swish op;
    op.beta = *by;
    return match.emit(op, {match[x]});
  });
  rules.add("softplus", Effect::rounding, rules.op(Log{}, {rules.op(Exp{}, {x}) + 1.0}),
            rules.op(Softplus{}, {x}));
  rules.add("mish", Effect::rounding, x * rules.op(Tanh{}, {rules.op(Softplus{}, {x})}),
            rules.op(Mish{}, {x}));
}

}  // namespace

void activation_rules(Rules& rules) {
  gelu_rules(rules);
  clamp_rules(rules);
  hard_rules(rules);
  smooth_rules(rules);
}

}  // namespace remodel
