#include "ops/gather.h"

#include "ir/infer.h"

namespace remodel {
namespace {

void need_indices(const Infer& in, size_t i) { in.need_dtype(i, is_integer, "integers"); }

// Sizes that must be equal: refuses two different numbers and gives a number where there is one.
Dim same_size(const Dim& a, const Dim& b, const char* what) {
  if (a.is_number() && b.is_number() && !(a == b))
    fail("{} differ in size: {} and {}", what, a.text(), b.text());
  return a.is_number() ? a : b;
}

void check_updates(const Infer& in, Update update) {
  in.need_same_dtype(0, 2);
  DType dtype = in.dtype(0);
  bool ordered = update == Update::max || update == Update::min;
  if (update == Update::set || dtype == DType::unknown) return;
  bool number = (is_integer(dtype) && !is_packed(dtype)) || is_float(dtype);
  if (!number && !(ordered && dtype == DType::boolean)) fail("cannot accumulate {}", name_of(dtype));
}

}  // namespace

void Gather::infer(Infer& in) const {
  in.need_count(2, 2);
  need_indices(in, 1);
  const Dims *from = in.dims(0), *indices = in.dims(1);
  if (!from || !indices) return in.out(0, in.dtype(0), std::nullopt);
  int64_t at = resolve_axis(axis, from->size());
  if (batch < 0 || batch > at || batch > in.rank(1))
    fail("{} batch axes for axis {} and indices {}", batch, at, in.in(1).text());
  Dims to;
  for (int64_t k = 0; k < at; ++k)
    to.push_back(k < batch ? same_size((*from)[k], (*indices)[k], "batch axes") : (*from)[k]);
  to.insert(to.end(), indices->begin() + batch, indices->end());
  to.insert(to.end(), from->begin() + at + 1, from->end());
  in.out(0, in.dtype(0), to);
  // 0 instead of an element is no point of every grid.
  if (outside != Outside::zero)
    in.keep_grid(0, 0, [&](int64_t axis) -> std::optional<int64_t> {
      if (axis == at) return std::nullopt;
      return axis < at ? axis : axis + in.rank(1) - batch - 1;
    });
  auto content = in.content(0);
  auto places = in.sizes(1);
  if (!content || !places || from->size() != 1) return;
  Content picked;
  for (const Dim& place : *places) {
    int64_t size = static_cast<int64_t>(content->size());
    if (!place.is_number()) return;
    int64_t index = place.number() < 0 && wrap ? place.number() + size : place.number();
    if (index < 0 || index >= size) {
      if (outside != Outside::error) return;
      fail("index {} is outside axis 0 of {}", place.number(), in.in(0).text());
    }
    picked.push_back((*content)[index]);
  }
  in.content_out(picked);
}

void GatherElements::infer(Infer& in) const {
  in.need_count(2, 2);
  need_indices(in, 1);
  if (in.dims(0) && in.dims(1)) {
    in.need_rank(1, in.rank(0));
    in.axis(0, axis);
  }
  in.out(0, in.dtype(0), in.in(1).dims);
  in.keep_grid(0, 0, [](int64_t) { return std::nullopt; });
}

void GatherND::infer(Infer& in) const {
  in.need_count(2, 2);
  need_indices(in, 1);
  const Dims *from = in.dims(0), *indices = in.dims(1);
  if (!from || !indices) return in.out(0, in.dtype(0), std::nullopt);
  if (indices->empty()) fail("the indices are a scalar");
  if (!indices->back().is_number()) return in.out(0, in.dtype(0), std::nullopt);
  int64_t depth = indices->back().number(), rank = in.rank(0);
  if (batch < 0 || batch >= in.rank(1) || depth > rank - batch)
    fail("{} batch axes and places in {} axes for {}", batch, depth, in.in(0).text());
  Dims to;
  for (int64_t k = 0; k + 1 < in.rank(1); ++k)
    to.push_back(k < batch ? same_size((*from)[k], (*indices)[k], "batch axes") : (*indices)[k]);
  to.insert(to.end(), from->begin() + batch + depth, from->end());
  in.out(0, in.dtype(0), to);
}

void ScatterElements::infer(Infer& in) const {
  in.need_count(3, 3);
  need_indices(in, 1);
  check_updates(in, update);
  if (in.dims(0)) {
    in.need_rank(1, in.rank(0));
    in.need_rank(2, in.rank(0));
    in.axis(0, axis);
  }
  if (in.dims(1) && in.dims(2) && in.rank(1) == in.rank(2))
    for (size_t k = 0; k < in.dims(1)->size(); ++k)
      same_size((*in.dims(1))[k], (*in.dims(2))[k], "indices and updates");
  in.same_as(0);
}

void ScatterND::infer(Infer& in) const {
  in.need_count(3, 3);
  need_indices(in, 1);
  check_updates(in, update);
  const Dims *from = in.dims(0), *indices = in.dims(1), *updates = in.dims(2);
  if (indices && indices->empty()) fail("the indices are a scalar");
  if (from && indices && indices->back().is_number()) {
    int64_t depth = indices->back().number();
    if (depth > in.rank(0)) fail("places in {} axes for {}", depth, in.in(0).text());
    Dims wanted(indices->begin(), indices->end() - 1);
    wanted.insert(wanted.end(), from->begin() + depth, from->end());
    if (updates) {
      in.need_rank(2, wanted.size());
      for (size_t k = 0; k < wanted.size(); ++k) same_size(wanted[k], (*updates)[k], "places and updates");
    }
  }
  in.same_as(0);
}

void UpdateCache::infer(Infer& in) const {
  in.need_count(2, 3);
  in.need_same_dtype(0, 1);
  if (in.has(2)) {
    need_indices(in, 2);
    in.need_rank(2, 1);
  }
  if (in.dims(0)) {
    in.need_rank(1, in.rank(0));
    if (in.axis(0, axis) == 0) fail("the axis is the batch");
  }
  in.same_as(0);
}

void Lookup::infer(Infer& in) const {
  in.need_count(4, 4);
  in.need_same_dtype(0, 1);
  in.need_same_dtype(2, 3);
  in.need_rank(1, 1);
  in.need_rank(2, 1);
  if (in.dims(1) && in.dims(2)) {
    const Dim &keys = (*in.dims(1))[0], &values = (*in.dims(2))[0];
    if (keys.is_number() && values.is_number() && keys != values)
      fail("{} values for {} keys", values.text(), keys.text());
  }
  in.out(0, in.dtype(2), in.in(0).dims);
}

void NonZero::infer(Infer& in) const {
  in.need_count(1, 1);
  if (!in.dims(0)) return in.out(0, DType::i64, in.fresh_dims(0, 2));
  in.out(0, DType::i64, Dims{in.rank(0), in.fresh(0, 1)});
}

void Compress::infer(Infer& in) const {
  in.need_count(2, 2);
  in.need_rank(1, 1);
  if (in.dtype(1) != DType::boolean && in.dtype(1) != DType::unknown)
    fail("the condition is {}", in.in(1).text());
  if (flat) return in.out(0, in.dtype(0), Dims{in.fresh(0, 0)});
  if (!in.dims(0)) return in.out(0, in.dtype(0), std::nullopt);
  Dims to = *in.dims(0);
  int64_t at = in.axis(0, axis);
  to[at] = in.fresh(0, at);
  in.out(0, in.dtype(0), to);
}

}  // namespace remodel
