#include "ops/random.h"

#include "formats/tflite/rows.h"

namespace remodel::tflite {
namespace {

template <class T>
void seed(ReadNode& node, T& op) {
  const int64_t first = node.integer("seed"), second = node.integer("seed2");
  op.seeded = first != 0 || second != 0;
  op.seed = static_cast<double>(first != 0 ? first : second);
}

template <class T>
void read_random(ReadNode& node) {
  T op;
  seed(node, op);
  if (const auto shape = node.sizes(0)) {
    op.shape = *shape;
    return node.emit_results(op, {});
  }
  node.emit_results(op, {node.input(0)});
}

void read_multinomial(ReadNode& node) {
  Multinomial op;
  seed(node, op);
  const auto count = node.sizes(1);
  if (!count || count->size() != 1) fail("the number of samples is only known when it runs");
  op.count = (*count)[0];
  op.dtype = *dtype_of(node.output_tensor(0).type);
  node.emit_results(op, {node.input(0)});
}

}  // namespace

void random_rows(Rows& rows) {
  rows.read("RANDOM_UNIFORM", since(1), read_random<RandomUniform>);
  rows.read("RANDOM_STANDARD_NORMAL", since(1), read_random<RandomNormal>);
  rows.read("MULTINOMIAL", since(1), read_multinomial);
}

}  // namespace remodel::tflite
