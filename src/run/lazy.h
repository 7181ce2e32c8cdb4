// Constants that are computed from others element by element, a block at a time, while they are read.
#pragma once

#include <vector>

#include "ir/constant.h"
#include "ir/op.h"

namespace remodel {

// The elementwise op over constants that broadcast to `shape`. Nothing is computed before it is read, but for
// the one element of a result whose operands are splats.
ConstantPtr lazy_elementwise(const Op& op, DType dtype, const Shape& shape,
                             const std::vector<ConstantPtr>& operands);

}  // namespace remodel
