#include "ops/normalize.h"

#include <algorithm>

namespace remodel {
namespace {

// Refuses an operand that is not [size], or not of floats.
void check_vector(Infer& in, size_t i, const Dim& size) {
  if (!in.has(i)) return;
  in.need_rank(i, 1);
  in.need_dtype(i, is_float, "of floats");
  if (in.dims(i)) need_equal((*in.dims(i))[0], size, "the normalised axis and a parameter");
}

Dim size_of_axis(Infer& in, int64_t axis) {
  return in.dims(0) ? (*in.dims(0))[static_cast<size_t>(axis)] : Dim::symbol("?");
}

void infer_channels(Infer& in, Channels channels, int64_t groups) {
  in.need_count(1, 3);
  in.need_dtype(0, is_float, "of floats");
  if (in.rank(0) >= 0) {
    if (in.rank(0) < 2) fail("the input must have a batch and a channel axis, but is {}", in.in(0).text());
    Dim size =
        size_of_axis(in, static_cast<int64_t>(channel_axis(channels, static_cast<size_t>(in.rank(0)))));
    check_vector(in, 1, size);
    check_vector(in, 2, size);
    if (groups < 1 || (size.is_number() && size.number() % groups != 0))
      fail("{} channels in {} groups", size.text(), groups);
  }
  in.same_as(0);
}

// The axes counted from the front; refuses an order other than ascending.
std::vector<int64_t> ascending(Infer& in, const std::vector<int64_t>& axes) {
  std::vector<int64_t> resolved;
  for (int64_t axis : axes) {
    resolved.push_back(in.axis(0, axis));
    if (in.rank(0) >= 0 && resolved.size() > 1 && resolved[resolved.size() - 2] >= resolved.back())
      fail("the axes must ascend");
  }
  return resolved;
}

void infer_over_axes(Infer& in, const std::vector<int64_t>& axes, DType statistics, size_t parameters) {
  in.need_count(1, 1 + parameters);
  in.need_dtype(0, is_float, "of floats");
  if (!is_float(statistics)) fail("statistics of type {}", name_of(statistics));
  auto over = ascending(in, axes);
  std::optional<Dims> kept;
  if (in.dims(0)) {
    kept = *in.dims(0);
    for (int64_t axis : over) (*kept)[static_cast<size_t>(axis)] = 1;
  }
  for (size_t i = 1; i <= parameters; ++i) {
    if (!in.has(i)) continue;
    in.need_same_dtype(0, i);
    in.need_rank(i, static_cast<int64_t>(axes.size()));
    if (in.dims(0) && in.dims(i))
      for (size_t k = 0; k < over.size(); ++k)
        need_equal((*in.dims(0))[static_cast<size_t>(over[k])], (*in.dims(i))[k],
                   "a normalised axis and its parameter");
  }
  in.same_as(0);
  for (size_t k = 1; k < in.outputs(); ++k) in.out(k, statistics, kept);
}

}  // namespace

void BatchNorm::infer(Infer& in) const {
  in.need_count(5, 5);
  in.need_dtype(0, is_float, "of floats");
  int64_t at = in.axis(0, axis);
  if (in.dims(0))
    for (size_t i = 1; i < 5; ++i) check_vector(in, i, size_of_axis(in, at));
  if (!in.has(3) || !in.has(4)) fail("the mean or the variance is missing");
  in.same_as(0);
}

void InstanceNorm::infer(Infer& in) const { infer_channels(in, channels, 1); }
void GroupNorm::infer(Infer& in) const { infer_channels(in, channels, groups); }
void LayerNorm::infer(Infer& in) const { infer_over_axes(in, axes, statistics, 2); }
void RmsNorm::infer(Infer& in) const { infer_over_axes(in, axes, statistics, 1); }

void LpNorm::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_float, "of floats");
  if (!(p > 0)) fail("a norm of order {}", p);
  ascending(in, axes);
  in.same_as(0);
}

void Lrn::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_float, "of floats");
  if (size < 1) fail("a window of {} channels", size);
  if (in.rank(0) >= 0 && in.rank(0) < 2)
    fail("the input must have a channel axis, but is {}", in.in(0).text());
  in.same_as(0);
}

}  // namespace remodel
