// What ONNX Runtime's fused operators share.
#pragma once

#include <vector>

#include "formats/onnx/read_node.h"

namespace remodel::onnx {

// x through the function that attribute 'activation' names, with its numbers; x where it names none.
ValueId fused_activation(ReadNode& node, ValueId x, const std::vector<double>& numbers);

}  // namespace remodel::onnx
