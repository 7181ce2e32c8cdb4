// What the elements of each input of a graph are used for: indices into a table, lengths, masks, numbers that
// are logarithms' operands, and so on. Walks from the uses back to the inputs.
#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace remodel {

struct InputUse {
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  double low = -infinity, high = infinity;  // what its readers take, both included
  bool nonzero = false;
  bool apart = false;  // places that are written: where two are one, the result is a matter of order
  bool mask = false;   // compared with 0 or 1, cast to booleans, or masking by its reader's rule
  std::vector<double>
      contents;  // of a small operand that says sizes: the very elements; empty where it is none

  bool bounded() const { return low > -infinity || high < infinity; }
  // Both readers' wishes. Ranges that exclude each other: the larger numbers, as indices counted from the
  // front are.
  void join(const InputUse& other);
};

// One for each input, in order. The graph's sizes should be numbers: a size that is not known limits nothing.
std::vector<InputUse> input_uses(const Graph& graph);

// The names of the ops that the analysis knows.
std::vector<std::string_view> input_use_ops();

}  // namespace remodel
