// How often each operator occurs in a graph, bodies included.
#pragma once

#include "formats/format.h"

namespace remodel::onnx {

struct GraphProto;
void count_operators(const GraphProto& graph, OperatorCounts& to);

}  // namespace remodel::onnx
