// Between real numbers and integers, and the operators that compute on integers: tiles from dequantize to
// quantize, written by the rows of the ops between them.
#include <algorithm>
#include <limits>

#include "formats/tflite/hybrid.h"
#include "formats/tflite/rows.h"
#include "formats/tflite/writer.h"
#include "ops/activation.h"
#include "ops/cluster.h"
#include "ops/matmul.h"
#include "ops/pool.h"
#include "ops/quantize.h"

namespace remodel::tflite {
namespace {

void write_quantize(WriteNode& node) {
  const auto& op = node.op<Quantize>();
  if (node.dtype(0) != DType::f32 || op.precision != DType::unknown)
    fail("it divides in another type than f32");
  const Id result = node.out();
  if (node.writer().grid_of(result).scale.size() != 1) fail("LiteRT quantizes to no such grid");
  node.emit_to({result}, "QUANTIZE", {node.in(0)});
}

void write_dequantize(WriteNode& node) {
  if (is_said_by_hybrids(node)) return;
  if (node.op<Dequantize>().to != DType::f32) fail("it multiplies in another type than f32");
  node.emit_to(node.outs(), "DEQUANTIZE", {node.writer().codes_of(node.node())});
}

// The products that round by themselves say it.
void write_dynamic_quantize(WriteNode&) {}

std::string cannot_write_dynamic_quantize(const WriteNode& node) {
  const std::vector<NodeId> products = hybrids_of(node);
  for (NodeId id : products)
    if (std::string why = cannot_write(node.graph(), node.graph().node(id), node.target()); !why.empty())
      return why;
  return products.empty() ? "no hybrid operator rounds so" : "";
}

// All numbers of the grid are within the activation's.
bool is_implied(const Op& activation, const Quantization& grid, DType dtype) {
  const double low = dtype == DType::i8   ? -128
                     : dtype == DType::u8 ? 0
                                          : -32768,
               high = dtype == DType::i8   ? 127
                      : dtype == DType::u8 ? 255
                                           : 32767;
  const double scale = static_cast<double>(grid.scale[0]), zero = static_cast<double>(grid.zero[0]);
  const double least = (low - zero) * scale, most = (high - zero) * scale;
  const Clamp* clamp = activation.as<Clamp>();
  if (!clamp) return least >= 0;
  return least >= clamp->low && most <= clamp->high;
}

void write_cluster(WriteNode& quantize, const std::vector<NodeId>& inner) {
  const Graph& graph = quantize.graph();
  GraphWriter& writer = quantize.writer();
  const Id result = quantize.out();
  if (writer.grid_of(result).scale.size() != 1) fail("its result has no grid that LiteRT has");
  if (graph.node(inner[0]).op.is<Dequantize>()) {
    const Id codes = writer.codes_of(graph.node(inner[0]));
    if (writer.grid_of(codes).scale.size() != 1) fail("its operand has several scales");
    return quantize.emit_to({result}, "QUANTIZE", {codes});
  }
  const Cluster cluster = *cluster_of(graph, inner[0]);
  std::string_view activation;
  if (cluster.activation != absent) {
    const Op& op = graph.node(cluster.activation).op;
    if (!is_implied(op, writer.grid_of(result), writer.type_of(result).dtype)) {
      activation = activation_of(op);
      if (activation.empty()) fail("no operator ends in this activation");
    }
  }
  WriteNode op = quantize.at(cluster.op);
  const NodeId last = cluster.sum != absent ? cluster.sum : cluster.op;
  writer.write_quantized(graph.node(last).outputs[0], result, activation, op.node().op.is<MaxPool>(), [&] {
    if (cluster.sum == absent) return writer.write_node(op.node(), nullptr);
    WriteNode sum = quantize.at(cluster.sum);
    if (product_in_sum(sum).empty()) fail("its bias is no constant");
    write_product_and_sum(sum, {cluster.op});
  });
}

// All but its quantize.
std::vector<NodeId> nodes_of(const Graph& graph, const Cluster& cluster) {
  std::vector<NodeId> nodes{cluster.op};
  for (NodeId id : {cluster.sum, cluster.activation})
    if (id != absent) nodes.push_back(id);
  nodes.insert(nodes.end(), cluster.moves.begin(), cluster.moves.end());
  for (size_t i = 0, count = nodes.size(); i < count; ++i)
    for (ValueId input : graph.node(nodes[i]).inputs)
      if (const Node* from = graph.producer(input); from && from->op.is<Dequantize>())
        nodes.push_back(graph.value(input).producer);
  return nodes;
}

std::vector<NodeId> cluster_inside(const WriteNode& quantize) {
  const Graph& graph = quantize.graph();
  const auto& op = quantize.op<Quantize>();
  if (op.precision != DType::unknown) return {};
  const NodeId last = graph.value(quantize.node().inputs[0]).producer;
  if (last == absent) return {};
  std::vector<NodeId> nodes{last};
  if (const auto* from = graph.node(last).op.as<Dequantize>()) {
    if (from->to != DType::f32) return {};
  } else {
    const std::optional<Cluster> cluster = cluster_of(graph, last);
    if (!cluster || &graph.node(cluster->quantize) != &quantize.node()) return {};
    nodes = nodes_of(graph, *cluster);
  }
  const std::string problem = GraphWriter::trial(graph, quantize.target(), [&](GraphWriter& writer) {
    WriteNode root(writer, graph, quantize.node());
    write_cluster(root, nodes);
  });
  return problem.empty() ? nodes : std::vector<NodeId>();
}

}  // namespace

void write_quantize_rows(Rows& rows) {
  rows.write<Quantize>(since(1), write_quantize);
  rows.write<Dequantize>(since(1), write_dequantize);
  rows.write<DynamicQuantize>(since(1), write_dynamic_quantize, cannot_write_dynamic_quantize);
  rows.tile<Quantize>(since(1), cluster_inside, write_cluster);
}

}  // namespace remodel::tflite
