#include "ops/matmul.h"

#include <cmath>

#include "formats/onnx/rows.h"
#include "formats/onnx/rows/fused.h"
#include "ops/binary.h"
#include "ops/quantize.h"
#include "ops/shape.h"
#include "ops/unary.h"
#include "passes/lower_einsum.h"

namespace remodel::onnx {
namespace {

bool integers_of_a_byte(const WriteNode& node) {
  return node.has(2) || node.has(3) ||
         (node.op<MatMul>().out == DType::i32 && is_integer(node.dtype(0)) && size_of(node.dtype(0)) == 1);
}

// A factor as a constant of the operand's type; integers take whole factors only.
ValueId factor(ReadNode& node, DType dtype, double value) {
  if (dtype != DType::unknown && !is_float(dtype) &&
      value != static_cast<double>(static_cast<int64_t>(value)))
    fail("integers cannot be scaled by {}", value);
  return node.add_scalar(dtype, value);
}

// alpha * op(a) * op(b) + beta * c
ValueId product_and_sum(ReadNode& node) {
  MatMul product;
  product.transpose_a = node.integer("transA", 0) != 0;
  product.transpose_b = node.integer("transB", 0) != 0;
  double alpha = node.real("alpha", 1), beta = node.real("beta", 1);
  DType dtype = node.type(0).dtype;
  for (size_t i = 0; i < 2; ++i)
    if (node.type(i).dims && node.rank(i) != 2) fail("input {} is {}, not a matrix", i, node.type(i).text());
  ValueId y = node.emit(product, {node.input(0), node.input(1)});
  if (alpha != 1) y = node.emit(Mul{}, {y, factor(node, dtype, alpha)});
  if (!node.has_input(2) || beta == 0) return y;
  ValueId c = node.input(2);
  if (beta != 1) c = node.emit(Mul{}, {c, factor(node, dtype, beta)});
  return node.emit(Add{}, {y, c});
}

void read_gemm(ReadNode& node) {
  node.ignore("broadcast");
  node.result(0, product_and_sum(node));
}

// com.microsoft
void read_fused_gemm(ReadNode& node) {
  std::vector<double> numbers;
  for (const char* name : {"activation_alpha", "activation_beta", "activation_gamma"})
    if (node.has(name)) numbers.push_back(node.real(name, 0));
  node.result(0, fused_activation(node, product_and_sum(node), numbers));
}

void read_fused_matmul(ReadNode& node) {
  MatMul product;
  product.transpose_a = node.integer("transA", 0) != 0;
  product.transpose_b = node.integer("transB", 0) != 0;
  double alpha = node.real("alpha", 1);
  std::vector<ValueId> operands{node.input(0), node.input(1)};
  const char* batch_attributes[] = {"transBatchA", "transBatchB"};
  for (size_t i = 0; i < 2; ++i) {
    bool& transpose = i == 0 ? product.transpose_a : product.transpose_b;
    if (node.integer(batch_attributes[i], 0) != 0) {
      // The first axis is the matrix's row.
      std::vector<int64_t> perm;
      for (int64_t axis = 1; axis + 1 < node.rank(i); ++axis) perm.push_back(axis);
      perm.push_back(0);
      perm.push_back(node.rank(i) - 1);
      operands[i] = node.emit(Transpose{perm}, {operands[i]});
    } else if (transpose && node.type(i).dims && node.rank(i) < 2) {
      transpose = false;
    }
  }
  if (alpha == 1) return node.emit_results(product, operands);
  ValueId y = node.emit(product, operands);
  node.emit_results(Mul{}, {y, factor(node, node.type(0).dtype, alpha)});
}

// The zero points of a: one for all, or one a row. Those of b, one a column, broadcast as they are.
ValueId row_zero_points(ReadNode& node, size_t i) {
  if (!node.has_input(i)) return absent;
  const Type& type = node.type(i);
  if (!type.dims) fail_untyped("the rank of input {} is not known", i);
  if (type.dims->size() != 1 || (*type.dims)[0].is_number(1)) return node.input(i);
  return node.emit(Unsqueeze{{1}}, {node.input(i)});
}

void read_matmul_integer(ReadNode& node) {
  MatMul product;
  product.out = DType::i32;
  node.emit_results(product,
                    {node.input(0), node.input(1), row_zero_points(node, 2), node.input_or_absent(3)});
}

// The operand as the format wants it: rows and columns in order.
std::string plain_operand(WriteNode& node, size_t i, bool transposed) {
  if (!transposed) return node.in(i);
  int64_t rank = node.rank(i);
  if (rank < 2) fail("the rank of operand {} is not known", i);
  std::vector<int64_t> perm;
  for (int64_t axis = 0; axis < rank; ++axis) perm.push_back(axis);
  std::swap(perm[rank - 1], perm[rank - 2]);
  return node.emit("Transpose", {node.in(i)}, {Attribute::of("perm", perm)});
}

Attributes gemm_attributes(const MatMul& op) {
  Attributes attributes;
  if (op.transpose_a) attributes.push_back(Attribute::of("transA", int64_t{1}));
  if (op.transpose_b) attributes.push_back(Attribute::of("transB", int64_t{1}));
  return attributes;
}

// Gemm transposes its operands, MatMul does not. Before opset 11 it adds something.
void write_matmul(WriteNode& node) {
  const auto& op = node.op<MatMul>();
  if (!op.transpose_a && !op.transpose_b)
    return node.emit_to(node.outs(), "MatMul", {node.in(0), node.in(1)});
  std::vector<std::string> inputs{node.in(0), node.in(1)};
  if (node.opset() < 11) inputs.push_back(node.scalar(node.dtype(0), 0));
  node.emit_to(node.outs(), "Gemm", inputs, gemm_attributes(op));
}

// A value that nobody else uses is a constant number times another: both, and the node between them.
struct Scaled {
  ValueId value;
  double factor = 1;
  NodeId by = absent;
};
Scaled scaled(const Graph& graph, ValueId value) {
  const Node* product = graph.producer(value);
  if (!product || !product->op.as<Mul>() || graph.value(value).users.size() != 1 || graph.is_output(value))
    return {value};
  for (size_t i : {0, 1}) {
    const Constant* number = graph.constant(product->inputs[i]);
    if (!number || !number->shape().empty()) continue;
    const double factor = splat_value(*number).value_or(NAN);
    if (static_cast<double>(static_cast<float>(factor)) != factor) continue;
    return {product->inputs[1 - i], factor, graph.value(value).producer};
  }
  return {value};
}

// alpha * a b + beta * c
struct Gemm {
  NodeId product = absent;
  Scaled left, right;  // the product, and what is added to it
};

// Gemm multiplies two matrices of floats and adds what broadcasts to their product.
std::optional<Gemm> gemm_at(const WriteNode& sum) {
  const Graph& graph = sum.graph();
  const Type& type = sum.result_type();
  if (type.dtype != DType::f16 && type.dtype != DType::f32 && type.dtype != DType::f64) return {};
  for (size_t i : {0, 1}) {
    Gemm gemm{absent, scaled(graph, sum.node().inputs[i]), scaled(graph, sum.node().inputs[1 - i])};
    const Value& result = graph.value(gemm.left.value);
    if (result.producer == absent || result.users.size() != 1 || graph.is_output(gemm.left.value)) continue;
    const Node& product = graph.node(result.producer);
    const MatMul* op = product.op.as<MatMul>();
    if (!op || op->out != DType::unknown || product.inputs.size() != 2) continue;
    const Type& addend = graph.value(gemm.right.value).type;
    const bool matrices =
        graph.value(product.inputs[0]).type.has_rank(2) && graph.value(product.inputs[1]).type.has_rank(2);
    if (!matrices || !addend.dims || addend.dims->size() > 2 || type.dims != result.type.dims) continue;
    gemm.product = result.producer;
    return gemm;
  }
  return {};
}

std::vector<NodeId> inside_gemm(const WriteNode& sum) {
  const auto gemm = gemm_at(sum);
  if (!gemm) return {};
  std::vector<NodeId> inner{gemm->product};
  for (const Scaled& side : {gemm->left, gemm->right})
    if (side.by != absent) inner.push_back(side.by);
  return inner;
}

void write_gemm(WriteNode& sum, const std::vector<NodeId>&) {
  const Gemm gemm = *gemm_at(sum);
  WriteNode product = sum.at(gemm.product);
  Attributes attributes = gemm_attributes(product.op<MatMul>());
  if (gemm.left.factor != 1) attributes.push_back(Attribute::of("alpha", gemm.left.factor));
  if (gemm.right.factor != 1) attributes.push_back(Attribute::of("beta", gemm.right.factor));
  sum.emit_to(sum.outs(), "Gemm", {product.in(0), product.in(1), sum.name_of(gemm.right.value)}, attributes);
}

std::string cannot_write_matmul(const WriteNode& node) {
  const auto& op = node.op<MatMul>();
  if (integers_of_a_byte(node)) return "its operands are small integers and its result is i32";
  if (op.out != DType::unknown && op.out != node.dtype(0))
    return "its result has another type than its operands";
  bool gemm = node.rank(0) == 2 && node.rank(1) == 2 && is_float(node.dtype(0));
  return (op.transpose_a || op.transpose_b) && !gemm ? "an operand is transposed" : "";
}

std::string cannot_write_matmul_integer(const WriteNode& node) {
  const auto& op = node.op<MatMul>();
  if (!integers_of_a_byte(node)) return "its operands are not small integers";
  for (size_t i = 0; i < 2; ++i) {
    if (bits_of(node.dtype(i)) != 8) return "its operands do not have 8 bits";
    if ((i == 0 ? op.transpose_a : op.transpose_b) &&
        (node.rank(i) < 2 || (node.has(i + 2) && !has_one_element(node.type(i + 2)))))
      return "an operand with several zero points is transposed";
  }
  return "";
}

// A zero point of one element is a scalar; those of a's rows are a vector where a is a matrix.
std::string integer_zero_points(WriteNode& node, size_t i) {
  if (!node.has(i)) return "";
  const Type& type = node.type(i);
  size_t rank = type.dims ? type.dims->size() : 0;
  if (has_one_element(type) ? rank > 1 : i == 2 && rank == 2)
    return node.emit("Reshape", {node.in(i), node.integers({-1})});
  return node.in(i);
}

void write_matmul_integer(WriteNode& node) {
  const auto& op = node.op<MatMul>();
  std::vector<std::string> inputs{plain_operand(node, 0, op.transpose_a),
                                  plain_operand(node, 1, op.transpose_b), integer_zero_points(node, 2),
                                  integer_zero_points(node, 3)};
  while (inputs.back().empty()) inputs.pop_back();
  node.emit_to(node.outs(), "MatMulInteger", inputs);
}

void read_einsum(ReadNode& node) {
  Einsum op{normal_einsum(node.text("equation", ""))};
  auto product = einsum_as_product(node.graph(), op.equation, node.operands(),
                                   [&](Op inner, std::vector<ValueId> operands) {
                                     return node.emit(std::move(inner), std::move(operands));
                                   });
  if (product) return node.result(0, *product);
  node.emit_results(op, node.operands());
}

}  // namespace

void matmul_rows(Rows& rows) {
  rows.read_row<MatMul>("MatMul", since(1));
  rows.write<MatMul>(since(9), write_matmul, cannot_write_matmul);
  rows.read("MatMulInteger", since(10), read_matmul_integer);
  rows.write<MatMul>(since(10), write_matmul_integer, cannot_write_matmul_integer);
  rows.read("Gemm", since(1), read_gemm);
  rows.tile<Add>(since(9), inside_gemm, write_gemm);
  rows.read("com.microsoft:FusedGemm", since(1), read_fused_gemm);
  rows.read("com.microsoft:FusedMatMul", since(1), read_fused_matmul);
  rows.read("com.microsoft:TransposeMatMul", since(1), read_fused_matmul);
  rows.read("Einsum", since(12), read_einsum);
  rows.row<Einsum>("Einsum", since(12), {attr("equation", &Einsum::equation, Required{})});
  rows.row<Det>("Det", since(11));
}

}  // namespace remodel::onnx
