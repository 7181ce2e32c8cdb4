// The parts of the layout pass; tests/ir/layout.txt has whole graphs.
#include "passes/layout/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "ir/infer.h"
#include "ir/text.h"
#include "passes/layout/cut.h"
#include "passes/layout/problem.h"
#include "run/kernel.h"
#include "run/runner.h"

namespace remodel {
namespace {

using layout::Atoms;
using layout::Cuts;
using layout::MinimumCut;

Dims sizes(Cuts& cuts, const Atoms& atoms) {
  Dims result;
  for (layout::Atom atom : cuts.leaves(atoms)) result.push_back(cuts.size(atom));
  return result;
}

TEST(Cuts, AreThoseOfAllReshapes) {
  Cuts cuts;
  Atoms x{cuts.add(24), cuts.add(5)};
  auto first = cuts.cut(x, {4, 6, 5});
  ASSERT_TRUE(first);
  auto second = cuts.cut(x, {2, 1, 12, 5});
  ASSERT_TRUE(second);
  EXPECT_EQ(text_of(sizes(cuts, x)), "[2, 2, 6, 5]");
  EXPECT_EQ(text_of(sizes(cuts, (*first)[0])), "[2, 2]");
  EXPECT_TRUE((*second)[1].empty());
  EXPECT_EQ(text_of(sizes(cuts, (*second)[2])), "[2, 6]");
}

TEST(Cuts, FailWithoutEffect) {
  Cuts cuts;
  Atoms x{cuts.add(4), cuts.add(6)};
  EXPECT_FALSE(cuts.cut(x, {2, 3, 4}));  // 12 and 6 are cuts of one, 12 and 4 of the other
  EXPECT_FALSE(cuts.cut(x, {6, 4}));
  EXPECT_FALSE(cuts.cut(x, {0, 4}));
  EXPECT_EQ(text_of(sizes(cuts, x)), "[4, 6]");
}

TEST(Cuts, KnowSizesThatOnlyRunningFindsOut) {
  Cuts cuts;
  Dim n = parse_dim("N");
  Atoms x{cuts.add(n), cuts.add(n * Dim(6))};
  auto cut = cuts.cut(x, {n * n, 2, 3});
  ASSERT_TRUE(cut);
  EXPECT_EQ(text_of(sizes(cuts, (*cut)[0])), "[N, N]");
  EXPECT_FALSE(cuts.cut(x, {parse_dim("M"), parse_dim("N")}));
}

TEST(Cuts, SpreadWhereAtomsAreTied) {
  Cuts cuts;
  Atoms x{cuts.add(12)}, y{cuts.add(3), cuts.add(4)}, z{cuts.add(12)};
  cuts.tie(x, z);
  cuts.tie(x, y);
  ASSERT_TRUE(cuts.cut(z, {6, 2}));
  EXPECT_EQ(text_of(sizes(cuts, x)), "[3, 2, 2]");
  EXPECT_EQ(text_of(sizes(cuts, y)), "[3, 2, 2]");
}

TEST(MinimumCut, IsTheCheapestOfAllLabellings) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const int count = 1 + static_cast<int>(random() % 8);
    struct Edge {
      int from, to;
      int64_t capacity;
    };
    std::vector<Edge> edges;
    MinimumCut cut(count);
    for (int i = 0; i < 3 * count; ++i) {
      auto any = [&] { return static_cast<int>(random() % (count + 2)) - 2; };
      Edge edge{any(), any(), static_cast<int64_t>(random() % 20)};
      if (edge.from == edge.to || edge.to == MinimumCut::source || edge.from == MinimumCut::sink) continue;
      edges.push_back(edge);
      cut.add_edge(edge.from, edge.to, edge.capacity);
    }
    auto cost = [&](unsigned labels) {
      auto label = [&](int v) { return v == MinimumCut::sink || (v >= 0 && (labels >> v & 1)); };
      int64_t sum = 0;
      for (const Edge& edge : edges)
        if (!label(edge.from) && label(edge.to)) sum += edge.capacity;
      return sum;
    };
    const std::vector<bool> found = cut.solve(count);
    unsigned labels = 0;
    for (int i = 0; i < count; ++i) labels |= found[i] ? 1u << i : 0;
    int64_t least = INT64_MAX;
    for (unsigned all = 0; all < 1u << count; ++all) least = std::min(least, cost(all));
    EXPECT_EQ(cost(labels), least);
    // 0 wherever it can be: no labelling as cheap has fewer ones.
    for (unsigned all = 0; all < 1u << count; ++all)
      EXPECT_TRUE(cost(all) > least || (all & labels) == labels) << "round " << round;
  }
}

TEST(Steps, EndWhereTheyShouldAndKeepTheLimit) {
  std::mt19937 random(3);
  for (size_t rank : {3u, 4u, 6u})
    for (int round = 0; round < 100; ++round) {
      Atoms from(3 + random() % 8), to;
      std::iota(from.begin(), from.end(), 10);
      to = from;
      std::shuffle(to.begin(), to.end(), random);
      if (to == from) continue;
      Atoms now = from;
      const std::vector<Atoms> way = layout::steps(from, to, std::max<size_t>(rank, 4));
      for (const Atoms& next : way) {
        EXPECT_LE(layout::runs(now, next).size(), std::max<size_t>(rank, 4));
        now = next;
      }
      EXPECT_EQ(now, to);
      EXPECT_LT(way.size(), from.size());
    }
}

const char* const network = R"(graph g(image: f32[1, 2, 3, 4], gain: f32[1, 2, 1, 1]) {
  w: f32[3, 2, 1, 1] = const [1, 2, -1, 0, 3, 1]
  s: f32[1, 2, 3, 4] = mul(image, gain)
  y: f32[1, 3, 3, 4] = conv(s, w) {strides: [1, 1], dilations: [1, 1], pads_low: [0, 0], pads_high: [0, 0]} # "conv1"
  return y
})";

Tensor counted(Shape shape) {
  Tensor result(DType::f32, std::move(shape));
  for (int64_t i = 0; i < result.count(); ++i) result.to<float>()[i] = static_cast<float>(i * 7 % 11) - 4;
  return result;
}

// [1, channels, 3, 4] with its channels last.
Tensor turned(const Tensor& x) {
  const int64_t channels = x.dim(1), image = x.dim(2) * x.dim(3);
  Tensor result(DType::f32, {1, x.dim(2), x.dim(3), channels});
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t i = 0; i < image; ++i) result.to<float>()[i * channels + c] = x.as<float>()[c * image + i];
  return result;
}

std::vector<float> run(const Graph& graph, Tensor image, Tensor gain) {
  Pool pool(1);
  const Tensor y = Runner(pool).run(graph, {Datum(std::move(image)), Datum(std::move(gain))})[0].tensor;
  return {y.as<float>(), y.as<float>() + y.count()};
}

size_t transposes(const Graph& graph) {
  size_t count = 0;
  for (NodeId id : graph.order()) count += graph.node(id).op.name() == "transpose";
  return count;
}

TEST(LayOut, TurnsPortsWhereItIsWished) {
  const GraphPtr source = parse_graph(network, find_op);
  const Tensor image = counted({1, 2, 3, 4}), gain = counted({1, 2, 1, 1});
  const std::vector<float> expected = run(*source, image, gain);
  struct Wish {
    LayoutWishes wishes;
    const char *in, *gain, *out;
    size_t transposes;
  };
  LayoutWishes inputs, outputs, both, one;
  inputs.inputs.all = outputs.outputs.all = both.inputs.all = both.outputs.all = Channels::last;
  one.inputs.named["image"] = Channels::last;
  for (const Wish& wish : std::vector<Wish>{
           {{}, "[1, 2, 3, 4]", "[1, 2, 1, 1]", "[1, 3, 3, 4]", 2},
           {inputs, "[1, 3, 4, 2]", "[1, 1, 1, 2]", "[1, 3, 3, 4]", 1},
           {outputs, "[1, 2, 3, 4]", "[1, 2, 1, 1]", "[1, 3, 4, 3]", 1},
           {both, "[1, 3, 4, 2]", "[1, 1, 1, 2]", "[1, 3, 4, 3]", 0},
           {one, "[1, 3, 4, 2]", "[1, 2, 1, 1]", "[1, 3, 3, 4]", 1},
       }) {
    GraphPtr graph = source->copy();
    LayoutReport report = lay_out(*graph, LayoutTarget(), wish.wishes);
    EXPECT_EQ(verify(*graph), std::vector<std::string>());
    auto dims = [&](const Port& port) { return text_of(*graph->value(port.value).type.dims); };
    EXPECT_EQ(dims(graph->inputs[0]), wish.in);
    EXPECT_EQ(dims(graph->inputs[1]), wish.gain);
    EXPECT_EQ(dims(graph->outputs[0]), wish.out);
    EXPECT_EQ(transposes(*graph), wish.transposes);
    EXPECT_EQ(report.at_boundary(), wish.transposes);
    const bool in_last = *graph->value(graph->inputs[0].value).type.dims != to_dims({1, 2, 3, 4});
    std::vector<float> found =
        run(*graph, in_last ? turned(image) : image,
            dims(graph->inputs[1]) == "[1, 2, 1, 1]" ? gain : gain.reshaped({1, 1, 1, 2}));
    if (dims(graph->outputs[0]) == "[1, 3, 4, 3]") {
      std::vector<float> wanted(expected.size());
      for (size_t c = 0; c < 3; ++c)
        for (size_t i = 0; i < 12; ++i) wanted[i * 3 + c] = expected[c * 12 + i];
      EXPECT_EQ(found, wanted);
    } else {
      EXPECT_EQ(found, expected);
    }
  }
}

TEST(LayOut, SaysWhyATransposeIsLeft) {
  GraphPtr graph = parse_graph(network, find_op);
  LayoutReport report = lay_out(*graph, LayoutTarget());
  ASSERT_EQ(report.transposes.size(), 2u);
  EXPECT_EQ(report.transposes[1].from, "layer 'conv1' (conv)");
  EXPECT_EQ(report.transposes[1].to, "output 'y'");
  EXPECT_EQ(report.transposes[1].why, "y comes as [3, 4, 3] and is needed as [3, 3, 4]");
}

TEST(LayOut, LeavesAGraphThatNeedsNothingAsItIs) {
  for (Channels channels : {Channels::first, Channels::last}) {
    LayoutTarget target;
    target.channels = channels;
    GraphPtr graph = parse_graph(R"(graph g(x: f32[N, 3, 4], mask: f32[3, 1]) {
      w: f32[4, 5] = random 1
      a = matmul(x, w)
      b = add(a, mask)
      c = reshape(b) {shape: [N, 15]}
      y = softmax(c)
      return y
    })",
                                 find_op);
    const std::string before = print(*graph);
    EXPECT_TRUE(lay_out(*graph, target).transposes.empty());
    EXPECT_EQ(print(*graph), before);
  }
}

}  // namespace
}  // namespace remodel
