// Parameters in the form that ops of the IR take them.
#pragma once

#include "formats/onnx/read_node.h"
#include "formats/onnx/write_node.h"

namespace remodel::onnx {

// Input i [groups] with each element `each` times side by side.
ValueId repeat_each(ReadNode& node, size_t i, int64_t groups, const Dim& each);

// Weights [a, b / groups, window...] as [b, a / groups, window...].
ConstantPtr turn_weights(const ConstantPtr& weights, int64_t groups);
// Input i, turned; by ops where it is no constant.
ValueId turn_weights(ReadNode& node, size_t i, int64_t groups);
std::string turn_weights(WriteNode& node, size_t i, int64_t groups);

}  // namespace remodel::onnx
