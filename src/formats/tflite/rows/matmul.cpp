#include "ops/matmul.h"

#include "formats/tflite/rows.h"
#include "ops/binary.h"
#include "ops/shape.h"

namespace remodel::tflite {
namespace {

// Weights are [out, in]; all of x but its last axis, or what the weights make of it, is batch.
void read_fully_connected(ReadNode& node) {
  if (node.word("weights_format") != "DEFAULT") fail("its weights are shuffled, as a runtime keeps them");
  node.ignore("quantized_bias_type");
  // Weights in blocks always meet codes with a zero point.
  const bool blocks = node.input_tensor(1).quantization.block > 0;
  const bool asymmetric = node.truth("asymmetric_quantize_inputs") || blocks,
             keep = node.truth("keep_num_dims");
  const auto& w = node.type(1).dims;
  if (!w || w->size() != 2) fail("its weights are {}", node.type(1).text());
  const Dim in = (*w)[1], out = (*w)[0];
  ValueId x = node.input(0);
  if (!node.type(0).dims) fail("the rank of its operand is not known");
  Dims dims = *node.type(0).dims;
  const bool flat = dims.size() == 2 && dims.back() == in;
  const bool whole = keep && !dims.empty() && dims.back() == in;
  const Dim batch = floor_div(product(dims), in);
  if (!flat && !whole) x = node.emit(Reshape{{batch, in}, false}, {x});
  if (node.hybrid(0, 1)) {
    // Each row is rounded by itself.
    const ValueId rows = flat || !whole ? x : node.emit(Reshape{{batch, in}, false}, {x});
    x = node.rounded_rows_of(rows, asymmetric);
    if (whole && !flat) x = node.emit(Reshape{dims, false}, {x});
  }
  MatMul op;
  op.transpose_b = true;
  ValueId y = node.emit(op, {x, node.weights(1, {0, 1})});
  if (node.has_input(2)) y = node.emit(Add{}, {y, node.bias(2, 0, 1)});
  if (keep && !whole && !dims.empty()) {
    dims.back() = out;
    y = node.emit(Reshape{dims, false}, {y});
  }
  node.result(0, node.activated(y));
}

void read_batch_matmul(ReadNode& node) {
  MatMul op;
  op.transpose_a = node.truth("adj_x");
  op.transpose_b = node.truth("adj_y");
  if (node.output_tensor(0).type == TensorType::INT32) {
    // The codes themselves are summed, whatever they stand for.
    op.out = DType::i32;
    node.ignore("asymmetric_quantize_inputs");
    return node.emit_results(op, {node.raw(0), node.raw(1)});
  }
  const bool asymmetric = node.truth("asymmetric_quantize_inputs");
  ValueId x = node.input(0);
  if (node.hybrid(0, 1)) {
    if (op.transpose_a) fail("a transposed operand that meets quantized weights is not supported");
    const Dims dims = node.dims_of(0, 1);
    const ValueId rows = node.emit(Reshape{{floor_div(product(dims), dims.back()), dims.back()}, false}, {x});
    x = node.emit(Reshape{dims, false}, {node.rounded_rows_of(rows, asymmetric)});
  }
  node.emit_results(op, {x, node.input(1)});
}

}  // namespace

void matmul_rows(Rows& rows) {
  rows.read("FULLY_CONNECTED", since(1), read_fully_connected);
  rows.read("BATCH_MATMUL", since(1), read_batch_matmul);
}

}  // namespace remodel::tflite
