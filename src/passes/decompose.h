// Ops taken apart into smaller ones, for a target that lacks them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "passes/op_table.h"

namespace remodel {

// Appends nodes to a graph.
class Emitter {
 public:
  Emitter(Graph& graph, Origin origin) : graph_(graph), origin_(std::move(origin)) {}

  Graph& graph() { return graph_; }
  const Type& type_of(ValueId value) const { return graph_.value(value).type; }
  ValueId emit(Op op, std::vector<ValueId> operands);
  std::vector<ValueId> emit(Op op, std::vector<ValueId> operands, size_t results);
  ValueId constant(ConstantPtr constant) { return graph_.add_constant(std::move(constant)); }
  ValueId scalar(DType dtype, double value) { return constant(constant_splat(dtype, {}, value)); }
  ValueId integers(const std::vector<int64_t>& values) { return constant(constant_ints(values)); }
  const Origin& origin() const { return origin_; }

 protected:
  Graph& graph_;
  Origin origin_;
};

// One node being replaced by others.
class Decompose : public Emitter {
 public:
  Decompose(Graph& graph, NodeId id)
      : Emitter(graph, graph.node(id).origin), id_(id), node_(graph.node(id)) {}

  template <class T>
  const T& op() const {
    return *node_.op.as<T>();
  }
  const Node& node() const { return node_; }
  bool has(size_t i) const { return node_.has(i); }
  ValueId in(size_t i) const { return node_.inputs[i]; }
  const Type& type(size_t i) const { return graph_.value(node_.inputs[i]).type; }
  DType dtype(size_t i) const { return type(i).dtype; }
  Dims dims(size_t i) const;  // refuses an unknown rank
  const Type& result_type(size_t k = 0) const { return graph_.value(node_.outputs[k]).type; }
  bool wants(size_t k) const { return k < node_.outputs.size() && node_.outputs[k] != absent; }

  void result(size_t k, ValueId value);
  // Puts the results in the place of the node's, which goes.
  void replace();

 private:
  NodeId id_;
  Node node_;  // a copy: emitting moves the graph's nodes
  std::vector<ValueId> results_;
};

// Throws where this instance of the op cannot be taken apart.
using DecomposeFn = void (*)(Decompose&);

using Decompositions = OpTable<DecomposeFn>;
const Decompositions& all_decompositions();

// Why the target cannot say a node; empty where it can.
using Refusal = std::function<std::string(const Graph&, const Node&)>;

// Takes apart, over and over, each node that the target refuses and that can be taken apart, bodies included,
// and drops what nobody uses. It ends because a decomposition only emits ops that stand lower than its own.
// Gives how many nodes went; `problems` says of each that stays refused why it could not be taken apart.
size_t decompose(Graph& graph, const Refusal& refusal, std::vector<Error>& problems);

}  // namespace remodel
