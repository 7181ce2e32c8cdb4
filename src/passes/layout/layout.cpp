#include "passes/layout/layout.h"

#include <algorithm>

#include "ops/shape.h"
#include "passes/layout/emit.h"
#include "passes/layout/interface.h"
#include "passes/layout/moves.h"
#include "passes/layout/problem.h"

namespace remodel {
namespace {

LayoutReport lay_out_bodies(Graph& graph, const LayoutTarget& target) {
  LayoutReport report;
  for (NodeId id : graph.order())
    for (const GraphPtr& body : graph.node(id).op.graphs()) {
      LayoutReport inner = lay_out(*body, target);
      for (auto& one : inner.transposes) {
        one.value = absent;
        report.transposes.push_back(std::move(one));
      }
    }
  return report;
}

}  // namespace

size_t LayoutReport::count(Cause cause) const {
  return static_cast<size_t>(std::count_if(transposes.begin(), transposes.end(),
                                           [&](const Transpose& one) { return one.cause == cause; }));
}

void LayoutReport::keep_left(const Graph& graph) {
  std::erase_if(transposes, [&](const Transpose& one) {
    const Node* node = graph.producer(one.value);
    return one.value != absent && !(node && node->live && node->op.is<remodel::Transpose>());
  });
}

LayoutReport lay_out(Graph& graph, const LayoutTarget& target, const LayoutWishes& wishes) {
  graph.drop_dead();
  LayoutReport report = lay_out_bodies(graph, target);
  layout::Problem problem(graph, target, layout::turned_ports(graph, wishes));
  for (const auto& [port, axes] : problem.turned) report.turns.push_back({port.first, port.second, axes});
  layout::choose(problem);
  layout::emit(problem, report);
  graph.drop_dead();
  return report;
}

bool has_channels(const Graph& graph, Channels channels) {
  std::vector<const Graph*> pending{&graph};
  while (!pending.empty()) {
    const Graph& one = *pending.back();
    pending.pop_back();
    for (NodeId id : one.order())
      for (const Field& field : one.node(id).op.info().fields) {
        const void* op = one.node(id).op.data();
        if (field.kind == FieldKind::graph)
          pending.push_back(field_as<GraphPtr>(op, field).get());
        else if (field.kind == FieldKind::choice && field.name == "channels" &&
                 field_as<uint8_t>(op, field) == static_cast<uint8_t>(channels))
          return true;
      }
  }
  return false;
}

}  // namespace remodel
