#include "passes/layout/layout.h"

#include <algorithm>

#include "passes/layout/emit.h"
#include "passes/layout/moves.h"
#include "passes/layout/problem.h"

namespace remodel {
namespace {

// Where the graph's ops over images have their channels; nullopt where there are none, or some have them
// first and some last.
std::optional<Channels> channels_of(const Graph& graph) {
  std::optional<Channels> found;
  for (NodeId id : graph.order()) {
    const Op& op = graph.node(id).op;
    const Field* field = op.info().find("channels");
    if (!field || field->kind != FieldKind::choice) continue;
    const auto own = field_as<Channels>(op.data(), *field);
    if (found && *found != own) return std::nullopt;
    found = own;
  }
  return found;
}

LayoutReport lay_out_bodies(Graph& graph, const LayoutTarget& target) {
  LayoutReport report;
  for (NodeId id : graph.order())
    for (const GraphPtr& body : graph.node(id).op.graphs()) {
      LayoutReport inner = lay_out(*body, target);
      for (auto& one : inner.transposes) report.transposes.push_back(std::move(one));
    }
  return report;
}

}  // namespace

size_t LayoutReport::count(Cause cause) const {
  return static_cast<size_t>(std::count_if(transposes.begin(), transposes.end(),
                                           [&](const Transpose& one) { return one.cause == cause; }));
}

LayoutReport lay_out(Graph& graph, const LayoutTarget& target, const LayoutWishes& wishes) {
  graph.drop_dead();
  LayoutReport report = lay_out_bodies(graph, target);
  LayoutWishes turning = wishes;
  const std::optional<Channels> now = channels_of(graph);
  for (auto* wish : {&turning.inputs, &turning.outputs})
    if (!now || *wish == now) wish->reset();
  std::erase_if(turning.named, [&](const auto& one) { return one.second == now; });
  layout::Problem problem(graph, target, turning);
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
