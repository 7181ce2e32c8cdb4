// What is done to an ONNX graph before its nodes are read: it is cut where the user asks, and what the result
// does not need is dropped, whether it could be read or not.
#pragma once

#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "formats/onnx/proto.h"
#include "formats/request.h"

namespace remodel::onnx {

struct InputPlan {
  std::optional<Dims> dims;      // -1: not known
  DType dtype = DType::unknown;  // unknown: as it is
  bool cut = false;              // a tensor inside the model becomes an input
};

struct Plan {
  std::map<std::string, InputPlan, std::less<>> inputs;  // those that are asked for, by name
  std::vector<std::string> order;                        // of the inputs, where the user lists them
  // Nodes that serve only to find the type of a tensor that is cut at: what is wrong with them does not
  // matter.
  std::unordered_set<const NodeProto*> quiet;

  const InputPlan* find(std::string_view name) const {
    auto place = inputs.find(name);
    return place == inputs.end() ? nullptr : &place->second;
  }
};

// The tensors that a node refers to, those used in its bodies included.
std::vector<std::string> references(const NodeProto& node);

// With problems, the graph is not fit to be read.
Plan prepare(GraphProto& graph, const ReadRequest& request, std::vector<Error>& problems);

}  // namespace remodel::onnx
