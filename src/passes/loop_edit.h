// One loop being changed: its node, its body and what joins the two, kept in step.
#pragma once

#include "ir/graph.h"
#include "ops/control.h"

namespace remodel {

class LoopEdit {
 public:
  LoopEdit(Graph& graph, NodeId id)
      : graph(graph), id(id), op(*graph.node(id).op.as<Loop>()), body(*op.body) {}

  Graph& graph;
  const NodeId id;
  Loop op;  // as changed; the node's own only after commit()
  Graph& body;

  ValueId operand(size_t i) const { return graph.node(id).inputs[i]; }
  size_t operands() const { return graph.node(id).inputs.size(); }
  size_t invariants() const { return operands() - op.first_invariant(); }
  ValueId result(size_t k) const {
    return k < graph.node(id).outputs.size() ? graph.node(id).outputs[k] : absent;
  }
  bool result_used(size_t k) const { return result(k) != absent && is_used(graph, result(k)); }
  static bool is_used(const Graph& graph, ValueId value) {
    return !graph.value(value).users.empty() || graph.is_output(value);
  }

  // Inputs of the body by kind.
  ValueId step() const { return op.takes_step ? body.inputs[0].value : absent; }
  ValueId carried_in(size_t j) const { return body.inputs[op.body_carried() + j].value; }
  ValueId step_in(size_t j) const { return body.inputs[op.body_step() + j].value; }
  ValueId invariant_in(size_t i) const { return body.inputs[op.body_invariant() + i].value; }
  ValueId carried_out(size_t j) const { return body.outputs[op.body_next() + j].value; }
  ValueId stacked_out(size_t j) const { return body.outputs[op.body_stacked() + j].value; }
  ValueId initial(size_t j) const { return operand(Loop::first_carried + j); }
  ValueId invariant(size_t i) const { return operand(op.first_invariant() + i); }
  ValueId step_input(size_t j) const { return operand(op.first_step() + j); }

  bool has_lengths() const { return operand(Loop::lengths) != absent; }
  void set_lengths(ValueId outside);  // none has rows yet

  // Appends a node beside the loop, or to its body, and gives its only result.
  ValueId emit(Op made, std::vector<ValueId> operands) { return emit_to(graph, std::move(made), operands); }
  ValueId emit_inside(Op made, std::vector<ValueId> operands) {
    return emit_to(body, std::move(made), operands);
  }

  // Add and give the value inside or, for a stacked result, outside. A value that is there already is found
  // again.
  ValueId add_invariant(ValueId outside);
  ValueId add_step_input(ValueId outside, int64_t axis, bool reversed);
  ValueId add_stacked(ValueId inside, int64_t axis, bool reversed, const std::string& name);

  ValueId add_step();
  // Nobody uses what goes, inside or outside.
  void remove_carried(size_t j);
  void remove_stacked(size_t j);
  void remove_step_input(size_t j);
  void remove_invariant(size_t i);

  // Gives the node the changed op and infers it. Sizes that are known better now replace their old names.
  void commit();

 private:
  ValueId emit_to(Graph& to, Op made, const std::vector<ValueId>& operands);
};

// The integers that these are, in another type or shape: through casts, reshapes and the like.
ValueId same_integers(const Graph& graph, ValueId value);
// The number of the step.
bool is_step(const LoopEdit& loop, ValueId value);
// The step counted from the end of an axis: length - 1 - step.
bool is_mirrored_step(const LoopEdit& loop, ValueId value, const Dim& length);
// The one element, where it is known.
std::optional<Dim> known_number(Graph& graph, ValueId value);
// Carried value j grows by one at each step.
bool counts_up(const LoopEdit& loop, size_t j);
// How many steps the loop makes, where that is certain.
std::optional<Dim> steps_of(const LoopEdit& loop);

// steps * (the number of the step) + rest
struct StepNumber {
  int64_t steps = 0;
  Dim rest;
  bool operator==(const StepNumber&) const = default;
};
// Element `element`, in row-major order, of integers of the body, where it is such a number.
std::optional<StepNumber> step_number(const LoopEdit& loop, ValueId value, size_t element = 0);

// smaller < larger
struct Comparison {
  ValueId smaller = absent, larger = absent;
};
// What all holds where the condition does; nullopt where that is anything but comparisons.
std::optional<std::vector<Comparison>> comparisons(const Graph& graph, ValueId condition);

// The steps that a loop certainly makes are one at least.
bool runs_once_at_least(const Graph& graph, const Node& node);

}  // namespace remodel
