#include "ops/detection.h"

#include "formats/tflite/rows.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel::tflite {
namespace {

double known_real(ReadNode& node, size_t i, const char* what) {
  const ConstantPtr constant = node.constant(i);
  if (!constant || constant->count() != 1) fail("the {} is only known when it runs", what);
  return constant->tensor().doubles()[0];
}

// (boxes [n, 4], scores [n], most, overlap, threshold): indices, their scores where wanted, and how many
// there are; what is behind them is 0.
void emit_selection(ReadNode& node, bool scores_too) {
  const auto most = node.sizes(2);
  if (!most || most->size() != 1) fail("the number of boxes is only known when it runs");
  NonMaxSuppression op;
  op.most = (*most)[0];
  op.overlap = known_real(node, 3, "overlap");
  op.has_threshold = true;
  op.threshold = known_real(node, 4, "threshold");
  const ValueId boxes = node.emit(Unsqueeze{{0}}, {node.input(0)}),
                scores = node.emit(Unsqueeze{{0, 1}}, {node.input(1)});
  const ValueId rows = node.emit(op, {boxes, scores});
  const ValueId indices = node.emit(Squeeze{{1}}, {node.emit(Slice{{1}, {2}, {1}, {1}}, {rows})});
  const Dim found = (*node.graph().value(indices).type.dims)[0];
  Pad pad;
  pad.low = {0}, pad.high = {op.most - found};
  node.result(0, node.emit(pad, {indices}));
  if (scores_too) node.result(1, node.emit(pad, {node.emit(Gather{}, {node.input(1), indices})}));
  node.result(scores_too ? 2 : 1, node.emit(Squeeze{{0}}, {node.emit(ShapeOf{}, {indices})}));
}

void read_v4(ReadNode& node) { emit_selection(node, false); }

void read_v5(ReadNode& node) {
  if (known_real(node, 5, "decay") != 0) fail("scores that decay (soft selection) are not supported");
  emit_selection(node, true);
}

}  // namespace

void detection_rows(Rows& rows) {
  rows.read("NON_MAX_SUPPRESSION_V4", since(1), read_v4);
  rows.read("NON_MAX_SUPPRESSION_V5", since(1), read_v5);
}

}  // namespace remodel::tflite
