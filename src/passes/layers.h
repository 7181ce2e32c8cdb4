// Recurrent layers in their simplest form, bodies included: without states that begin with zeros, and over the
// sequence itself instead of its reverse. Exact. Gives how many changes were made.
#pragma once

#include "ir/graph.h"

namespace remodel {

size_t simplify_layers(Graph& graph);

}  // namespace remodel
