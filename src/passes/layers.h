// Recurrent layers in their simplest form, bodies included: without states that begin with zeros, over the
// sequence itself instead of its reverse, and with the state instead of the last step. Exact. Gives how many
// changes were made.
#pragma once

#include "ir/graph.h"

namespace remodel {

size_t simplify_layers(Graph& graph);

}  // namespace remodel
