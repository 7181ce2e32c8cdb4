#include <algorithm>

#include "formats/tflite/rows.h"
#include "formats/tflite/rows/write_window.h"
#include "ops/normalize.h"
#include "ops/pool.h"

namespace remodel::tflite {
namespace {

void write_pool(WriteNode& node, const Pooling& op, const char* type) {
  if (op.strides.size() != 2) fail("a pooling over {} axes has no operator", op.strides.size());
  if (op.ceil) fail("windows reach beyond the pads");
  for (int64_t dilation : op.dilations)
    if (dilation != 1) fail("the windows are dilated");
  node.emit_to(node.outs(), type, {node.in(0)},
               {word("padding", padding_word(node, op, op.window)), Attribute::of("stride_h", op.strides[0]),
                Attribute::of("stride_w", op.strides[1]), Attribute::of("filter_height", op.window[0]),
                Attribute::of("filter_width", op.window[1])});
}

void write_max_pool(WriteNode& node) {
  if (!is_float(node.dtype(0)) && size_of(node.dtype(0)) > 2) fail("integers of 32 bits are pooled");
  write_pool(node, node.op<MaxPool>(), "MAX_POOL_2D");
}

void write_avg_pool(WriteNode& node) {
  const auto& op = node.op<AvgPool>();
  if (op.divisor != Divisor::inside && (has_pads(op) || op.ceil)) fail("pads count in the mean");
  write_pool(node, op, "AVERAGE_POOL_2D");
}

// The square root of the sum of squares.
void write_lrn(WriteNode& node) {
  const auto& op = node.op<Lrn>();
  if (op.size % 2 == 0 || node.dims(0).size() != 4)
    fail("the neighbours of a channel are not as many on both sides");
  node.emit_to(
      node.outs(), "LOCAL_RESPONSE_NORMALIZATION", {node.in(0)},
      {Attribute::of("radius", (op.size - 1) / 2), Attribute::of("bias", op.bias),
       Attribute::of("alpha", op.alpha / static_cast<double>(op.size)), Attribute::of("beta", op.beta)});
}

}  // namespace

void write_pool_rows(Rows& rows) {
  rows.write<MaxPool>(since(1), write_max_pool);
  rows.write<AvgPool>(since(1), write_avg_pool);
  rows.write<Lrn>(since(1), write_lrn);
}

}  // namespace remodel::tflite
