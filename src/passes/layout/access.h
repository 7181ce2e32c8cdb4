// How an op goes over its operands and results, and in which orders it can do so.
#pragma once

#include <functional>
#include <vector>

#include "passes/layout/layout.h"
#include "passes/layout/views.h"

namespace remodel::layout {

// An axis that the op goes over. Operands and results may have it with different sizes, or lack it.
struct Axis {
  bool whole = false;  // its atoms stay together, in the source's order
  bool named = false;  // fields of the op speak of it, so it is joined with no other
};

// Axes that stand together in the orders that an op can run in, in any order among themselves.
struct Slot {
  std::vector<int> axes;
  bool joined = false;  // they are one axis
};

struct PortAxis {
  int axis;     // of the op
  Atoms atoms;  // none: the value has size 1 there, or is a constant
  Dim size;
};

// An operand or result as the op goes over it. Those that an op does not list it takes in the source's order.
struct Port {
  bool result = false;
  size_t index = 0;
  ValueId value = absent;
  bool constant = false;
  std::vector<PortAxis> axes;  // in the source's order
  bool broadcasts = false;     // has an axis of size 1 for each of the op's axes that it lacks
  bool fixed = false;          // in the source's order
  std::vector<std::vector<int>> arrangements;  // sequences of slots that it may come in
};

// A constant operand whose axis follows the order of the op's axis, at no cost.
struct Follower {
  size_t operand;
  size_t axis;
  int of;
};

// Where the op's axes have come to stand.
struct Placement {
  std::vector<std::vector<int64_t>> at;  // of each of the op's axes: the axes of operand 0
  size_t rank;                           // of operand 0
  std::vector<Dims> results;             // their sizes
  std::vector<size_t> arrangement;       // of each port
  int64_t part = 0;                      // where the axis of a stack's parts stands
};

struct Access {
  enum class Kind : uint8_t {
    plain,
    swapped,  // a product with its operands exchanged
    stack,    // parts joined along a new axis, the last of `axes`; each gets it, with size 1
    unstack,  // taken apart along it; each loses it
  } kind = Kind::plain;
  std::vector<Axis> axes;
  std::vector<Slot> slots;
  std::vector<Port> ports;
  std::vector<Follower> followers;
  std::function<Op(const Op&, const Placement&)> rewrite;  // null: the fields that name axes follow them
};

// A node and what surrounds it.
struct Site {
  const Graph& graph;
  const Node& node;
  const LayoutTarget& target;
  Views& views;
};

// In one way or more; none: the op runs in the source's order only. Ties what the op does not cut.
std::vector<Access> accesses(const Site& site);
// A concat of equal parts is a stack as well, and what takes such parts the reverse, where the axis is cut
// between them.
void add_stacks(const Site& site, std::vector<Access>& accesses);
// Cuts the parts of a stack and the whole alike; true where that changed any.
bool tie_stacks(const Site& site);

// The fields that name axes of operand 0, at their new places.
Op move_axes(const Op& op, const Placement& placement, size_t source_rank);

}  // namespace remodel::layout
