#include "ops/conv.h"

#include "formats/onnx/rows.h"
#include "formats/onnx/rows/fused.h"
#include "formats/onnx/rows/weights.h"
#include "formats/onnx/rows/window.h"
#include "ops/binary.h"

namespace remodel::onnx {
namespace {

Conv read_conv_op(ReadNode& node, Channels channels) {
  Conv op;
  op.channels = channels;
  op.groups = node.integer("group", 1);
  read_sliding(node, read_window(node, 1), op);
  return op;
}

void read_conv(ReadNode& node) { node.emit_results(read_conv_op(node, Channels::first), node.operands()); }

// com.microsoft: conv, plus input 3, through an activation.
void read_fused_conv(ReadNode& node) {
  Conv op = read_conv_op(node, Channels::first);
  std::vector<ValueId> operands = node.operands();
  operands.resize(std::min<size_t>(operands.size(), 3));
  ValueId y = node.emit(op, operands);
  if (node.has_input(3)) y = node.emit(Add{}, {y, node.input(3)});
  y = fused_activation(node, y, node.reals("activation_params"));
  node.result(0, y);
}

// com.microsoft: channels last, weights as ever.
void read_nhwc_conv(ReadNode& node) {
  node.emit_results(read_conv_op(node, Channels::last), node.operands());
}

void write_conv(WriteNode& node) { node.emit_to(node.outs(), "Conv", node.ins(), conv_attributes(node)); }

std::string conv_problem(const WriteNode& node) {
  if (node.op<Conv>().out != DType::unknown || node.has(3) || node.has(4))
    return "its operands are small integers";
  return sliding_problem(node, node.op<Conv>(), window_of_weights(node));
}

void read_conv_transpose(ReadNode& node) {
  ConvTranspose op;
  op.groups = node.integer("group", 1);
  std::vector<int64_t> window = read_window(node, 1);
  const size_t rank = window.size();
  std::string word = node.text("auto_pad", "NOTSET");
  std::vector<int64_t> beyond = node.integers("output_padding", std::vector<int64_t>(rank, 0));
  std::vector<int64_t> wished = node.integers("output_shape");
  // Some exporters give the batch and the channels too.
  if (wished.size() == rank + 2) wished.erase(wished.begin(), wished.begin() + 2);
  if (beyond.size() != rank || (!wished.empty() && wished.size() != rank))
    fail("a window of {} axes has {} numbers in output_padding and {} in output_shape", rank, beyond.size(),
         wished.size());
  bool same = word == "SAME_UPPER" || word == "SAME_LOWER";
  op.unit(rank);
  op.strides = node.integers("strides", op.strides);
  op.dilations = node.integers("dilations", op.dilations);
  std::vector<int64_t> pads = node.integers("pads", std::vector<int64_t>(2 * rank, 0));
  if (pads.size() != 2 * rank) fail("a window of {} axes has {} pads", rank, pads.size());
  check_sliding(op, &window);
  const auto& dims = node.type(0).dims;
  if (dims && dims->size() != rank + 2)
    fail("a window of {} axes needs an input of rank {}, but it is {}", rank, rank + 2, node.type(0).text());
  if (!dims && (same || !wished.empty()))
    fail_untyped("the rank of input '{}' is not known", node.proto().inputs[0]);
  for (size_t i = 0; i < rank; ++i) {
    if (wished.empty() && !same) {
      if (word == "NOTSET" || word.empty()) op.pads_low[i] = pads[i], op.pads_high[i] = pads[rank + i];
      op.pads_high[i] = op.pads_high[i] - Dim(beyond[i]);
      continue;
    }
    const Dim& in = (*dims)[i + 2];
    Dim whole = (in - 1) * Dim(op.strides[i]) + window_reach(window[i], op.dilations[i]);
    Dim out = wished.empty() ? in * Dim(op.strides[i]) : Dim(wished[i]);
    Dim total = max(Dim(0), whole + Dim(beyond[i]) - out);
    Dim half = floor_div(total, 2);
    op.pads_low[i] = word == "SAME_UPPER" ? half : total - half;
    op.pads_high[i] = whole - op.pads_low[i] - out;
  }
  std::vector<ValueId> operands = node.operands();
  operands[1] = turn_weights(node, 1, op.groups);
  node.emit_results(op, operands);
}

std::string conv_transpose_problem(const WriteNode& node) {
  const auto& op = node.op<ConvTranspose>();
  if (op.channels != Channels::first) return "ONNX has the channels first";
  auto low = numbers(op.pads_low), high = numbers(op.pads_high);
  if (!low || !high)
    return fmt::format("the pads {}, {} depend on the input's size", text_of(op.pads_low),
                       text_of(op.pads_high));
  for (size_t i = 0; i < low->size(); ++i)
    if ((*low)[i] < 0) return fmt::format("a negative pad {} has no form in ONNX", (*low)[i]);
  if (!node.constant(1) && node.rank(1) < 0) return "the rank of the weights is not known";
  return "";
}

void write_conv_transpose(WriteNode& node) {
  const auto& op = node.op<ConvTranspose>();
  Sliding sliding = op;
  std::vector<int64_t> beyond;
  for (Dim& pad : sliding.pads_high) {
    beyond.push_back(std::max<int64_t>(0, -pad.number()));
    pad = std::max<int64_t>(0, pad.number());
  }
  Attributes attributes = sliding_attributes(node, sliding, window_of_weights(node));
  if (op.groups != 1) attributes.push_back(Attribute::of("group", op.groups));
  if (std::any_of(beyond.begin(), beyond.end(), [](int64_t b) { return b != 0; }))
    attributes.push_back(Attribute::of("output_padding", beyond));
  std::vector<std::string> inputs = node.ins();
  inputs[1] = turn_weights(node, 1, op.groups);
  node.emit_to(node.outs(), "ConvTranspose", inputs, attributes);
}

void read_deform_conv(ReadNode& node) {
  DeformConv op;
  op.groups = node.integer("group", 1);
  op.offset_groups = node.integer("offset_group", 1);
  read_sliding(node, read_window(node, 1), op);
  node.emit_results(op, node.operands());
}

void write_deform_conv(WriteNode& node) {
  const auto& op = node.op<DeformConv>();
  Attributes attributes = sliding_attributes(node, op, window_of_weights(node));
  if (op.groups != 1) attributes.push_back(Attribute::of("group", op.groups));
  if (op.offset_groups != 1) attributes.push_back(Attribute::of("offset_group", op.offset_groups));
  node.emit_to(node.outs(), "DeformConv", node.ins(), attributes);
}

// By its attributes or by the lengths of its operands.
size_t count_spatial_axes(ReadNode& node) {
  for (const char* list : {"strides", "dilations", "pads"})
    if (node.has(list)) return node.integers(list).size() / (list == std::string_view("pads") ? 2 : 1);
  for (size_t i : {1, 2})
    if (const auto& dims = node.type(i).dims; dims && dims->size() == 1 && (*dims)[0].is_number())
      return static_cast<size_t>((*dims)[0].number());
  fail_untyped("the number of spatial axes is not known");
}

void read_col2im(ReadNode& node) {
  Fold op;
  auto size = node.sizes(1), window = node.sizes(2);
  const auto taps = window ? numbers(*window) : std::nullopt;
  read_sliding(node, taps.value_or(std::vector<int64_t>(count_spatial_axes(node), 1)), op);
  if (size) op.size = *size;
  if (window) op.window = *window;
  node.emit_results(op, {node.input(0), size ? absent : node.input(1), window ? absent : node.input(2)});
}

void write_col2im(WriteNode& node) {
  const auto& op = node.op<Fold>();
  Attributes attributes = sliding_attributes(node, op, {});
  std::string size = node.has(1) ? node.in(1) : node.sizes(op.size);
  std::string window = node.has(2) ? node.in(2) : node.sizes(op.window);
  node.emit_to(node.outs(), "Col2Im", {node.in(0), size, window}, attributes);
}

}  // namespace

void conv_rows(Rows& rows) {
  rows.read("Conv", since(1), read_conv);
  rows.write<Conv>(since(1), write_conv, conv_problem);
  rows.read("com.microsoft:FusedConv", since(1), read_fused_conv);
  rows.read("com.microsoft:NhwcConv", since(1), read_nhwc_conv);
  rows.read("ConvTranspose", since(1), read_conv_transpose);
  rows.write<ConvTranspose>(since(1), write_conv_transpose, conv_transpose_problem);
  rows.read("DeformConv", since(19), read_deform_conv);
  rows.write<DeformConv>(since(19), write_deform_conv, [](const WriteNode& node) {
    return sliding_problem(node, node.op<DeformConv>(), {});
  });
  rows.read("Col2Im", since(18), read_col2im);
  rows.write<Fold>(since(18), write_col2im,
                   [](const WriteNode& node) { return sliding_problem(node, node.op<Fold>(), {}); });
}

}  // namespace remodel::onnx
