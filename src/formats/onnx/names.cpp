#include "formats/onnx/names.h"

#include <set>

namespace remodel::onnx {
namespace {

using Replaced = std::map<std::string, std::string>;
using Unique = std::function<std::string(const std::string&)>;

template <class F>
void for_each_definition(const GraphProto& graph, F use) {
  for (const auto& [name, constant] : graph.initializers) use(name);
  for (const ValueInfo& input : graph.inputs) use(input.name);
  for (const NodeProto& node : graph.nodes)
    for (const std::string& output : node.outputs) use(output);
}

class FreeNames {
 public:
  void graph(const GraphProto& graph) {
    std::vector<std::string> defined;
    for_each_definition(graph,
                        [&](const std::string& name) { defined.push_back(name), bound_.insert(name); });
    for (const NodeProto& node : graph.nodes) {
      for (const std::string& input : node.inputs) use(input);
      bodies(node);
    }
    for (const ValueInfo& output : graph.outputs) use(output.name);
    for (const std::string& name : defined) bound_.erase(bound_.find(name));
  }
  void bodies(const NodeProto& node) {
    for (const Attribute& attribute : node.attributes)
      for (const auto& body : attribute.graphs) graph(*body);
  }
  std::vector<std::string> found;

 private:
  void use(const std::string& name) {
    if (!name.empty() && !bound_.count(name) && seen_.insert(name).second) found.push_back(name);
  }
  std::multiset<std::string> bound_;
  std::set<std::string> seen_;
};

NodeProto rename_node(NodeProto node, const Replaced& replaced, const Unique& unique);

GraphProto rename_graph(GraphProto graph, Replaced replaced, const Unique& unique) {
  for_each_definition(graph, [&](const std::string& name) {
    if (!name.empty()) replaced[name] = unique(name);
  });
  auto renamed = [&](std::string& name) {
    if (auto place = replaced.find(name); place != replaced.end()) name = place->second;
  };
  for (auto& [name, constant] : graph.initializers) renamed(name);
  for (ValueInfo& input : graph.inputs) renamed(input.name);
  for (ValueInfo& output : graph.outputs) renamed(output.name);
  for (NodeProto& node : graph.nodes) {
    for (std::string& name : node.inputs) renamed(name);
    for (std::string& name : node.outputs) renamed(name);
    node = rename_node(std::move(node), replaced, unique);
  }
  return graph;
}

NodeProto rename_node(NodeProto node, const Replaced& replaced, const Unique& unique) {
  for (Attribute& attribute : node.attributes)
    for (auto& body : attribute.graphs)
      body = std::make_shared<GraphProto>(rename_graph(*body, replaced, unique));
  return node;
}

}  // namespace

std::vector<std::string> free_names(const GraphProto& graph) {
  FreeNames names;
  names.graph(graph);
  return std::move(names.found);
}

std::vector<std::string> free_names(const NodeProto& node) {
  FreeNames names;
  names.bodies(node);
  return std::move(names.found);
}

NodeProto with_names(const NodeProto& node, const Replaced& replaced, const Unique& unique) {
  return rename_node(node, replaced, unique);
}

}  // namespace remodel::onnx
