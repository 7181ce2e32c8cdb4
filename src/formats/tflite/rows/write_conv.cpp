// Convolutions. The layout pass has given them their channels last.
#include <algorithm>

#include "formats/tflite/hybrid.h"
#include "formats/tflite/rows.h"
#include "formats/tflite/rows/write_window.h"
#include "ops/conv.h"

namespace remodel::tflite {
namespace {

std::vector<int64_t> window_of(const WriteNode& node) {
  const Dims w = node.dims(1);
  const auto window = numbers(Dims(w.begin() + 2, w.end()));
  if (!window) fail("the size of the weights is not known");
  return *window;
}

Attributes window_attributes(const Sliding& op, std::string_view padding) {
  static constexpr const char* names[2][3] = {{"stride_h", "stride_w", ""},
                                              {"stride_d", "stride_h", "stride_w"}};
  static constexpr const char* dilations[2][3] = {
      {"dilation_h_factor", "dilation_w_factor", ""},
      {"dilation_d_factor", "dilation_h_factor", "dilation_w_factor"}};
  Attributes attributes{word("padding", padding)};
  const size_t rank = op.strides.size();
  for (size_t i = 0; i < rank; ++i) {
    attributes.push_back(Attribute::of(names[rank - 2][i], op.strides[i]));
    if (op.dilations[i] != 1) attributes.push_back(Attribute::of(dilations[rank - 2][i], op.dilations[i]));
  }
  return attributes;
}

void write_conv(WriteNode& node) {
  const auto& op = node.op<Conv>();
  if (op.out != DType::unknown || node.has(3) || node.has(4) || is_integer(node.dtype(0)))
    fail("its operands are integers");
  const size_t rank = op.strides.size();
  if (rank != 2 && rank != 3) fail("a convolution over {} axes has no operator", rank);
  Attributes attributes = window_attributes(op, padding_word(node, op, window_of(node)));
  const Dims x = node.dims(0), w = node.dims(1);
  Ids inputs;
  const char* type = "CONV_2D";
  if (rank == 3) {
    if (op.groups != 1) fail("a convolution over three axes has {} groups", op.groups);
    type = "CONV_3D";
    inputs = product_operands(node, {2, 3, 4, 1, 0});
  } else if (op.groups > 1 && w[1].is_number(1) && w[0].is_number() &&
             x[channel_axis(op.channels, 4)].is_number(op.groups)) {
    type = "DEPTHWISE_CONV_2D";
    attributes.push_back(Attribute::of("depth_multiplier", w[0].number() / op.groups));
    inputs = product_operands(node, {1, 2, 3, 0});
  } else {
    inputs = product_operands(node, {0, 2, 3, 1});
  }
  if (node.has(2))
    inputs.push_back(node.in(2));
  else if (w[0].is_number())
    inputs.push_back(node.constant(constant_splat(DType::f32, {w[0].number()}, 0)));
  else
    fail("the number of channels is not known");
  node.emit_to(node.outs(), type, inputs, attributes);
}

void write_conv_transpose(WriteNode& node) {
  const auto& op = node.op<ConvTranspose>();
  const size_t rank = op.strides.size();
  if (rank != 2 && rank != 3) fail("a transposed convolution over {} axes has no operator", rank);
  if (op.groups != 1) fail("a transposed convolution has {} groups", op.groups);
  for (int64_t dilation : op.dilations)
    if (dilation != 1) fail("a transposed convolution is dilated");
  const std::vector<int64_t> window = window_of(node);
  const Dims y = node.result_dims(), result = spatial_dims(op.channels, y),
             in = spatial_dims(op.channels, node.dims(0));
  std::string_view padding = "VALID";
  if (has_pads(op)) {
    padding = "SAME";
    for (size_t i = 0; i < rank; ++i) {
      const Dim total = max(Dim(0), (in[i] - 1) * Dim(op.strides[i]) + Dim(window[i]) - result[i]);
      const Dim low = floor_div(total, 2);
      if (!(result[i] == in[i] * Dim(op.strides[i])) || !(op.pads_low[i] == low) ||
          !(op.pads_high[i] == total - low))
        fail("the pads of a transposed convolution are those of no padding word");
    }
  }
  const Dims shape = image_dims(Channels::last, y[0], y[channel_axis(op.channels, rank + 2)], result);
  using Perm = std::vector<int64_t>;
  const Ids operands = product_operands(node, rank == 2 ? Perm{0, 2, 3, 1} : Perm{2, 3, 4, 0, 1});
  Ids inputs{node.sizes(shape), operands[1], operands[0]};
  if (node.has(2)) inputs.push_back(node.in(2));
  node.emit_to(node.outs(), rank == 2 ? "TRANSPOSE_CONV" : "CONV_3D_TRANSPOSE", inputs,
               window_attributes(op, padding));
}

}  // namespace

void write_conv_rows(Rows& rows) {
  rows.write<Conv>(since(1), write_conv);
  rows.write<ConvTranspose>(since(1), write_conv_transpose);
}

}  // namespace remodel::tflite
