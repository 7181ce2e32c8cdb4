#include "formats/onnx/rows/window.h"

#include <algorithm>

#include "ops/conv.h"

namespace remodel::onnx {
namespace {

bool all_equal(const std::vector<int64_t>& values, int64_t value) {
  return std::all_of(values.begin(), values.end(), [=](int64_t v) { return v == value; });
}

// The pads that SAME stands for.
void same_pads(const Dims& x, const std::vector<int64_t>& window, bool lower, Sliding& to) {
  Dims spatial = spatial_dims(to.channels, x);
  for (size_t i = 0; i < window.size(); ++i) {
    Dim total = same_padding(spatial[i], window[i], to.strides[i], to.dilations[i]);
    Dim half = floor_div(total, 2);
    to.pads_low[i] = lower ? total - half : half;
    to.pads_high[i] = lower ? half : total - half;
  }
}

// "" for pads that are numbers, the word of auto_pad, or nothing where neither says them.
std::optional<std::string> pads_form(const WriteNode& node, const Sliding& from,
                                     const std::vector<int64_t>& window) {
  auto low = numbers(from.pads_low), high = numbers(from.pads_high);
  if (low && high) {
    for (const auto* pads : {&*low, &*high})
      if (std::any_of(pads->begin(), pads->end(), [](int64_t pad) { return pad < 0; })) return std::nullopt;
    return "";
  }
  if (!node.type(0).dims || window.empty()) return std::nullopt;
  for (bool lower : {false, true}) {
    Sliding same = from;
    same_pads(*node.type(0).dims, window, lower, same);
    if (same.pads_low == from.pads_low && same.pads_high == from.pads_high)
      return lower ? "SAME_LOWER" : "SAME_UPPER";
  }
  return std::nullopt;
}

// Before opset 22 a last window counts even where it starts behind the input.
bool drops_a_window(const Pooling& op, const Dims& x) {
  Dims spatial = spatial_dims(op.channels, x);
  for (size_t i = 0; i < spatial.size(); ++i) {
    Dim room = spatial[i] + op.pads_low[i] + op.pads_high[i] - window_reach(op.window[i], op.dilations[i]);
    Dim all = ceil_div(room, op.strides[i]) + 1;
    if (all.is_number() && all != window_count(op, i, spatial[i], op.window[i], true)) return true;
  }
  return false;
}

}  // namespace

std::vector<int64_t> read_window(ReadNode& node, size_t weights) {
  std::vector<int64_t> window = node.integers("kernel_shape");
  const Type& type = node.type(weights);
  if (!type.dims) {
    if (window.empty()) fail("the sizes of the weights '{}' are not known", node.proto().inputs[weights]);
    return window;
  }
  bool needed = node.text("auto_pad", "NOTSET").starts_with("SAME") || node.has("output_shape");
  std::vector<int64_t> sizes;
  for (size_t i = 2; i < type.dims->size(); ++i) {
    const Dim& size = (*type.dims)[i];
    if (!size.is_number() && i - 2 >= window.size() && needed)
      fail("the window's sizes are not known: {}", type.text());
    sizes.push_back(size.is_number() ? size.number() : i - 2 < window.size() ? window[i - 2] : 1);
  }
  if (!window.empty() && window != sizes)
    fail("kernel_shape {} differs from the weights {}", text_of(to_dims(window)), type.text());
  return sizes;
}

std::vector<int64_t> window_of_weights(const WriteNode& node) {
  const auto& dims = node.type(1).dims;
  auto window = dims ? numbers(Dims(dims->begin() + 2, dims->end())) : std::nullopt;
  return window.value_or(std::vector<int64_t>{});
}

void read_sliding(ReadNode& node, const std::vector<int64_t>& window, Sliding& to) {
  size_t rank = window.size();
  to.unit(rank);
  to.strides = node.integers("strides", to.strides);
  to.dilations = node.integers("dilations", to.dilations);
  std::vector<int64_t> pads = node.integers("pads", std::vector<int64_t>(2 * rank, 0));
  std::string word = node.text("auto_pad", "NOTSET");
  if (to.strides.size() != rank || to.dilations.size() != rank || pads.size() != 2 * rank)
    fail("a window of {} axes has {} strides, {} dilations and {} pads", rank, to.strides.size(),
         to.dilations.size(), pads.size());
  check_sliding(to, &window);
  if (word == "SAME_UPPER" || word == "SAME_LOWER") {
    Dims unknown{Dim::symbol("N"), Dim::symbol("C")};
    for (size_t i = 0; i < rank; ++i) unknown.push_back(Dim::symbol("?"));
    const auto& dims = node.type(0).dims;
    if (dims && dims->size() != rank + 2)
      fail("a window of {} axes needs an input of rank {}, but it is {}", rank, rank + 2,
           node.type(0).text());
    same_pads(dims ? *dims : unknown, window, word == "SAME_LOWER", to);
    if (!dims && !(numbers(to.pads_low) && numbers(to.pads_high)))
      fail_untyped("auto_pad '{}' needs the rank of input '{}', which is not known", word,
                   node.proto().inputs[0]);
  } else if (word == "NOTSET" || word.empty()) {
    for (size_t i = 0; i < rank; ++i) {
      to.pads_low[i] = pads[i];
      to.pads_high[i] = pads[rank + i];
    }
  } else if (word != "VALID") {
    fail("attribute 'auto_pad': the value '{}' is not known", word);
  }
}

void read_pooling(ReadNode& node, Pooling& to) {
  to.window = node.integers("kernel_shape");
  if (to.window.empty()) fail("attribute 'kernel_shape' is missing");
  read_sliding(node, to.window, to);
  std::string word = node.text("auto_pad", "NOTSET");
  to.ceil = node.integer("ceil_mode", 0) != 0 && word != "SAME_UPPER" && word != "SAME_LOWER";
  if (!to.ceil || !node.type(0).dims) return;
  Pooling floor = to;
  floor.ceil = false;
  if (pool_dims(floor, *node.type(0).dims) == pool_dims(to, *node.type(0).dims)) to.ceil = false;
}

std::string sliding_problem(const WriteNode& node, const Sliding& from, const std::vector<int64_t>& window) {
  if (from.channels != Channels::first) return "ONNX has the channels first";
  if (!pads_form(node, from, window))
    return fmt::format("the pads {}, {} have no form in ONNX", text_of(from.pads_low),
                       text_of(from.pads_high));
  return "";
}

Attributes sliding_attributes(const WriteNode& node, const Sliding& from,
                              const std::vector<int64_t>& window) {
  Attributes attributes;
  if (!window.empty()) attributes.push_back(Attribute::of("kernel_shape", window));
  if (!all_equal(from.strides, 1)) attributes.push_back(Attribute::of("strides", from.strides));
  if (!all_equal(from.dilations, 1)) attributes.push_back(Attribute::of("dilations", from.dilations));
  std::string form = *pads_form(node, from, window);
  if (!form.empty()) {
    attributes.push_back(Attribute::of("auto_pad", form));
  } else {
    std::vector<int64_t> pads = *numbers(from.pads_low), high = *numbers(from.pads_high);
    pads.insert(pads.end(), high.begin(), high.end());
    if (!all_equal(pads, 0)) attributes.push_back(Attribute::of("pads", pads));
  }
  return attributes;
}

Attributes conv_attributes(const WriteNode& conv) {
  const auto& op = conv.op<Conv>();
  Attributes attributes = sliding_attributes(conv, op, window_of_weights(conv));
  if (op.groups != 1) attributes.push_back(Attribute::of("group", op.groups));
  return attributes;
}

std::string pooling_problem(const WriteNode& node, const Pooling& from, int64_t dilations_since,
                            int64_t ceil_since) {
  std::string problem = sliding_problem(node, from, from.window);
  if (!problem.empty()) return problem;
  if (!all_equal(from.dilations, 1) && node.opset() < dilations_since)
    return fmt::format("opset {} has no dilations in {}", node.opset(), node.node().op.name());
  if (from.ceil && node.opset() < ceil_since)
    return fmt::format("opset {} has no ceil_mode in {}", node.opset(), node.node().op.name());
  if (from.ceil && node.opset() < 22 && node.type(0).dims && drops_a_window(from, *node.type(0).dims))
    return fmt::format("opset {} counts windows that start behind the input", node.opset());
  return "";
}

Attributes pooling_attributes(const WriteNode& node, const Pooling& from) {
  Attributes attributes = sliding_attributes(node, from, from.window);
  if (from.ceil) attributes.push_back(Attribute::of("ceil_mode", int64_t{1}));
  return attributes;
}

}  // namespace remodel::onnx
