// How derivatives go back through each op.
#pragma once

#include <map>
#include <vector>

#include "ir/graph.h"
#include "passes/op_table.h"

namespace remodel {

// The values that have a gradient, and the node that it goes back through.
class Backward {
 public:
  Backward(Graph& graph, const Origin& origin) : graph_(graph), origin_(origin) {}
  // The value depends on a variable, so its gradient is asked for.
  void follow(ValueId value) { gradients_.emplace(value, absent); }
  // The gradient of y itself is 1.
  void begin(ValueId y);
  // Adds to the gradients of the node's operands.
  void through(NodeId id);
  // Zeros where nothing reached it.
  ValueId gradient_of(ValueId value);

  // For the functions of the table.
  template <class T>
  const T& op() const {
    return *node_.op.as<T>();
  }
  ValueId in(size_t i) const { return node_.inputs[i]; }
  bool has(size_t i) const { return node_.has(i); }
  ValueId out() const { return node_.outputs[0]; }
  ValueId given() const { return given_; }  // the gradient of the first result
  bool wants(size_t i) const { return node_.has(i) && gradients_.count(node_.inputs[i]); }
  // Adds to the gradient of an operand, summed over the axes along which it was repeated.
  void give(size_t i, ValueId gradient);
  DType dtype(ValueId value) const { return graph_.value(value).type.dtype; }
  Dims dims(ValueId value) const;  // refuses an unknown rank
  ValueId emit(Op op, std::vector<ValueId> operands);
  ValueId number(double value) { return filled(value, {}); }
  ValueId filled(double value, const Dims& dims);  // of the type of the gradient at hand

 private:
  ValueId summed_to(ValueId gradient, const Dims& to);
  Graph& graph_;
  const Origin& origin_;
  std::map<ValueId, ValueId> gradients_;
  Node node_;
  ValueId given_ = absent;
};

using BackwardFn = void (*)(Backward&);

using BackwardTable = OpTable<BackwardFn>;
const BackwardTable& backward_table();

}  // namespace remodel
