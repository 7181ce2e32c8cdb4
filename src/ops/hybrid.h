// Operands of hybrid products: real numbers that are rounded when they are known.
#pragma once

#include <optional>

#include "ir/graph.h"

namespace remodel {

// x -> dynamic_quantize -> dequantize, with reshapes anywhere: as many rows of one length, each on its own
// grid, as x has elements.
struct RoundedRows {
  ValueId x = absent;
  Dim rows;  // 1: all of x is on one grid
  bool symmetric = false;
};

// How the value was rounded; nullopt where it is not such a one.
std::optional<RoundedRows> rounded_rows(const Graph& graph, ValueId value);

// The dynamic_quantize from which the value comes by reshapes and dequantize; absent where there is none.
NodeId rounding_of(const Graph& graph, ValueId value);

}  // namespace remodel
