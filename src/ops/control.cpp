#include "ops/control.h"

#include "ir/infer.h"

namespace remodel {

void Foreign::infer(Infer& in) const {
  for (size_t k = 0; k < in.outputs(); ++k) in.out(k, Type());
}

}  // namespace remodel
