#include "ops/generate.h"

#include "ir/infer.h"
#include "ops/shape.h"

namespace remodel {

std::optional<Dim> range_size(const Dim& start, const Dim& limit, const Dim& delta) {
  if (!delta.is_number()) return std::nullopt;
  int64_t step = delta.number();
  if (step == 0) fail("a range has step 0");
  if (step > 0) return max(0, ceil_div(limit - start, step));
  return max(0, ceil_div(start - limit, Dim(0) - delta));
}

void Range::infer(Infer& in) const {
  if (in.count() == 0) {
    if (!is_integer(dtype)) fail("a range of {}", name_of(dtype));
    if (size.is_number() && size.number() < 0) fail("a range of {} numbers", size.number());
    in.out(0, dtype, Dims{size});
    if (!size.is_number() || size.number() > 1024) return;
    Content content;
    for (int64_t i = 0; i < size.number(); ++i) content.push_back({start + Dim(i) * Dim(step)});
    return in.content_out(content);
  }
  in.need_count(3, 3);
  in.need_same_dtype(0, 1);
  in.need_same_dtype(0, 2);
  auto start = in.sizes(0), limit = in.sizes(1), delta = in.sizes(2);
  std::optional<Dim> count;
  if (start && limit && delta) {
    if (start->size() != 1 || limit->size() != 1 || delta->size() != 1)
      fail("a range's bounds must be scalars");
    count = range_size((*start)[0], (*limit)[0], (*delta)[0]);
  }
  in.out(0, in.dtype(0), Dims{count ? *count : in.fresh(0, 0)});
  if (!count || !count->is_number() || count->number() > 1024) return;
  Content content;
  for (int64_t i = 0; i < count->number(); ++i) content.push_back({(*start)[0] + Dim(i) * (*delta)[0]});
  in.content_out(content);
}

void OneHot::infer(Infer& in) const {
  in.need_count(2, 3);
  in.need_rank(1, 1);
  auto number = [](DType dtype) { return is_integer(dtype) || is_float(dtype); };
  in.need_dtype(0, number, "numbers");
  if (in.has(2)) in.need_dtype(2, number, "a number");
  const Dims* from = in.dims(0);
  if (!from) return in.out(0, in.dtype(1), std::nullopt);
  auto known = in.sizes_or(2, {depth});
  if (known && known->size() != 1) fail("the depth has {} elements", known->size());
  if (known) check_sizes(*known);
  int64_t at = resolve_axis(axis, from->size() + 1);
  Dims to = *from;
  to.insert(to.begin() + at, known ? (*known)[0] : in.fresh(0, at));
  in.out(0, in.dtype(1), to);
}

void Eye::infer(Infer& in) const {
  in.need_count(0, 1);
  auto known = in.sizes_or(0, shape);
  if (known && known->size() != 2) fail("an identity matrix of shape {}", text_of(*known));
  if (known) check_sizes(*known);
  in.out(0, dtype, known ? *known : in.fresh_dims(0, 2));
}

void Triangle::infer(Infer& in) const {
  in.need_count(1, 2);
  if (in.rank(0) == 0 || in.rank(0) == 1) fail("a triangle of {}", in.in(0).text());
  if (in.has(1)) in.need_dtype(1, is_integer, "an integer");
  in.same_as(0);
}

}  // namespace remodel
