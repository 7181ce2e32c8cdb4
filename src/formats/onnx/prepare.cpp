#include "formats/onnx/prepare.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "formats/onnx/names.h"

namespace remodel::onnx {
namespace {

std::unordered_set<std::string> initializers_of(const GraphProto& graph) {
  std::unordered_set<std::string> names;
  for (const auto& [name, constant] : graph.initializers) names.insert(name);
  return names;
}

// The nodes that the tensors `wanted` are computed by, without what lies before the tensors `stop`.
std::vector<bool> upstream(const GraphProto& graph, std::vector<std::string> wanted,
                           const std::unordered_set<std::string>& stop) {
  std::unordered_map<std::string, size_t> producers;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    for (const std::string& output : graph.nodes[i].outputs)
      if (!output.empty()) producers.emplace(output, i);
  std::vector<bool> found(graph.nodes.size(), false);
  while (!wanted.empty()) {
    const std::string name = std::move(wanted.back());
    wanted.pop_back();
    if (stop.count(name)) continue;
    const auto place = producers.find(name);
    if (place == producers.end() || found[place->second]) continue;
    found[place->second] = true;
    for (std::string& reference : references(graph.nodes[place->second]))
      wanted.push_back(std::move(reference));
  }
  return found;
}

void cut(GraphProto& graph, const ReadRequest& request, Plan& plan, std::vector<Error>& problems) {
  TensorNames names;
  std::unordered_set<std::string> inputs;
  for (const auto& input : graph.inputs) inputs.insert(input.name), names.add(input.name);
  for (const auto& [name, constant] : graph.initializers) names.add(name);
  for (const NodeProto& node : graph.nodes)
    for (const std::string& output : node.outputs)
      if (!output.empty()) names.add(output);

  std::vector<std::string> wanted;
  if (request.outputs.empty()) {
    for (const auto& output : graph.outputs) wanted.push_back(output.name);
  } else {
    graph.outputs.clear();
    for (const std::string& asked : request.outputs)
      follow(problems, [&] {
        ValueInfo output;
        output.name = names.find(asked, "tensor");
        if (std::count(wanted.begin(), wanted.end(), output.name))
          fail("output '{}' is asked for twice", output.name);
        wanted.push_back(output.name);
        graph.outputs.push_back(std::move(output));
      });
  }
  std::unordered_set<std::string> stop;
  const std::unordered_set<std::string> constants = initializers_of(graph);
  for (const std::string& asked : request.inputs) {
    plan.order.push_back(asked);
    follow(problems, [&] {
      const std::string name = plan.order.back() = names.find(asked, "tensor");
      if (!stop.insert(name).second) fail("input '{}' is asked for twice", name);
      plan.inputs[name].cut = !inputs.count(name) || constants.count(name);
    });
  }
  if (!problems.empty()) return;
  const std::vector<bool> needed = upstream(graph, wanted, stop), typed = upstream(graph, plan.order, {});
  std::vector<NodeProto> nodes;
  std::vector<bool> quiet;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!needed[i] && !typed[i]) continue;
    quiet.push_back(!needed[i]);
    nodes.push_back(std::move(graph.nodes[i]));
  }
  graph.nodes = std::move(nodes);
  for (size_t i = 0; i < quiet.size(); ++i)
    if (quiet[i]) plan.quiet.insert(&graph.nodes[i]);
}

}  // namespace

std::vector<std::string> references(const NodeProto& node) {
  std::vector<std::string> found = free_names(node);
  for (const std::string& input : node.inputs)
    if (!input.empty()) found.push_back(input);
  // Gradient names tensors in its attributes.
  if (node.domain == "ai.onnx.preview.training" && node.type == "Gradient")
    for (const Attribute& attribute : node.attributes) {
      if (!attribute.text.empty()) found.push_back(attribute.text);
      found.insert(found.end(), attribute.texts.begin(), attribute.texts.end());
    }
  return found;
}

Plan prepare(GraphProto& graph, const ReadRequest& request, std::vector<Error>& problems) {
  Plan plan;
  if (!request.inputs.empty() || !request.outputs.empty()) cut(graph, request, plan, problems);
  std::vector<std::string> inputs = plan.order;
  if (inputs.empty()) {
    const std::unordered_set<std::string> constants = initializers_of(graph);
    for (const auto& input : graph.inputs)
      if (!constants.count(input.name)) inputs.push_back(input.name);
  }
  for (const InputShape& shape : named_shapes(request.shapes, inputs, problems))
    if (shape.dims) plan.inputs[shape.name].dims = shape.dims;
  for (const InputType& type : named_types(request.types, inputs, problems))
    plan.inputs[type.name].dtype = type.dtype;
  return plan;
}

}  // namespace remodel::onnx
