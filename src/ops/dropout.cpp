#include "ops/dropout.h"

#include "ir/infer.h"

namespace remodel {

void Dropout::infer(Infer& in) const {
  in.need_count(1, 3);
  in.need_dtype(0, is_float, "a float");
  if (in.has(1)) in.need_dtype(1, is_float, "a float");
  in.same_as(0);
  in.out(1, DType::boolean, in.in(0).dims);
}

}  // namespace remodel
