// What an output of a model means, as far as its last layers tell.
#pragma once

#include <string>

#include "ir/graph.h"

namespace remodel {

// "probabilities (softmax over axis 1)", "logits", "features", "class indices", ... Never empty.
std::string output_kind(const Graph& graph, ValueId output);

}  // namespace remodel
