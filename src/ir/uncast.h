// Constants that are kept in another element type.
#pragma once

#include "ir/constant.h"

namespace remodel {

// What the constant is a cast of; null where it is none.
ConstantPtr uncast(const Constant& constant);

}  // namespace remodel
