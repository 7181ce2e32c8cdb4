#include "ops/random.h"

#include "ir/infer.h"

namespace remodel {
namespace {

void infer_random(Infer& in, DType dtype, const Dims& shape) {
  in.need_count(0, 1);
  if (!is_float(dtype)) fail("random numbers are floats, not {}", name_of(dtype));
  auto sizes = in.sizes_or(0, shape);
  if (sizes) return in.out(0, dtype, *sizes);
  in.need_dtype(0, is_integer, "integers");
  in.need_rank(0, 1);
  const Dims* length = in.dims(0);
  bool known = length && (*length)[0].is_number();
  in.out(0, dtype, known ? std::optional(in.fresh_dims(0, (*length)[0].number())) : std::nullopt);
}

}  // namespace

void RandomUniform::infer(Infer& in) const { infer_random(in, dtype, shape); }
void RandomNormal::infer(Infer& in) const { infer_random(in, dtype, shape); }

void Bernoulli::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_float, "floats");
  in.out(0, dtype == DType::unknown ? in.dtype(0) : dtype, in.in(0).dims);
}

void Multinomial::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_float, "floats");
  in.need_rank(0, 2);
  if (dtype != DType::i32 && dtype != DType::i64) fail("classes are i32 or i64, not {}", name_of(dtype));
  in.out(0, dtype, Dims{in.dims(0) ? (*in.dims(0))[0] : in.fresh(0, 0), count});
}

}  // namespace remodel
