#include "ops/reduce.h"

#include <algorithm>
#include <set>

#include "ops/contents.h"

namespace remodel {
namespace {

bool is_number(DType dtype) { return is_float(dtype) || is_integer(dtype); }

// Shape arithmetic: the number of elements, the largest size, ...
void reduce_content(Infer& in, Reduce::Kind kind) {
  auto content = in.content(0);
  if (!content || content->empty() || in.rank(0) != 1 || is_float(in.dtype(0))) return;
  try {
    Known total = (*content)[0];
    for (size_t i = 1; total && i < content->size(); ++i) {
      const Quantity& next = (*content)[i];
      switch (kind) {
        case Reduce::Kind::sum:
          total = sum(*total, next);
          break;
        case Reduce::Kind::product:
          total = product(*total, next);
          break;
        case Reduce::Kind::max:
          total = larger(*total, next);
          break;
        case Reduce::Kind::min:
          total = smaller(*total, next);
          break;
        default:
          return;
      }
    }
    content_out(in, in.dtype(0), {total});
  } catch (const Error&) {
    return;  // a number past 64 bits: not a size
  }
}

}  // namespace

void Reduce::infer(Infer& in) const {
  in.need_count(1, 2);
  bool extreme = kind == Kind::max || kind == Kind::min;
  if (!(extreme && in.dtype(0) == DType::boolean)) in.need_dtype(0, is_number, "a number");
  const Dims* dims = in.dims(0);
  std::vector<int64_t> over = axes;
  if (in.has(1)) {
    if (!axes.empty()) fail("the axes are given twice");
    in.need_dtype(1, is_integer, "an integer");
    auto known = in.sizes(1);
    auto listed = known ? numbers(*known) : std::nullopt;
    if (!listed || (!dims && listed->empty())) {
      if (!dims) return in.out(0, in.dtype(0), std::nullopt);
      if (keep) return in.out(0, in.dtype(0), in.fresh_dims(0, dims->size()));
      const Dims* length = in.dims(1);
      bool fixed = length && length->size() == 1 && (*length)[0].is_number();
      int64_t dropped = fixed ? (*length)[0].number() : 0;
      if (!fixed || dropped == 0 || dropped > in.rank(0)) return in.out(0, in.dtype(0), std::nullopt);
      return in.out(0, in.dtype(0), in.fresh_dims(0, dims->size() - dropped));
    }
    over = *listed;
    if (over.empty() && !empty_is_none)
      for (int64_t axis = 0; axis < in.rank(0); ++axis) over.push_back(axis);
  }
  if (!dims) return in.out(0, in.dtype(0), std::nullopt);
  std::set<int64_t> reduced;
  for (int64_t axis : over)
    if (!reduced.insert(in.axis(0, axis)).second) fail("axis {} is given twice", axis);
  Dims result;
  for (int64_t axis = 0; axis < in.rank(0); ++axis) {
    if (!reduced.count(axis))
      result.push_back((*dims)[axis]);
    else if (keep)
      result.push_back(1);
  }
  in.out(0, in.dtype(0), result);
  if (reduced.size() == 1) reduce_content(in, kind);
}

void ArgExtreme::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_number, "a number");
  if (!in.dims(0)) return in.out(0, DType::i64, std::nullopt);
  Dims dims = *in.dims(0);
  int64_t at = in.axis(0, axis);
  if (dims[at].is_number(0)) fail("axis {} has no elements", axis);
  if (keep)
    dims[at] = 1;
  else
    dims.erase(dims.begin() + at);
  in.out(0, DType::i64, dims);
}

void Cumulate::infer(Infer& in) const {
  in.need_count(1, 2);
  in.need_dtype(0, is_number, "a number");
  if (in.has(1))
    in.need_dtype(1, is_integer, "an integer");
  else
    in.axis(0, axis);
  in.same_as(0);
}

}  // namespace remodel
