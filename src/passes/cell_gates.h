// What a gate of a cell consists of: products with weights, of which it takes some columns, and biases.
#pragma once

#include <optional>
#include <vector>

#include "passes/loop_edit.h"

namespace remodel {

// The sequence that the cells see, outside of the loop: its last axis are the inputs, the others time, batch
// and such of size 1.
struct Sequence {
  ValueId x = absent;
  int64_t time = 0;  // axis
  bool reversed = false;
  bool operator==(const Sequence&) const = default;
};

// w x + r h + biases + peephole * c, and what a reset gate is multiplied with.
struct Gate {
  ConstantPtr w, r;      // [hidden, input], [hidden, hidden]
  ConstantPtr peephole;  // [hidden]
  std::vector<ConstantPtr> biases;
  ValueId reset = absent;                 // the activated reset gate
  bool reset_after = false;               // reset * (r h + biases), instead of r (reset * h)
  std::vector<ConstantPtr> after_biases;  // of that
  double clip = 0;                        // all of it is limited to [-clip, clip]
  bool negated = false;
};

// The value without axes of size 1 that reshapes put in or take away.
ValueId without_unit_axes(const Graph& graph, ValueId value);
// What the value is cut out of along its last axis; adds to `first` where.
ValueId columns_behind(const Graph& graph, ValueId value, int64_t& first);

class GateReader {
 public:
  // `hidden` numbers in the state h [batch, hidden] of the body.
  GateReader(const LoopEdit& loop, ValueId h, int64_t hidden) : loop_(loop), h_(h), hidden_(hidden) {}

  // What stands before an activation, from that column on; peepholes look at `cell`.
  std::optional<Gate> read(ValueId sum, int64_t first, ValueId cell = absent);
  const std::optional<Sequence>& sequence() const { return sequence_; }

 private:
  // Columns first .. first + count of a value of the body, or of one outside whose axis `time` is taken
  // apart.
  struct Columns {
    ValueId value;
    int64_t first;
    bool outside = false;
    Sequence from;
    bool whole = false;  // the value is the whole gate
  };
  bool add(const Columns& at, Gate& gate, int depth);
  bool add_constant(const ConstantPtr& constant, int64_t first, Gate& gate);
  bool add_product(const Columns& at, const Node& node, Gate& gate);
  bool add_factor(ValueId factor, bool outside, const Sequence& from, ConstantPtr rows, Gate& gate);
  bool add_scaled(const Columns& at, const Node& node, Gate& gate, int depth);
  bool set_sequence(const Sequence& found);

  const LoopEdit& loop_;
  ValueId h_, cell_ = absent;
  int64_t hidden_;
  std::optional<Sequence> sequence_;
};

}  // namespace remodel
