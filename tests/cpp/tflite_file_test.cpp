#include "formats/tflite/file.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "damage.h"
#include "refusal.h"

namespace remodel::tflite {
namespace {

Bytes no_other_file(const std::string& name) { fail("there is no file '{}'", name); }

Bytes sample(const std::string& name) {
  return map_file(REMODEL_SOURCE_DIR "/tests/fuzz/corpus/tflite/" + name);
}

std::string written(const File& file) {
  MemorySink sink;
  write_file(file, sink);
  EXPECT_EQ(sink.position(), file_size(file));
  return sink.take();
}

// All that a file holds.
void check_convolution(const File& file) {
  EXPECT_EQ(file.description, "a convolution");
  ASSERT_EQ(file.graphs.size(), 1u);
  const SubGraph& graph = file.graphs[0];
  EXPECT_EQ(graph.name, "main");
  const Tensor& image = graph.tensors[static_cast<size_t>(graph.inputs.at(0))];
  EXPECT_EQ(image.name, "image");
  EXPECT_EQ(image.type, TensorType::INT8);
  EXPECT_EQ(image.shape, (std::vector<int32_t>{1, 6, 5, 2}));
  EXPECT_EQ(image.signature, (std::vector<int32_t>{-1, 6, 5, 2}));
  EXPECT_EQ(image.quantization.scale, std::vector<float>{0.05f});
  EXPECT_EQ(image.quantization.zero, std::vector<int64_t>{3});
  EXPECT_FALSE(image.data);

  ASSERT_EQ(graph.operators.size(), 3u);
  const Operator& conv = graph.operators[0];
  EXPECT_EQ(conv.type, "CONV_2D");
  EXPECT_FALSE(conv.custom);
  EXPECT_EQ(conv.version, 3);
  ASSERT_EQ(conv.attributes.size(), 3u);
  EXPECT_EQ(conv.find("stride_h")->integer, 2);
  EXPECT_EQ(conv.find("stride_w")->integer, 1);
  EXPECT_EQ(conv.find("fused_activation_function")->text, "RELU6");
  EXPECT_EQ(conv.find("padding"), nullptr);
  const Tensor& weights = graph.tensors[static_cast<size_t>(conv.inputs.at(1))];
  ASSERT_TRUE(weights.data);
  EXPECT_EQ(weights.data->tensor().ints().at(0), -54);
  EXPECT_EQ(weights.quantization.scale.size(), 6u);
  EXPECT_EQ(weights.quantization.axis, 0);
  EXPECT_EQ(graph.operators[1].type, "RESHAPE");

  ASSERT_EQ(file.signatures.size(), 1u);
  EXPECT_EQ(file.signatures[0].key, "serving_default");
  EXPECT_EQ(file.signatures[0].inputs.at(0), (std::pair<std::string, int32_t>("x", graph.inputs[0])));
  EXPECT_EQ(file.signatures[0].outputs.at(0), (std::pair<std::string, int32_t>("y", graph.outputs.at(0))));
  ASSERT_EQ(file.metadata.size(), 1u);
  EXPECT_EQ(file.metadata[0].first, "min_runtime_version");
  EXPECT_EQ(file.metadata[0].second.view().substr(0, 6), std::string_view("2.3.0\0", 6));
  ASSERT_EQ(file.assets.size(), 1u);
  EXPECT_EQ(file.assets[0].first, "labels.npy");
  EXPECT_EQ(file.assets[0].second.view().substr(1, 5), "NUMPY");
}

TEST(TfliteFile, HoldsWhatAnotherProgramWrote) {
  check_convolution(parse_file(sample("convolution"), no_other_file));
}

TEST(TfliteFile, HoldsTheSameAfterWriting) {
  const File file = parse_file(sample("convolution"), no_other_file);
  check_convolution(parse_file(Bytes::own(written(file)), no_other_file));
}

TEST(TfliteFile, WritesTheSameBytesOfWhatItWrote) {
  for (const char* name : {"convolution", "loop", "strings"}) {
    const std::string once = written(parse_file(sample(name), no_other_file));
    EXPECT_EQ(written(parse_file(Bytes::own(once), no_other_file)), once) << name;
  }
}

TEST(TfliteFile, KeepsSubGraphsAndTheirOperators) {
  const File file = parse_file(sample("loop"), no_other_file);
  ASSERT_EQ(file.graphs.size(), 3u);
  EXPECT_EQ(file.graphs[0].operators.at(0).find("body_subgraph_index")->integer, 2);
  EXPECT_EQ(file.graphs[2].operators.size(), 2u);
}

TEST(TfliteFile, ReadsStringsAndCustomOperators) {
  const File file = parse_file(sample("strings"), no_other_file);
  const SubGraph& graph = file.graphs[0];
  const Tensor& texts = graph.tensors[static_cast<size_t>(graph.operators[0].inputs[0])];
  EXPECT_EQ(*texts.data->strings(), (std::vector<std::string>{"a", "bc", ""}));
  EXPECT_EQ(graph.operators[1].type, "Mine");
  EXPECT_TRUE(graph.operators[1].custom);
  EXPECT_EQ(graph.operators[1].inputs.at(1), -1);
  EXPECT_EQ(graph.operators[1].custom_options.view(), "\1\2\3");
}

TEST(TfliteFile, FillsASparseTensor) {
  const File file = parse_file(sample("sparse"), no_other_file);
  const Tensor& tensor = file.graphs[0].tensors[0];
  EXPECT_TRUE(tensor.sparse);
  EXPECT_EQ(tensor.data->tensor().doubles(), (std::vector<double>{0, 1.5, 0, 0, 0, 0, -2, 0, 3}));
}

// Weights of many gigabytes that take no room until they are read.
TEST(TfliteFile, PutsWhatAFlatbufferCannotSayBehindIt) {
  File file;
  SubGraph graph;
  for (const int32_t size : {700'000'000, 3}) {
    Tensor tensor;
    tensor.name = std::to_string(size);
    tensor.shape = {size};
    tensor.data = constant_splat(DType::f32, {size}, 1.5);
    graph.tensors.push_back(tensor);
  }
  graph.operators.push_back({.type = "ADD",
                             .inputs = {0, 1},
                             .outputs = {0},
                             .intermediates = {},
                             .attributes = {},
                             .custom_options = {},
                             .mutated = {}});
  file.graphs.push_back(graph);
  class Head : public Sink {
   public:
    std::string text;

   private:
    void put(const void* data, size_t size) override {
      text.append(static_cast<const char*>(data), std::min(size, 4096 - std::min<size_t>(4096, text.size())));
    }
  } sink;
  write_file(file, sink);
  EXPECT_EQ(sink.position(), file_size(file));
  EXPECT_GT(sink.position(), 2'800'000'000u);
  // In the buffer's table, which is in the head, stand the size and, a little before, where it begins.
  uint64_t bytes = 2'800'000'000u;
  EXPECT_NE(sink.text.find(std::string(reinterpret_cast<const char*>(&bytes), 8)), std::string::npos);
}

TEST(TfliteFile, RefusesWhatDoesNotFitTogether) {
  EXPECT_EQ(refusal([] { parse_file(Bytes::own("none of it"), no_other_file); }),
            "it is not a TensorFlow Lite file");
  File file;
  SubGraph graph;
  graph.tensors.resize(1);
  graph.inputs = {3};
  file.graphs = {graph};
  EXPECT_EQ(refusal([&] { parse_file(Bytes::own(written(file)), no_other_file); }),
            "it refers to tensor 3 of 1");
}

TEST(TfliteFile, SurvivesDamage) {
  for (const char* name : {"convolution", "loop", "sparse", "strings"}) {
    const Bytes file = sample(name);
    const int refused =
        damage(std::string(file.view()), 5'000, [](const Bytes& bytes) { parse_file(bytes, no_other_file); });
    EXPECT_GT(refused, 100) << name;
  }
}

}  // namespace
}  // namespace remodel::tflite
