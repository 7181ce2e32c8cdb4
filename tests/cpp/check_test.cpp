#include "app/check.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "ops/control.h"
#include "run/kernel.h"

namespace remodel {
namespace {

Model model_of(const std::string& text) {
  Model model;
  model.graphs.push_back(parse_graph(text, find_op));
  return model;
}
CheckResult check(const std::string& source, const std::string& result, CheckOptions options = {}) {
  options.threads = 1;
  return check_models(model_of(source), model_of(result), options);
}

const char* const network = R"(graph g(x: f32[N, 4]) {
  w1: f32[4, 5] = random 1
  w2: f32[5, 3] = random 2
  a = matmul(x, w1) # "first"
  b = relu(a) # "act"
  c = matmul(b, w2) # "second"
  y = softmax(c) # "probs"
  return y
})";

std::string with(std::string text, const std::string& from, const std::string& to) {
  size_t place = text.find(from);
  EXPECT_NE(place, text.npos);
  return text.replace(place, from.size(), to);
}

TEST(Check, VerifiesWhatIsTheSame) {
  CheckResult result = check(network, network);
  ASSERT_EQ(result.outputs.size(), 1u);
  EXPECT_EQ(result.outputs[0].verdict, Verdict::verified);
  EXPECT_EQ(result.outputs[0].output, "y");
  EXPECT_EQ(result.outputs[0].tolerance, 1e-4);
  EXPECT_TRUE(result.passed());
  EXPECT_EQ(result.inputs, (std::vector<std::string>{"made up with N = 2", "made up with N = 1"}));
}

TEST(Check, NamesTheLayerWhoseWeightsWereAltered) {
  CheckResult result = check(network, with(network, "w2: f32[5, 3] = random 2", "w2: f32[5, 3] = random 3"));
  EXPECT_TRUE(result.failed());
  EXPECT_EQ(result.outputs[0].verdict, Verdict::failed);
  EXPECT_EQ(result.outputs[0].layer, "second");
  EXPECT_GT(result.outputs[0].error, 1e-3);
}

TEST(Check, NamesTheLayerByItsOriginWhereValuesHaveOtherNames) {
  std::string other = with(network, "a = matmul(x, w1)", "p = matmul(x, w1)");
  other = with(other, "relu(a)", "leaky_relu(p)");
  other = with(other, "b = leaky", "q = leaky");
  other = with(other, "matmul(b, w2)", "matmul(q, w2)");
  EXPECT_EQ(check(network, other).outputs[0].layer, "act");
}

// The large number leaves few digits of what is added to it.
TEST(Check, ComparesWithMoreDigitsWhatRoundingHides) {
  for (auto [dtype, large] : {std::pair("f32", 20000), std::pair("f16", 500)}) {
    auto graph = [&](const char* steps) {
      return fmt::format("graph g(x: {0}[40]) {{ k: {0}[1] = splat {1} a = mul(x, x) {2} return y }}", dtype,
                         large, steps);
    };
    const std::string source = graph("b = add(a, k) y = sub(b, k)");
    CheckResult found = check(source, graph("b = sub(k, k) y = add(a, b)"));
    EXPECT_EQ(found.outputs[0].verdict, Verdict::verified) << found.outputs[0].reason;
    EXPECT_NE(found.outputs[0].reason.find("double precision"), std::string::npos) << found.outputs[0].reason;
    EXPECT_TRUE(check(source, graph("b = add(a, k) c = sub(b, k) y = abs(x)")).failed());
  }
}

TEST(Check, AConversionKeepsTheNamesAndTheOrderOfOutputs) {
  const std::string source = "graph g(x: f32[2]) { y = relu(x) z = neg(x) return y, z }";
  CheckResult found = check(source, "graph g(x: f32[2]) { y = relu(x) z = neg(x) return z, y }");
  EXPECT_EQ(found.outputs[0].reason, "the outputs are in another order");
  found = check(source, "graph g(x: f32[2]) { y = relu(x) return y }");
  ASSERT_EQ(found.outputs.size(), 2u);
  EXPECT_EQ(found.outputs[0].verdict, Verdict::verified);
  EXPECT_EQ(found.outputs[1].output, "z");
  EXPECT_TRUE(found.failed());
  found = check(source, "graph g(x: f32[2]) { a = relu(x) b = neg(x) return a, b }");
  EXPECT_EQ(found.outputs.size(), 4u);
  EXPECT_TRUE(found.failed());
}

TEST(Check, TakesTheGivenTolerance) {
  CheckOptions options;
  options.tolerance = 10;
  CheckResult result =
      check(network, with(network, "w2: f32[5, 3] = random 2", "w2: f32[5, 3] = random 3"), options);
  EXPECT_EQ(result.outputs[0].verdict, Verdict::verified);
}

TEST(Check, CatchesASizeThatWasFixed) {
  std::string source = "graph g(x: f32[N, 6]) { y = reshape(x) {shape: [2*N, 3]} return y }";
  std::string result = "graph g(x: f32[N, 6]) { y = reshape(x) {shape: [4, 3]} return y }";
  CheckResult found = check(source, result);
  EXPECT_EQ(found.outputs[0].verdict, Verdict::failed) << found.outputs[0].reason;
}

TEST(Check, UsesTheSizesThatTheResultHasFixed) {
  std::string source = "graph g(x: f32[N, 6]) { y = relu(x) return y }";
  CheckResult found = check(source, "graph g(x: f32[7, 6]) { y = relu(x) return y }");
  EXPECT_EQ(found.outputs[0].verdict, Verdict::verified) << found.outputs[0].reason;
}

TEST(Check, DoesNotCallVerifiedWhatNoInputChanges) {
  std::string text = R"(graph g(x: f32[3]) {
    c: f32[2] = const [1, 2]
    a = sub(x, x)
    b = relu(c)
    y = relu(x)
    return a, b, y
  })";
  CheckResult result = check(text, text);
  EXPECT_EQ(result.outputs[0].verdict, Verdict::not_exercised);
  EXPECT_EQ(result.outputs[1].verdict, Verdict::not_exercised);
  EXPECT_EQ(result.outputs[1].reason, "it depends on no input");
  EXPECT_EQ(result.outputs[2].verdict, Verdict::verified);
}

TEST(Check, FailsAnOutputThatIsNotExercisedButWrong) {
  std::string text = "graph g(x: f32[3]) { c: f32[2] = const [1, 2]  b = relu(c) return b }";
  EXPECT_TRUE(check(text, with(text, "[1, 2]", "[1, 3]")).failed());
}

TEST(Check, ExercisesBothBranches) {
  std::string text = R"(graph g(cond: bool[], x: f32[3]) {
    y = if(cond, x) {then: graph a(x: f32[3]) { r = relu(x) return r }, else: graph b(x: f32[3]) { r = neg(x) return r }}
    return y
  })";
  EXPECT_EQ(check(text, text).outputs[0].verdict, Verdict::verified);
  EXPECT_TRUE(check(text, with(text, "r = neg(x)", "r = abs(x)")).failed());
  EXPECT_TRUE(check(text, with(text, "r = relu(x)", "r = abs(x)")).failed());
}

TEST(Check, ForgivesNearTies) {
  // Scores that are equal but for rounding: the second sums them in another order.
  std::string source = R"(graph g(x: f32[4, 6]) {
    two: f32[] = const [2]
    nine: f32[] = const [9]
    a = floor(x) # "scores"
    y = arg_max(a) {axis: 1} # "choice"
    return y
  })";
  std::string result = with(source, "floor(x)", "floor(t)");
  result = with(
      result, "a = floor",
      "tiny: f32[6] = const [0.000001, 0, 0.000002, 0, 0.000003, 0.000004]\n t = add(x, tiny)\n f = floor");
  result = with(result, "y = arg_max", "a = add(f, tiny)\n y = arg_max");
  CheckResult found = check(source, result);
  EXPECT_EQ(found.outputs[0].verdict, Verdict::near_ties)
      << found.outputs[0].reason << found.outputs[0].layer;
  EXPECT_TRUE(found.passed());
}

TEST(Check, DoesNotForgiveAnotherChoice) {
  std::string source = "graph g(x: f32[4, 6]) { y = arg_max(x) {axis: 1} return y }";
  CheckResult found = check(source, "graph g(x: f32[4, 6]) { y = arg_min(x) {axis: 1} return y }");
  EXPECT_EQ(found.outputs[0].verdict, Verdict::failed);
}

TEST(Check, WidensForHalvesAndSaysWhy) {
  std::string text =
      "graph g(x: f32[8]) { h = cast(x) {to: f16}  r = relu(h)  y = cast(r) {to: f32} return y }";
  CheckResult result = check(text, "graph g(x: f32[8]) { y = relu(x) return y }");
  EXPECT_EQ(result.outputs[0].verdict, Verdict::verified) << result.outputs[0].reason;
  EXPECT_EQ(result.outputs[0].tolerance, 1e-2);
  EXPECT_EQ(result.outputs[0].reason, "computed in f16");
}

TEST(Check, PairsPortsByNameAndThenByPlaceIfAsked) {
  std::string source = "graph g(a: f32[2], b: f32[2]) { y = sub(a, b) return y }";
  EXPECT_EQ(check(source, "graph g(b: f32[2], a: f32[2]) { y = sub(a, b) return y }").outputs[0].verdict,
            Verdict::verified);
  const std::string renamed = "graph g(p: f32[2], q: f32[2]) { z = sub(p, q) return z }";
  EXPECT_TRUE(check(source, renamed).failed());
  CheckOptions by_place;
  by_place.by_place = true;
  CheckResult placed = check(source, renamed, by_place);
  ASSERT_EQ(placed.outputs.size(), 1u);
  EXPECT_EQ(placed.outputs[0].verdict, Verdict::verified);
  EXPECT_EQ(placed.notes.size(), 2u);
  EXPECT_TRUE(check(source, "graph g(a: f32[2]) { y = relu(a) return y }").passed() == false);
  CheckResult missing = check(source, "graph g(a: f32[2], b: f32[2], c: f32[2]) { y = sub(a, b) return y }");
  EXPECT_EQ(missing.outputs[0].reason, "the source has no input 'c'");
}

TEST(Check, FeedsWhatNarrowerInputsCanHold) {
  std::string source = "graph g(x: f32[40]) { y = relu(x) return y }";
  CheckResult result = check(source, "graph g(x: f16[40]) { w = cast(x) {to: f32}  y = relu(w) return y }");
  EXPECT_EQ(result.outputs[0].verdict, Verdict::verified) << result.outputs[0].reason;
  EXPECT_EQ(result.outputs[0].error, 0);
}

// y, and what two layers that nobody knows make of it.
Model with_unknown_layers(const std::string& text) {
  Model model = model_of(text);
  Graph& graph = model.main();
  Foreign mystery, later;
  mystery.type = "Mystery", later.type = "Later";
  const NodeId first = graph.add_node(mystery, {graph.outputs[0].value}, {"m"}, {"odd"});
  const NodeId second = graph.add_node(later, {graph.node(first).outputs[0]}, {"l"}, {"even odder"});
  graph.outputs.push_back({"unknown", graph.node(second).outputs[0]});
  return model;
}

TEST(Check, ComparesTheOutputsThatHangOnNoUnknownLayer) {
  const Model source = with_unknown_layers(network);
  CheckResult result = check_models(source, with_unknown_layers(network), {});
  ASSERT_EQ(result.outputs.size(), 2u);
  EXPECT_EQ(result.outputs[0].verdict, Verdict::verified);
  EXPECT_EQ(result.outputs[1].verdict, Verdict::not_run);
  EXPECT_EQ(result.outputs[1].reason, "layer 'odd': 'Mystery' cannot be run here");
  EXPECT_TRUE(result.not_run());
  result = check_models(source, with_unknown_layers(with(network, "relu(a)", "sigmoid(a)")), {});
  EXPECT_EQ(result.outputs[0].verdict, Verdict::failed);
  EXPECT_EQ(result.outputs[0].layer, "act");
  EXPECT_EQ(result.outputs[1].verdict, Verdict::not_run);
}

TEST(Check, SaysThatTheSourceDoesNotRun) {
  std::string text = R"(graph g(x: f32[3]) {
    table: f32[2, 2] = random 1
    i: i64[1] = const [5]
    g = gather(table, i)
    y = add(g, g)
    return y
  })";
  CheckResult result = check(text, text);
  EXPECT_EQ(result.outputs[0].verdict, Verdict::not_run);
  EXPECT_EQ(result.outputs[0].reason.substr(0, 25), "the source does not run: ");
  EXPECT_FALSE(result.passed());
}

}  // namespace
}  // namespace remodel
