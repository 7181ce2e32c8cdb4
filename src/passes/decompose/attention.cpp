#include "ops/attention.h"

#include <limits>

#include "ir/convert.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/generate.h"
#include "ops/matmul.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"
#include "passes/decompose.h"

namespace remodel {
namespace {

// 0, 1, ... as i64[size].
ValueId counted(Decompose& node, const Dim& size) {
  Range range;
  range.size = size;
  return node.emit(range, {});
}

ValueId conjunction(Decompose& node, ValueId a, ValueId b) {
  return a == absent ? b : b == absent ? a : node.emit(And{}, {a, b});
}

// What keys each query sees, [queries, keys], from their numbers.
ValueId causal_mask(Decompose& node, const Attention& op, const Dim& queries, const Dim& keys,
                    const Dim& shift) {
  constexpr int64_t limit = 1 << 22;
  bool known = queries.is_number() && keys.is_number() && shift.is_number();
  if (known && queries.number() * keys.number() <= limit) {
    Tensor mask(DType::boolean, {queries.number(), keys.number()});
    auto* to = mask.to<uint8_t>();
    for (int64_t i = 0; i < queries.number(); ++i)
      for (int64_t j = 0; j < keys.number(); ++j) {
        int64_t last = i + shift.number();
        *to++ = j <= last && (op.window <= 0 || j > last - op.window);
      }
    return node.constant(constant_tensor(mask));
  }
  Range range;
  range.start = shift, range.size = queries;
  ValueId last = node.emit(Unsqueeze{{1}}, {node.emit(range, {})});
  ValueId key = node.emit(Unsqueeze{{0}}, {counted(node, keys)});
  ValueId seen = node.emit(Not{}, {node.emit(Greater{}, {key, last})});
  if (op.window <= 0) return seen;
  ValueId before = node.emit(Sub{}, {last, node.scalar(DType::i64, static_cast<double>(op.window))});
  return node.emit(And{}, {seen, node.emit(Greater{}, {key, before})});
}

// k or v, each head as often as queries share it.
ValueId repeated_heads(Decompose& node, ValueId x, const Dim& heads) {
  Dims dims = *node.graph().value(x).type.dims;
  if (dims[1] == heads) return x;
  auto times = exact_div(heads, dims[1]);
  if (!times) fail("{} heads do not share {}", heads.text(), dims[1].text());
  Dims wide{dims[0], dims[1], *times, dims[2], dims[3]};
  ValueId copies = node.emit(Expand{wide}, {node.emit(Unsqueeze{{2}}, {x})});
  return node.emit(Reshape{{dims[0], heads, dims[2], dims[3]}, false}, {copies});
}

void decompose_attention(Decompose& node) {
  const auto& op = node.op<Attention>();
  Dims q = node.dims(0), v = node.dims(2);
  DType dtype = node.dtype(0);
  ValueId keys = node.in(1), values = node.in(2);
  if (node.has(4)) {
    keys = node.emit(Concat{2}, {node.in(4), keys});
    values = node.emit(Concat{2}, {node.in(5), values});
  }
  Dim count = (*node.graph().value(keys).type.dims)[2];
  if (node.wants(1)) node.result(1, keys);
  if (node.wants(2)) node.result(2, values);
  keys = repeated_heads(node, keys, q[1]);
  values = repeated_heads(node, values, q[1]);

  MatMul product;
  product.transpose_b = true;
  ValueId scores = node.in(0);
  if (op.scale != 1) scores = node.emit(Mul{}, {scores, node.scalar(dtype, op.scale)});
  scores = node.emit(product, {scores, keys});
  auto report = [&](Attention::Stage stage, ValueId value) {
    if (node.wants(3) && op.stage == stage) node.result(3, value);
  };
  report(Attention::Stage::product, scores);
  auto cap = [&] {
    if (op.softcap == 0) return;
    ValueId limit = node.scalar(dtype, op.softcap);
    scores = node.emit(Mul{}, {node.emit(Tanh{}, {node.emit(Div{}, {scores, limit})}), limit});
  };
  if (op.cap_first) {
    cap();
    report(Attention::Stage::capped, scores);
  }

  ValueId visible = absent;
  if (node.has(3)) {
    bool added = node.dtype(3) != DType::boolean;
    ValueId mask = node.in(3);
    Dims dims = node.dims(3);
    if (dims.empty()) fail("a mask without axes");
    if (dims.back() != count && dims.back().is_number() && !dims.back().is_number(1)) {
      Pad pad;
      pad.low.assign(dims.size(), 0);
      pad.high.assign(dims.size(), 0);
      pad.high.back() = count - dims.back();
      ValueId filler = added ? node.scalar(node.dtype(3), -std::numeric_limits<double>::infinity())
                             : node.constant(constant_splat(DType::boolean, {}, 0));
      mask = node.emit(pad, {mask, filler});
    }
    if (!added)
      visible = mask;
    else
      scores = node.emit(Add{}, {scores, node.dtype(3) == dtype ? mask : node.emit(cast_to(dtype), {mask})});
  }
  if (op.causal != Attention::Causal::no) {
    Dim shift = op.causal == Attention::Causal::from_end ? count - q[2]
                : node.has(4)                            ? node.dims(4)[2]
                                                         : Dim(0);
    visible = conjunction(node, visible, causal_mask(node, op, q[2], count, shift));
  }
  if (node.has(6)) {
    ValueId lengths = node.in(6);
    if (node.dtype(6) != DType::i64) lengths = node.emit(cast_to(DType::i64), {lengths});
    ValueId inside = node.emit(Less{}, {counted(node, count), node.emit(Unsqueeze{{1, 2, 3}}, {lengths})});
    visible = conjunction(node, visible, inside);
  }
  // Without a mask or lengths, the first query sees the first key.
  const bool may_see_none =
      visible != absent && (node.has(6) || (node.has(3) && node.dtype(3) == DType::boolean) ||
                            op.causal == Attention::Causal::from_end);
  auto masked = [&](double filler) {
    return visible == absent ? scores : node.emit(Select{}, {visible, scores, node.scalar(dtype, filler)});
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  bool reports_masked = op.stage == Attention::Stage::masked ||
                        (op.stage == Attention::Stage::capped && !op.cap_first && op.softcap == 0);
  if (node.wants(3) && reports_masked) report(op.stage, masked(-infinity));
  scores = masked(-largest_of(dtype));
  if (!op.cap_first) {
    cap();
    if (op.softcap != 0) report(Attention::Stage::capped, scores);
  }
  bool wider = op.softmax != DType::unknown && op.softmax != dtype;
  if (wider) scores = node.emit(cast_to(op.softmax), {scores});
  ValueId weights = node.emit(Softmax{}, {scores});
  if (wider) weights = node.emit(cast_to(dtype), {weights});
  if (op.unseen == Attention::Unseen::zero && may_see_none)
    weights = node.emit(Select{}, {visible, weights, node.scalar(dtype, 0)});
  report(Attention::Stage::probabilities, weights);
  node.result(0, node.emit(MatMul{}, {weights, values}));
}

void decompose_rotary(Decompose& node) {
  const auto& op = node.op<Rotary>();
  Dims x = node.dims(0);
  Dim half = node.dims(1).back();
  ValueId cos = node.in(1), sin = node.in(2);
  for (ValueId* angles : {&cos, &sin})
    if (node.graph().value(*angles).type.has_rank(3)) *angles = node.emit(Unsqueeze{{1}}, {*angles});
  auto part = [&](const Dim& start, const Dim& size, int64_t step) {
    Slice slice;
    slice.axes = {3}, slice.starts = {start}, slice.sizes = {size}, slice.steps = {step};
    return node.emit(slice, {node.in(0)});
  };
  ValueId a = op.interleaved ? part(0, half, 2) : part(0, half, 1);
  ValueId b = op.interleaved ? part(1, half, 2) : part(half, half, 1);
  ValueId first = node.emit(Sub{}, {node.emit(Mul{}, {cos, a}), node.emit(Mul{}, {sin, b})});
  ValueId second = node.emit(Add{}, {node.emit(Mul{}, {sin, a}), node.emit(Mul{}, {cos, b})});
  Dim rotated = half * Dim(2);
  std::vector<ValueId> parts{first, second};
  if (op.interleaved) {
    ValueId pairs =
        node.emit(Concat{4}, {node.emit(Unsqueeze{{4}}, {first}), node.emit(Unsqueeze{{4}}, {second})});
    parts = {node.emit(Reshape{{x[0], x[1], x[2], rotated}, false}, {pairs})};
  }
  if (rotated != x[3]) parts.push_back(part(rotated, x[3] - rotated, 1));
  node.result(0, parts.size() == 1 ? parts[0] : node.emit(Concat{3}, parts));
}

}  // namespace

void attention_decompositions(Decompositions& table) {
  table.add<Attention>(decompose_attention);
  table.add<Rotary>(decompose_rotary);
}

}  // namespace remodel
