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

template <class T>
Attributes seeds(const T& op) {
  if (!op.seeded) return {};
  const auto whole = static_cast<int64_t>(op.seed);
  // Where both are 0 the runtime chooses.
  return {Attribute::of("seed", whole), Attribute::of("seed2", int64_t{whole == 0})};
}

template <class T>
void write_random(WriteNode& node, const char* type) {
  const auto& op = node.op<T>();
  const Id shape = node.has(0) ? node.in(0) : node.sizes(op.shape);
  node.emit_to(node.outs(), type, {shape}, seeds(op));
}

void write_uniform(WriteNode& node) {
  const auto& op = node.op<RandomUniform>();
  if (op.dtype != DType::f32 || op.low != 0 || op.high != 1)
    fail("LiteRT's random numbers are f32 from 0 to 1");
  write_random<RandomUniform>(node, "RANDOM_UNIFORM");
}

void write_normal(WriteNode& node) {
  const auto& op = node.op<RandomNormal>();
  if (op.dtype != DType::f32 || op.mean != 0 || op.deviation != 1)
    fail("LiteRT's random numbers are f32 around 0 with a deviation of 1");
  write_random<RandomNormal>(node, "RANDOM_STANDARD_NORMAL");
}

void write_multinomial(WriteNode& node) {
  const auto& op = node.op<Multinomial>();
  const Id count = node.reshape(node.sizes({op.count}), {});
  node.emit_to(node.outs(), "MULTINOMIAL", {node.in(0), count}, seeds(op));
}

}  // namespace

void random_rows(Rows& rows) {
  rows.write<RandomUniform>(since(1), write_uniform);
  rows.write<RandomNormal>(since(1), write_normal);
  rows.write<Multinomial>(since(1), write_multinomial);
  rows.read("RANDOM_UNIFORM", since(1), read_random<RandomUniform>);
  rows.read("RANDOM_STANDARD_NORMAL", since(1), read_random<RandomNormal>);
  rows.read("MULTINOMIAL", since(1), read_multinomial);
}

}  // namespace remodel::tflite
