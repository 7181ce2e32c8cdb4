#include "ops/activation.h"

#include "ir/infer.h"

namespace remodel {

void Softmax::infer(Infer& in) const {
  in.axis(0, axis);
  in.same_as(0);
}

}  // namespace remodel
