// Operators of StableHLO that the runtime has kernels for.
#include "formats/tflite/reader.h"
#include "formats/tflite/rows.h"
#include "ops/binary.h"
#include "ops/slice.h"

namespace remodel::tflite {
namespace {

void read_and(ReadNode& node) {
  if (node.type(0).dtype == DType::boolean) return node.emit_results(And{}, {node.input(0), node.input(1)});
  node.emit_results(BitAnd{}, {node.input(0), node.input(1)});
}

// Negative pads take elements away.
void read_pad(ReadNode& node) {
  for (const int64_t inner : node.integers("interior_padding"))
    if (inner != 0) fail("pads between elements are not supported");
  Pad op;
  op.low = to_dims(node.integers("edge_padding_low"));
  op.high = to_dims(node.integers("edge_padding_high"));
  if (op.low.size() != static_cast<size_t>(node.rank(0)) || op.high.size() != op.low.size())
    fail("{} and {} pads for {} axes", op.low.size(), op.high.size(), node.rank(0));
  node.emit_results(op, {node.input(0), node.input(1)});
}

// What it is composed of stands in a sub-graph.
void read_composite(ReadNode& node) {
  for (const Attribute& attribute : node.proto().attributes) node.ignore(attribute.name);
  const size_t graph = node.graph_named("decomposition_subgraph_index");
  std::vector<Cell> cells;
  for (size_t i = 0; i < node.proto().inputs.size(); ++i) cells.push_back(node.operand_cell(i));
  const std::string path = node.origin().empty() ? "" : node.origin()[0] + "/";
  const std::vector<Cell> results = GraphReader(node.reading(), node.scope(), graph, path).read(cells);
  if (results.size() != node.outputs())
    fail("its sub-graph has {} outputs, but it has {}", results.size(), node.outputs());
  for (size_t k = 0; k < results.size(); ++k)
    if (node.wants(k)) node.result_cell(k, results[k]);
}

}  // namespace

void stablehlo_rows(Rows& rows) {
  rows.read_row<Add>("STABLEHLO_ADD", since(1));
  rows.read_row<Mul>("STABLEHLO_MULTIPLY", since(1));
  rows.read_row<Max>("STABLEHLO_MAXIMUM", since(1));
  rows.read_row<Min>("STABLEHLO_MINIMUM", since(1));
  rows.read("STABLEHLO_AND", since(1), read_and);
  rows.read_row<Shl>("STABLEHLO_SHIFT_LEFT", since(1));
  rows.read("STABLEHLO_PAD", since(1), read_pad);
  rows.read("STABLEHLO_COMPOSITE", since(1), read_composite);
}

}  // namespace remodel::tflite
