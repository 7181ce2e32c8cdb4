#include "app/runnable.h"

#include "ops/control.h"
#include "run/kernel.h"

namespace remodel {
namespace {

// The first layer of the node and its bodies that has no kernel; "" where all have.
std::string without_kernel(const Node& node) {
  if (!all_kernels().find(node.op.info())) {
    const Foreign* foreign = node.op.as<Foreign>();
    return fmt::format("layer '{}': '{}' cannot be run here", node.origin.empty() ? "" : node.origin[0],
                       foreign ? foreign->type : node.op.name());
  }
  for (const GraphPtr& body : node.op.graphs())
    for (NodeId id : body->order())
      if (std::string problem = without_kernel(body->node(id)); !problem.empty()) return problem;
  return "";
}

}  // namespace

RunnablePart runnable_part(const Graph& graph) {
  std::vector<std::string> missing(graph.value_count());
  std::vector<NodeId> left_out;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    std::string problem;
    for (ValueId input : node.inputs)
      if (problem.empty() && input != absent) problem = missing[input];
    if (problem.empty()) problem = without_kernel(node);
    for (ValueId output : node.outputs)
      if (output != absent) missing[output] = problem;
    if (!problem.empty()) left_out.push_back(id);
  }
  RunnablePart part;
  for (const Port& port : graph.outputs) part.missing.push_back(missing[port.value]);
  if (left_out.empty()) return part;
  part.graph = graph.copy();
  const ValueId zero = part.graph->add_constant(constant_splat(DType::f32, {}, 0));
  for (size_t i = 0; i < part.missing.size(); ++i)
    if (!part.missing[i].empty()) part.graph->outputs[i].value = zero;
  while (!left_out.empty()) {
    part.graph->remove_node(left_out.back());
    left_out.pop_back();
  }
  part.graph->drop_dead();
  return part;
}

}  // namespace remodel
