// The rewrite rules on graphs of tests/rules/*.txt. A case is
//
//   == name
//   becomes: add gelu            the ops that are left, in order of name
//   graph g(x: f32[2, 3]) { ... }
//
// The optimised graph computes what the graph did. Where the ops that were put together are taken apart
// again, it still does, and has no more nodes than at first.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/file.h"
#include "ir/text.h"
#include "ops/matmul.h"
#include "passes/decompose.h"
#include "passes/optimise.h"
#include "run/compare.h"
#include "run/kernel.h"
#include "run/made_inputs.h"
#include "run/runner.h"

namespace remodel {
namespace {

struct Case {
  std::string name, becomes, graph;
};

std::vector<Case> cases_of(const std::string& path) {
  std::vector<Case> cases;
  const Bytes bytes = map_file(path);
  std::string_view text = bytes.view();
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size() - 1);
    std::string line(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (line.starts_with("== "))
      cases.push_back({line.substr(3), "", ""});
    else if (line.starts_with("becomes: "))
      cases.back().becomes = line.substr(9);
    else if (!cases.empty())
      cases.back().graph += line + "\n";
  }
  return cases;
}

std::vector<std::string> ops_of(const Graph& graph) {
  std::vector<std::string> names;
  for (NodeId id : graph.order()) names.emplace_back(graph.node(id).op.name());
  std::sort(names.begin(), names.end());
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

void expect_same_results(const Graph& graph, const std::vector<std::vector<Datum>>& inputs,
                         const std::vector<std::vector<Datum>>& references, Pool& pool) {
  for (size_t set = 0; set < inputs.size(); ++set) {
    auto results = Runner(pool).run(graph, inputs[set]);
    ASSERT_EQ(results.size(), references[set].size());
    for (size_t i = 0; i < results.size(); ++i) {
      Comparison comparison = compare(references[set][i], results[i], 1e-5);
      EXPECT_TRUE(comparison.equal) << comparison.difference << "\n" << print(graph);
    }
  }
}

void check(const Case& one, Pool& pool) {
  Model model;
  model.graphs = {parse_graph(one.graph, find_op)};
  Graph& graph = model.main();
  const ChosenSizes sizes = choose_sizes(graph, {}).at(0);
  std::vector<std::vector<Datum>> inputs, references;
  for (int set : {0, 1}) {
    inputs.push_back(make_inputs(*sizes.graph, set));
    references.push_back(Runner(pool).run(graph, inputs.back()));
  }
  const std::vector<std::string> before = ops_of(graph);
  optimise(model, {}, pool);
  const std::vector<std::string> after = ops_of(graph);
  EXPECT_EQ(joined(after), one.becomes);
  expect_same_results(graph, inputs, references, pool);

  std::vector<Error> problems;
  auto refusal = [&](const Graph& in, const Node& node) -> std::string {
    bool put_together = std::binary_search(after.begin(), after.end(), node.op.name()) &&
                        !std::binary_search(before.begin(), before.end(), node.op.name());
    if (const MatMul* product = node.op.as<MatMul>(); product && in.value(node.inputs[0]).type.has_rank(4))
      put_together = product->transpose_a || product->transpose_b;
    return put_together ? "it was not there" : "";
  };
  decompose(graph, refusal, problems);
  tidy(graph, pool);
  EXPECT_EQ(verify(graph), std::vector<std::string>());
  EXPECT_LE(ops_of(graph).size(), before.size()) << print(graph);
  expect_same_results(graph, inputs, references, pool);
}

TEST(Rules, RewriteTheGraphsOfTheCases) {
  const std::string folder = std::string(REMODEL_SOURCE_DIR) + "/tests/rules";
  Pool pool(1);
  size_t count = 0;
  for (const std::string& file : list_folder(folder))
    for (const Case& one : cases_of(folder + "/" + file)) {
      SCOPED_TRACE(file + ": " + one.name);
      ++count;
      try {
        check(one, pool);
      } catch (const Error& error) {
        ADD_FAILURE() << error.what();
      }
    }
  EXPECT_GT(count, 0u);
}

// A file may declare sizes that inference does not find: the result is then their home.
TEST(Rules, EndWhereTheReplacedResultFindsASizeOut) {
  GraphPtr graph = parse_graph(R"(graph g(x: f32[_5, 6]) {
    a = softplus(x)
    b = tanh(a)
    y = mul(x, b)
    return y
  })",
                               find_op);
  graph->value(graph->outputs[0].value).type.dims = Dims{Dim::symbol("_9"), 6};
  Rules rules;
  activation_rules(rules);
  std::vector<RuleCount> counts;
  apply_rules(*graph, rules, counts);
  ASSERT_EQ(graph->order().size(), 1u);
  EXPECT_EQ(graph->node(graph->order()[0]).op.name(), "mish");
  EXPECT_EQ(graph->value(graph->outputs[0].value).type.text(), "f32[_9, 6]");
}

}  // namespace
}  // namespace remodel
