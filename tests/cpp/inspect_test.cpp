#include "app/inspect.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "app/output_kind.h"
#include "ir/text.h"
#include "run/cost.h"
#include "run/kernel.h"

namespace remodel {
namespace {

int64_t cost_of(const std::string& text) { return multiply_adds(*parse_graph(text, find_op)); }

TEST(MultiplyAdds, OfConvolutions) {
  // ResNet's first layer: 112 * 112 places, 64 channels, 7 * 7 * 3 weights each.
  EXPECT_EQ(cost_of(R"(graph g(x: f32[1, 3, 224, 224]) {
    w: f32[64, 3, 7, 7] = splat 0
    y = conv(x, w) {strides: [2, 2], dilations: [1, 1], pads_low: [3, 3], pads_high: [3, 3]}
    return y
  })"),
            118013952);
  // A channel by itself: 3 * 3 weights each.
  EXPECT_EQ(cost_of(R"(graph g(x: f32[1, 8, 16, 16]) {
    w: f32[8, 1, 3, 3] = splat 0
    y = conv(x, w) {strides: [1, 1], dilations: [1, 1], pads_low: [1, 1], pads_high: [1, 1], groups: 8}
    return y
  })"),
            16 * 16 * 8 * 9);
  // Each of 4 * 4 * 6 inputs goes to 5 * 2 * 2 outputs.
  EXPECT_EQ(cost_of(R"(graph g(x: f32[1, 6, 4, 4]) {
    w: f32[5, 6, 2, 2] = splat 0
    y = conv_transpose(x, w) {strides: [2, 2], dilations: [1, 1], pads_low: [0, 0], pads_high: [0, 0]}
    return y
  })"),
            4 * 4 * 6 * 5 * 2 * 2);
}

TEST(MultiplyAdds, OfProducts) {
  EXPECT_EQ(cost_of("graph g(a: f32[5, 2, 3], b: f32[3, 7]) { y = matmul(a, b) return y }"), 5 * 2 * 3 * 7);
  EXPECT_EQ(cost_of("graph g(a: f32[3, 2], b: f32[3, 7]) { y = matmul(a, b) {transpose_a: true} return y }"),
            2 * 3 * 7);
  EXPECT_EQ(cost_of(R"(graph g(a: f32[2, 3, 4], b: f32[2, 4, 5]) {
    y = einsum(a, b) {equation: "bij,bjk->bik"}
    return y
  })"),
            2 * 3 * 4 * 5);
}

TEST(MultiplyAdds, OfLstmsAndLoops) {
  // 5 steps of 2 rows, 4 gates of 3 cells, each with 4 inputs and 3 of its own.
  EXPECT_EQ(cost_of(R"(graph g(x: f32[5, 2, 4]) {
    w: f32[1, 12, 4] = splat 0
    r: f32[1, 12, 3] = splat 0
    y = lstm(x, w, r) {activations: ["sigmoid", "tanh", "tanh"], alphas: [0, 0, 0], betas: [0, 0, 0]}
    return y
  })"),
            5 * 2 * 12 * (4 + 3));
  EXPECT_EQ(cost_of(R"(graph g(x: f32[2, 2]) {
    y = loop(_, _, _, x) {carried: 1, count: 6, body: graph b(c: f32[2, 2]) {
      w: f32[2, 2] = random 1
      n = matmul(c, w)
      return n
    }}
    return y
  })"),
            6 * 2 * 2 * 2);
}

TEST(PeakActivations, AreThoseOfTheWidestPlace) {
  // 400 bytes each: x and a, then a and b; the view of x needs none, but keeps x until it is used.
  EXPECT_EQ(peak_activation_bytes(
                *parse_graph("graph g(x: f32[100]) { a = relu(x) b = neg(a) c = abs(b) return c }", find_op)),
            800);
  EXPECT_EQ(peak_activation_bytes(*parse_graph(R"(graph g(x: f32[100]) {
    v = reshape(x) {shape: [10, 10]}
    a = relu(x)
    b = neg(a)
    c = reshape(b) {shape: [10, 10]}
    d = add(v, c)
    return d
  })",
                                               find_op)),
            1200);
}

std::string kind_of(const std::string& body) {
  GraphPtr graph =
      parse_graph("graph g(x: f32[1, 8, 4, 4], f: f32[1, 8]) { w: f32[8, 5] = splat 1  b: f32[5] = splat 1 " +
                      body + " return y }",
                  find_op);
  return output_kind(*graph, graph->outputs[0].value);
}

TEST(OutputKind, FollowsTheLastLayers) {
  EXPECT_EQ(kind_of("y = matmul(f, w)"), "logits");
  EXPECT_EQ(kind_of("a = matmul(f, w) y = add(a, b)"), "logits");
  EXPECT_EQ(kind_of("a = matmul(f, w) s = softmax(a) {axis: 1} y = reshape(s) {shape: [5]}"),
            "probabilities (softmax over axis 1)");
  EXPECT_EQ(
      kind_of("t = transpose(w) {perm: [1, 0]} c = cast(t) {to: f32} y = matmul(f, c) {transpose_b: true}"),
      "logits");
  EXPECT_EQ(kind_of("t = transpose(f) {perm: [1, 0]} y = matmul(f, t)"), "features");
  EXPECT_EQ(kind_of("a = matmul(f, w) y = sigmoid(a)"), "probabilities (each by itself)");
  EXPECT_EQ(kind_of("a = matmul(f, w) y = arg_max(a) {axis: 1}"), "class indices");
  EXPECT_EQ(kind_of("a = matmul(f, w) s = softmax(a) y, i = top_k(s) {k: 2}"),
            "the best probabilities (softmax over axis -1)");
  EXPECT_EQ(kind_of("a = matmul(f, w) i, y = top_k(a) {k: 2}"), "indices of the best");
  EXPECT_EQ(kind_of("a = reduce(x) {kind: mean, axes: [2, 3]} y = relu(a)"), "features");
  EXPECT_EQ(kind_of("y = matmul(f, f) {transpose_b: true}"), "features");
}

TEST(ClassNames, AreReadAsToolsWriteThem) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(parse_class_names("{0: 'person', 1: \"traffic light\", 10: 'it\\'s'}"),
            (Names{"person", "traffic light", "it's"}));
  EXPECT_EQ(parse_class_names("{\"1\": \"b\", \"0\": \"a\"}"), (Names{"a", "b"}));
  EXPECT_EQ(parse_class_names("['a', 'b']"), (Names{"a", "b"}));
  EXPECT_EQ(parse_class_names("tench\r\ngoldfish\n"), (Names{"tench", "goldfish"}));
  EXPECT_EQ(parse_class_names("{0: 'person'"), Names{});
  EXPECT_EQ(parse_class_names("detect"), Names{});
  EXPECT_EQ(parse_class_names(""), Names{});
}

TEST(Inspect, CountsTheDemosModel) {
  const Inspection found = inspect(REMODEL_SOURCE_DIR "/demo/shapes.onnx");
  ASSERT_EQ(found.signatures.size(), 1u);
  const Inspection::Signature& signature = found.signatures[0];
  EXPECT_EQ(found.parameters.count, 2572);
  EXPECT_EQ(found.parameters.bytes, 4u * 2572);
  EXPECT_EQ(signature.multiply_adds, 156160);
  EXPECT_EQ(signature.sizes, "batch = 1");
  EXPECT_FALSE(signature.open_sizes);
  EXPECT_EQ(signature.inputs[0].name, "image");
  EXPECT_EQ(signature.inputs[0].dtype, "f32");
  EXPECT_EQ(signature.inputs[0].shape, "[batch, 3, 32, 32]");
  EXPECT_EQ(signature.outputs[0].kind, "probabilities (softmax over axis 1)");
  EXPECT_EQ(found.file.operators.at("Conv"), 7);
  EXPECT_EQ(found.ops.at("batch_norm"), 7);
  EXPECT_EQ(found.class_names, (std::vector<std::string>{"circle", "square", "triangle", "cross"}));
  ASSERT_EQ(found.targets.size(), 2u);
  EXPECT_TRUE(found.targets[0].problems.empty());
  EXPECT_EQ(found.targets[0].lowest_version, 9);
  const Json json = json_of(found);
  EXPECT_EQ(json.at("parameters").at("count").as_int(), 2572);
  EXPECT_NE(text_of(found, 80).find("classes       4: circle, square, triangle, cross\n"), std::string::npos)
      << text_of(found, 80);
}

}  // namespace
}  // namespace remodel
