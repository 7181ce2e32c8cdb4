#include "ops/shape.h"

#include <algorithm>

#include "ir/infer.h"
#include "ir/tensor.h"

namespace remodel {

void check_sizes(const Dims& sizes) {
  for (const Dim& size : sizes)
    if (size.is_number() && size.number() < 0) fail("the size {} is negative", size.number());
}

std::vector<int64_t> sorted_axes(const std::vector<int64_t>& axes, int64_t rank) {
  std::vector<int64_t> result;
  for (int64_t axis : axes) result.push_back(resolve_axis(axis, rank));
  std::sort(result.begin(), result.end());
  auto twice = std::adjacent_find(result.begin(), result.end());
  if (twice != result.end()) fail("axis {} is given twice", *twice);
  return result;
}

void content_view_out(Infer& in, size_t k, int64_t offset, const std::vector<int64_t>& strides,
                      const std::vector<int64_t>& sizes) {
  auto content = in.content(0, SIZE_MAX);
  if (!content || count_of(sizes) > 1024) return;
  Content result;
  for (int64_t i = 0, count = count_of(sizes); i < count; ++i) {
    int64_t rest = i, place = offset;
    for (size_t axis = sizes.size(); axis-- > 0;) {
      place += rest % sizes[axis] * strides[axis];
      rest /= sizes[axis];
    }
    result.push_back((*content)[place]);
  }
  in.content_out(result, k);
}

std::optional<Dims> resolve_reshape(const std::optional<Dims>& from, Dims to, bool allow_zero) {
  std::optional<size_t> rest;
  Dim others(1);
  for (size_t axis = 0; axis < to.size(); ++axis) {
    if (to[axis].is_number(-1)) {
      if (rest) fail("two sizes are -1");
      rest = axis;
      continue;
    }
    if (to[axis].is_number(0) && !allow_zero) {
      if (!from) return std::nullopt;
      if (axis >= from->size()) fail("size {} is 0, but the input has rank {}", axis, from->size());
      to[axis] = (*from)[axis];
    }
    others = others * to[axis];
  }
  check_sizes(rest ? Dims{others} : to);
  if (!rest) {
    if (from && others.is_number() && product(*from).is_number() && !(others == product(*from)))
      fail("{} cannot be reshaped to {}", text_of(*from), text_of(to));
    return to;
  }
  if (!from) return std::nullopt;
  Dim whole = product(*from);
  auto exact = exact_div(whole, others);
  if (!exact && whole.is_number() && others.is_number())
    fail("{} cannot be reshaped to {}", text_of(*from), text_of(to));
  to[*rest] = exact ? *exact : floor_div(whole, others);
  return to;
}

namespace {

// Where an axis stands after a reshape: it has its size and as many elements before it.
std::optional<int64_t> reshaped_axis(const std::optional<Dims>& from, const std::optional<Dims>& to,
                                     int64_t axis) {
  if (!from || !to) return std::nullopt;
  auto before = [](const Dims& dims, size_t axis) {
    return product(Dims(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(axis)));
  };
  size_t at = static_cast<size_t>(axis);
  for (size_t k = 0; k < to->size(); ++k)
    if ((*to)[k] == (*from)[at] && before(*to, k) == before(*from, at)) return static_cast<int64_t>(k);
  return std::nullopt;
}

// The result's elements are the operand's in the same order.
void keep_grid_in_order(Infer& in) {
  const std::vector<ValueId>& results = in.node().outputs;
  if (results.empty() || results[0] == absent || !in.in(0).grid) return;
  const auto to = in.graph().value(results[0]).type.dims;
  in.keep_grid(0, 0, [&](int64_t axis) { return reshaped_axis(in.in(0).dims, to, axis); });
}

}  // namespace

void Reshape::infer(Infer& in) const {
  in.need_count(1, 2);
  std::optional<Dims> to;
  if (!in.has(1)) {
    check_sizes(shape);
    to = resolve_reshape(in.in(0).dims, shape, true);
  } else if (auto known = in.sizes(1)) {
    to = resolve_reshape(in.in(0).dims, *known, allow_zero);
    if (!to) to = in.fresh_dims(0, known->size());
  } else if (const Dims* length = in.dims(1); length && length->size() == 1 && (*length)[0].is_number()) {
    to = in.fresh_dims(0, (*length)[0].number());
  }
  in.out(0, in.dtype(0), to);
  keep_grid_in_order(in);
  if (auto content = in.content(0, SIZE_MAX); content && to && numbers(*to)) in.content_out(*content);
}

void Transpose::infer(Infer& in) const {
  in.need_count(1, 1);
  const Dims* from = in.dims(0);
  if (!from)
    return in.out(0, in.dtype(0), perm.empty() ? std::nullopt : std::optional(in.fresh_dims(0, perm.size())));
  std::vector<int64_t> order = perm;
  if (order.empty())
    for (size_t axis = from->size(); axis-- > 0;) order.push_back(axis);
  if (order.size() != from->size()) fail("an order of {} axes for {}", order.size(), in.in(0).text());
  std::vector<bool> seen(order.size(), false);
  Dims to;
  for (int64_t axis : order) {
    if (axis < 0 || axis >= static_cast<int64_t>(order.size()) || seen[axis])
      fail("{} is not an order of {} axes", text_of(order), order.size());
    seen[axis] = true;
    to.push_back((*from)[axis]);
  }
  in.out(0, in.dtype(0), to);
  in.keep_grid(0, 0, [&](int64_t axis) { return std::ranges::find(order, axis) - order.begin(); });
  auto sizes = numbers(to);
  if (!sizes || !in.content(0, SIZE_MAX)) return;
  Shape all = strides_of(*numbers(*from)), strides;
  for (int64_t axis : order) strides.push_back(all[axis]);
  content_view_out(in, 0, 0, strides, *sizes);
}

namespace {

// The axes of an attribute or of the operand where that is known.
std::optional<std::vector<int64_t>> known_axes(const Infer& in, const std::vector<int64_t>& axes) {
  if (!in.has(1)) return axes;
  auto known = in.sizes(1);
  return known ? numbers(*known) : std::nullopt;
}

// The number of elements of a one-dimensional operand, where it is known.
std::optional<int64_t> length_of(const Infer& in, size_t i) {
  if (!in.has(i) || !in.dims(i)) return std::nullopt;
  const Dims& dims = *in.dims(i);
  if (dims.empty()) return 1;
  return dims.size() == 1 && dims[0].is_number() ? std::optional(dims[0].number()) : std::nullopt;
}

}  // namespace

void Squeeze::infer(Infer& in) const {
  in.need_count(1, 2);
  const Dims* from = in.dims(0);
  auto known = known_axes(in, axes);
  if (!from || !known) {
    auto length = length_of(in, 1);
    int64_t rank = from && length ? in.rank(0) - *length : -1;
    return in.out(0, in.dtype(0), rank >= 0 ? std::optional(in.fresh_dims(0, rank)) : std::nullopt);
  }
  Dims to;
  if (known->empty()) {
    for (const Dim& size : *from)
      if (!size.is_number())
        return in.out(0, in.dtype(0), std::nullopt);
      else if (!size.is_number(1))
        to.push_back(size);
  } else {
    std::vector<int64_t> gone = sorted_axes(*known, in.rank(0));
    for (int64_t axis = 0; axis < in.rank(0); ++axis) {
      const Dim& size = (*from)[axis];
      if (!std::binary_search(gone.begin(), gone.end(), axis))
        to.push_back(size);
      else if (size.is_number() && !size.is_number(1))
        fail("axis {} of {} does not have size 1", axis, in.in(0).text());
    }
  }
  in.out(0, in.dtype(0), to);
  keep_grid_in_order(in);
  if (auto content = in.content(0, SIZE_MAX)) in.content_out(*content);
}

void Unsqueeze::infer(Infer& in) const {
  in.need_count(1, 2);
  const Dims* from = in.dims(0);
  auto known = known_axes(in, axes);
  if (!from || !known) {
    auto length = known ? std::optional<int64_t>(known->size()) : length_of(in, 1);
    return in.out(0, in.dtype(0),
                  from && length ? std::optional(in.fresh_dims(0, in.rank(0) + *length)) : std::nullopt);
  }
  int64_t rank = in.rank(0) + static_cast<int64_t>(known->size());
  std::vector<int64_t> fresh = sorted_axes(*known, rank);
  Dims to;
  for (int64_t axis = 0, next = 0; axis < rank; ++axis)
    to.push_back(std::binary_search(fresh.begin(), fresh.end(), axis) ? Dim(1) : (*from)[next++]);
  in.out(0, in.dtype(0), to);
  keep_grid_in_order(in);
  if (auto content = in.content(0, SIZE_MAX)) in.content_out(*content);
}

void Expand::infer(Infer& in) const {
  in.need_count(1, 2);
  const Dims* from = in.dims(0);
  auto known = in.sizes_or(1, shape);
  std::optional<Dims> to;
  if (known && from) {
    check_sizes(*known);
    size_t rank = std::max(from->size(), known->size());
    to.emplace();
    for (size_t axis = 0; axis < rank; ++axis) {
      Dim a = axis + from->size() < rank ? Dim(1) : (*from)[axis + from->size() - rank];
      Dim b = axis + known->size() < rank ? Dim(1) : (*known)[axis + known->size() - rank];
      if (!in.has(1) && a.is_number() && b.is_number() && !a.is_number(1) && !(a == b))
        fail("{} cannot be expanded to {}", in.in(0).text(), text_of(*known));
      to->push_back(in.has(1) ? in.broadcast(a, b, 0, axis) : b);
    }
    if (!in.has(1) && known->size() < from->size())
      fail("{} cannot be expanded to {}", in.in(0).text(), text_of(*known));
  } else if (known && !in.has(1)) {
    to = known;
  } else if (auto length = length_of(in, 1); length && from) {
    size_t rank = std::max(from->size(), static_cast<size_t>(*length));
    to = in.fresh_dims(0, rank);
    for (size_t axis = 0; axis < from->size(); ++axis) {
      const Dim& size = (*from)[axis];
      if (size.is_number() && !size.is_number(1)) (*to)[axis + rank - from->size()] = size;
    }
  }
  in.out(0, in.dtype(0), to);
  in.keep_grid(0, 0, [&](int64_t axis) -> std::optional<int64_t> {
    if (!to || (*from)[axis].is_number(1)) return std::nullopt;
    return axis + static_cast<int64_t>(to->size() - from->size());
  });
  auto sizes = to ? numbers(*to) : std::nullopt, own = from ? numbers(*from) : std::nullopt;
  if (!sizes || !own || !in.content(0, SIZE_MAX)) return;
  Shape all = strides_of(*own), strides(sizes->size(), 0);
  size_t shift = sizes->size() - own->size();
  for (size_t axis = 0; axis < own->size(); ++axis) strides[shift + axis] = (*own)[axis] == 1 ? 0 : all[axis];
  content_view_out(in, 0, 0, strides, *sizes);
}

void Tile::infer(Infer& in) const {
  in.need_count(1, 2);
  const Dims* from = in.dims(0);
  auto known = in.sizes_or(1, repeats);
  if (!from || !known) {
    auto rank = from ? std::optional(in.rank(0)) : length_of(in, 1);
    return in.out(0, in.dtype(0), rank ? std::optional(in.fresh_dims(0, *rank)) : std::nullopt);
  }
  if (known->size() != from->size()) fail("{} repeats for {}", known->size(), in.in(0).text());
  check_sizes(*known);
  Dims to;
  for (size_t axis = 0; axis < from->size(); ++axis) to.push_back((*from)[axis] * (*known)[axis]);
  in.out(0, in.dtype(0), to);
  in.keep_grid(0, 0, [&](int64_t axis) -> std::optional<int64_t> {
    return (*known)[axis].is_number(1) ? std::optional(axis) : std::nullopt;
  });
  auto content = in.content(0);
  auto sizes = numbers(to);
  if (!content || !sizes || sizes->size() != 1 || (*sizes)[0] > 1024) return;
  Content copies;
  while (copies.size() < static_cast<size_t>((*sizes)[0]))
    copies.insert(copies.end(), content->begin(), content->end());
  in.content_out(copies);
}

std::pair<int64_t, int64_t> ShapeOf::axes(int64_t rank) const {
  auto place = [rank](int64_t axis) { return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank); };
  int64_t first = place(start);
  return {first, std::max(first, place(end))};
}

void ShapeOf::infer(Infer& in) const {
  in.need_count(1, 1);
  const Dims* dims = in.dims(0);
  if (!dims) return in.out(0, DType::i64, Dims{in.fresh(0, 0)});
  auto [first, last] = axes(in.rank(0));
  in.out(0, DType::i64, Dims{last - first});
  Content content;
  for (int64_t axis = first; axis < last; ++axis) content.push_back({(*dims)[axis]});
  in.content_out(content);
}

void CountOf::infer(Infer& in) const {
  in.need_count(1, 1);
  in.out(0, DType::i64, Dims{});
  if (in.dims(0)) in.content_out({{product(*in.dims(0))}});
}

void Sizes::infer(Infer& in) const {
  in.need_count(0, 0);
  in.out(0, DType::i64, Dims{static_cast<int64_t>(sizes.size())});
  Content content;
  for (const Dim& size : sizes) content.push_back({size});
  in.content_out(content);
}

}  // namespace remodel
