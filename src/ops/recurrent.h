// Recurrent layers, whole: all steps in one op.
//
// Operands: x [time, batch, input], or [batch, time, input] with `batch_major`; w [directions, gates *
// hidden, input] and r [directions, gates * hidden, hidden], one block of rows a gate; b [directions, 2 *
// gates * hidden]: the biases that go with w, then those with r; h0 (and c0) [directions, batch, hidden],
// zero where missing; lengths [batch], the steps that each row of the batch has, all where missing. Results:
// y [time, directions, batch, hidden], or [batch, time, directions, hidden] with `batch_major`; y_h (and y_c)
// [directions, batch, hidden], the state after the last step of each row. Past its length y is 0; the
// backward direction starts at each row's own last step.
//
// `activations` are names of CellActivation, for each direction as many as the cell uses; alphas and betas
// are theirs. Where `clip` is positive what enters the gates' activations is limited to [-clip, clip].
#pragma once

#include "ir/op.h"

namespace remodel {

enum class Direction : uint8_t { forward, backward, both };

// The activations that a cell may have. Of alpha and beta it uses the first `parameters`.
struct CellActivation {
  std::string_view name;
  int parameters;
  double alpha, beta;  // defaults
};
const CellActivation* find_cell_activation(std::string_view name);

struct Recurrent {
  Direction direction = Direction::forward;
  std::vector<std::string> activations;
  std::vector<double> alphas, betas;
  double clip = 0;
  bool batch_major = false;
  void describe(Fields& v);
  int64_t directions() const { return direction == Direction::both ? 2 : 1; }
};

// (x, w, r, b?, h0?, lengths?): h = f(w x + r h + b)
struct Rnn : Recurrent {
  static constexpr const char* name = "rnn";
  static constexpr int64_t gates = 1, functions = 1;
  void infer(Infer& in) const;
};

// (x, w, r, b?, h0?, lengths?), gates z r n: z = f(w x + r h + b), r likewise, n = g(w x + r (r * h) + b), or
// with `reset_after` g(w x + wb + r * (r h + rb)); h = (1 - z) * n + z * h.
struct Gru : Recurrent {
  static constexpr const char* name = "gru";
  static constexpr int64_t gates = 3, functions = 2;
  bool reset_after = false;
  void describe(Fields& v) {
    Recurrent::describe(v);
    v("reset_after", reset_after);
  }
  void infer(Infer& in) const;
};

// (x, w, r, b?, h0?, c0?, lengths?, peephole?), gates i f g o: i = f(w x + r h + b + p c), f likewise,
// g = g(w x + r h + b), c = f * c + i * g, o = f(w x + r h + b + p c), h = o * h(c). The peepholes are
// [directions, 3 * hidden], those of i f o; o sees the new c. `coupled`: f is 1 - i.
struct Lstm : Recurrent {
  static constexpr const char* name = "lstm";
  static constexpr int64_t gates = 4, functions = 3;
  bool coupled = false;
  void describe(Fields& v) {
    Recurrent::describe(v);
    v("coupled", coupled);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
