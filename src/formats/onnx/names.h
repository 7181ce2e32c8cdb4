// The scopes of names in a file: a sub-graph sees the names of the graphs around it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "formats/onnx/proto.h"

namespace remodel::onnx {

// Names that a sub-graph, or all sub-graphs of a node, take from around: each once, in order of first use.
std::vector<std::string> free_names(const GraphProto& graph);
std::vector<std::string> free_names(const NodeProto& node);

// The node with its sub-graphs' free names replaced, and each name that they define made unique.
NodeProto with_names(const NodeProto& node, const std::map<std::string, std::string>& replaced,
                     const std::function<std::string(const std::string&)>& unique);

}  // namespace remodel::onnx
