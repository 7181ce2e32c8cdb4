// Control flow, and operators that are kept as they are.
#pragma once

#include "ir/op.h"

namespace remodel {

// A node whose op we do not know: kept whole, written back to its own format, refused for any other. Operands
// past the node's own inputs are values that its bodies refer to.
struct Foreign {
  static constexpr const char* name = "foreign";
  static constexpr bool effect = true;
  std::string format, type;         // as the format names itself and the operator
  int64_t version = 0;              // of the format's own operator set, which its bodies are in
  std::shared_ptr<const void> raw;  // the format's own node
  void describe(Fields& v) {
    v("format", format);
    v("type", type);
  }
  void infer(Infer& in) const;
};

// (condition, captured...): the results of one of two bodies. Both take all captured values, in order.
struct If {
  static constexpr const char* name = "if";
  GraphPtr then_body, else_body;
  void describe(Fields& v) {
    v("then", then_body);
    v("else", else_body);
  }
  void infer(Infer& in) const;
};

// (count?, condition?, lengths?, carried..., step inputs..., invariants...) -> (carried..., stacked...)
//
// The body runs while the condition holds, at most `count` times (the attribute or the operand; -1: no
// limit), and once for each index of the step inputs, which all have one length. It takes
//   (step i64[]?, carried..., slices of the step inputs..., invariants...)
// and gives
//   (condition?, carried..., elements of the stacked results...).
// Without a condition operand the first step is unconditional. Step inputs are tensors, sliced along their
// axis from the front, or from the back where `step_reversed` says so; stacked results put step t at index t
// of their new axis, or at the mirrored one. Without steps a stacked axis has size 0. Carried values may be
// of any type, and their sizes may change from step to step.
//
// `lengths` [batch] are integers. From step lengths[b] on, row b is past its end: a carried value keeps what
// it has there, a stacked result is 0. A row is an index of the axis that `carried_rows` and `stack_rows`
// name for each carried value and each stacked element; -1: it has no rows.
struct Loop {
  static constexpr const char* name = "loop";
  GraphPtr body;
  Dim count = -1;
  int64_t carried = 0;
  bool takes_step = false;                        // the body's first input is the number of the step
  bool gives_condition = false;                   // the body's first result says whether another step follows
  std::vector<int64_t> step_axes, step_reversed;  // one a step input
  std::vector<int64_t> stack_axes, stack_reversed;  // one a stacked result; axes of the result
  std::vector<int64_t> carried_rows, stack_rows;    // empty without lengths
  void describe(Fields& v) {
    v("body", body);
    v("count", count);
    v("carried", carried);
    v("takes_step", takes_step);
    v("gives_condition", gives_condition);
    v("step_axes", step_axes);
    v("step_reversed", step_reversed);
    v("stack_axes", stack_axes);
    v("stack_reversed", stack_reversed);
    v("carried_rows", carried_rows);
    v("stack_rows", stack_rows);
  }
  void infer(Infer& in) const;

  // Positions of the first of each kind among the operands ...
  static constexpr size_t lengths = 2, first_carried = 3;
  size_t first_step() const { return first_carried + static_cast<size_t>(carried); }
  size_t first_invariant() const { return first_step() + step_axes.size(); }
  // ... among the body's inputs ...
  size_t body_carried() const { return takes_step; }
  size_t body_step() const { return body_carried() + static_cast<size_t>(carried); }
  size_t body_invariant() const { return body_step() + step_axes.size(); }
  // ... among its outputs ...
  size_t body_next() const { return gives_condition; }
  size_t body_stacked() const { return body_next() + static_cast<size_t>(carried); }
  // ... and among the results.
  size_t first_stacked() const { return static_cast<size_t>(carried); }
};

}  // namespace remodel
