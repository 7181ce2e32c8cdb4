#include "formats/tflite/hybrid.h"

#include <algorithm>

#include "formats/tflite/rows.h"
#include "formats/tflite/writer.h"
#include "ops/cluster.h"
#include "ops/conv.h"
#include "ops/hybrid.h"
#include "ops/matmul.h"
#include "ops/quantize.h"
#include "ops/shape.h"

namespace remodel::tflite {
namespace {

constexpr size_t most_values = 256;  // between one dynamic_quantize and its products

// The grid of constant signed bytes around 0; nullopt where the weights are something else.
std::optional<Quantization> grid_of_weights(const WriteNode& product) {
  const Graph& graph = product.graph();
  const Node* from = product.has(1) ? graph.producer(product.node().inputs[1]) : nullptr;
  const Dequantize* op = from ? from->op.as<Dequantize>() : nullptr;
  const Constant* codes = op ? graph.constant(from->inputs[0]) : nullptr;
  const auto grid = codes ? remodel::grid_of(graph, *from) : std::nullopt;
  if (!grid || op->to != DType::f32 || codes->dtype() != DType::i8) return std::nullopt;
  const std::optional<Quantization> known = said(*grid, DType::i8);
  const auto is_zero = [](int64_t zero) { return zero == 0; };
  if (!known || !std::all_of(known->zero.begin(), known->zero.end(), is_zero)) return std::nullopt;
  return known;
}

// The rows that the kernel rounds, each by itself.
std::optional<Dim> rows_of(const WriteNode& product, const Quantization& weights, bool has_zero) {
  const auto& x = product.type(0).dims;
  if (!x || x->size() < 2) return std::nullopt;
  const Dims rows(x->begin(), x->end() - 1);
  const auto is_on = [&](int64_t axis) { return weights.scale.size() == 1 || weights.axis == axis; };
  if (const auto* op = product.node().op.as<Conv>()) {
    if (op->strides.size() != 2 || op->channels != Channels::last || op->out != DType::unknown ||
        product.has(3) || product.has(4) || !is_on(0) ||
        conv_rounds_with_zero(weights, op->groups) != has_zero)
      return std::nullopt;
    return x->front();
  }
  if (const auto* op = product.node().op.as<ConvTranspose>()) {
    if (op->strides.size() != 2 || op->channels != Channels::last || !is_on(0) || !has_zero)
      return std::nullopt;
    return x->front();
  }
  const auto* op = product.node().op.as<MatMul>();
  if (!op || product.has(2) || product.has(3)) return std::nullopt;
  if (is_fully_connected(product))
    return is_on(op->transpose_b ? 0 : 1) ? std::optional(remodel::product(rows)) : std::nullopt;
  // Weights that differ from batch to batch.
  const auto &w = product.type(1).dims, &y = product.result_type().dims;
  if (op->transpose_a || weights.scale.size() != 1 || !w || w->size() < 3 || w->size() > 5 || x->size() > 5 ||
      !y || Dims(y->begin(), y->end() - 1) != rows)
    return std::nullopt;
  return remodel::product(rows);
}

}  // namespace

bool conv_rounds_with_zero(const Quantization& weights, int64_t groups) {
  const auto differs = [&](float scale) { return scale != weights.scale[0]; };
  return groups != 1 || std::any_of(weights.scale.begin(), weights.scale.end(), differs);
}

std::optional<Hybrid> hybrid_of(const WriteNode& product) {
  if (!product.has(0) || product.writer().is_quantized()) return std::nullopt;
  const auto rounded = rounded_rows(product.graph(), product.node().inputs[0]);
  if (!rounded) return std::nullopt;
  const auto weights = grid_of_weights(product);
  const Hybrid found{rounded->x, !rounded->symmetric};
  if (!weights || rows_of(product, *weights, found.has_zero) != rounded->rows) return std::nullopt;
  return found;
}

std::vector<NodeId> hybrids_of(const WriteNode& rounding) {
  const Graph& graph = rounding.graph();
  std::vector<NodeId> products;
  std::vector<ValueId> open = rounding.node().outputs;
  for (size_t seen = 0; !open.empty(); ++seen) {
    const ValueId at = open.back();
    open.pop_back();
    if (at == absent) continue;
    if (seen > most_values || graph.is_output(at)) return {};
    for (NodeId user : graph.value(at).users) {
      const Node& node = graph.node(user);
      if (!node.outputs.empty() && rounding_of(graph, node.outputs[0]) != absent)
        open.insert(open.end(), node.outputs.begin(), node.outputs.end());
      else if (std::count(node.inputs.begin(), node.inputs.end(), at) == 1 && node.inputs[0] == at &&
               hybrid_of(rounding.at(user)))
        products.push_back(user);
      else
        return {};
    }
  }
  return products;
}

bool is_said_by_hybrids(const WriteNode& node) {
  const Graph& graph = node.graph();
  const auto is_said = [&](NodeId id) { return id != absent && !hybrids_of(node.at(id)).empty(); };
  const ValueId result = node.node().outputs.empty() ? absent : node.node().outputs[0];
  if (result == absent) return false;
  if (is_said(rounding_of(graph, result))) return true;
  // Before the rounding.
  const std::vector<NodeId>& users = graph.value(result).users;
  return node.node().op.is<Reshape>() && !users.empty() && !graph.is_output(result) &&
         std::all_of(users.begin(), users.end(),
                     [&](NodeId user) { return graph.node(user).op.is<DynamicQuantize>() && is_said(user); });
}

Ids product_operands(WriteNode& product, const std::vector<int64_t>& perm) {
  const auto hybrid = hybrid_of(product);
  if (!hybrid) return {product.in(0), product.turned(1, perm)};
  const Graph& graph = product.graph();
  const Dims dims = product.dims(0);
  ValueId x = hybrid->x;
  if (const Node* from = graph.producer(x); from && from->op.is<Reshape>())
    if (graph.value(from->inputs[0]).type.dims == dims) x = from->inputs[0];
  Quantization grid = *grid_of_weights(product);
  // Kernels that round with a zero point look up one scale for each channel.
  if (!product.node().op.is<MatMul>() && hybrid->has_zero && grid.scale.size() == 1) {
    grid.scale.assign(static_cast<size_t>(product.dims(1)[0].number()), grid.scale[0]);
    grid.zero.assign(grid.scale.size(), 0);
  }
  grid.axis = std::find(perm.begin(), perm.end(), grid.axis) - perm.begin();
  const Value& codes = graph.value(graph.producer(product.node().inputs[1])->inputs[0]);
  const Id weights = product.writer().add_constant(codes.constant->permuted(perm), codes.name, grid);
  return {product.reshape(product.value(x), dims), weights};
}

Attributes hybrid_attributes(const WriteNode& product) {
  const auto hybrid = hybrid_of(product);
  if (!hybrid || !hybrid->has_zero) return {};
  return {Attribute::of("asymmetric_quantize_inputs", true)};
}

}  // namespace remodel::tflite
