// Ops on real numbers that stand for ops on integers.
#pragma once

#include <optional>

#include "ir/graph.h"

namespace remodel {

// dequantize... -> move... -> op -> sum? -> relu or clamp? -> quantize. Nothing else sees what the op and
// those behind it give. Each operand of the op is dequantized, or constant, and one is dequantized at least.
struct Cluster {
  NodeId op = absent, activation = absent, quantize = absent;
  NodeId sum = absent;                     // of a matrix product and a bias: a constant, or one dequantized
  std::vector<NodeId> moves;               // pads, slices and reshapes of what is dequantized
  std::vector<ValueId> integers;           // for each operand what it is dequantized from; absent: a constant
  std::vector<std::optional<Grid>> grids;  // theirs; nullopt: no integers, or a grid that is no constant
  std::optional<Grid> result;              // that of what quantize gives
};

// The cluster that the node is the op, the sum or the activation of.
std::optional<Cluster> cluster_of(const Graph& graph, NodeId node);

// The op pads, slices, transposes or reshapes its first operand.
bool is_move(const Op& op);

// Between which integers and numbers a quantize or dequantize stands; nullopt where its scale or zero is no
// constant.
std::optional<Grid> grid_of(const Graph& graph, const Node& node);

}  // namespace remodel
