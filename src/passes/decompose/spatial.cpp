#include "passes/decompose/spatial.h"

#include <algorithm>

#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel {

ValueId channels_first(Decompose& d, ValueId x, size_t rank) {
  std::vector<int64_t> perm{0, static_cast<int64_t>(rank) - 1};
  while (perm.size() < rank) perm.push_back(static_cast<int64_t>(perm.size()) - 1);
  return d.emit(Transpose{perm}, {x});
}

ValueId channels_last(Decompose& d, ValueId x, size_t rank) {
  std::vector<int64_t> perm{0};
  for (size_t i = 2; i < rank; ++i) perm.push_back(static_cast<int64_t>(i));
  perm.push_back(1);
  return d.emit(Transpose{perm}, {x});
}

bool no_pads(const Sliding& sliding) {
  auto zero = [](const Dim& pad) { return pad.is_number(0); };
  return std::all_of(sliding.pads_low.begin(), sliding.pads_low.end(), zero) &&
         std::all_of(sliding.pads_high.begin(), sliding.pads_high.end(), zero);
}

void drop_pads(Sliding& sliding) {
  for (Dims* pads : {&sliding.pads_low, &sliding.pads_high}) std::fill(pads->begin(), pads->end(), Dim(0));
}

ValueId padded(Decompose& d, ValueId x, const Sliding& sliding, ValueId value) {
  Pad pad;
  pad.low.assign(sliding.strides.size() + 2, Dim(0));
  pad.high = pad.low;
  for (size_t i = 0; i < sliding.strides.size(); ++i) {
    pad.low[spatial_axis(sliding.channels, i)] = sliding.pads_low[i];
    pad.high[spatial_axis(sliding.channels, i)] = sliding.pads_high[i];
  }
  return d.emit(pad, {x, value});
}

ValueId with_row(Decompose& d, ValueId x, Channels channels) {
  return d.emit(Unsqueeze{{channels == Channels::first ? 2 : 1}}, {x});
}
ValueId without_row(Decompose& d, ValueId y, Channels channels) {
  return d.emit(Squeeze{{channels == Channels::first ? 2 : 1}}, {y});
}
void add_row(Sliding& sliding) {
  sliding.strides.insert(sliding.strides.begin(), 1);
  sliding.dilations.insert(sliding.dilations.begin(), 1);
  sliding.pads_low.insert(sliding.pads_low.begin(), Dim(0));
  sliding.pads_high.insert(sliding.pads_high.begin(), Dim(0));
}

ValueId along_channels(Decompose& d, ValueId vector, size_t trailing) {
  if (trailing == 0) return vector;
  const auto& dims = d.graph().value(vector).type.dims;
  if (!dims || dims->size() != 1) fail("a parameter's size is not known");
  Dims shape(trailing + 1, Dim(1));
  shape[0] = (*dims)[0];
  return d.emit(Reshape{shape, false}, {vector});
}

}  // namespace remodel
