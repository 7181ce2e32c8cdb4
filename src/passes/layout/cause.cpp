#include "passes/layout/cause.h"

#include <optional>
#include <set>

namespace remodel::layout {
namespace {

using Cause = LayoutReport::Cause;

// Looks no further than so many ops away.
constexpr size_t farthest = 64;

// Whether the op can run in any order, so that it has that of its neighbours.
bool follows(const Unit& unit) {
  if (unit.modes.empty()) return false;
  const auto& slots = unit.modes[unit.candidate.mode].access.slots;
  return slots.size() == 1 && !slots[0].joined;
}

// What an edge says: an end of the graph, or a transpose of the source's own.
std::optional<Cause> cause_at(const Problem& problem, const Place& producer, const Place& reader) {
  const Unit &from = problem.units[producer.node], &to = problem.units[reader.node];
  if (from.id == absent) return Cause::input;
  if (to.id == absent) return Cause::output;
  if (from.ports[producer.port].source != to.ports[reader.port].source) return Cause::meaning;
  return std::nullopt;
}

}  // namespace

LayoutReport::Cause cause_of(const Problem& problem, const Place& reader) {
  const Group& group = problem.groups[problem.units[reader.node].ports[reader.port].group];
  if (auto cause = cause_at(problem, group.producer, reader)) return *cause;
  struct Step {
    int unit;
    bool up;
  };
  std::vector<Step> queue{{group.producer.node, true}, {reader.node, false}};
  std::set<int> seen{group.producer.node, reader.node};
  for (size_t i = 0; i < queue.size() && i < farthest; ++i) {
    const auto [number, up] = queue[i];
    const Unit& unit = problem.units[number];
    if (!follows(unit)) continue;
    for (size_t p = 0; p < unit.ports.size(); ++p) {
      const PortUse& use = unit.ports[p];
      if (use.group < 0 || use.result == up) continue;
      const Group& next = problem.groups[use.group];
      const Place own{number, static_cast<int>(p)};
      const std::vector<Place> others = up ? std::vector<Place>{next.producer} : next.readers;
      for (const Place& other : others) {
        if (auto cause = up ? cause_at(problem, other, own) : cause_at(problem, own, other)) return *cause;
        if (seen.insert(other.node).second) queue.push_back({other.node, up});
      }
    }
  }
  return Cause::layout;
}

}  // namespace remodel::layout
