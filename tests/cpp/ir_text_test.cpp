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
