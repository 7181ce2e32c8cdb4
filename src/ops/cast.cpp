#include "ops/cast.h"

#include "ops/contents.h"

namespace remodel {

void Cast::infer(Infer& in) const {
  in.need_count(1, 1);
  if (to == DType::unknown) fail("the type to cast to is not known");
  DType from = in.dtype(0);
  if ((is_complex(from) && to == DType::string) || (from == DType::string && is_complex(to)))
    fail("{} does not become {}", name_of(from), name_of(to));
  in.out(0, to, in.in(0).dims);
  bool from_float = is_float(from), to_float = is_float(to);
  elementwise_content(in, to, [&](std::span<const Quantity> x) -> Known {
    if (to == DType::boolean) {
      auto zero = is_equal(x[0], {0});
      return zero ? Known(Quantity{*zero ? 0 : 1}) : std::nullopt;
    }
    return from_float && !to_float ? truncated(x[0]) : Known(x[0]);
  });
}

}  // namespace remodel
