// Loops whose body is the cell of an LSTM, a GRU or a plain RNN become the recurrent op, bodies included.
#pragma once

#include "ir/graph.h"
#include "passes/rules.h"

namespace remodel {

// Loops must be simplified before. Rounds: biases are added up, products are regrouped. Cells of the type
// `except` are left alone. Adds to `counts`; gives how many loops went.
size_t recognise_cells(Graph& graph, std::vector<RuleCount>& counts, DType except = DType::unknown);

}  // namespace remodel
