// What the value of an output hangs on, as far as a comparison of two runs must know it.
#pragma once

#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace remodel {

struct Dependence {
  bool inputs = false;    // any input of the graph
  bool random = false;    // an op that gives other results each time, or has another effect
  bool decision = false;  // an op that jumps: the smallest change of its operand may give another result
  DType narrowest = DType::unknown;  // the float with the fewest digits on the way
  void join(const Dependence& other);
};

// One for each output of the graph.
std::vector<Dependence> dependences(const Graph& graph);

// Ops whose result jumps, by name, wherever they compute on floats.
const std::vector<std::string_view>& decision_ops();
bool is_decision(std::string_view op);

// Digits lost in one operation: half of the distance of 1 to the next number; 0 for what is no float.
double unit_roundoff(DType dtype);

}  // namespace remodel
