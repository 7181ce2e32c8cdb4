// Attention found in the products, masks and softmax that exporters make of it. Taken apart again, the op has
// no more nodes than what it was found in.
#include <cmath>

#include "base/error.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/binary.h"
#include "ops/matmul.h"
#include "ops/shape.h"
#include "passes/optimise.h"

namespace remodel {
namespace {

// Scores this low leave nothing of a key beside any other.
constexpr double masked_below = -1e4;

// softmax(scores) v, where the scores are a product q k, perhaps scaled, perhaps masked.
struct Form {
  enum class Scale : uint8_t { none, times, over } scale = Scale::none;
  enum class Mask : uint8_t { none, added, added_twice, selected } mask = Mask::none;
  Expr q, k, v, product, number, scaled, added, second, filler, scores, softmax, root;

  Form(Rules& rules, Scale scale, Mask mask) : scale(scale), mask(mask) {
    q = rules.any(), k = rules.any(), v = rules.any();
    number = rules.constant(), added = rules.any(), second = rules.any(), filler = rules.constant();
    product = rules.some<MatMul>({q, k});
    scaled = scale == Scale::times ? product * number : scale == Scale::over ? product / number : product;
    scores = scaled;
    if (mask == Mask::added || mask == Mask::added_twice) scores = scaled + added;
    if (mask == Mask::added_twice) scores = scores + second;
    if (mask == Mask::selected) scores = rules.op(Select{}, {added, scaled, filler});
    softmax = rules.some<Softmax>({scores});
    root = rules.some<MatMul>({softmax, v});
  }
};

// Heads side by side, nothing broadcast.
bool fit(const Type& q, const Type& k, bool keys_are_rows, const Type& v) {
  if (!q.has_rank(4) || !k.has_rank(4) || !v.has_rank(4) || !is_float(q.dtype)) return false;
  const Dims &a = *q.dims, &b = *k.dims, &c = *v.dims;
  size_t keys = keys_are_rows ? 2 : 3, size = keys_are_rows ? 3 : 2;
  return a[0] == b[0] && b[0] == c[0] && a[1] == b[1] && b[1] == c[1] && a[3] == b[size] && b[keys] == c[2];
}

std::optional<double> scale_of(Match& match, const Form& form) {
  if (form.scale == Form::Scale::none) return 1;
  if (!same_shape_and_dtype(match.type(form.scaled), match.type(form.product))) return std::nullopt;
  auto number = splat_value(*match.constant(form.number));
  if (!number || *number == 0) return std::nullopt;
  return form.scale == Form::Scale::times ? *number : 1 / *number;
}

// The mask; nullopt where it is none.
std::optional<ValueId> mask_of(Match& match, const Form& form) {
  if (!same_shape_and_dtype(match.type(form.scores), match.type(form.product))) return std::nullopt;
  if (form.mask == Form::Mask::none) return absent;
  if (form.mask == Form::Mask::selected) {
    auto filler = splat_value(*match.constant(form.filler));
    // Where all keys of a query are masked, infinity would give no number.
    if (!filler || *filler > masked_below || std::isinf(*filler)) return std::nullopt;
    return match[form.added];
  }
  if (form.mask == Form::Mask::added) return match[form.added];
  return match.emit(Add{}, {match[form.added], match[form.second]});
}

ValueId attention_of(Match& match, const Form& form) {
  const MatMul first = match.op<MatMul>(form.product), second = match.op<MatMul>(form.root);
  const Softmax softmax = match.op<Softmax>(form.softmax);
  if (first.transpose_a || first.out != DType::unknown || match.node(form.product).inputs.size() > 2)
    return absent;
  if (second.transpose_a || second.transpose_b || second.out != DType::unknown) return absent;
  if (!fit(match.type(form.q), match.type(form.k), first.transpose_b, match.type(form.v))) return absent;
  if (resolve_axis(softmax.axis, 4) != 3 || softmax.beta != 1) return absent;
  auto scale = scale_of(match, form);
  auto mask = mask_of(match, form);
  if (!scale || !mask) return absent;
  Attention attention;
  attention.scale = *scale;
  ValueId keys = match[form.k];
  if (!first.transpose_b) keys = match.emit(Transpose{{0, 1, 3, 2}}, {keys});
  return match.emit(attention, {match[form.q], keys, match[form.v], *mask});
}

// attention(q, k, v) whose q or k is scaled by one number.
void scaled_operand_rules(Rules& rules) {
  for (bool divided : {false, true})
    for (size_t which : {0, 1, 2}) {
      Expr x = rules.any(), number = rules.constant(), other = rules.any(), v = rules.any();
      Expr scaled = divided ? x / number : x * number;
      // Keys are often scaled after they were transposed.
      Expr turned = which == 2 ? rules.some<Transpose>({scaled}) : scaled;
      Expr root =
          rules.some<Attention>(which == 0 ? std::vector{scaled, other, v, rules.optional(rules.any())}
                                           : std::vector{other, turned, v, rules.optional(rules.any())});
      rules.add("scale of attention", Effect::rounding, root, [=](Match& match) -> ValueId {
        auto factor = splat_value(*match.constant(number));
        if (!factor || *factor == 0 || !same_shape_and_dtype(match.type(scaled), match.type(x)))
          return absent;
        Attention attention = match.op<Attention>(root);
        attention.scale *= divided ? 1 / *factor : *factor;
        std::vector<ValueId> operands = match.node(root).inputs;
        ValueId plain = match[x];
        if (which == 2) plain = match.emit(match.op<Transpose>(turned), {plain});
        operands[which == 0 ? 0 : 1] = plain;
        return match.emit(attention, operands);
      });
    }
}

// Keys and values of one head copied for each head of the queries that it serves.
void shared_heads_rules(Rules& rules) {
  Expr q = rules.any(), k = rules.any(), v = rules.any(), mask = rules.optional(rules.any());
  auto copied = [&](Expr x, Expr& wide) {
    wide = rules.some<Expand>({rules.some<Unsqueeze>({x})});
    return rules.some<Reshape>({wide});
  };
  Expr wide_k, wide_v;
  Expr all_k = copied(k, wide_k), all_v = copied(v, wide_v);
  Expr root = rules.some<Attention>({q, all_k, all_v, mask});
  rules.add("heads that share keys", Effect::exact, root, [=](Match& match) -> ValueId {
    auto is_copy = [&](Expr x, Expr wide, Expr all) {
      const Type &from = match.type(x), &middle = match.type(wide), &to = match.type(all);
      if (!from.has_rank(4) || !middle.has_rank(5) || !to.has_rank(4)) return false;
      const Dims &a = *from.dims, &b = *middle.dims;
      return b == Dims{a[0], a[1], b[2], a[2], a[3]} && *to.dims == Dims{a[0], a[1] * b[2], a[2], a[3]};
    };
    if (!is_copy(k, wide_k, all_k) || !is_copy(v, wide_v, all_v)) return absent;
    std::vector<ValueId> operands = match.node(root).inputs;
    operands[1] = match[k], operands[2] = match[v];
    return match.emit(match.op<Attention>(root), operands);
  });
}

}  // namespace

void attention_rules(Rules& rules) {
  using Scale = Form::Scale;
  using Mask = Form::Mask;
  for (Scale scale : {Scale::none, Scale::times, Scale::over})
    for (Mask mask : {Mask::none, Mask::added, Mask::added_twice, Mask::selected}) {
      Form form(rules, scale, mask);
      rules.add("attention", Effect::rounding, form.root,
                [=](Match& match) { return attention_of(match, form); });
    }
  scaled_operand_rules(rules);
  shared_heads_rules(rules);
}

}  // namespace remodel
