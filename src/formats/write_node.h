// What a row sees of one node of the IR while it is written. Each format derives its own from this, which
// emits operators.
#pragma once

#include "base/error.h"
#include "ir/graph.h"

namespace remodel {

class WriteNode {
 public:
  WriteNode(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  template <class T>
  const T& op() const {
    return *node_.op.as<T>();
  }
  const Node& node() const { return node_; }
  const Graph& graph() const { return graph_; }

  // Operands and results of the IR node.
  size_t inputs() const { return node_.inputs.size(); }
  bool has(size_t i) const { return node_.has(i); }
  const Type& type(size_t i) const;
  DType dtype(size_t i) const { return type(i).dtype; }
  int64_t rank(size_t i) const;  // -1 where it is not known
  const Type& result_type(size_t k = 0) const { return graph_.value(node_.outputs[k]).type; }
  const Constant* constant(size_t i) const { return has(i) ? graph_.constant(node_.inputs[i]) : nullptr; }
  size_t outputs() const { return node_.outputs.size(); }
  bool wants(size_t k) const { return k < node_.outputs.size() && node_.outputs[k] != absent; }

 protected:
  const Graph& graph_;
  const Node& node_;
};

}  // namespace remodel
