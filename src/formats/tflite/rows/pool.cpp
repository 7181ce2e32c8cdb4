#include "ops/pool.h"

#include "formats/tflite/rows.h"
#include "formats/tflite/rows/window.h"
#include "ops/binary.h"
#include "ops/unary.h"

namespace remodel::tflite {
namespace {

template <class T>
T read_pooling(ReadNode& node) {
  T op;
  op.window = {node.integer("filter_height"), node.integer("filter_width")};
  read_sliding(node, 0, op.window, false, op);
  return op;
}

template <class T>
void read_pool(ReadNode& node) {
  node.result(0, node.activated(node.emit(read_pooling<T>(node), {node.input(0)})));
}

// The root of the mean of squares.
void read_l2_pool(ReadNode& node) {
  const AvgPool op = read_pooling<AvgPool>(node);
  const ValueId squares = node.emit(Mul{}, {node.input(0), node.input(0)});
  node.result(0, node.activated(node.emit(Sqrt{}, {node.emit(op, {squares})})));
}

}  // namespace

void pool_rows(Rows& rows) {
  rows.read("AVERAGE_POOL_2D", since(1), read_pool<AvgPool>);
  rows.read("MAX_POOL_2D", since(1), read_pool<MaxPool>);
  rows.read("L2_POOL_2D", since(1), read_l2_pool);
}

}  // namespace remodel::tflite
