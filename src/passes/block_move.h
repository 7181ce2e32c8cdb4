// How blocks of pixels and channels change places.
#pragma once

#include <vector>

#include "ir/dim.h"
#include "ops/slice.h"

namespace remodel {

// The axes apart, and their order before they are joined again.
struct BlockMove {
  Dims apart;
  std::vector<int64_t> perm;
};
BlockMove block_move(const DepthToSpace& op, const Dims& from, const Dims& to);
BlockMove block_move(const SpaceToDepth& op, const Dims& from, const Dims& to);

}  // namespace remodel
