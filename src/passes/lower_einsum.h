// Einsum in terms of one matrix product.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace remodel {

using EmitOp = std::function<ValueId(Op, std::vector<ValueId>)>;

// Emits two operands' equation as transposes around one product (of matrices, or of elements where nothing is
// summed) without reshapes. Nothing is emitted and nullopt is given where it is none.
std::optional<ValueId> einsum_as_product(const Graph& graph, const std::string& equation,
                                         const std::vector<ValueId>& operands, const EmitOp& emit);

// Emits any equation as such products, two operands at a time.
ValueId lower_einsum(const Graph& graph, const std::string& equation, const std::vector<ValueId>& operands,
                     const EmitOp& emit);

}  // namespace remodel
