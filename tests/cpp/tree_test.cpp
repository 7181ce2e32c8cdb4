#include "ops/tree.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "refusal.h"
#include "run/kernel.h"
#include "run/runner.h"

namespace remodel {
namespace {

// Two nodes over three leaves: x0 <= 1 ? (x1 is one of 2, 3 ? leaf 0 : leaf 1) : leaf 2
TreeEnsemble small_tree() {
  TreeEnsemble op;
  op.targets = 2;
  op.roots = {0};
  op.features = {0, 1};
  op.tests = {0, 6};
  op.splits = {1, 0};
  op.yes = {1, ~0};
  op.no = {~2, ~1};
  op.set_ends = {2};
  op.members = {2, 3};
  op.vote_ends = {1, 2, 4};
  op.vote_targets = {0, 1, 0, 1};
  op.votes = {10, 20, 30, 40};
  return op;
}

std::vector<float> run(const TreeEnsemble& op, const std::vector<float>& x) {
  Graph graph;
  Shape shape{static_cast<int64_t>(x.size()) / 2, 2};
  ValueId input = graph.add_input("x", Type(DType::f32, to_dims(shape)));
  NodeId node = graph.add_node(op, {input}, {"y"});
  graph.outputs.push_back({"y", graph.node(node).outputs[0]});
  Pool pool(1);
  Tensor y = Runner(pool).run(graph, {Tensor::of<float>(DType::f32, shape, x)})[0].tensor;
  return {y.as<float>(), y.as<float>() + y.count()};
}

TEST(TreeEnsemble, LeadsEachRowToALeaf) {
  EXPECT_EQ(run(small_tree(), {1, 3, 0, 4, 2, 3}), (std::vector<float>{10, 0, 0, 20, 30, 40}));
}

TEST(TreeEnsemble, CombinesTreesByKind) {
  TreeEnsemble op = small_tree();
  op.roots = {0, ~0};
  op.base = {0.5, 0};
  const std::vector<float> row{2, 3};
  for (auto [kind, expected] : {std::pair(TreeEnsemble::Kind::sum, std::vector<float>{40.5, 40}),
                                {TreeEnsemble::Kind::mean, {20.5, 20}},
                                {TreeEnsemble::Kind::min, {10.5, 40}},
                                {TreeEnsemble::Kind::max, {30.5, 40}}}) {
    op.kind = kind;
    EXPECT_EQ(run(op, row), expected);
  }
}

TEST(TreeEnsemble, RefusesTreesThatCannotBe) {
  struct Case {
    void (*change)(TreeEnsemble&);
    const char* text;
  };
  for (auto [change, text] :
       {Case{[](TreeEnsemble& op) { op.no[1] = 0; }, "node 0 leads back to itself"},
        {[](TreeEnsemble& op) { op.yes[0] = 2; }, "node 2 does not exist"},
        {[](TreeEnsemble& op) { op.no[0] = ~3; }, "leaf 3 does not exist"},
        {[](TreeEnsemble& op) { op.roots = {7}; }, "node 7 does not exist"},
        {[](TreeEnsemble& op) { op.features[1] = 2; }, "a node asks for feature 2 of 2"},
        {[](TreeEnsemble& op) { op.features.pop_back(); }, "1 nodes have 2 entries in a list"},
        {[](TreeEnsemble& op) { op.set_ends = {3}; }, "members end at 3, but there are 2"},
        {[](TreeEnsemble& op) { op.set_ends.clear(); }, "0 sets for 1 nodes that need one"},
        {[](TreeEnsemble& op) {
           op.vote_ends = {2, 1, 4};
         },
         "votes end at 1 after 2"},
        {[](TreeEnsemble& op) { op.vote_targets[0] = 2; }, "target 2 of 2"},
        {[](TreeEnsemble& op) { op.tests[0] = 7; }, "test 7 is not known"},
        {[](TreeEnsemble& op) { op.base = {1}; }, "1 base values for 2 targets"}}) {
    TreeEnsemble op = small_tree();
    change(op);
    EXPECT_EQ(refusal([&] { run(op, {1, 1}); }), text);
  }
}

}  // namespace
}  // namespace remodel
