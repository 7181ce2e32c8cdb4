#include "ops/generate.h"

#include <algorithm>
#include <iterator>

#include "formats/onnx/rows.h"
#include "ops/shape.h"

namespace remodel::onnx {
namespace {

// A constant may stand in any of these attributes.
void read_constant(ReadNode& node) {
  ConstantPtr constant;
  if (ConstantPtr dense = node.tensor("value")) constant = dense;
  if (auto sparse = node.attribute("sparse_value"); sparse && sparse->tensors.size() == 1)
    constant = sparse->tensors[0];
  if (node.has("value_float")) {
    float value = static_cast<float>(node.real("value_float", 0));
    constant = constant_tensor(Tensor::of<float>(DType::f32, {}, {value}));
  }
  if (node.has("value_int"))
    constant = constant_tensor(Tensor::of<int64_t>(DType::i64, {}, {node.integer("value_int")}));
  if (node.has("value_string")) constant = constant_strings({}, {node.text("value_string", "")});
  if (node.has("value_floats")) {
    std::vector<double> values = node.reals("value_floats");
    std::vector<float> floats(values.begin(), values.end());
    constant = constant_tensor(Tensor::of<float>(DType::f32, {static_cast<int64_t>(floats.size())}, floats));
  }
  if (node.has("value_ints")) constant = constant_ints(node.integers("value_ints"));
  if (node.has("value_strings")) {
    std::vector<std::string> values = node.texts("value_strings");
    constant = constant_strings({static_cast<int64_t>(values.size())}, values);
  }
  if (!constant) fail("it has no value");
  node.result(0, node.add_constant(constant));
}

void read_constant_of_shape(ReadNode& node) {
  ConstantPtr value = node.tensor("value");
  if (!value) value = constant_splat(DType::f32, {}, 0);
  if (value->count() != 1) fail("the value has {} elements", value->count());
  value = value->reshaped({});
  auto shape = node.sizes(0);
  if (!shape) return node.emit_results(Expand{}, {node.add_constant(value), node.input(0)});
  auto known = numbers(*shape);
  check_sizes(*shape);
  if (known && count_of(*known) <= 1024) return node.result(0, node.add_constant(value->expanded(*known)));
  node.emit_results(Expand{*shape}, {node.add_constant(value)});
}

void read_range(ReadNode& node) {
  auto start = node.sizes(0), limit = node.sizes(1), delta = node.sizes(2);
  DType dtype = node.type(0).dtype;
  bool known = is_integer(dtype) && start && limit && delta;
  for (const auto& bound : {start, limit, delta})
    if (bound && bound->size() != 1) fail("a range's bounds must be scalars");
  auto size = known ? range_size((*start)[0], (*limit)[0], (*delta)[0]) : std::nullopt;
  if (!size) return node.emit_results(Range{}, {node.input(0), node.input(1), node.input(2)});
  node.emit_results(Range{dtype, (*start)[0], *size, (*delta)[0].number()}, {});
}

void write_range(WriteNode& node) {
  const auto& op = node.op<Range>();
  if (node.inputs() > 0) return node.emit_to(node.outs(), "Range", node.ins());
  std::vector<std::string> inputs;
  for (const Dim& bound : {op.start, op.start + op.size * Dim(op.step), Dim(op.step)}) {
    if (op.dtype == DType::i64)
      inputs.push_back(node.scalar_size(bound));
    else if (bound.is_number())
      inputs.push_back(node.constant(
          constant_cast(constant_tensor(Tensor::of<int64_t>(DType::i64, {}, {bound.number()})), op.dtype)));
    else
      inputs.push_back(node.cast(node.scalar_size(bound), op.dtype));
  }
  node.emit_to(node.outs(), "Range", inputs);
}

void read_one_hot(ReadNode& node) {
  OneHot op;
  op.axis = node.integer("axis", -1);
  if (node.type(0).dims) op.axis = resolve_axis(op.axis, node.rank(0) + 1);
  // Opset 9 says that negative indices are outside, but runtimes count them from the end at every version.
  op.wrap = true;
  auto depth = node.sizes(1);
  if (depth && depth->size() != 1) fail("the depth has {} elements", depth->size());
  if (!depth) return node.emit_results(op, {node.input(0), node.input(2), node.input(1)});
  op.depth = (*depth)[0];
  node.emit_results(op, {node.input(0), node.input(2)});
}

void write_one_hot(WriteNode& node) {
  const auto& op = node.op<OneHot>();
  std::string depth = node.has(2) ? node.in(2) : node.sizes({op.depth});
  node.emit_to(node.outs(), "OneHot", {node.in(0), depth, node.in(1)}, {Attribute::of("axis", op.axis)});
}

void read_eye_like(ReadNode& node) {
  Eye op;
  op.k = node.integer("k", 0);
  op.dtype = node.has("dtype") ? dtype_of_code(node.integer("dtype")) : node.type(0).dtype;
  if (node.type(0).dims) {
    op.shape = *node.type(0).dims;
    return node.emit_results(op, {});
  }
  node.emit_results(op, {node.emit(ShapeOf{}, {node.input(0)})});
}

void write_eye(WriteNode& node) {
  const auto& op = node.op<Eye>();
  std::string like = node.emit("ConstantOfShape", {node.has(0) ? node.in(0) : node.sizes(op.shape)});
  Attributes attributes;
  // ONNX Runtime has kernels for these.
  static constexpr DType made[] = {DType::f32, DType::f64, DType::i32, DType::i64, DType::u64};
  const bool direct = std::find(std::begin(made), std::end(made), op.dtype) != std::end(made);
  if (direct && op.dtype != DType::f32) attributes.push_back(Attribute::of("dtype", code_of_dtype(op.dtype)));
  if (op.k != 0) attributes.push_back(Attribute::of("k", op.k));
  if (direct) return node.emit_to(node.outs(), "EyeLike", {like}, attributes);
  node.emit_to(node.outs(), "Cast", {node.emit("EyeLike", {like}, attributes)},
               {Attribute::of("to", code_of_dtype(op.dtype))});
}

void read_triangle(ReadNode& node) {
  Triangle op{node.integer("upper", 1) != 0, 0};
  if (!node.has_input(1)) return node.emit_results(op, {node.input(0)});
  auto k = node.sizes(1);
  if (k && k->size() != 1) fail("k has {} elements", k->size());
  if (!k) return node.emit_results(op, {node.input(0), node.input(1)});
  op.k = (*k)[0];
  node.emit_results(op, {node.input(0)});
}

void write_triangle(WriteNode& node) {
  const auto& op = node.op<Triangle>();
  std::vector<std::string> inputs{node.in(0)};
  if (node.has(1))
    inputs.push_back(node.in(1));
  else if (!op.k.is_number(0))
    inputs.push_back(node.scalar_size(op.k));
  Attributes attributes;
  if (!op.upper) attributes.push_back(Attribute::of("upper", int64_t{0}));
  node.emit_to(node.outs(), "Trilu", inputs, attributes);
}

std::string counts_from_end(const WriteNode& node) {
  return node.op<OneHot>().wrap ? "" : "ONNX counts negative indices from the end";
}

}  // namespace

void generate_rows(Rows& rows) {
  rows.read("Constant", since(1), read_constant);
  rows.read("ConstantOfShape", since(9), read_constant_of_shape);
  rows.read("Range", since(11), read_range);
  rows.write<Range>(since(11), write_range);
  rows.read("OneHot", since(9), read_one_hot);
  rows.write<OneHot>(since(9), write_one_hot, counts_from_end);
  rows.read("EyeLike", since(9), read_eye_like);
  rows.write<Eye>(since(9), write_eye);
  rows.read("Trilu", since(14), read_triangle);
  rows.write<Triangle>(since(14), write_triangle);
}

}  // namespace remodel::onnx
