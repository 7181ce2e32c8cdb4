// Ops taken apart into smaller ones, for a target that lacks them.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace remodel {

// One node being replaced by others.
class Decompose {
 public:
  Decompose(Graph& graph, NodeId id) : graph_(graph), id_(id), node_(graph.node(id)) {}

  template <class T>
  const T& op() const {
    return *node_.op.as<T>();
  }
  const Node& node() const { return node_; }
  Graph& graph() { return graph_; }
  bool has(size_t i) const { return node_.has(i); }
  ValueId in(size_t i) const { return node_.inputs[i]; }
  const Type& type(size_t i) const { return graph_.value(node_.inputs[i]).type; }
  DType dtype(size_t i) const { return type(i).dtype; }
  const Dims& dims(size_t i) const;  // refuses an unknown rank
  const Type& result_type(size_t k = 0) const { return graph_.value(node_.outputs[k]).type; }
  bool wants(size_t k) const { return k < node_.outputs.size() && node_.outputs[k] != absent; }

  ValueId emit(Op op, std::vector<ValueId> operands);
  std::vector<ValueId> emit(Op op, std::vector<ValueId> operands, size_t results);
  ValueId constant(ConstantPtr constant) { return graph_.add_constant(std::move(constant)); }
  ValueId scalar(DType dtype, double value) { return constant(constant_splat(dtype, {}, value)); }
  ValueId integers(const std::vector<int64_t>& values) { return constant(constant_ints(values)); }
  void result(size_t k, ValueId value);

 private:
  friend size_t decompose(Graph&, const std::function<bool(const Graph&, const Node&)>&);
  Graph& graph_;
  NodeId id_;
  Node node_;  // a copy: emitting moves the graph's nodes
  std::vector<ValueId> results_;
};

// Throws where this instance of the op cannot be taken apart.
using DecomposeFn = void (*)(Decompose&);

class Decompositions {
 public:
  template <class T>
  void add(DecomposeFn fn) {
    table_[&info_of<T>()] = fn;
  }
  DecomposeFn find(const OpInfo& op) const {
    auto place = table_.find(&op);
    return place == table_.end() ? nullptr : place->second;
  }

 private:
  std::unordered_map<const OpInfo*, DecomposeFn> table_;
};

const Decompositions& all_decompositions();

// Takes apart, over and over, each node that `keep` refuses and that can be taken apart, bodies included. It
// ends because a decomposition only emits ops that stand lower than its own. Gives how many nodes went.
size_t decompose(Graph& graph, const std::function<bool(const Graph&, const Node&)>& keep);

}  // namespace remodel
