#include "ops/random.h"

#include "formats/onnx/rows.h"
#include "ops/shape.h"

namespace remodel::onnx {
namespace {

template <class T>
void read_seed(ReadNode& node, T& op) {
  op.seeded = node.has("seed");
  op.seed = node.real("seed", 0);
}

// The shape is an attribute, or another tensor's, whose dtype counts where none is given.
template <class T>
void read_random(ReadNode& node, T op, bool like) {
  read_seed(node, op);
  DType otherwise = like ? node.type(0).dtype : DType::f32;
  op.dtype = node.has("dtype") ? dtype_of_code(node.integer("dtype")) : otherwise;
  if (op.dtype == DType::unknown) fail("its element type is not known");
  if (!like) {
    op.shape = to_dims(node.integers("shape"));
    return node.emit_results(op, {});
  }
  if (node.type(0).dims) {
    op.shape = *node.type(0).dims;
    return node.emit_results(op, {});
  }
  node.emit_results(op, {node.emit(ShapeOf{}, {node.input(0)})});
}

template <bool like>
void read_uniform(ReadNode& node) {
  RandomUniform op;
  op.low = node.real("low", 0);
  op.high = node.real("high", 1);
  read_random(node, op, like);
}

template <bool like>
void read_normal(ReadNode& node) {
  RandomNormal op;
  op.mean = node.real("mean", 0);
  op.deviation = node.real("scale", 1);
  read_random(node, op, like);
}

template <class T>
void add_seed(const T& op, Attributes& attributes) {
  if (op.seeded) attributes.push_back(Attribute::of("seed", op.seed));
}

template <class T>
void write_random(WriteNode& node, const std::string& type, Attributes attributes) {
  const auto& op = node.op<T>();
  add_seed(op, attributes);
  // bfloat16 came with opset 22.
  DType dtype = op.dtype == DType::bf16 && node.opset() < 22 ? DType::f32 : op.dtype;
  if (dtype != DType::f32) attributes.push_back(Attribute::of("dtype", code_of_dtype(dtype)));
  auto shape = node.has(0) ? std::nullopt : numbers(op.shape);
  std::vector<std::string> inputs;
  std::string emitted = type;
  if (shape) {
    attributes.push_back(Attribute::of("shape", *shape));
  } else {
    inputs.push_back(node.emit("ConstantOfShape", {node.has(0) ? node.in(0) : node.sizes(op.shape)}));
    emitted += "Like";
  }
  if (dtype == op.dtype) return node.emit_to(node.outs(), emitted, inputs, attributes);
  node.emit_to(node.outs(), "Cast", {node.emit(emitted, inputs, attributes)},
               {Attribute::of("to", code_of_dtype(op.dtype))});
}

void write_uniform(WriteNode& node) {
  const auto& op = node.op<RandomUniform>();
  write_random<RandomUniform>(node, "RandomUniform",
                              {Attribute::of("low", op.low), Attribute::of("high", op.high)});
}

void write_normal(WriteNode& node) {
  const auto& op = node.op<RandomNormal>();
  write_random<RandomNormal>(node, "RandomNormal",
                             {Attribute::of("mean", op.mean), Attribute::of("scale", op.deviation)});
}

void read_bernoulli(ReadNode& node) {
  Bernoulli op;
  read_seed(node, op);
  if (node.has("dtype")) op.dtype = dtype_of_code(node.integer("dtype"));
  node.emit_results(op, {node.input(0)});
}

void write_bernoulli(WriteNode& node) {
  const auto& op = node.op<Bernoulli>();
  Attributes attributes;
  add_seed(op, attributes);
  DType dtype = op.dtype == DType::unknown ? node.dtype(0) : op.dtype;
  if (node.opset() >= 15) {
    if (op.dtype != DType::unknown) attributes.push_back(Attribute::of("dtype", code_of_dtype(dtype)));
    return node.emit_to(node.outs(), "Bernoulli", node.ins(), attributes);
  }
  std::string random = node.emit("RandomUniformLike", node.ins(), attributes);
  node.emit_to(node.outs(), "Cast", {node.emit("Less", {random, node.in(0)})},
               {Attribute::of("to", code_of_dtype(dtype))});
}

void read_multinomial(ReadNode& node) {
  Multinomial op;
  read_seed(node, op);
  op.count = node.integer("sample_size", 1);
  op.dtype = dtype_of_code(node.integer("dtype", code_of_dtype(DType::i32)));
  node.emit_results(op, {node.input(0)});
}

void write_multinomial(WriteNode& node) {
  const auto& op = node.op<Multinomial>();
  if (!op.count.is_number()) fail("the number of samples depends on an input's size");
  Attributes attributes{Attribute::of("sample_size", op.count.number()),
                        Attribute::of("dtype", code_of_dtype(op.dtype))};
  add_seed(op, attributes);
  node.emit_to(node.outs(), "Multinomial", node.ins(), attributes);
}

}  // namespace

void random_rows(Rows& rows) {
  rows.read("RandomUniform", since(1), read_uniform<false>);
  rows.read("RandomUniformLike", since(1), read_uniform<true>);
  rows.write<RandomUniform>(since(9), write_uniform);
  rows.read("RandomNormal", since(1), read_normal<false>);
  rows.read("RandomNormalLike", since(1), read_normal<true>);
  rows.write<RandomNormal>(since(9), write_normal);
  rows.read("Bernoulli", since(15), read_bernoulli);
  rows.write<Bernoulli>(since(9), write_bernoulli);
  rows.read("Multinomial", since(7), read_multinomial);
  rows.write<Multinomial>(since(7), write_multinomial);
}

}  // namespace remodel::onnx
