#include "app/output_kind.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "base/format.h"

namespace remodel {
namespace {

enum class Step {
  through,  // leaves the meaning of operand 0's numbers as it is
  second,   // of operand 1's
  softmax,  // ends the walk
  log_softmax,
  sigmoid,
  choice,
  top_k,
  selection,
  decision,
  sizes,
  resize,
  bias,
  product,
  convolution,
};

// What is not here makes features.
const std::unordered_map<std::string_view, Step> steps{
    {"reshape", Step::through},
    {"squeeze", Step::through},
    {"unsqueeze", Step::through},
    {"transpose", Step::through},
    {"cast", Step::through},
    {"slice", Step::through},
    {"dynamic_slice", Step::through},
    {"quantize", Step::through},
    {"dequantize", Step::through},
    {"gather", Step::through},
    {"expand", Step::through},
    {"pad", Step::through},
    {"dropout", Step::through},
    {"select", Step::second},
    {"softmax", Step::softmax},
    {"hardmax", Step::softmax},
    {"log_softmax", Step::log_softmax},
    {"sigmoid", Step::sigmoid},
    {"hard_sigmoid", Step::sigmoid},
    {"arg_max", Step::choice},
    {"arg_min", Step::choice},
    {"top_k", Step::top_k},
    {"non_max_suppression", Step::selection},
    {"equal", Step::decision},
    {"less", Step::decision},
    {"less_equal", Step::decision},
    {"greater", Step::decision},
    {"greater_equal", Step::decision},
    {"not", Step::decision},
    {"and", Step::decision},
    {"or", Step::decision},
    {"shape_of", Step::sizes},
    {"count_of", Step::sizes},
    {"sizes", Step::sizes},
    {"resize", Step::resize},
    {"add", Step::bias},
    {"matmul", Step::product},
    {"einsum", Step::product},
    {"conv", Step::convolution},
    {"conv_transpose", Step::convolution},
};

int64_t axis_of(const Node& node) {
  const Field* field = node.op.info().find("axis");
  return field && field->kind == FieldKind::axis ? field_as<int64_t>(node.op.data(), *field) : 0;
}

// A weight may be stored otherwise than it is used: quantized, transposed, in half floats.
bool is_weight(const Graph& graph, ValueId value) {
  static constexpr std::string_view forms[] = {"dequantize", "quantize", "transpose", "reshape", "cast"};
  while (!graph.constant(value)) {
    const Node* node = graph.producer(value);
    if (!node || std::find(std::begin(forms), std::end(forms), node->op.name()) == std::end(forms))
      return false;
    value = node->inputs[0];
  }
  return true;
}

// The operand that is added to a constant; absent where there is none.
ValueId beside_constant(const Graph& graph, const Node& node) {
  for (size_t i : {0, 1})
    if (node.has(i) && node.has(1 - i) && is_weight(graph, node.inputs[1 - i])) return node.inputs[i];
  return absent;
}

}  // namespace

std::string output_kind(const Graph& graph, ValueId output) {
  const Type& type = graph.value(output).type;
  if (type.kind == Type::list) return "a list";
  if (type.kind == Type::optional) return "an optional";
  if (type.dtype == DType::string) return "texts";
  const bool image = type.dims && type.dims->size() > 3;
  const char* best = "";
  bool upsampled = false;
  ValueId value = output;
  // Each round goes on to a producer, so this ends.
  while (const Node* node = graph.producer(value)) {
    auto found = steps.find(node->op.name());
    if (found == steps.end()) break;
    size_t through = 0;
    switch (found->second) {
      case Step::softmax:
        return fmt::format("{}probabilities (softmax over axis {})", best, axis_of(*node));
      case Step::log_softmax:
        return fmt::format("log-probabilities (over axis {})", axis_of(*node));
      case Step::sigmoid:
        return fmt::format("{}probabilities (each by itself)", best);
      case Step::choice:
        return "class indices";
      case Step::selection:
        return "indices of selected boxes";
      case Step::decision:
        return "decisions";
      case Step::sizes:
        return "sizes";
      case Step::top_k:
        if (node->outputs.size() > 1 && node->outputs[1] == value) return "indices of the best";
        best = "the best ";
        break;
      case Step::product:
      case Step::convolution: {
        if (!node->has(1) || !is_weight(graph, node->inputs[1])) return "features";
        if (found->second == Step::product || !image) return fmt::format("{}logits", best);
        return upsampled || node->op.name() == "conv_transpose" ? "logits of each pixel" : "features";
      }
      case Step::bias: {
        // A sum of two branches has no such meaning.
        ValueId other = beside_constant(graph, *node);
        if (other == absent) return "features";
        value = other;
        continue;
      }
      case Step::second:
        through = 1;
        break;
      case Step::resize:
        upsampled = true;
        break;
      case Step::through:
        break;
    }
    if (!node->has(through)) break;
    value = node->inputs[through];
  }
  if (graph.constant(value)) return "constant";
  if (type.dtype == DType::boolean) return "decisions";
  return is_integer(type.dtype) ? "integers" : "features";
}

}  // namespace remodel
