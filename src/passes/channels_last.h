// For a target whose ops over images have their channels last.
#pragma once

#include "ir/graph.h"

namespace remodel {

// Turns each op with its channels first, bodies included, into one with its channels last, between
// transposes.
void turn_channels_last(Graph& graph);

}  // namespace remodel
