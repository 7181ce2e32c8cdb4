#include "ops/sort.h"

#include "ir/infer.h"

namespace remodel {
namespace {

bool is_ordered(DType dtype) { return is_integer(dtype) || is_float(dtype) || dtype == DType::boolean; }

}  // namespace

void TopK::infer(Infer& in) const {
  in.need_count(1, 2);
  in.need_dtype(0, is_ordered, "numbers");
  const Dims* from = in.dims(0);
  if (!from) {
    in.out(0, in.dtype(0), std::nullopt);
    return in.out(1, DType::i64, std::nullopt);
  }
  int64_t at = in.axis(0, axis);
  auto known = in.sizes_or(1, {k});
  if (known && known->size() != 1) fail("k has {} elements", known->size());
  Dims to = *from;
  Dim count = known ? (*known)[0] : in.fresh(0, at);
  if (count.is_number() && (count.number() < 0 || (to[at].is_number() && count.number() > to[at].number())))
    fail("the top {} along axis {} of {}", count.number(), at, in.in(0).text());
  to[at] = count;
  in.out(0, in.dtype(0), to);
  in.out(1, DType::i64, to);
}

void Unique::infer(Infer& in) const {
  in.need_count(1, 1);
  if (is_complex(in.dtype(0))) fail("complex numbers have no order");
  const Dims* from = in.dims(0);
  int64_t at = flat ? 0 : in.axis(0, axis);
  auto given = [&](size_t k) { return k < in.outputs() && in.node().outputs[k] != absent; };
  Dim count = given(0) ? in.fresh(0, from ? at : 0) : in.fresh(given(1) ? 1 : 3, 0);
  std::optional<Dims> values;
  if (flat) {
    values = Dims{count};
  } else if (from) {
    values = *from;
    (*values)[at] = count;
  }
  in.out(0, in.dtype(0), values);
  in.out(1, DType::i64, Dims{count});
  in.out(2, DType::i64, Dims{!from ? in.fresh(2, 0) : flat ? product(*from) : (*from)[at]});
  in.out(3, DType::i64, Dims{count});
}

}  // namespace remodel
