// Sizes for the inputs that leave them open, chosen so that the graph's own arithmetic on sizes works out.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/bind.h"
#include "ir/graph.h"
#include "ir/tensor.h"

namespace remodel {

using InputShapes = std::map<std::string, Shape>;  // by the input's name

struct SizeWishes {
  InputShapes given;  // what the user says comes first; refused where it contradicts the model
  int64_t batch = 2;
  int variant = 0;  // another variant chooses other sizes, where the graph leaves a choice
};

// One choice: what each named size stands for, and the graph with these sizes in it.
struct ChosenSizes {
  SizeMap sizes;
  GraphPtr graph;
  std::string text() const;  // "batch = 2, seq = 7"; empty where nothing was open
};

// The choices that inference finds no fault with, the likeliest first, at most `most`. Where it finds fault
// with all that are tried, the likeliest one alone, its graph without the sizes inferred.
std::vector<ChosenSizes> choose_sizes(const Graph& graph, const SizeWishes& wishes, size_t most = 1);

}  // namespace remodel
