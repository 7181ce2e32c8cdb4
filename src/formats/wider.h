// Types that hold every value of a type.
#pragma once

#include <vector>

#include "ir/dtype.h"

namespace remodel {

// Nearest first. Arithmetic in them, cast back, gives what the narrow type would: integers wrap, small floats
// round once.
const std::vector<DType>& wider_types(DType dtype);

}  // namespace remodel
