// What ONNX's operators with a sliding window share: pads, auto_pad, strides, dilations.
#pragma once

#include "formats/onnx/read_node.h"
#include "formats/onnx/write_node.h"
#include "ops/spatial.h"

namespace remodel::onnx {

// The window's sizes: kernel_shape, or those of the weights. Refuses two that differ. A size that nobody
// knows counts as 1 where nothing is computed from it.
std::vector<int64_t> read_window(ReadNode& node, size_t weights);
// The same for writing; empty where they are not known.
std::vector<int64_t> window_of_weights(const WriteNode& node);

// Reads strides, dilations, pads and auto_pad for a window over input 0. With SAME pads there is no ceil.
void read_sliding(ReadNode& node, const std::vector<int64_t>& window, Sliding& to);
void read_pooling(ReadNode& node, Pooling& to);

// Why the window has no form in ONNX, or "". `window` is empty where its sizes are not known.
std::string sliding_problem(const WriteNode& node, const Sliding& from, const std::vector<int64_t>& window);
// kernel_shape, strides, dilations and pads; what equals the default is left out, kernel_shape excepted.
Attributes sliding_attributes(const WriteNode& node, const Sliding& from, const std::vector<int64_t>& window);
// Those and the group of a conv.
Attributes conv_attributes(const WriteNode& conv);

// The same for pooling: since when the operator has dilations and ceil_mode is the caller's knowledge.
std::string pooling_problem(const WriteNode& node, const Pooling& from, int64_t dilations_since,
                            int64_t ceil_since);
Attributes pooling_attributes(const WriteNode& node, const Pooling& from);

}  // namespace remodel::onnx
