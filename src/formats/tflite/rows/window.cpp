#include "formats/tflite/rows/window.h"

namespace remodel::tflite {

void read_sliding(ReadNode& node, size_t x, const std::vector<int64_t>& window, bool dilated, Sliding& to) {
  constexpr std::string_view letters = "dhw";
  const size_t rank = window.size();
  if (node.rank(x) != static_cast<int64_t>(rank) + 2)
    fail("a window of {} axes needs an input of rank {}, but it is {}", rank, rank + 2, node.type(x).text());
  to.channels = Channels::last;
  to.unit(rank);
  const bool same = node.word("padding") == "SAME";
  const Dims sizes = spatial_dims(to.channels, *node.type(x).dims);
  for (size_t i = 0; i < rank; ++i) {
    const char letter = letters[i + letters.size() - rank];
    to.strides[i] = node.integer(fmt::format("stride_{}", letter));
    if (dilated) to.dilations[i] = node.integer(fmt::format("dilation_{}_factor", letter));
  }
  check_sliding(to, &window);
  for (size_t i = 0; same && i < rank; ++i) {
    const Dim total = same_padding(sizes[i], window[i], to.strides[i], to.dilations[i]);
    to.pads_low[i] = floor_div(total, 2);
    to.pads_high[i] = total - to.pads_low[i];
  }
}

}  // namespace remodel::tflite
