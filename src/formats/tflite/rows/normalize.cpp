#include "ops/normalize.h"

#include "formats/tflite/rows.h"

namespace remodel::tflite {
namespace {

void read_l2_norm(ReadNode& node) {
  LpNorm op;
  op.epsilon = 1e-6;
  op.floor = NormFloor::max_norm;
  node.result(0, node.activated(node.emit(op, {node.input(0)})));
}

// alpha is that of the sum, not of the mean.
void read_lrn(ReadNode& node) {
  Lrn op;
  op.channels = Channels::last;
  op.size = 2 * node.integer("radius") + 1;
  op.alpha = node.real("alpha") * static_cast<double>(op.size);
  op.beta = node.real("beta");
  op.bias = node.real("bias");
  node.emit_results(op, {node.input(0)});
}

}  // namespace

void normalize_rows(Rows& rows) {
  rows.read("L2_NORMALIZATION", since(1), read_l2_norm);
  rows.read("LOCAL_RESPONSE_NORMALIZATION", since(1), read_lrn);
}

}  // namespace remodel::tflite
