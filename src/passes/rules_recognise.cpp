// High-level ops found in the arithmetic that exporters make of them. A recognised op has fewer nodes; a
// target that lacks it takes it apart again.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/normalize.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/unary.h"
#include "passes/optimise.h"

namespace remodel {
namespace {

void gelu_rules(Rules& rules) {
  Expr x = rules.any();
  const double root = std::sqrt(2.0);
  for (Expr scaled : {x / root, x * (1 / root)}) {
    Expr one_more = 1.0 + rules.op(Erf{}, {scaled});
    for (Expr form : {(x * one_more) * 0.5, (x * 0.5) * one_more, x * (one_more * 0.5)})
      rules.add("gelu", Effect::rounding, form, rules.op(Gelu{}, {x}));
  }
  const double scale = std::sqrt(2 / M_PI);
  Gelu by_tanh;
  by_tanh.form = Gelu::Form::tanh;
  Expr power = rules.op(Pow{}, {x, rules.literal(3)});
  for (Expr cube : {power, (x * x) * x}) {
    for (Expr inner : {(x + cube * 0.044715) * scale, x * scale + cube * (0.044715 * scale),
                       (x * scale) * (1.0 + (x * x) * 0.044715), x * (1.0 + (x * x) * 0.044715) * scale}) {
      Expr one_more = 1.0 + rules.op(Tanh{}, {inner});
      for (Expr form : {(x * one_more) * 0.5, (x * 0.5) * one_more, x * (one_more * 0.5)})
        rules.add("gelu by tanh", Effect::rounding, form, rules.op(by_tanh, {x}));
    }
  }
}

void activation_rules(Rules& rules) {
  Expr x = rules.any();
  rules.add("swish", Effect::rounding, x * rules.op(Sigmoid{}, {x}), rules.op(Swish{}, {x}));
  rules.add("softplus", Effect::rounding, rules.op(Log{}, {rules.op(Exp{}, {x}) + 1.0}),
            rules.op(Softplus{}, {x}));
  rules.add("mish", Effect::rounding, x * rules.op(Tanh{}, {rules.op(Softplus{}, {x})}),
            rules.op(Mish{}, {x}));

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
  for (Expr form :
       {(x * clamped) / 6.0, (x * clamped) * (1.0 / 6), x * (clamped / 6.0), x * (clamped * (1.0 / 6))})
    rules.add("hard swish", Effect::rounding, form, rules.op(HardSwish{}, {x}));
  for (Expr form : {clamped / 6.0, clamped * (1.0 / 6)})
    rules.add("hard sigmoid", Effect::rounding, form, rules.op(sixth, {x}));
  rules.add("relu", Effect::exact, rules.op(Max{}, {x, rules.literal(0)}), rules.op(Relu{}, {x}));
}

// The axes of a mean that keeps them, where they are the last ones.
std::vector<int64_t> trailing_axes(const Reduce& mean, const Type& x) {
  if (mean.kind != Reduce::Kind::mean || !mean.keep || !x.dims || mean.axes.empty()) return {};
  size_t rank = x.dims->size();
  std::vector<int64_t> axes;
  for (int64_t axis : mean.axes) axes.push_back(resolve_axis(axis, rank));
  std::sort(axes.begin(), axes.end());
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != static_cast<int64_t>(rank - axes.size() + i)) return {};
  return axes;
}

// A gain or bias of a normalisation over trailing axes has the sizes of these axes.
bool fits(const Type& gain, const Type& x, size_t axes) {
  if (!gain.dims || gain.dtype != x.dtype || gain.dims->size() != axes) return false;
  return std::equal(gain.dims->begin(), gain.dims->end(), x.dims->end() - static_cast<std::ptrdiff_t>(axes));
}

void norm_rules(Rules& rules) {
  struct Form {
    Expr x, mean, variance, epsilon, root;
  };
  std::vector<Form> forms;
  for (bool by_power : {true, false})
    for (bool by_division : {true, false})
      for (bool twice : {true, false}) {
        Form form;
        form.x = rules.any();
        form.epsilon = rules.constant();
        form.mean = rules.some<Reduce>({form.x});
        // Some exporters subtract the mean twice.
        Expr centred = form.x - form.mean;
        Expr other = twice ? form.x - form.mean : centred;
        Expr square = by_power ? rules.op(Pow{}, {centred, rules.literal(2)}) : centred * centred;
        form.variance = rules.some<Reduce>({square});
        Expr deviation = rules.op(Sqrt{}, {form.variance + form.epsilon});
        form.root = by_division ? other / deviation : other * rules.op(Reciprocal{}, {deviation});
        forms.push_back(form);
      }
  for (const Form& form : forms)
    rules.add("layer norm", Effect::rounding, form.root, [=](Match& match) -> ValueId {
      auto axes = trailing_axes(match.op<Reduce>(form.mean), match.type(form.x));
      auto again = trailing_axes(match.op<Reduce>(form.variance), match.type(form.x));
      auto epsilon = splat_value(*match.constant(form.epsilon));
      if (axes.empty() || axes != again || !epsilon) return absent;
      LayerNorm norm;
      norm.axes = axes;
      norm.epsilon = *epsilon;
      return match.emit(norm, {match[form.x]});
    });

  {
    Expr x = rules.any(), gain = rules.any();
    Expr norm = rules.some<LayerNorm>({x});
    rules.add("layer norm's gain", Effect::rounding, norm * gain, [=](Match& match) -> ValueId {
      const LayerNorm op = match.op<LayerNorm>(norm);
      if (!fits(match.type(gain), match.type(x), op.axes.size())) return absent;
      return match.emit(op, {match[x], match[gain]});
    });
    Expr bias = rules.any();
    Expr gained = rules.some<LayerNorm>({x, gain});
    rules.add("layer norm's bias", Effect::rounding, gained + bias, [=](Match& match) -> ValueId {
      const LayerNorm op = match.op<LayerNorm>(gained);
      if (!fits(match.type(bias), match.type(x), op.axes.size())) return absent;
      return match.emit(op, {match[x], match[gain], match[bias]});
    });
  }

  Expr x = rules.any(), epsilon = rules.constant(), gain = rules.any();
  for (Expr square : {rules.op(Pow{}, {x, rules.literal(2)}), x * x}) {
    Expr mean = rules.some<Reduce>({square});
    Expr deviation = rules.op(Sqrt{}, {mean + epsilon});
    for (Expr form : {x / deviation, x * (1.0 / deviation), x * rules.op(Reciprocal{}, {deviation})})
      rules.add("rms norm", Effect::rounding, form, [=](Match& match) -> ValueId {
        auto axes = trailing_axes(match.op<Reduce>(mean), match.type(x));
        auto value = splat_value(*match.constant(epsilon));
        if (axes.empty() || !value) return absent;
        RmsNorm norm;
        norm.axes = axes;
        norm.epsilon = *value;
        return match.emit(norm, {match[x]});
      });
  }
  Expr rms = rules.some<RmsNorm>({x});
  rules.add("rms norm's gain", Effect::rounding, rms * gain, [=](Match& match) -> ValueId {
    const RmsNorm op = match.op<RmsNorm>(rms);
    if (!fits(match.type(gain), match.type(x), op.axes.size())) return absent;
    return match.emit(op, {match[x], match[gain]});
  });
}

// reshape to [batch, groups, ...] -> instance norm with gain 1 and bias 0 -> reshape back -> gain -> bias
void group_norm_rules(Rules& rules) {
  Expr x = rules.any(), one = rules.optional(rules.literal(1)), zero = rules.optional(rules.literal(0));
  Expr grouped = rules.some<Reshape>({x});
  Expr norm = rules.some<InstanceNorm>({grouped, one, zero});
  Expr root = rules.some<Reshape>({norm});
  rules.add("group norm", Effect::rounding, root, [=](Match& match) -> ValueId {
    const InstanceNorm op = match.op<InstanceNorm>(norm);
    const Type &from = match.type(x), &inner = match.type(grouped), &to = match.type(root);
    if (!same_shape_and_dtype(from, to) || !from.dims || !inner.dims || op.channels != Channels::first)
      return absent;
    const Dims &dims = *from.dims, &split = *inner.dims;
    if (dims.size() < 3 || split.size() < 3 || !(dims[0] == split[0])) return absent;
    if (!split[1].is_number() || !dims[1].is_number() || dims[1].number() % split[1].number() != 0)
      return absent;
    GroupNorm group;
    group.groups = split[1].number();
    group.epsilon = op.epsilon;
    return match.emit(group, {match[x]});
  });
  Expr gain = rules.constant(), bias = rules.constant();
  auto one_a_channel = [](const Constant& constant, const Type& x, const GroupNorm& op) -> ConstantPtr {
    const Dims& dims = *x.dims;
    const size_t axis = channel_axis(op.channels, dims.size()), behind = dims.size() - 1 - axis;
    if (!dims[axis].is_number() || constant.count() != dims[axis].number()) return nullptr;
    const Shape& shape = constant.shape();
    bool fits = shape.size() > behind && shape[shape.size() - 1 - behind] == constant.count();
    return fits ? constant.reshaped({constant.count()}) : nullptr;
  };
  Expr plain = rules.some<GroupNorm>({x});
  rules.add("group norm's gain", Effect::rounding, plain * gain, [=](Match& match) -> ValueId {
    ConstantPtr channels = one_a_channel(*match.constant(gain), match.type(x), match.op<GroupNorm>(plain));
    if (!channels) return absent;
    return match.emit(match.op<GroupNorm>(plain), {match[x], match.add_constant(channels)});
  });
  Expr channels = rules.any(), gained = rules.some<GroupNorm>({x, channels});
  rules.add("group norm's bias", Effect::rounding, gained + bias, [=](Match& match) -> ValueId {
    ConstantPtr offset = one_a_channel(*match.constant(bias), match.type(x), match.op<GroupNorm>(gained));
    if (!offset) return absent;
    return match.emit(match.op<GroupNorm>(gained), {match[x], match[channels], match.add_constant(offset)});
  });
}

}  // namespace

void recognise_rules(Rules& rules) {
  gelu_rules(rules);
  activation_rules(rules);
  norm_rules(rules);
  group_norm_rules(rules);
}

}  // namespace remodel
