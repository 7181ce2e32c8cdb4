#include "ops/detection.h"

#include "ir/infer.h"

namespace remodel {

void NonMaxSuppression::infer(Infer& in) const {
  in.need_count(2, 5);
  in.need_rank(0, 3);
  in.need_rank(1, 3);
  in.need_dtype(0, is_float, "floats");
  in.need_dtype(1, is_float, "floats");
  if (in.dims(0) && (*in.dims(0))[2].is_number() && !(*in.dims(0))[2].is_number(4))
    fail("boxes must have 4 numbers, but are {}", in.in(0).text());
  if (in.has(2)) in.need_dtype(2, is_integer, "an integer");
  for (size_t i = 3; i < 5; ++i)
    if (in.has(i)) in.need_dtype(i, is_float, "a float");
  in.out(0, DType::i64, Dims{in.fresh(0, 0), 3});
}

void ImageDecode::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_rank(0, 1);
  in.out(0, DType::u8, Dims{in.fresh(0, 0), in.fresh(0, 1), Dim(pixels == Pixels::gray ? 1 : 3)});
}

}  // namespace remodel
