// Normalisations found in the arithmetic that exporters make of them. Each rule lowers the number of nodes; a
// target that lacks the op takes it apart again.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/normalize.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/unary.h"
#include "passes/optimise.h"

namespace remodel {
namespace {

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

std::vector<Expr> squares(Rules& rules, Expr x) { return {rules.op(Pow{}, {x, rules.literal(2)}), x * x}; }
std::vector<Expr> reciprocals(Rules& rules, Expr x) { return {1.0 / x, rules.op(Reciprocal{}, {x})}; }

void layer_norm_rules(Rules& rules) {
  struct Form {
    Expr x, mean, variance, epsilon, gain, bias, root;
  };
  // The mean, the variance around it, and one over the deviation.
  auto add = [&](const Form& form, bool affine) {
    rules.add("layer norm", Effect::rounding, form.root, [=](Match& match) -> ValueId {
      auto axes = trailing_axes(match.op<Reduce>(form.mean), match.type(form.x));
      auto again = trailing_axes(match.op<Reduce>(form.variance), match.type(form.x));
      auto epsilon = splat_value(*match.constant(form.epsilon));
      if (axes.empty() || axes != again || !epsilon) return absent;
      LayerNorm norm;
      norm.axes = axes;
      norm.epsilon = *epsilon;
      if (!affine) return match.emit(norm, {match[form.x]});
      for (Expr parameter : {form.gain, form.bias})
        if (!fits(match.type(parameter), match.type(form.x), axes.size())) return absent;
      return match.emit(norm, {match[form.x], match[form.gain], match[form.bias]});
    });
  };
  // Some exporters subtract the mean twice.
  for (bool twice : {false, true}) {
    Form form;
    form.x = rules.any(), form.epsilon = rules.constant();
    form.mean = rules.some<Reduce>({form.x});
    Expr centred = form.x - form.mean, other = twice ? form.x - form.mean : centred;
    for (Expr square : squares(rules, centred)) {
      form.variance = rules.some<Reduce>({square});
      Expr deviation = rules.op(Sqrt{}, {form.variance + form.epsilon});
      form.root = other / deviation;
      add(form, false);
      for (Expr inverse : reciprocals(rules, deviation)) {
        form.root = other * inverse;
        add(form, false);
        // x k + (bias - mean k), where k is the gain over the deviation.
        form.gain = rules.any(), form.bias = rules.any();
        Expr k = inverse * form.gain;
        form.root = form.x * k + (form.bias - form.mean * k);
        add(form, true);
        form.root = form.x * k + (rules.op(Neg{}, {form.mean}) * k + form.bias);
        add(form, true);
      }
    }
  }

  Expr x = rules.any(), gain = rules.any(), bias = rules.any();
  Expr norm = rules.some<LayerNorm>({x});
  rules.add("layer norm's gain", Effect::rounding, norm * gain, [=](Match& match) -> ValueId {
    const LayerNorm op = match.op<LayerNorm>(norm);
    if (!fits(match.type(gain), match.type(x), op.axes.size())) return absent;
    return match.emit(op, {match[x], match[gain]});
  });
  Expr gained = rules.some<LayerNorm>({x, gain});
  rules.add("layer norm's bias", Effect::rounding, gained + bias, [=](Match& match) -> ValueId {
    const LayerNorm op = match.op<LayerNorm>(gained);
    if (!fits(match.type(bias), match.type(x), op.axes.size())) return absent;
    return match.emit(op, {match[x], match[gain], match[bias]});
  });
}

void rms_norm_rules(Rules& rules) {
  Expr x = rules.any(), epsilon = rules.constant(), gain = rules.any();
  for (Expr square : squares(rules, x)) {
    Expr mean = rules.some<Reduce>({square});
    Expr deviation = rules.op(Sqrt{}, {mean + epsilon});
    std::vector<Expr> forms{x / deviation};
    for (Expr inverse : reciprocals(rules, deviation)) forms.push_back(x * inverse);
    for (Expr form : forms)
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

// Sums of squares and their roots, and what is divided by them.
void lp_norm_rules(Rules& rules) {
  Expr x = rules.any();
  auto same_axes = [](const Reduce& from, Reduce::Kind kind) {
    Reduce to = from;
    to.kind = kind;
    return to;
  };
  for (Expr square : squares(rules, x)) {
    Expr sum = rules.some<Reduce>({square});
    rules.add("sum of squares", Effect::rounding, sum, [=](Match& match) -> ValueId {
      const Reduce op = match.op<Reduce>(sum);
      if (op.kind != Reduce::Kind::sum || !is_float(match.type(x).dtype)) return absent;
      return match.emit(same_axes(op, Reduce::Kind::sum_of_squares), {match[x]});
    });
  }
  Expr sum = rules.some<Reduce>({x});
  Expr root = rules.op(Sqrt{}, {sum});
  rules.add("l2 norm", Effect::rounding, root, [=](Match& match) -> ValueId {
    const Reduce op = match.op<Reduce>(sum);
    if (op.kind != Reduce::Kind::sum_of_squares) return absent;
    return match.emit(same_axes(op, Reduce::Kind::l2), {match[x]});
  });

  Expr epsilon = rules.constant(), clamped = rules.some<Clamp>({sum});
  auto add = [&](Expr form, Reduce::Kind kind, NormFloor floor, bool by_clamp) {
    rules.add("l2 normalize", Effect::rounding, form, [=](Match& match) -> ValueId {
      const Reduce op = match.op<Reduce>(sum);
      if (op.kind != kind || !op.keep || op.axes.empty() || !is_float(match.type(x).dtype)) return absent;
      LpNorm norm;
      norm.axes = op.axes, norm.p = 2, norm.floor = floor;
      if (by_clamp) {
        const Clamp& least = match.op<Clamp>(clamped);
        if (!std::isinf(least.high) || least.high < 0) return absent;
        norm.epsilon = least.low;
      } else {
        auto value = splat_value(*match.constant(epsilon));
        if (!value) return absent;
        norm.epsilon = *value;
      }
      if (norm.epsilon <= 0) return absent;
      return match.emit(norm, {match[x]});
    });
  };
  add(x / clamped, Reduce::Kind::l2, NormFloor::max_norm, true);
  for (bool by_clamp : {false, true}) {
    NormFloor floor = by_clamp ? NormFloor::max_power : NormFloor::add_power;
    Expr deviation = rules.op(Sqrt{}, {by_clamp ? clamped : sum + epsilon});
    add(x / deviation, Reduce::Kind::sum_of_squares, floor, by_clamp);
    for (Expr inverse : reciprocals(rules, deviation))
      add(x * inverse, Reduce::Kind::sum_of_squares, floor, by_clamp);
  }
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

void norm_rules(Rules& rules) {
  layer_norm_rules(rules);
  rms_norm_rules(rules);
  lp_norm_rules(rules);
  group_norm_rules(rules);
}

}  // namespace remodel
