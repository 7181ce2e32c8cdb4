// Pairs of our ops that one ONNX operator says.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "ir/graph.h"

namespace remodel::onnx {

struct Tiles {
  std::unordered_map<NodeId, NodeId>
      products;                        // an addition -> the product of matrices that Gemm computes with it
  std::unordered_set<NodeId> covered;  // products that are part of a Gemm
};

Tiles find_tiles(const Graph& graph);

}  // namespace remodel::onnx
