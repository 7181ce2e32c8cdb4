// What operators with a sliding window share: padding, strides, dilations.
#pragma once

#include "formats/tflite/read_node.h"
#include "ops/spatial.h"

namespace remodel::tflite {

// Channels last; attributes "padding", "stride_w" and so on, of the last 2 or 3 letters of "dhw". `dilated`:
// there are dilations, too. `window` are the sizes along these axes.
void read_sliding(ReadNode& node, size_t x, const std::vector<int64_t>& window, bool dilated, Sliding& to);

}  // namespace remodel::tflite
