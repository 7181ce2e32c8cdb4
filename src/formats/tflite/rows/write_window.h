// Windows over spatial axes, as TensorFlow Lite says them: channels last, pads by a word.
#pragma once

#include <optional>

#include "formats/tflite/write_node.h"
#include "ops/spatial.h"

namespace remodel::tflite {

// "VALID", or "SAME" where the pads are those that give ceil(size / stride) windows, the larger half behind;
// refuses others.
std::string_view padding_word(const WriteNode& node, const Sliding& op, const std::vector<int64_t>& window);

bool has_pads(const Sliding& op);

}  // namespace remodel::tflite
