#include "ops/detection.h"

#include <algorithm>

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

void DetectionPostprocess::infer(Infer& in) const {
  in.need_count(3, 3);
  in.need_rank(0, 3);
  in.need_rank(1, 3);
  in.need_rank(2, 2);
  for (size_t i = 0; i < 3; ++i)
    if (in.dtype(i) != DType::f32 && in.dtype(i) != DType::unknown)
      fail("operand {} must be f32, but is {}", i, in.in(i).text());
  constexpr int64_t most = int64_t{1} << 30;
  if (max_detections < 0 || classes < 1 || classes_per_box < 1 || per_class < 1 || max_detections > most ||
      classes_per_box > most)
    fail("{} detections of {} classes", max_detections, classes);
  const int64_t count = max_detections * std::min(classes_per_box, most);
  in.out(0, DType::f32, Dims{1, count, 4});
  in.out(1, DType::f32, Dims{1, count});
  in.out(2, DType::f32, Dims{1, count});
  in.out(3, DType::f32, Dims{1});
}

void ImageDecode::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_rank(0, 1);
  in.out(0, DType::u8, Dims{in.fresh(0, 0), in.fresh(0, 1), Dim(pixels == Pixels::gray ? 1 : 3)});
}

}  // namespace remodel
