#include "ops/signal.h"

#include "ir/infer.h"

namespace remodel {
namespace {

// The size of the last axis, where it is known: 1 or 2.
std::optional<int64_t> parts(const Infer& in) {
  if (!in.dims(0) || !in.dims(0)->back().is_number()) return std::nullopt;
  int64_t size = in.dims(0)->back().number();
  if (size != 1 && size != 2) fail("the last axis of {} must have size 1 or 2", in.in(0).text());
  return size;
}

}  // namespace

void Complex::infer(Infer& in) const {
  in.need_count(2, 2);
  in.need_same_dtype(0, 1);
  if (in.dtype(0) != DType::f32 && in.dtype(0) != DType::f64)
    fail("complex numbers of {}", name_of(in.dtype(0)));
  in.broadcast(in.dtype(0) == DType::f32 ? DType::c64 : DType::c128);
}
namespace {
void infer_part(Infer& in) {
  in.need_count(1, 1);
  in.need_dtype(0, is_complex, "complex");
  in.out(0, in.dtype(0) == DType::c64 ? DType::f32 : DType::f64, in.in(0).dims);
}
}  // namespace
void Real::infer(Infer& in) const { infer_part(in); }
void Imaginary::infer(Infer& in) const { infer_part(in); }

void Dft::infer(Infer& in) const {
  in.need_count(1, 3);
  in.need_dtype(0, is_float, "floating point");
  if (!in.dims(0)) return in.out(0, in.dtype(0), std::nullopt);
  Dims dims = *in.dims(0);
  if (dims.size() < 2) fail("{} has no axis beside that of the parts", in.in(0).text());
  if (in.has(2)) {
    for (size_t i = 0; i + 1 < dims.size(); ++i) dims[i] = in.fresh(0, i);
    dims.back() = inverse && onesided ? 1 : 2;
    return in.out(0, in.dtype(0), dims);
  }
  size_t at = static_cast<size_t>(in.axis(0, axis));
  if (at + 1 == dims.size()) fail("the last axis holds the parts");
  if (auto found = parts(in); found && onesided && *found != (inverse ? 2 : 1))
    fail("a onesided {} cannot take {} parts", inverse ? "inverse" : "transform", *found);
  auto given = in.sizes_or(1, length);
  if (given && given->size() > 1) fail("there are {} lengths", given->size());
  Dim whole = !given                ? in.fresh(0, at)
              : !given->empty()     ? (*given)[0]
              : inverse && onesided ? (dims[at] - 1) * 2
                                    : dims[at];
  if (whole.is_number() && whole.number() < 1) fail("a transform of length {}", whole.text());
  dims[at] = onesided && !inverse ? floor_div(whole, 2) + 1 : whole;
  dims.back() = inverse && onesided ? 1 : 2;
  in.out(0, in.dtype(0), dims);
}

void Stft::infer(Infer& in) const {
  in.need_count(1, 4);
  in.need_dtype(0, is_float, "floating point");
  in.need_rank(0, 3);
  auto size = [&](size_t i, const Dim& field) -> std::optional<Dim> {
    auto sizes = in.sizes_or(i, {field});
    if (sizes && sizes->size() != 1) fail("operand {} should have one element", i);
    return sizes ? std::optional((*sizes)[0]) : std::nullopt;
  };
  auto every = size(2, step), whole = size(3, length);
  if (in.has(1)) {
    in.need_same_dtype(0, 1);
    in.need_rank(1, 1);
    if (in.dims(1) && whole && (*in.dims(1))[0].is_number() && whole->is_number() &&
        (*in.dims(1))[0] != *whole)
      fail("the window {} does not fit frames of {}", in.in(1).text(), whole->text());
  }
  for (const auto& number : {every, whole})
    if (number && number->is_number() && number->number() < 1)
      fail("a step or a length of {}", number->text());
  if (!in.dims(0)) return in.out(0, in.dtype(0), in.fresh_dims(0, 4));
  if (auto found = parts(in); found && onesided && *found == 2)
    fail("a onesided transform cannot take 2 parts");
  const Dims& x = *in.dims(0);
  Dim frames = every && whole ? floor_div(x[1] - *whole, *every) + 1 : in.fresh(0, 1);
  if (frames.is_number() && frames.number() < 1)
    fail("frames of {} are longer than {}", whole->text(), in.in(0).text());
  Dim frequencies = !whole ? in.fresh(0, 2) : onesided ? floor_div(*whole, 2) + 1 : *whole;
  in.out(0, in.dtype(0), Dims{x[0], frames, frequencies, Dim(2)});
}

void Window::infer(Infer& in) const {
  in.need_count(0, 1);
  auto given = in.sizes_or(0, {size});
  if (given && given->size() != 1) fail("there are {} sizes", given->size());
  if (given && (*given)[0].is_number() && (*given)[0].number() < 0)
    fail("a window of {}", (*given)[0].text());
  in.out(0, dtype, Dims{given ? (*given)[0] : in.fresh(0, 0)});
}

void MelWeights::infer(Infer& in) const {
  in.need_count(5, 5);
  auto size = [&](size_t i) -> std::optional<Dim> {
    auto sizes = in.sizes(i);
    return sizes && sizes->size() == 1 ? std::optional((*sizes)[0]) : std::nullopt;
  };
  auto bands = size(0), length = size(1);
  in.out(0, dtype,
         Dims{length ? floor_div(*length, 2) + 1 : in.fresh(0, 0), bands ? *bands : in.fresh(0, 1)});
}

}  // namespace remodel
