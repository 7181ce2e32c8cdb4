// The cases of tests/ir/*.txt:
//
//   === title
//   <the text of a model>
//   --- becomes <PASS>: <ops that are left, in order; those of bodies in braces>
//   --- call <graph>
//   <inputs, one constant a line>
//   --- gives
//   <outputs, one constant a line>
//
// A pass is optimise, tidy, loops, `apart OP`, `channels first` or `channels last`.
//
// The text must print and parse to itself. Calls follow one another, so states last from one to the next.
// They are made on the model as it stands, and again after each pass, and give the same each time. They do
// so as well in the orders of any target.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "ir/infer.h"
#include "ir/text.h"
#include "passes/decompose.h"
#include "passes/layout/layout.h"
#include "passes/loops.h"
#include "passes/optimise.h"
#include "run/kernel.h"
#include "run/session.h"

namespace remodel {
namespace {

struct Section {
  std::string head, text;
};
struct Case {
  std::string file, title, model;
  std::vector<Section> sections;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.file << ": " << one.title; }

std::vector<Case> all_cases() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(REMODEL_SOURCE_DIR "/tests/ir"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Case> cases;
  for (const auto& path : files) {
    std::ifstream in(path);
    bool in_case = false;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("=== ")) {
        cases.push_back({path.stem().string(), line.substr(4), "", {}});
        in_case = true;
      } else if (!in_case) {
        continue;
      } else if (line.starts_with("--- ")) {
        cases.back().sections.push_back({line.substr(4), ""});
      } else {
        auto& sections = cases.back().sections;
        (sections.empty() ? cases.back().model : sections.back().text) += line + "\n";
      }
    }
  }
  return cases;
}

struct Named {
  std::string name;
  Tensor tensor;
};

std::vector<Named> tensors(const std::string& lines) {
  std::string names;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);)
    if (size_t colon = line.find(':'); colon != std::string::npos && !line.starts_with(" "))
      names += (names.empty() ? "" : ", ") + line.substr(0, colon);
  GraphPtr graph = parse_graph("graph g() {\n" + lines + "return " + names + " }", find_op);
  std::vector<Named> result;
  for (const Port& port : graph->outputs)
    result.push_back({port.name, graph->value(port.value).constant->tensor()});
  return result;
}

void expect_close(const Tensor& expected, const Datum& found, const std::string& what) {
  ASSERT_TRUE(found.is_tensor()) << what;
  const Tensor& tensor = found.tensor;
  ASSERT_EQ(name_of(tensor.dtype()), name_of(expected.dtype())) << what;
  ASSERT_EQ(tensor.shape(), expected.shape()) << what;
  if (!is_float(expected.dtype())) {
    EXPECT_EQ(tensor.ints(), expected.ints()) << what;
    return;
  }
  std::vector<double> a = expected.doubles(), b = tensor.doubles();
  auto [least, most] = std::minmax_element(a.begin(), a.end());
  double range = a.empty() ? 0 : std::max(*most - *least, 1e-3);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(b[i], a[i], range * 2e-6) << what << ", element " << i;
}

std::string ops_of(const Graph& graph) {
  std::string text;
  for (NodeId id : graph.order()) {
    const Op& op = graph.node(id).op;
    text += (text.empty() ? "" : " ") + std::string(op.name());
    std::string bodies;
    for (const GraphPtr& body : op.graphs()) bodies += (bodies.empty() ? "" : " | ") + ops_of(*body);
    if (!op.graphs().empty()) text += "{" + bodies + "}";
  }
  return text;
}

// Takes apart each op of that name that stands there now, and nothing that this emits.
void take_apart(const std::string& name, Graph& graph) {
  std::set<const void*> there;
  for (NodeId id : graph.order())
    if (graph.node(id).op.name() == name) there.insert(graph.node(id).op.data());
  std::vector<Error> problems;
  auto asked = [&](const Graph&, const Node& node) -> std::string {
    return there.count(node.op.data()) ? "it is to go" : "";
  };
  decompose(graph, asked, problems);
  for (const Error& problem : problems) throw problem;
}

// Orders of a target that has its channels last and runs softmax along the last axis, or of one that has them
// first.
LayoutTarget layout_target(Channels channels) {
  LayoutTarget target;
  target.channels = channels;
  target.softmax_last = target.swapped_right = channels == Channels::last;
  return target;
}

void apply_pass(const std::string& pass, Model& model) {
  Pool pool(1);
  if (pass == "optimise") {
    optimise(model, {}, pool);
    return;
  }
  for (const GraphPtr& graph : model.graphs) {
    if (pass == "loops") {
      std::vector<RuleCount> counts;
      simplify_loops(*graph, counts);
    } else if (pass == "tidy") {
      tidy(*graph, pool);
    } else if (pass == "channels first" || pass == "channels last") {
      lay_out(*graph, layout_target(pass == "channels last" ? Channels::last : Channels::first));
    } else if (pass.starts_with("apart ")) {
      take_apart(pass.substr(6), *graph);
    } else {
      fail("there is no pass '{}'", pass);
    }
    graph->drop_dead();
  }
}

class IrCase : public testing::TestWithParam<Case> {
 protected:
  const Case& given = GetParam();

  // Makes all calls, in order.
  void make_calls(const Model& model, const std::string& when) {
    Pool pool(1);
    Session session(model, pool);
    for (size_t i = 0; i < given.sections.size(); ++i) {
      const std::string& head = given.sections[i].head;
      if (!head.starts_with("call ")) continue;
      const GraphPtr* graph = nullptr;
      for (const GraphPtr& one : model.graphs)
        if (one->name == head.substr(5)) graph = &one;
      ASSERT_TRUE(graph) << head;
      std::vector<Datum> inputs;
      for (Named& input : tensors(given.sections[i].text)) inputs.emplace_back(std::move(input.tensor));
      std::vector<Datum> outputs = session.call(**graph, std::move(inputs));
      ASSERT_LT(i + 1, given.sections.size());
      ASSERT_EQ(given.sections[i + 1].head, "gives");
      std::vector<Named> expected = tensors(given.sections[i + 1].text);
      ASSERT_EQ(outputs.size(), expected.size()) << when;
      for (size_t k = 0; k < expected.size(); ++k)
        expect_close(expected[k].tensor, outputs[k], when + ", " + head + ", " + expected[k].name);
    }
  }
};

// The graphs keep the rules of the IR, and inference agrees with them.
void expect_sound(const Model& model) {
  EXPECT_EQ(verify(model), std::vector<std::string>());
  Model copy = model.copy();
  for (const GraphPtr& graph : copy.graphs) infer_graph(*graph);
}

TEST_P(IrCase, Holds) {
  Model model = parse_model(given.model, find_op);
  expect_sound(model);
  std::string text = print(model);
  EXPECT_EQ(print(parse_model(text, find_op)), text);
  make_calls(model, "as written");
  bool any_call = false;
  for (const Section& section : given.sections) {
    any_call = any_call || section.head.starts_with("call ");
    if (!section.head.starts_with("becomes ")) continue;
    size_t colon = section.head.find(':');
    ASSERT_NE(colon, std::string::npos) << section.head;
    std::string pass = section.head.substr(8, colon - 8);
    apply_pass(pass, model);
    expect_sound(model);
    std::string left;
    for (const GraphPtr& graph : model.graphs) left += (left.empty() ? "" : " / ") + ops_of(*graph);
    EXPECT_EQ(left, section.head.substr(std::min(colon + 2, section.head.size()))) << "after " << pass;
    make_calls(model, "after " + pass);
  }
  EXPECT_TRUE(any_call);
}

TEST_P(IrCase, HoldsInEveryOrder) {
  for (Channels channels : {Channels::first, Channels::last}) {
    Model model = parse_model(given.model, find_op);
    for (const GraphPtr& graph : model.graphs) lay_out(*graph, layout_target(channels));
    expect_sound(model);
    make_calls(model, channels == Channels::first ? "with channels first" : "with channels last");
  }
}

std::string test_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.file + "_" + info.param.title;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Text, IrCase, testing::ValuesIn(all_cases()), test_name);

}  // namespace
}  // namespace remodel
