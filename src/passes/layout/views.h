// Values as tensors over atoms: a value and its transposes and reshapes are one tensor.
#pragma once

#include <vector>

#include "ir/graph.h"
#include "passes/layout/atoms.h"

namespace remodel::layout {

class Views {
 public:
  explicit Views(const Graph& graph);

  // Gives the node's results their axes: those of its operand where it is a view, otherwise new ones.
  void add(const Node& node);
  void add_root(ValueId value);

  // Whether it is a tensor of known rank, and no constant.
  bool tracked(ValueId value) const { return value != absent && tensor_[value] != absent; }
  // The value that all views of one tensor go back to.
  ValueId tensor(ValueId value) const { return tensor_[value]; }
  // The atoms of each axis.
  const std::vector<Atoms>& axes(ValueId value) const { return axes_[value]; }
  // The atoms of the row-major order.
  Atoms order(ValueId value);
  // Whether the node only shows its operand otherwise.
  bool is_view(const Node& node) const;

  Cuts cuts;

 private:
  const Graph& graph_;
  std::vector<ValueId> tensor_;
  std::vector<std::vector<Atoms>> axes_;
};

}  // namespace remodel::layout
