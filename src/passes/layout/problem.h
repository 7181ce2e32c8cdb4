// A graph as a choice: for each node an order to run in, and what a choice for all of them costs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "passes/layout/access.h"
#include "passes/layout/interface.h"

namespace remodel::layout {

// What moves as one in an op: an atom of an axis, or a whole axis.
struct Piece {
  int axis;
  int slot;
  std::vector<Atoms> in;  // of each port; none where it lacks the axis
};

// One way to run an op.
struct Mode {
  Access access;
  std::vector<Piece> pieces;
  std::vector<std::vector<int>> source;  // the pieces of each slot in the source's order
};

using OrderId = int32_t;

// A choice for one op: the pieces of each slot in order, and so the orders that each port comes in; ports of
// constants have none.
struct Candidate {
  int mode = 0;
  std::vector<std::vector<int>> slots;
  std::vector<std::vector<OrderId>> orders;
};

struct Place {
  int node;
  int port;
};

// A tensor with all its views.
struct Group {
  ValueId tensor;
  std::vector<Atoms> orders;  // all that anybody spoke of
  std::map<Atoms, OrderId> numbers;
  Place producer{-1, -1};
  std::vector<Place> readers;
  int64_t weight = 0;                                    // of one transpose
  std::map<std::pair<OrderId, OrderId>, int64_t> costs;  // of a transpose from one order to another
};

struct PortUse {
  ValueId value;
  int group;  // -1: a constant, or no tensor
  bool result;
  size_t index;
  OrderId source;  // the source's order
};

struct Unit {
  NodeId id = absent;  // absent: an input or output of the graph
  size_t at = 0;       // which of them
  std::vector<PortUse> ports;
  std::vector<Mode> modes;  // none: the source's order only
  Candidate candidate;
};

class Problem {
 public:
  Problem(Graph& graph, const LayoutTarget& target, Turns turns);

  Graph& graph() { return graph_; }
  const LayoutTarget& target() const { return target_; }
  Views& views() { return views_; }
  std::vector<Unit> units;
  std::vector<Group> groups;
  const Turns turned;

  // Candidates that have the port in this order; those that leave more as it is come first.
  std::vector<Candidate> fit(int unit, int port, OrderId order);
  // The candidate of a mode with its pieces in the source's order.
  std::optional<Candidate> natural(const Unit& unit, int mode);

  // How many axes the flexible slots of the op may become.
  size_t most_axes(const Mode& mode, int slot) const;
  // Fills in the orders of a candidate's ports; false where the op cannot run with that many axes.
  bool complete(const Unit& unit, Candidate& candidate);

  OrderId order(int group, const Atoms& atoms);
  // The order that the group's producer gives.
  OrderId given(const Group& group) const {
    const Unit& unit = units[group.producer.node];
    return unit.candidate.orders[group.producer.port][0];
  }
  // The orders beside the given one that readers need, and what the group costs.
  std::vector<OrderId> needed(const Group& group) const;
  int64_t cost(int group);
  int64_t transpose_cost(Group& group, OrderId from, OrderId to);

 private:
  void add_unit(NodeId id);
  void add_interface(bool output, size_t index);
  int need_group(ValueId value);
  // Element by element, of one operand beside constants.
  bool is_activation(const Unit& unit) const;

  Graph& graph_;
  const LayoutTarget& target_;
  Views views_;
  std::vector<int> group_of_;
};

// What a transpose from one order to another moves as one: the axes of the first order, joined where they
// stay together.
std::vector<Atoms> runs(const Atoms& from, const Atoms& to);
// Orders on the way from one to the other, the last one included, so that each step has at most `rank` axes.
std::vector<Atoms> steps(const Atoms& from, const Atoms& to, size_t rank);

// Pieces that become one axis of the op as it will run.
struct RunAxis {
  int slot;
  std::vector<int> pieces;  // none: an axis of size 1
  std::vector<int> axes;    // of the op
};
// Joins neighbours of one axis that stand as in the source; with `most` also others, while there are more.
std::vector<RunAxis> run_axes(const Mode& mode, int slot, const std::vector<int>& pieces, size_t most);
// Whether a port has both pieces or none, and no field speaks of one alone.
bool can_join(const Mode& mode, int a, int b);

}  // namespace remodel::layout
