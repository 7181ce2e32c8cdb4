#include "ops/cluster.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "ops/activation.h"
#include "ops/conv.h"
#include "ops/quantize.h"
#include "run/kernel.h"

namespace remodel {
namespace {

NodeId find(const Graph& graph, std::string_view op) {
  for (NodeId id : graph.order())
    if (graph.node(id).op.name() == op) return id;
  return absent;
}

const char* const int8_conv = R"(graph main(x: i8[1, 2, 2, 2] on (f32[] const [0.5], i8[] const [3])) {
  sx: f32[] = const [0.5]
  zx: i8[] = const [3]
  xr = dequantize(x, sx, zx)
  w: i8[2, 2, 1, 1] = const [1, 2, 3, 4]
  sw: f32[2] = const [0.25, 2]
  wr = dequantize(w, sw)
  b: f32[2] = const [1, -1]
  y = conv(xr, wr, b) {strides: [1, 1], dilations: [1, 1], pads_low: [0, 0], pads_high: [0, 0], channels: last}
  a = clamp(y) {low: 0, high: 6}
  so: f32[] = const [0.125]
  q = quantize(a, so) {to: i8}
  return q
})";

TEST(Cluster, NamesItsNodesAndGrids) {
  GraphPtr graph = parse_graph(int8_conv, find_op);
  NodeId conv = find(*graph, "conv"), clamp = find(*graph, "clamp");
  for (NodeId start : {conv, clamp}) {
    auto found = cluster_of(*graph, start);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->op, conv);
    EXPECT_EQ(found->activation, clamp);
    EXPECT_EQ(found->quantize, find(*graph, "quantize"));
    ASSERT_EQ(found->integers.size(), 3u);
    EXPECT_EQ(found->integers[0], graph->inputs[0].value);
    EXPECT_EQ(graph->value(found->integers[1]).name, "w");
    EXPECT_EQ(found->integers[2], absent);
    EXPECT_EQ(*found->grids[0], *graph->value(graph->inputs[0].value).type.grid);
    EXPECT_EQ(found->grids[1]->axis, 0);
    EXPECT_EQ(found->grids[1]->scale->tensor().doubles(), (std::vector<double>{0.25, 2}));
    EXPECT_FALSE(found->grids[2]);
    EXPECT_EQ(found->result->scale->tensor().doubles(), (std::vector<double>{0.125}));
    EXPECT_EQ(*found->result, *graph->value(graph->outputs[0].value).type.grid);
  }
}

TEST(Cluster, EndsWhereSomethingElseSeesTheInside) {
  GraphPtr graph = parse_graph(int8_conv, find_op);
  NodeId conv = find(*graph, "conv");
  graph->outputs.push_back({"inside", graph->node(conv).outputs[0]});
  EXPECT_FALSE(cluster_of(*graph, conv));
}

TEST(Cluster, TakesNoRealOperandThatIsComputed) {
  GraphPtr graph = parse_graph(R"(graph main(x: i8[2], r: f32[2]) {
    s: f32[] = const [0.5]
    xr = dequantize(x, s)
    y = add(xr, r)
    q = quantize(y, s) {to: i8}
    return q
  })",
                               find_op);
  EXPECT_FALSE(cluster_of(*graph, find(*graph, "add")));
}

}  // namespace
}  // namespace remodel
