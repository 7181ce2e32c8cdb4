#include "ops/conv.h"

#include "formats/tflite/hybrid.h"
#include "formats/tflite/rows.h"
#include "formats/tflite/rows/window.h"

namespace remodel::tflite {
namespace {

// The sizes of weights, which are all known.
std::vector<int64_t> weight_sizes(ReadNode& node, size_t i, size_t rank) {
  const auto& dims = node.type(i).dims;
  const auto sizes = dims ? numbers(*dims) : std::nullopt;
  if (!sizes || sizes->size() != rank) fail("its weights are {}", node.type(i).text());
  return *sizes;
}

// `has_zero`: the kernel rounds with a zero point.
ValueId hybrid_input(ReadNode& node, size_t x, bool has_zero) {
  return node.hybrid(x, 1) ? node.rounded_rows(x, has_zero) : node.input(x);
}

void finish(ReadNode& node, Op op, std::vector<ValueId> operands) {
  node.ignore("quantized_bias_type");
  node.result(0, node.activated(node.emit(std::move(op), std::move(operands))));
}

// Weights are [out, window..., in / groups].
void read_conv(ReadNode& node) {
  const std::vector<int64_t> w = weight_sizes(node, 1, 4);
  Conv op;
  read_sliding(node, 0, {w[1], w[2]}, true, op);
  const Dim channels = node.type(0).dims->back();
  if (channels.is_number() && w[3] > 0 && channels.number() % w[3] == 0) op.groups = channels.number() / w[3];
  const bool has_zero = conv_rounds_with_zero(node.input_tensor(1).quantization, op.groups);
  finish(node, op, {hybrid_input(node, 0, has_zero), node.weights(1, {0, 3, 1, 2}), node.bias(2, 0, 1)});
}

// Weights are [1, window..., out].
void read_depthwise(ReadNode& node) {
  const std::vector<int64_t> w = weight_sizes(node, 1, 4);
  node.ignore("depth_multiplier");  // which the weights say, too
  Conv op;
  read_sliding(node, 0, {w[1], w[2]}, true, op);
  const Dim channels = node.type(0).dims->back();
  if (!channels.is_number()) fail("the number of its channels is not known");
  op.groups = channels.number();
  finish(node, op, {hybrid_input(node, 0, true), node.weights(1, {3, 0, 1, 2}), node.bias(2, 0, 1)});
}

// Weights are [window..., in / groups, out].
void read_conv_3d(ReadNode& node) {
  const std::vector<int64_t> w = weight_sizes(node, 1, 5);
  Conv op;
  read_sliding(node, 0, {w[0], w[1], w[2]}, true, op);
  const Dim channels = node.type(0).dims->back();
  if (channels.is_number() && w[3] > 0 && channels.number() % w[3] == 0) op.groups = channels.number() / w[3];
  finish(node, op, {node.input(0), node.weights(1, {4, 3, 0, 1, 2}), node.bias(2, 0, 1)});
}

// What the result's size leaves over is cut off at the end, after the pads of the convolution whose gradient
// it is.
template <size_t axes>
void read_transpose_conv(ReadNode& node, const std::vector<int64_t>& window, bool dilated,
                         const std::vector<int64_t>& perm) {
  ConvTranspose op;
  read_sliding(node, 2, window, dilated, op);
  const auto wished = node.sizes(0);
  if (!wished || wished->size() != axes + 2) fail("the shape of its result is not known");
  const bool same = node.word("padding") == "SAME";
  for (size_t i = 0; i < axes; ++i) {
    const Dim in = (*node.type(2).dims)[i + 1], out = (*wished)[i + 1];
    const Dim whole = (in - 1) * Dim(op.strides[i]) + window_reach(window[i], op.dilations[i]);
    const Dim total = max(Dim(0), whole - out);
    op.pads_low[i] = same ? floor_div(total, 2) : Dim(0);
    op.pads_high[i] = whole - op.pads_low[i] - out;
  }
  finish(node, op, {hybrid_input(node, 2, true), node.weights(1, perm), node.bias(3, 2, 1)});
}

// Weights are [out, window..., in]; ours are those of the convolution that it transposes.
void read_transpose_conv_2d(ReadNode& node) {
  const std::vector<int64_t> w = weight_sizes(node, 1, 4);
  read_transpose_conv<2>(node, {w[1], w[2]}, false, {0, 3, 1, 2});
}

// Weights are [window..., out, in].
void read_transpose_conv_3d(ReadNode& node) {
  const std::vector<int64_t> w = weight_sizes(node, 1, 5);
  read_transpose_conv<3>(node, {w[0], w[1], w[2]}, true, {3, 4, 0, 1, 2});
}

}  // namespace

void conv_rows(Rows& rows) {
  rows.read("CONV_2D", since(1), read_conv);
  rows.read("DEPTHWISE_CONV_2D", since(1), read_depthwise);
  rows.read("CONV_3D", since(1), read_conv_3d);
  rows.read("TRANSPOSE_CONV", since(1), read_transpose_conv_2d);
  rows.read("CONV_3D_TRANSPOSE", since(1), read_transpose_conv_3d);
}

}  // namespace remodel::tflite
