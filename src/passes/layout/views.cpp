#include "passes/layout/views.h"

#include "ops/shape.h"

namespace remodel::layout {
namespace {

// Which axes go shows only when the node runs, and its result's sizes are named by it alone.
bool drops_open_axes(const Op& op, const Type& from) {
  const Squeeze* squeeze = op.as<Squeeze>();
  return squeeze && squeeze->axes.empty() && from.dims && !numbers(*from.dims);
}

}  // namespace

Views::Views(const Graph& graph)
    : graph_(graph), tensor_(graph.value_count(), absent), axes_(graph.value_count()) {}

void Views::add_root(ValueId value) {
  if (value == absent) return;
  const Value& made = graph_.value(value);
  if (made.constant || !made.type.is_tensor() || !made.type.dims) return;
  tensor_[value] = value;
  for (const Dim& size : *made.type.dims) {
    Atoms& axis = axes_[value].emplace_back();
    if (!size.is_number(1)) axis.push_back(cuts.add(size));
  }
}

void Views::add(const Node& node) {
  const Op& op = node.op;
  bool moves =
      op.is<Transpose>() || ((op.is<Reshape>() || op.is<Squeeze>() || op.is<Unsqueeze>()) && !node.has(1));
  moves = moves && !drops_open_axes(op, graph_.value(node.inputs[0]).type);
  ValueId from = moves ? node.inputs[0] : absent, to = moves ? node.outputs[0] : absent;
  if (tracked(from) && to != absent && graph_.value(to).type.dims) {
    if (const Transpose* transpose = op.as<Transpose>()) {
      const size_t rank = axes_[from].size();
      for (size_t i = 0; i < rank; ++i) {
        size_t axis = transpose->perm.empty() ? rank - 1 - i : static_cast<size_t>(transpose->perm[i]);
        axes_[to].push_back(axes_[from][axis]);
      }
      tensor_[to] = tensor_[from];
      return;
    }
    if (auto axes = cuts.cut(order(from), *graph_.value(to).type.dims)) {
      axes_[to] = std::move(*axes);
      tensor_[to] = tensor_[from];
      return;
    }
  }
  for (ValueId result : node.outputs) add_root(result);
}

Atoms Views::order(ValueId value) {
  Atoms result;
  for (const Atoms& axis : axes_[value])
    for (Atom atom : axis) cuts.leaves(atom, result);
  return result;
}

bool Views::is_view(const Node& node) const {
  return node.outputs.size() == 1 && tracked(node.outputs[0]) && tensor_[node.outputs[0]] != node.outputs[0];
}

}  // namespace remodel::layout
