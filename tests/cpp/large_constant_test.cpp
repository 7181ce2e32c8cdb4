#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>

#include "base/file.h"
#include "ir/constant.h"
#include "ops/binary.h"
#include "ops/shape.h"
#include "passes/fold.h"
#include "scratch.h"

namespace remodel {
namespace {

constexpr int64_t rows = 25088, columns = 4096;  // 411 MB of floats

// A line of /proc/self/status, in bytes.
int64_t status(const std::string& name) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(name + ":")) return std::stoll(line.substr(name.size() + 1)) * 1024;
  return -1;
}

float scale_of(int64_t row) { return 0.5f + static_cast<float>(row % 7); }

// A file of zeros with some elements that are none.
std::map<int64_t, float> write_weights(const std::string& path) {
  std::map<int64_t, float> elements;
  uint64_t state = 1;
  for (int i = 0; i < 2000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    elements[static_cast<int64_t>((state >> 20) % static_cast<uint64_t>(rows * columns))] =
        static_cast<float>(i + 1);
  }
  elements[0] = -1, elements[rows * columns - 1] = -2;
  std::FILE* file = std::fopen(path.c_str(), "wb");
  for (const auto& [place, value] : elements) {
    std::fseek(file, place * 4, SEEK_SET);
    std::fwrite(&value, 4, 1, file);
  }
  std::fclose(file);
  return elements;
}

// w, transposed and then scaled along its last axis, as the passes leave it.
ConstantPtr transposed_and_scaled(ConstantPtr weights) {
  Tensor scale(DType::f32, {rows});
  for (int64_t row = 0; row < rows; ++row) scale.to<float>()[row] = scale_of(row);
  Graph graph;
  ValueId w = graph.add_constant(std::move(weights)), s = graph.add_constant(constant_tensor(scale));
  NodeId turned = graph.add_node(Transpose{}, {w}, {"turned"});
  NodeId scaled = graph.add_node(Mul{}, {graph.node(turned).outputs[0], s}, {"scaled"});
  graph.outputs.push_back({"scaled", graph.node(scaled).outputs[0]});
  Pool pool(1);
  GrowthBudget budget(graph);
  fold_constants(graph, budget, pool);
  return graph.value(graph.outputs[0].value).constant;
}

// Reads it in rows as a writer does. The system refuses what goes beyond 64 MB of memory of the process's
// own.
int read_in_rows(const std::string& path, const std::map<int64_t, float>& elements) {
  ConstantPtr weights = constant_bytes(DType::f32, {rows, columns}, map_file(path));
  constexpr int64_t most = 64 << 20;
  const int64_t before = status("VmData"), own = status("RssAnon");
  rlimit limit{static_cast<rlim_t>(before + most), static_cast<rlim_t>(before + most)};
  if (before < 0 || setrlimit(RLIMIT_DATA, &limit) != 0) return 2;
  ConstantPtr result = transposed_and_scaled(weights);
  if (!result || result->shape() != Shape{columns, rows}) return 3;
  std::map<int64_t, float> expected;
  for (const auto& [place, value] : elements)
    expected[place % columns * rows + place / columns] = value * scale_of(place / columns);
  int64_t first = 0, peak = 0;
  bool right = true;
  auto next = expected.begin();
  for_each_block(*result, [&](const void* block, int64_t count) {
    const auto* values = static_cast<const float*>(block);
    int64_t from = first;
    for (; next != expected.end() && next->first < first + count; ++next) {
      right = right && std::all_of(values + (from - first), values + (next->first - first),
                                   [](float value) { return value == 0; });
      right = right && values[next->first - first] == next->second;
      from = next->first + 1;
    }
    right = right && std::all_of(values + (from - first), values + count, [](float v) { return v == 0; });
    first += count;
    peak = std::max(peak, status("RssAnon"));
  });
  std::fprintf(stderr, "%.1f MB at most\n", static_cast<double>(peak - own) / 1e6);
  return right && first == rows * columns && next == expected.end() && peak - own < most ? 0 : 1;
}

TEST(LargeConstant, IsTransposedAndScaledInRowsUnder64MB) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's own memory would count";
#endif
  Scratch scratch;
  std::string path = scratch / "weights";
  auto elements = write_weights(path);
  ASSERT_EQ(file_size(path), static_cast<uint64_t>(rows * columns * 4));
  EXPECT_EXIT(_exit(read_in_rows(path, elements)), testing::ExitedWithCode(0), "MB at most");
}

}  // namespace
}  // namespace remodel
