#include "formats/tflite/rows/write_window.h"

#include <algorithm>

namespace remodel::tflite {

bool has_pads(const Sliding& op) {
  const auto some = [](const Dim& pad) { return !pad.is_number(0); };
  return std::any_of(op.pads_low.begin(), op.pads_low.end(), some) ||
         std::any_of(op.pads_high.begin(), op.pads_high.end(), some);
}

std::string_view padding_word(const WriteNode& node, const Sliding& op, const std::vector<int64_t>& window) {
  if (!has_pads(op)) return "VALID";
  const Dims sizes = spatial_dims(op.channels, node.dims(0));
  for (size_t i = 0; i < sizes.size(); ++i) {
    const Dim total = same_padding(sizes[i], window[i], op.strides[i], op.dilations[i]);
    const Dim low = floor_div(total, 2);
    if (!(op.pads_low[i] == low) || !(op.pads_high[i] == total - low))
      fail("the pads {}, {} are those of no padding word", text_of(op.pads_low), text_of(op.pads_high));
  }
  return "SAME";
}

}  // namespace remodel::tflite
