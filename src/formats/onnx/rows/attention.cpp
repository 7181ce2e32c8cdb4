#include "ops/attention.h"

#include <cmath>

#include "formats/onnx/rows.h"
#include "ir/convert.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/generate.h"
#include "ops/matmul.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel::onnx {
namespace {

const Dims& dims_of(ReadNode& node, ValueId value) {
  const Type& type = node.graph().value(value).type;
  if (!type.dims) fail_untyped("the rank of '{}' is not known", node.graph().value(value).name);
  return *type.dims;
}

// [batch, steps, heads * size] as [batch, heads, steps, size].
ValueId split_heads(ReadNode& node, ValueId x, int64_t heads) {
  Dims dims = dims_of(node, x);
  if (dims.size() == 4) return x;
  if (dims.size() != 3) fail("{} has neither 3 nor 4 axes", text_of(dims));
  if (heads < 1) fail("the number of heads is missing");
  auto size = exact_div(dims[2], heads);
  if (!size) fail("{} elements do not make {} heads", dims[2].text(), heads);
  ValueId parts = node.emit(Reshape{{dims[0], dims[1], Dim(heads), *size}, false}, {x});
  return node.emit(Transpose{{0, 2, 1, 3}}, {parts});
}

// The other way round.
ValueId join_heads(ReadNode& node, ValueId x) {
  ValueId turned = node.emit(Transpose{{0, 2, 1, 3}}, {x});
  Dims dims = dims_of(node, turned);
  return node.emit(Reshape{{dims[0], dims[1], dims[2] * dims[3]}, false}, {turned});
}

double head_scale(ReadNode& node, ValueId q) {
  const Dim& size = dims_of(node, q)[3];
  if (!size.is_number()) fail_untyped("the size of the heads is not known");
  return 1 / std::sqrt(static_cast<double>(size.number()));
}

ValueId slice_of(ReadNode& node, ValueId x, int64_t axis, const Dim& start, const Dim& size) {
  Slice slice;
  slice.axes = {axis}, slice.starts = {start}, slice.sizes = {size}, slice.steps = {1};
  return node.emit(slice, {x});
}

// One index of an axis, without the axis.
ValueId part_of(ReadNode& node, ValueId x, int64_t axis, int64_t index) {
  return node.emit(Squeeze{{axis}}, {slice_of(node, x, axis, index, 1)});
}

void read_attention(ReadNode& node) {
  Attention op;
  int64_t q_heads = node.integer("q_num_heads", 0), kv_heads = node.integer("kv_num_heads", 0);
  bool flat = node.rank(0) == 3;
  ValueId q = split_heads(node, node.input(0), q_heads), k = split_heads(node, node.input(1), kv_heads),
          v = split_heads(node, node.input(2), kv_heads);
  op.scale = node.has("scale") ? node.real("scale", 0) : head_scale(node, q);
  op.softcap = node.real("softcap", 0);
  if (node.integer("is_causal", 0) != 0) op.causal = Attention::Causal::from_start;
  op.unseen = Attention::Unseen::zero;
  if (node.has("softmax_precision")) op.softmax = dtype_of_code(node.integer("softmax_precision"));
  int64_t mode = node.integer("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) fail("qk_matmul_output_mode {} is not known", mode);
  op.stage = static_cast<Attention::Stage>(mode);
  ValueId mask = node.input_or_absent(3);
  if (mask != absent && node.type(3).dtype != DType::boolean && node.type(3).dtype != node.type(0).dtype)
    mask = node.emit(cast_to(node.type(0).dtype), {mask});
  auto results = node.emit(
      op, {q, k, v, mask, node.input_or_absent(4), node.input_or_absent(5), node.input_or_absent(6)},
      node.outputs());
  for (size_t i = 0; i < results.size(); ++i)
    if (node.wants(i)) node.result(i, i == 0 && flat ? join_heads(node, results[0]) : results[i]);
}

std::string cannot_write_attention(const WriteNode& node) {
  const auto& op = node.op<Attention>();
  auto dim = [&](size_t i, size_t axis) -> std::optional<Dim> {
    const Type& type = node.type(i);
    return type.dims ? std::optional((*type.dims)[axis]) : std::nullopt;
  };
  bool capped = op.softcap != 0 && (node.has(3) || node.has(6) || op.causal != Attention::Causal::no);
  if (op.cap_first && capped) return "its softcap comes before the mask";
  if (op.window != 0) return "it has a window";
  if (op.causal == Attention::Causal::from_end && (!dim(0, 2) || !dim(1, 2) || *dim(0, 2) != *dim(1, 2)))
    return "the last query is to see all keys";
  const bool even = op.unseen == Attention::Unseen::even;
  const bool hides = node.has(3) && node.dtype(3) == DType::boolean;
  if (even && (node.has(6) || (hides && op.causal != Attention::Causal::no)))
    return "all keys of a query that sees none are to count the same";
  if (node.opset() < 24 && node.has(6)) return "it has lengths";
  if (node.has(6) && (node.has(4) || node.wants(1) || node.wants(2))) return "it has lengths and a past";
  if (!node.has(4) && (node.wants(1) || node.wants(2))) return "keys and values are results without a past";
  if (node.has(3) && node.opset() < 24) {
    const Type& mask = node.type(3);
    auto keys = node.has(4) && dim(4, 2) && dim(1, 2) ? std::optional(*dim(4, 2) + *dim(1, 2)) : dim(1, 2);
    if (mask.dims && !mask.dims->empty() && keys && keys->is_number() && mask.dims->back().is_number() &&
        mask.dims->back() != *keys && !mask.dims->back().is_number(1))
      return "its mask is shorter than the keys";
  }
  return "";
}

void write_attention(WriteNode& node) {
  const auto& op = node.op<Attention>();
  Attributes attributes;
  const Type& q = node.type(0);
  bool usual = q.has_rank(4) && (*q.dims)[3].is_number() &&
               static_cast<float>(op.scale) ==
                   static_cast<float>(1 / std::sqrt(static_cast<double>((*q.dims)[3].number())));
  if (!usual) attributes.push_back(Attribute::of("scale", op.scale));
  if (op.softcap != 0) attributes.push_back(Attribute::of("softcap", op.softcap));
  if (op.causal != Attention::Causal::no) attributes.push_back(Attribute::of("is_causal", int64_t{1}));
  if (op.softmax != DType::unknown)
    attributes.push_back(Attribute::of("softmax_precision", code_of_dtype(op.softmax)));
  if (node.wants(3) && op.stage != Attention::Stage::product)
    attributes.push_back(Attribute::of("qk_matmul_output_mode", static_cast<int64_t>(op.stage)));
  std::vector<std::string> outputs = node.outs();
  // A past needs its presents.
  if (node.has(4)) {
    if (outputs.size() < 3) outputs.resize(3);
    for (size_t k = 1; k < 3; ++k)
      if (outputs[k].empty()) outputs[k] = node.fresh_name(k == 1 ? "present_key" : "present_value");
  }
  std::vector<std::string> inputs = node.ins();
  // Runtimes give 0 where a boolean mask, or the lowest number, leaves nothing; less than that leaves all
  // even.
  if (op.unseen == Attention::Unseen::even && node.has(3) && node.dtype(3) == DType::boolean) {
    const DType dtype = node.dtype(0);
    inputs[3] =
        node.emit("Where", {inputs[3], node.scalar(dtype, 0), node.scalar(dtype, -largest_of(dtype) / 2)});
  }
  node.emit_to(outputs, "Attention", inputs, attributes);
}

// The sum of two added masks, either of which may be missing.
ValueId sum_of(ReadNode& node, ValueId a, ValueId b) {
  return a == absent ? b : b == absent ? a : node.emit(Add{}, {a, b});
}

// Positive integers let a key take part; others put `filter` on its score. [batch, keys] or [batch, queries,
// keys].
ValueId mask_of_integers(ReadNode& node, size_t i, DType dtype, double filter) {
  ValueId zero = node.add_scalar(node.type(i).dtype, 0);
  ValueId seen = node.emit(Greater{}, {node.input(i), zero});
  ValueId added = node.emit(Select{}, {seen, node.add_scalar(dtype, 0), node.add_scalar(dtype, filter)});
  return node.emit(Unsqueeze{node.rank(i) == 2 ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1}},
                   {added});
}

struct Masks {
  ValueId added = absent, lengths = absent;
};

Masks read_masks(ReadNode& node, size_t mask, size_t bias, const Dim& batch, double filter) {
  Masks masks;
  if (node.has_input(mask)) {
    int64_t rank = node.rank(mask);
    if (rank == 1 && (*node.type(mask).dims)[0] == batch)
      masks.lengths = node.input(mask);
    else if (rank == 2 || rank == 3)
      masks.added = mask_of_integers(node, mask, node.type(0).dtype, filter);
    else
      fail("a mask {} is not supported", node.type(mask).text());
  }
  masks.added = sum_of(node, masks.added, node.input_or_absent(bias));
  return masks;
}

void refuse_input(ReadNode& node, size_t i, const char* what) {
  if (node.has_input(i)) fail("{} is not supported", what);
}

// com.microsoft: (query, key?, value?, bias?, key_padding_mask?, attention_bias?, past_key?, past_value?,
// ...).
void read_multi_head_attention(ReadNode& node) {
  int64_t heads = node.integer("num_heads");
  double filter = node.real("mask_filter_value", -10000);
  refuse_input(node, 8, "a past of a given length");
  refuse_input(node, 9, "a cache indirection");
  ValueId q = node.input(0), k = node.input_or_absent(1), v = node.input_or_absent(2);
  auto unpack = [&](ValueId packed, int64_t index) {
    return node.emit(Transpose{{0, 2, 1, 3}}, {part_of(node, packed, 3, index)});
  };
  if (k == absent) {
    if (node.rank(0) != 5) fail("keys are missing");
    refuse_input(node, 3, "a bias of packed operands");
    ValueId packed = q;
    q = unpack(packed, 0), k = unpack(packed, 1), v = unpack(packed, 2);
  } else if (v == absent) {
    if (node.rank(1) != 5) fail("values are missing");
    refuse_input(node, 3, "a bias of packed operands");
    ValueId packed = k;
    k = unpack(packed, 0), v = unpack(packed, 1);
  } else if (node.has_input(3)) {
    // One vector: the biases of query, key and value.
    Dim start = 0;
    for (ValueId* x : {&q, &k, &v}) {
      if (dims_of(node, *x).size() != 3) fail("a bias goes with operands of 3 axes");
      Dim size = dims_of(node, *x)[2];
      *x = node.emit(Add{}, {*x, slice_of(node, node.input(3), 0, start, size)});
      start = start + size;
    }
  }
  q = split_heads(node, q, heads), k = split_heads(node, k, heads), v = split_heads(node, v, heads);
  Attention op;
  op.scale = node.real("scale", 0);
  if (op.scale == 0) op.scale = head_scale(node, q);
  if (node.integer("unidirectional", 0) != 0) op.causal = Attention::Causal::from_start;
  Masks masks = read_masks(node, 4, 5, dims_of(node, q)[0], filter);
  auto results =
      node.emit(op, {q, k, v, masks.added, node.input_or_absent(6), node.input_or_absent(7), masks.lengths},
                node.outputs());
  for (size_t i = 0; i < results.size(); ++i)
    if (node.wants(i)) node.result(i, i == 0 ? join_heads(node, results[0]) : results[i]);
}

// com.microsoft: (x, weights, bias?, mask_index?, past?, attention_bias?, past_sequence_length?).
void read_packed_attention(ReadNode& node) {
  int64_t heads = node.integer("num_heads");
  double filter = node.real("mask_filter_value", -10000);
  if (node.integer("do_rotary", 0) != 0) fail("do_rotary is not supported");
  node.ignore("rotary_embedding_dim");
  if (node.integer("past_present_share_buffer", 0) != 0 && node.has_input(4))
    fail("past_present_share_buffer is not supported");
  refuse_input(node, 6, "a past of a given length");
  ValueId x = node.emit(MatMul{}, {node.input(0), node.input(1)});
  if (node.has_input(2)) x = node.emit(Add{}, {x, node.input(2)});
  std::vector<int64_t> sizes = node.integers("qkv_hidden_sizes");
  Dims widths = to_dims(sizes);
  Dim whole = dims_of(node, x).back();
  if (sizes.empty()) {
    auto third = exact_div(whole, 3);
    if (!third) fail("{} columns are not three equal parts", whole.text());
    widths = {*third, *third, *third};
  }
  if (widths.size() != 3) fail("qkv_hidden_sizes should have 3 elements");
  ValueId parts[3];
  Dim start = 0;
  for (size_t i = 0; i < 3; ++i) {
    parts[i] = split_heads(node, slice_of(node, x, 2, start, widths[i]), heads);
    start = start + widths[i];
  }
  Attention op;
  op.scale = node.real("scale", 0);
  if (op.scale == 0) op.scale = head_scale(node, parts[0]);
  if (node.integer("unidirectional", 0) != 0) op.causal = Attention::Causal::from_start;
  Masks masks = read_masks(node, 3, 5, dims_of(node, parts[0])[0], filter);
  ValueId past_k = absent, past_v = absent;
  if (node.has_input(4))
    past_k = part_of(node, node.input(4), 0, 0), past_v = part_of(node, node.input(4), 0, 1);
  auto results = node.emit(op, {parts[0], parts[1], parts[2], masks.added, past_k, past_v, masks.lengths},
                           node.wants(1) ? 3 : 1);
  node.result(0, join_heads(node, results[0]));
  if (!node.wants(1)) return;
  ValueId k = node.emit(Unsqueeze{{0}}, {results[1]}), v = node.emit(Unsqueeze{{0}}, {results[2]});
  node.result(1, node.emit(Concat{0}, {k, v}));
}

// Rows of a table of angles, one a step.
ValueId angles_at(ReadNode& node, ValueId table, ValueId positions) {
  return node.emit(Gather{}, {table, positions});
}

void read_rotary(ReadNode& node) {
  Rotary op;
  op.interleaved = node.integer("interleaved", 0) != 0;
  int64_t heads = node.integer("num_heads", 0), rotated = node.integer("rotary_embedding_dim", 0);
  bool flat = node.rank(0) == 3;
  ValueId x = split_heads(node, node.input(0), heads), cos = node.input(1), sin = node.input(2);
  const Dim& half = dims_of(node, cos).back();
  if (rotated != 0 && half.is_number() && half.number() * 2 != rotated)
    fail("rotary_embedding_dim {} does not go with {} angles", rotated, half.text());
  if (node.has_input(3)) cos = angles_at(node, cos, node.input(3)), sin = angles_at(node, sin, node.input(3));
  ValueId y = node.emit(op, {x, cos, sin});
  node.result(0, flat ? join_heads(node, y) : y);
}

// com.microsoft: (x, position_ids, cos_cache, sin_cache).
void read_old_rotary(ReadNode& node) {
  Rotary op;
  op.interleaved = node.integer("interleaved", 0) != 0;
  int64_t heads = node.integer("num_heads", 0), rotated = node.integer("rotary_embedding_dim", 0);
  if (node.real("scale", 1) != 1) fail("a scale is not supported");
  if (node.integer("is_packed_batching", 0) != 0) fail("is_packed_batching is not supported");
  ValueId cos = node.input(2), sin = node.input(3), positions = node.input(1);
  const Dim& half = dims_of(node, cos).back();
  if (rotated != 0 && half.is_number() && half.number() * 2 != rotated)
    fail("rotary_embedding_dim {} does not go with {} angles", rotated, half.text());
  bool flat = node.rank(0) == 3;
  if (flat && heads == 0) {
    auto count =
        half.is_number() ? exact_div(dims_of(node, node.input(0))[2], half.number() * 2) : std::nullopt;
    if (!count || !count->is_number()) fail("the number of heads is missing");
    heads = count->number();
  }
  ValueId x = split_heads(node, node.input(0), heads);
  if (node.rank(1) == 1) {
    // One number: where the steps begin.
    Range range;
    range.size = dims_of(node, x)[2];
    ValueId steps = node.emit(range, {});
    if (node.type(1).dtype != DType::i64) positions = node.emit(cast_to(DType::i64), {positions});
    positions = node.emit(Add{}, {steps, positions});
  }
  ValueId y = node.emit(op, {x, angles_at(node, cos, positions), angles_at(node, sin, positions)});
  node.result(0, flat ? join_heads(node, y) : y);
}

std::string cannot_write_rotary(const WriteNode& node) {
  if (node.rank(1) != 3 || node.rank(2) != 3) return "its angles are the same for all of the batch";
  const Type &x = node.type(0), &cos = node.type(1);
  if (!x.dims || (*x.dims)[0] != (*cos.dims)[0]) return "its angles have another batch";
  if (!(*cos.dims)[2].is_number() || !(*x.dims)[3].is_number()) return "the size of the heads is not known";
  return "";
}

void write_rotary(WriteNode& node) {
  Attributes attributes;
  int64_t rotated = (*node.type(1).dims)[2].number() * 2, size = (*node.type(0).dims)[3].number();
  if (node.op<Rotary>().interleaved) attributes.push_back(Attribute::of("interleaved", int64_t{1}));
  if (rotated != size) attributes.push_back(Attribute::of("rotary_embedding_dim", rotated));
  node.emit_to(node.outs(), "RotaryEmbedding", node.ins(), attributes);
}

}  // namespace

void attention_rows(Rows& rows) {
  rows.read("Attention", since(23), read_attention);
  rows.write<Attention>(since(23), write_attention, cannot_write_attention);
  rows.read("com.microsoft:MultiHeadAttention", since(1), read_multi_head_attention);
  rows.read("com.microsoft:Attention", since(1), read_packed_attention);
  rows.read("RotaryEmbedding", since(23), read_rotary);
  rows.write<Rotary>(since(23), write_rotary, cannot_write_rotary);
  rows.read("com.microsoft:RotaryEmbedding", since(1), read_old_rotary);
}

}  // namespace remodel::onnx
