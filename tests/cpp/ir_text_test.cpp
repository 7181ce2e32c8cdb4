#include "ir/text.h"

#include <gtest/gtest.h>

#include "run/kernel.h"
#include "run/runner.h"

namespace remodel {
namespace {

TEST(IrText, PrintsWhatItParsed) {
  std::string text = R"(graph main(x: f32[N, 3]) {
  a: f32[N, 3] = leaky_relu(x) {alpha: 0.2} # "block3/act"
  "b:0": f32[3*N] = reshape(a) {shape: [3*N]}
  return y: "b:0", a
}
)";
  EXPECT_EQ(print(*parse_graph(text, find_op)), text);
}

TEST(IrText, RunsWithTheSizesOfItsInputs) {
  auto graph = parse_graph("graph g(x: f32[N, 2]) { y = reshape(x) {shape: [2*N]}  return y }", find_op);
  Pool pool(1);
  auto results = Runner(pool).run(*graph, {Tensor::of<float>(DType::f32, {3, 2}, {1, 2, 3, 4, 5, 6})});
  EXPECT_EQ(results[0].tensor.shape(), (Shape{6}));
}

TEST(IrText, RefusesWithTheLine) {
  try {
    parse_graph("graph g(x: f32[2]) {\n y = relu(z)\n return y }", find_op);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "line 2: 'z' is not defined");
  }
}

TEST(IrText, PrintsModelsAsParsed) {
  std::string text = R"(w: f32[2] = const [1, 2]
state "the count": i8[1] on (f32[] const [0.5], i8[] const [3]) = const [4]
graph one(x: f32[2], n: i8[1] on (f32[] const [0.5], i8[] const [3]) state "the count") {
  y: f32[2] = add(x, w)
  return y, n state "the count"
}
graph two(go: bool[], x: f32[2]) {
  y: f32[2] = if(go, x) {then: graph a(x: f32[2]) {
    y: f32[2] = mul(x, w)
    return y
  }, else: graph b(x: f32[2]) {
    return x
  }}
  return y
}
)";
  Model model = parse_model(text, find_op);
  EXPECT_EQ(print(model), text);
  EXPECT_EQ(verify(model), std::vector<std::string>());
}

TEST(IrText, RefusesWhatDoesNotFit) {
  struct Case {
    const char *text, *why;
  };
  for (auto [text, why] : {
           Case{"graph g(x: i8[2] on (f32[] const [1], none)) {\n y: i8[2] on (f32[] const [2], none) = "
                "reshape(x) {shape: [2]} return y }",
                "line 2: 'y' lies on another grid"},
           Case{"graph g(x: f32[2] state s) { return x }", "line 1: there is no state 's'"},
           Case{"state s: f32[2] = splat 0", "line 1: expected a graph at ''"},
           Case{"w: f32[N] = splat 0\ngraph g() { return w }",
                "line 1: a constant needs a type with known sizes"},
       })
    try {
      parse_model(text, find_op);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), why);
    }
}

TEST(Verify, NamesStatesThatDoNotFit) {
  Model model = parse_model(R"(state s: f32[2] = splat 0
    graph g(x: f32[3], a: f32[2] state s, b: f32[2] state s) { return x state s }
  )",
                            find_op);
  EXPECT_EQ(verify(model), (std::vector<std::string>{
                               "port 'b' has no state, or that of another port",
                               "port 'x' is f32[3], but state 's' is f32[2]",
                           }));
}

TEST(Dim, HasOneNormalForm) {
  struct Case {
    const char *given, *normal;
  };
  for (auto [given, normal] : {Case{"N + N", "2*N"},
                               {"floor(2*N, 2)", "N"},
                               {"floor(4*N + 6, 8)", "floor(N + 1, 2)"},
                               {"floor(floor(H, 2), 2)", "floor(H, 4)"},
                               {"floor(H + 5, 2)", "floor(H + 1, 2) + 2"},
                               {"max(0, N)", "N"},
                               {"min(N, N + 2)", "N"},
                               {"N*M - M*N + 3", "3"},
                               {"floor(6*N*H, 2*N)", "3*H"}})
    EXPECT_EQ(parse_dim(given).text(), normal) << given;
}

}  // namespace
}  // namespace remodel
