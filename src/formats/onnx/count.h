// How often each operator occurs in a graph, bodies included.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace remodel::onnx {

struct GraphProto;
using OperatorCounts = std::map<std::string, int64_t>;  // "Conv", "com.microsoft.Gelu"

void count_operators(const GraphProto& graph, OperatorCounts& to);

}  // namespace remodel::onnx
