// Rules that fold arithmetic on constants into the weights of the op before it. Each lowers the number of
// nodes. The weights are computed by ops too: folding turns them into constants.
#include <algorithm>

#include "base/error.h"
#include "ops/binary.h"
#include "ops/conv.h"
#include "ops/matmul.h"
#include "ops/normalize.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"
#include "passes/optimise.h"

namespace remodel {
namespace {

// The constant as one number a channel, [channels], where it says nothing else; null otherwise.
ConstantPtr per_channel(const Constant& constant, int64_t channels, int64_t axis, size_t rank) {
  const Shape& shape = constant.shape();
  if (shape.size() > rank) return nullptr;
  if (constant.count() == 1) return constant.reshaped({1})->expanded({channels});
  for (size_t i = 0; i < shape.size(); ++i) {
    bool is_axis = static_cast<int64_t>(i + rank - shape.size()) == axis;
    if (shape[i] != (is_axis ? channels : 1)) return nullptr;
  }
  return constant.reshaped({channels});
}

struct ConvParts {
  Expr x, w, b, conv;
};

template <class T>
ConvParts conv_with_constants(Rules& rules) {
  Expr x = rules.any(), w = rules.constant(), b = rules.optional(rules.constant());
  return {x, w, b, rules.some<T>({x, w, b})};
}

// w times a factor, [channels], for each output channel.
ValueId scaled(Match& match, const ConvParts& parts, ValueId factor) {
  Shape shape(match.constant(parts.w)->shape().size(), 1);
  shape[0] = match.constant(parts.w)->shape()[0];
  return match.emit(Mul{}, {match[parts.w], match.emit(Reshape{to_dims(shape), false}, {factor})});
}
// conv * factor + offset, both one number a channel.
template <class T>
ValueId rebuilt(Match& match, const ConvParts& parts, ValueId factor, ValueId offset) {
  const T op = match.op<T>(parts.conv);
  ValueId w = match[parts.w], b = match[parts.b];
  if (factor != absent) {
    w = scaled(match, parts, factor);
    if (b != absent) b = match.emit(Mul{}, {b, factor});
  }
  if (offset != absent) b = b == absent ? offset : match.emit(Add{}, {b, offset});
  return match.emit(op, {match[parts.x], w, b});
}

template <class T>
ConstantPtr channels_of(Match& match, const ConvParts& parts, Expr constant) {
  const T& op = match.op<T>(parts.conv);
  size_t rank = match.type(parts.x).dims->size();
  if (match.constant(constant)->dtype() != match.constant(parts.w)->dtype()) return nullptr;
  return per_channel(*match.constant(constant), match.constant(parts.w)->shape()[0],
                     static_cast<int64_t>(channel_axis(op.channels, rank)), rank);
}

// Whether weights times these factors stay in the range of their type, where that is narrow.
bool keeps_digits(const Constant& factors) {
  if (factors.dtype() != DType::f16) return true;
  const std::vector<double> values = factors.tensor().doubles();
  return std::all_of(values.begin(), values.end(),
                     [](double value) { return std::abs(value) >= 0x1p-4 && std::abs(value) <= 0x1p8; });
}

template <class T>
void fold_into_conv(Rules& rules, const std::string& name) {
  {
    ConvParts parts = conv_with_constants<T>(rules);
    Expr c = rules.constant();
    rules.add("constant factor into " + name, Effect::rounding, parts.conv * c, [=](Match& match) -> ValueId {
      ConstantPtr factor = channels_of<T>(match, parts, c);
      return factor && keeps_digits(*factor) ? rebuilt<T>(match, parts, match.add_constant(factor), absent)
                                             : absent;
    });
  }
  {
    ConvParts parts = conv_with_constants<T>(rules);
    Expr c = rules.constant();
    auto add = [=](Match& match) -> ValueId {
      ConstantPtr offset = channels_of<T>(match, parts, c);
      return offset ? rebuilt<T>(match, parts, absent, match.add_constant(offset)) : absent;
    };
    rules.add("constant addend into " + name, Effect::rounding, parts.conv + c, add);
    rules.add("constant subtrahend into " + name, Effect::rounding, parts.conv - c,
              [=](Match& match) -> ValueId {
                ConstantPtr offset = channels_of<T>(match, parts, c);
                if (!offset) return absent;
                ValueId negative = match.emit(Neg{}, {match.add_constant(offset)});
                return rebuilt<T>(match, parts, absent, negative);
              });
  }
  {
    ConvParts parts = conv_with_constants<T>(rules);
    Expr gain = rules.optional(rules.constant()), beta = rules.optional(rules.constant()),
         mean = rules.constant(), variance = rules.constant();
    Expr norm = rules.some<BatchNorm>({parts.conv, gain, beta, mean, variance});
    rules.add("batch norm into " + name, Effect::rounding, norm, [=](Match& match) -> ValueId {
      const T op = match.op<T>(parts.conv);
      const BatchNorm bn = match.op<BatchNorm>(norm);
      size_t rank = match.type(parts.x).dims ? match.type(parts.x).dims->size() : 0;
      if (rank == 0 || resolve_axis(bn.axis, rank) != static_cast<int64_t>(channel_axis(op.channels, rank)))
        return absent;
      DType dtype = match.constant(mean)->dtype();
      if (dtype != match.constant(parts.w)->dtype()) return absent;
      ValueId deviation =
          match.emit(Sqrt{}, {match.emit(Add{}, {match[variance], match.scalar(dtype, bn.epsilon)})});
      ValueId one = match.has(gain) ? match[gain] : match.scalar(dtype, 1);
      ValueId factor = match.emit(Div{}, {one, deviation});
      ValueId shift = match.emit(Mul{}, {match[mean], factor});
      ValueId offset = match.has(beta) ? match.emit(Sub{}, {match[beta], shift}) : match.emit(Neg{}, {shift});
      return rebuilt<T>(match, parts, factor, offset);
    });
  }
}

void fold_pad_into_conv(Rules& rules) {
  Expr inside = rules.any(), value = rules.optional(rules.constant());
  Expr padded = rules.some<Pad>({inside, value});
  Expr conv = rules.some<Conv>({padded, rules.any(), rules.optional(rules.any())});
  rules.add("pad into conv", Effect::exact, conv, [=](Match& match) -> ValueId {
    const Pad& pad = match.op<Pad>(padded);
    Conv op = match.op<Conv>(conv);
    if (pad.mode != PadMode::constant || !match.type(inside).dims) return absent;
    if (match.has(value) && splat_value(*match.constant(value)) != 0.0) return absent;
    size_t rank = match.type(inside).dims->size(), first = op.channels == Channels::first ? 2 : 1;
    size_t spatial = rank - 2;
    if (pad.low.size() != rank || op.pads_low.size() != spatial) return absent;
    for (size_t axis = 0; axis < rank; ++axis) {
      bool is_spatial = axis >= first && axis < first + spatial;
      if (!is_spatial && !(pad.low[axis].is_number(0) && pad.high[axis].is_number(0))) return absent;
      if (!pad.low[axis].at_least(0) || !pad.high[axis].at_least(0)) return absent;
    }
    for (size_t i = 0; i < spatial; ++i) {
      op.pads_low[i] = op.pads_low[i] + pad.low[first + i];
      op.pads_high[i] = op.pads_high[i] + pad.high[first + i];
    }
    std::vector<ValueId> operands = match.node(conv).inputs;
    operands[0] = match[inside];
    return match.emit(op, operands);
  });
}

// (x * w) * c = x * (w * c), where c has one number, or one for each column of w.
void fold_into_matmul(Rules& rules) {
  Expr x = rules.any(), w = rules.constant(), c = rules.constant();
  Expr product = rules.some<MatMul>({x, w});
  rules.add("constant factor into matmul", Effect::rounding, product * c, [=](Match& match) -> ValueId {
    const MatMul op = match.op<MatMul>(product);
    const Shape& weights = match.constant(w)->shape();
    const Constant& factor = *match.constant(c);
    if (op.transpose_b || weights.size() != 2 || factor.dtype() != match.constant(w)->dtype() ||
        !keeps_digits(factor))
      return absent;
    if (factor.count() != 1 &&
        (factor.shape().empty() || factor.shape().back() != factor.count() || factor.count() != weights[1]))
      return absent;
    Shape row = factor.count() == 1 ? Shape{} : Shape{weights[1]};
    ValueId scaled = match.emit(Mul{}, {match[w], match.add_constant(factor.reshaped(row))});
    return match.emit(op, {match[x], scaled});
  });
}

}  // namespace

void fuse_rules(Rules& rules) {
  fold_into_conv<Conv>(rules, "conv");
  fold_into_conv<ConvTranspose>(rules, "transposed conv");
  fold_pad_into_conv(rules);
  fold_into_matmul(rules);
}

}  // namespace remodel
