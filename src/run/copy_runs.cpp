#include "run/copy_runs.h"

#include <algorithm>
#include <cstring>

namespace remodel {

void copy_runs(const Tensor& from, RunPlaces source, Tensor& to, RunPlaces target, int64_t count,
               int64_t length) {
  if (length == 0) return;
  size_t width = size_of(from.dtype());
  for (int64_t run = 0; run < count; ++run) {
    int64_t at = source.first + run * source.step, into = target.first + run * target.step;
    if (from.dtype() == DType::string)
      std::copy_n(from.strings().begin() + at, length, to.strings().begin() + into);
    else
      std::memcpy(to.to<uint8_t>() + into * width, from.as<uint8_t>() + at * width, length * width);
  }
}

}  // namespace remodel
