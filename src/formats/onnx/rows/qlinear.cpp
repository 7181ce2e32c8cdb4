// Operators on quantized tensors, read as arithmetic on real numbers between dequantize and quantize, and
// written from it where ai.onnx has the operator: QLinearConv and QLinearMatMul.
#include "formats/onnx/rows.h"
#include "formats/onnx/rows/window.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/cluster.h"
#include "ops/conv.h"
#include "ops/matmul.h"
#include "ops/pool.h"
#include "ops/quantize.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel::onnx {
namespace {

// Input x with its scale and zero point, as real numbers in f32. Several scales go along `axis`.
ValueId real(ReadNode& node, size_t x, size_t scale, size_t zero, int64_t axis = 0) {
  const Type& type = node.type(scale);
  if (!has_one_element(type) && !type.has_rank(1)) fail("scales {} are not supported", type.text());
  Dequantize op;
  if (!has_one_element(type)) op.axis = axis;
  return node.emit(op, {node.input(x), node.input(scale), node.input_or_absent(zero)});
}

// The node's result: a real value on the grid of its output.
void emit_quantized(ReadNode& node, ValueId value, size_t scale, size_t zero, DType otherwise = DType::u8) {
  Quantize op;
  op.to = node.has_input(zero) ? node.type(zero).dtype : otherwise;
  node.emit_results(op, {value, node.input(scale), node.input_or_absent(zero)});
}

// a * b of scales in f32, of which one at least is single.
Tensor scale_product(const Constant& a, const Constant& b) {
  Tensor left = a.tensor(), right = b.tensor();
  if (left.count() == 1) std::swap(left, right);
  Tensor product(DType::f32, left.shape());
  for (int64_t i = 0; i < left.count(); ++i)
    product.to<float>()[i] = left.as<float>()[i] * right.as<float>()[0];
  return product;
}

// The same of values; constants stay constants.
ValueId scale_product(ReadNode& node, ValueId a, ValueId b) {
  const ConstantPtr &x = node.graph().value(a).constant, &y = node.graph().value(b).constant;
  bool known =
      x && y && x->dtype() == DType::f32 && y->dtype() == DType::f32 && (x->count() == 1 || y->count() == 1);
  if (!known) return node.emit(Mul{}, {a, b});
  return node.add_constant(constant_tensor(scale_product(*x, *y)));
}

// A bias of 32-bit integers on the grid of a product.
ValueId real_bias(ReadNode& node, size_t bias, ValueId scale) {
  return node.emit(Dequantize{}, {node.input(bias), scale});
}

// The cluster that ends in `quantize`, where op and quantize come from one node of the source: that one was
// an operator on integers. What came as separate nodes stays so, as runtimes expect. The dequantizes do not
// tell: equal ones are merged.
std::optional<Cluster> cluster_of_one_node(const WriteNode& quantize) {
  const Graph& graph = quantize.graph();
  NodeId op = graph.value(quantize.node().inputs[0]).producer;
  const Origin& origin = quantize.node().origin;
  if (op == absent || origin.size() != 1 || graph.node(op).origin != origin) return std::nullopt;
  std::optional<Cluster> cluster = cluster_of(graph, op);
  return cluster && cluster->op == op && cluster->moves.empty() ? cluster : std::nullopt;
}

bool is_byte(DType dtype) { return dtype == DType::u8 || dtype == DType::i8; }
bool is_single(const Grid& grid) { return grid.scale->count() == 1; }

// Operand i is integers on a known grid, dequantized in f32.
bool is_quantized(const Graph& graph, const Cluster& cluster, size_t i) {
  return i < cluster.integers.size() && cluster.integers[i] != absent && cluster.grids[i] &&
         cluster.grids[i]->scale->dtype() == DType::f32 &&
         graph.value(graph.node(cluster.op).inputs[i]).type.dtype == DType::f32;
}

// Between bytes, as the operators take them: grids are single, but that of the weights, operand 1, may go
// along `channels`.
bool is_byte_product(const WriteNode& quantize, const Cluster& cluster, int64_t channels) {
  const Graph& graph = quantize.graph();
  for (size_t i : {0, 1})
    if (!is_quantized(graph, cluster, i) || !is_byte(graph.value(cluster.integers[i]).type.dtype))
      return false;
  const Grid& weights = *cluster.grids[1];
  const auto& to = quantize.op<Quantize>();
  return is_single(*cluster.grids[0]) &&
         (is_single(weights) || (weights.axis == channels && weights.block == 0)) && cluster.result &&
         is_single(*cluster.result) && cluster.result->scale->dtype() == DType::f32 && is_byte(to.to) &&
         !to.half_away && to.precision == DType::unknown;
}

// All of the cluster but its quantize.
std::vector<NodeId> inside(const Graph& graph, const Cluster& cluster) {
  std::vector<NodeId> nodes{cluster.op};
  for (ValueId input : graph.node(cluster.op).inputs)
    if (graph.producer(input)) nodes.push_back(graph.value(input).producer);
  return nodes;
}

// Scale and zero point: scalars, or lists.
void append_grid(WriteNode& node, const Grid& grid, DType dtype, std::vector<std::string>& to) {
  for (const ConstantPtr& part :
       {grid.scale, grid.zero ? grid.zero : constant_splat(dtype, grid.scale->shape(), 0)})
    to.push_back(node.constant(part->reshaped(part->count() == 1 ? Shape{} : Shape{part->count()})));
}

// x, scale, zero, w, scale, zero, y scale, y zero: what the operators begin with.
std::vector<std::string> byte_product_inputs(WriteNode& quantize, const Cluster& cluster) {
  std::vector<std::string> inputs;
  for (size_t i : {0, 1}) {
    inputs.push_back(quantize.name_of(cluster.integers[i]));
    append_grid(quantize, *cluster.grids[i], quantize.graph().value(cluster.integers[i]).type.dtype, inputs);
  }
  append_grid(quantize, *cluster.result, quantize.op<Quantize>().to, inputs);
  return inputs;
}

// (x, w, x zero?, w zero?)
void read_conv_integer(ReadNode& node) {
  Conv op;
  op.out = DType::i32;
  op.groups = node.integer("group", 1);
  read_sliding(node, read_window(node, 1), op);
  node.emit_results(op,
                    {node.input(0), node.input(1), absent, node.input_or_absent(2), node.input_or_absent(3)});
}

std::string cannot_write_conv_integer(const WriteNode& node) {
  const auto& op = node.op<Conv>();
  if (op.out == DType::unknown && !node.has(3) && !node.has(4)) return "its operands are not small integers";
  if (bits_of(node.dtype(0)) != 8 || bits_of(node.dtype(1)) != 8) return "its operands do not have 8 bits";
  return sliding_problem(node, op, window_of_weights(node));
}

void write_conv_integer(WriteNode& node) {
  std::vector<std::string> inputs{node.in(0), node.in(1), node.in(3), node.in(4)};
  while (inputs.back().empty()) inputs.pop_back();
  node.emit_to(node.outs(), "ConvInteger", inputs, conv_attributes(node));
}

// (x, scale, zero, w, scale, zero, y scale, y zero, bias?)
void read_qlinear_conv(ReadNode& node) {
  Conv op;
  op.groups = node.integer("group", 1);
  if (node.integer("channels_last", 0) != 0) op.channels = Channels::last;
  read_sliding(node, read_window(node, 3), op);
  std::vector<ValueId> operands{real(node, 0, 1, 2), real(node, 3, 4, 5)};
  if (node.has_input(8))
    operands.push_back(real_bias(node, 8, scale_product(node, node.input(1), node.input(4))));
  emit_quantized(node, node.emit(op, operands), 6, 7);
}

// Operand 2 is 32-bit integers on the grid of the product.
bool is_product_bias(const Graph& graph, const Cluster& cluster) {
  if (!is_quantized(graph, cluster, 2) || cluster.grids[2]->zero) return false;
  Tensor product = scale_product(*cluster.grids[0]->scale, *cluster.grids[1]->scale);
  return graph.value(cluster.integers[2]).type.dtype == DType::i32 &&
         cluster.grids[2]->scale->tensor().doubles() == product.doubles();
}

std::vector<NodeId> inside_qlinear_conv(const WriteNode& quantize) {
  auto cluster = cluster_of_one_node(quantize);
  if (!cluster || !quantize.graph().node(cluster->op).op.is<Conv>()) return {};
  const WriteNode conv = quantize.at(cluster->op);
  const auto& op = conv.op<Conv>();
  bool says = op.out == DType::unknown && sliding_problem(conv, op, window_of_weights(conv)).empty() &&
              is_byte_product(quantize, *cluster, 0) &&
              (!conv.has(2) || is_product_bias(conv.graph(), *cluster));
  return says ? inside(conv.graph(), *cluster) : std::vector<NodeId>();
}

void write_qlinear_conv(WriteNode& quantize, const std::vector<NodeId>& inner) {
  const WriteNode conv = quantize.at(inner[0]);
  const Cluster cluster = *cluster_of(conv.graph(), inner[0]);
  std::vector<std::string> inputs = byte_product_inputs(quantize, cluster);
  if (conv.has(2)) inputs.push_back(quantize.name_of(cluster.integers[2]));
  quantize.emit_to(quantize.outs(), "QLinearConv", inputs, conv_attributes(conv));
}

// (a, scale, zero, b, scale, zero, y scale, y zero): scales one a row of a, one a column of b.
void read_qlinear_matmul(ReadNode& node) {
  int64_t rows = has_one_element(node.type(1)) ? 0 : node.rank(0) - 2,
          columns = has_one_element(node.type(4)) ? 0 : node.rank(3) - 1;
  ValueId a = real(node, 0, 1, 2, rows), b = real(node, 3, 4, 5, columns);
  emit_quantized(node, node.emit(MatMul{}, {a, b}), 6, 7);
}

std::vector<NodeId> inside_qlinear_matmul(const WriteNode& quantize) {
  auto cluster = cluster_of_one_node(quantize);
  if (!cluster || !quantize.graph().node(cluster->op).op.is<MatMul>()) return {};
  const WriteNode product = quantize.at(cluster->op);
  const auto& op = product.op<MatMul>();
  bool says = op.out == DType::unknown && !op.transpose_a && !op.transpose_b &&
              is_byte_product(quantize, *cluster, product.rank(1) - 1);
  return says ? inside(product.graph(), *cluster) : std::vector<NodeId>();
}

void write_qlinear_matmul(WriteNode& quantize, const std::vector<NodeId>& inner) {
  const Cluster cluster = *cluster_of(quantize.graph(), inner[0]);
  quantize.emit_to(quantize.outs(), "QLinearMatMul", byte_product_inputs(quantize, cluster));
}

// com.microsoft: (a, scale, zero, b, scale, zero, c?, y scale?, y zero?); without a zero point of y it is a
// real number.
void read_qgemm(ReadNode& node) {
  MatMul product;
  product.transpose_a = node.integer("transA", 0) != 0;
  product.transpose_b = node.integer("transB", 0) != 0;
  double alpha = node.real("alpha", 1);
  ValueId a = real(node, 0, 1, 2), b = real(node, 3, 4, 5, product.transpose_b ? 0 : 1);
  ValueId y = node.emit(product, {a, b});
  if (alpha != 1) y = node.emit(Mul{}, {y, node.add_scalar(DType::f32, alpha)});
  if (node.has_input(6)) {
    ValueId scale = scale_product(node, node.input(1), node.input(4));
    if (alpha != 1) scale = scale_product(node, scale, node.add_scalar(DType::f32, alpha));
    Dequantize bias;
    bias.axis = node.rank(6) - 1;
    if (has_one_element(node.graph().value(scale).type)) bias.axis = 0;
    y = node.emit(Add{}, {y, node.emit(bias, {node.input(6), scale})});
  }
  if (node.has_input(8)) return emit_quantized(node, y, 7, 8);
  node.result(0, y);
}

template <class T>
void read_qlinear_binary(ReadNode& node) {
  ValueId a = real(node, 0, 1, 2), b = real(node, 3, 4, 5);
  emit_quantized(node, node.emit(T{}, {a, b}), 6, 7, node.type(0).dtype);
}

void emit_unary(ReadNode& node, Op op) {
  emit_quantized(node, node.emit(std::move(op), {real(node, 0, 1, 2)}), 3, 4, node.type(0).dtype);
}

void read_qlinear_leaky_relu(ReadNode& node) {
  LeakyRelu op;
  op.alpha = node.real("alpha", 0.01f);
  emit_unary(node, op);
}

void read_qlinear_softmax(ReadNode& node) {
  Softmax op;
  int64_t opset = node.integer("opset");
  op.axis = node.integer("axis", opset < 13 ? 1 : -1);
  if (opset < 13 && resolve_axis(op.axis, node.rank(0)) + 1 != node.rank(0))
    fail("a softmax over several axes is not supported");
  emit_unary(node, op);
}

void read_qlinear_average_pool(ReadNode& node) {
  AvgPool op;
  if (node.integer("channels_last", 0) != 0) op.channels = Channels::last;
  read_pooling(node, op);
  if (node.integer("count_include_pad", 0) != 0) op.divisor = Divisor::padded;
  emit_unary(node, op);
}

void read_qlinear_global_average_pool(ReadNode& node) {
  Reduce op;
  op.kind = Reduce::Kind::mean;
  bool last = node.integer("channels_last", 0) != 0;
  for (int64_t axis = last ? 1 : 2; axis < node.rank(0) - (last ? 1 : 0); ++axis) op.axes.push_back(axis);
  emit_unary(node, op);
}

void read_qlinear_reduce_mean(ReadNode& node) {
  Reduce op;
  op.kind = Reduce::Kind::mean;
  op.keep = node.integer("keepdims", 1) != 0;
  for (int64_t axis : node.integers("axes")) op.axes.push_back(resolve_axis(axis, node.rank(0)));
  for (int64_t axis = 0; !node.has("axes") && axis < node.rank(0); ++axis) op.axes.push_back(axis);
  emit_unary(node, op);
}

// (y scale, y zero, then x, scale, zero for each part)
void read_qlinear_concat(ReadNode& node) {
  Concat op;
  op.axis = node.integer("axis");
  std::vector<ValueId> parts;
  if (node.inputs() < 5 || (node.inputs() - 2) % 3 != 0) fail("there are {} inputs", node.inputs());
  for (size_t i = 2; i < node.inputs(); i += 3) parts.push_back(real(node, i, i + 1, i + 2));
  emit_quantized(node, node.emit(op, parts), 0, 1, node.type(2).dtype);
}

// (condition, x, scale, zero, y, scale, zero, z scale, z zero)
void read_qlinear_where(ReadNode& node) {
  ValueId x = real(node, 1, 2, 3), y = real(node, 4, 5, 6);
  emit_quantized(node, node.emit(Select{}, {node.input(0), x, y}), 7, 8, node.type(1).dtype);
}

// i32 of a product as a real number, plus a bias.
void emit_scaled(ReadNode& node, ValueId product, ValueId scale, size_t bias) {
  ValueId y = node.emit(cast_to(node.graph().value(scale).type.dtype), {product});
  y = node.emit(Mul{}, {y, scale});
  node.result(0, node.has_input(bias) ? node.emit(Add{}, {y, node.input(bias)}) : y);
}

// com.microsoft: (a, b, a scale, b scale, a zero?, b zero?, bias?)
void read_matmul_integer_to_float(ReadNode& node) {
  MatMul product;
  product.out = DType::i32;
  ValueId y =
      node.emit(product, {node.input(0), node.input(1), node.input_or_absent(4), node.input_or_absent(5)});
  emit_scaled(node, y, scale_product(node, node.input(2), node.input(3)), 6);
}

// com.microsoft: (a, b, b scale, b zero?, bias?): a is quantized when it is known.
void read_dynamic_quantize_matmul(ReadNode& node) {
  auto codes = node.emit(DynamicQuantize{}, {node.input(0)}, 3);
  MatMul product;
  product.out = DType::i32;
  ValueId y = node.emit(product, {codes[0], node.input(1), codes[2], node.input_or_absent(3)});
  emit_scaled(node, y, node.emit(Mul{}, {codes[1], node.input(2)}), 4);
}

// Bytes of a file as small integers, low bits first: [rows, bytes...] as [rows, columns].
ValueId unpacked(ReadNode& node, size_t i, DType dtype, int64_t rows, int64_t columns) {
  ConstantPtr packed = node.constant(i);
  if (!packed || packed->dtype() != DType::u8) fail("input {} must be a constant of bytes", i);
  int64_t each = 8 / bits_of(dtype);
  if (rows < 1 || packed->count() % rows != 0 || packed->count() / rows * each < columns)
    fail("{} bytes do not hold {} x {} elements", packed->count(), rows, columns);
  int64_t held = packed->count() / rows * each;
  ConstantPtr codes = constant_packed(dtype, {rows, held}, packed->tensor().bytes());
  return node.add_constant(held == columns ? codes : codes->sliced(1, 0, columns, 1));
}

// com.microsoft: (a, b, scales, zero points?, group index?, bias?): b [N, blocks, bytes] is w [N, K] of a few
// bits.
void read_matmul_nbits(ReadNode& node) {
  int64_t k = node.integer("K"), n = node.integer("N"), block = node.integer("block_size"),
          bits = node.integer("bits", 4);
  node.ignore("accuracy_level");
  if (node.has_input(4)) fail("a group index is not supported");
  if (block < 1 || k < 1 || n < 1) fail("K {}, N {} and blocks of {}", k, n, block);
  DType codes = bits == 2 ? DType::u2 : bits == 4 ? DType::u4 : bits == 8 ? DType::u8 : DType::unknown;
  if (codes == DType::unknown) fail("weights of {} bits are not supported", bits);
  int64_t blocks = (k - 1) / block + 1;
  ConstantPtr scales = node.constant(2);
  if (!scales || scales->count() != n * blocks) fail("the scales must be a constant of {} x {}", n, blocks);
  auto bytes_as_codes = [&](size_t i, int64_t columns) {
    if (bits != 8) return unpacked(node, i, codes, n, columns);
    ConstantPtr packed = node.constant(i);
    if (!packed || packed->dtype() != DType::u8 || packed->count() % n != 0 || packed->count() / n < columns)
      fail("input {} must be a constant of bytes", i);
    return node.add_constant(packed->reshaped({n, packed->count() / n})->sliced(1, 0, columns, 1));
  };
  ValueId zero;
  if (!node.has_input(3))
    zero = node.add_constant(constant_splat(codes, {n, blocks}, static_cast<double>(1 << (bits - 1))));
  else if (node.type(3).dtype == DType::u8)
    zero = bytes_as_codes(3, blocks);
  else
    fail("zero points of {} are not supported", name_of(node.type(3).dtype));
  Dequantize op;
  op.axis = 1, op.block = block;
  op.to = scales->dtype();
  ValueId w = node.emit(op, {bytes_as_codes(1, k), node.add_constant(scales->reshaped({n, blocks})), zero});
  MatMul product;
  product.transpose_b = true;
  ValueId y = node.emit(product, {node.input(0), w});
  node.result(0, node.has_input(5) ? node.emit(Add{}, {y, node.input(5)}) : y);
}

}  // namespace

void qlinear_rows(Rows& rows) {
  rows.read("ConvInteger", since(10), read_conv_integer);
  rows.write<Conv>(since(10), write_conv_integer, cannot_write_conv_integer);
  rows.read("QLinearConv", since(10), read_qlinear_conv);
  rows.tile<Quantize>(since(10), inside_qlinear_conv, write_qlinear_conv);
  rows.read("com.microsoft:QLinearConv", since(1), read_qlinear_conv);
  rows.read("QLinearMatMul", since(10), read_qlinear_matmul);
  rows.tile<Quantize>(since(10), inside_qlinear_matmul, write_qlinear_matmul);
  rows.read("com.microsoft:QGemm", since(1), read_qgemm);
  rows.read("com.microsoft:QLinearAdd", since(1), read_qlinear_binary<Add>);
  rows.read("com.microsoft:QLinearMul", since(1), read_qlinear_binary<Mul>);
  rows.read("com.microsoft:QLinearSigmoid", since(1), [](ReadNode& node) { emit_unary(node, Sigmoid{}); });
  rows.read("com.microsoft:QLinearLeakyRelu", since(1), read_qlinear_leaky_relu);
  rows.read("com.microsoft:QLinearSoftmax", since(1), read_qlinear_softmax);
  rows.read("com.microsoft:QLinearAveragePool", since(1), read_qlinear_average_pool);
  rows.read("com.microsoft:QLinearGlobalAveragePool", since(1), read_qlinear_global_average_pool);
  rows.read("com.microsoft:QLinearReduceMean", since(1), read_qlinear_reduce_mean);
  rows.read("com.microsoft:QLinearConcat", since(1), read_qlinear_concat);
  rows.read("com.microsoft:QLinearWhere", since(1), read_qlinear_where);
  rows.read("com.microsoft:MatMulIntegerToFloat", since(1), read_matmul_integer_to_float);
  rows.read("com.microsoft:DynamicQuantizeMatMul", since(1), read_dynamic_quantize_matmul);
  rows.read("com.microsoft:MatMulNBits", since(1), read_matmul_nbits);
}

}  // namespace remodel::onnx
