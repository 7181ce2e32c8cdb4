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

void Bitcast::infer(Infer& in) const {
  in.need_count(1, 1);
  const size_t from = size_of(in.dtype(0)), wanted = size_of(to);
  if (from == 0 || wanted == 0 || is_packed(to) || is_packed(in.dtype(0)))
    fail("the bytes of {} do not become {}", name_of(in.dtype(0)), name_of(to));
  std::optional<Dims> dims;
  if (in.dims(0)) dims = *in.dims(0);
  if (dims && wanted > from) {
    const auto count = static_cast<int64_t>(wanted / from);
    if (dims->empty() || (dims->back().is_number() && dims->back().number() != count))
      fail("{} does not end in an axis of {} elements", in.in(0).text(), count);
    dims->pop_back();
  } else if (dims && wanted < from) {
    dims->push_back(static_cast<int64_t>(from / wanted));
  }
  in.out(0, to, dims);
}

}  // namespace remodel
