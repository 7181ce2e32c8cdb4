#include "ops/quantize.h"

#include "ir/infer.h"

namespace remodel {

bool has_one_element(const Type& type) {
  return type.dims &&
         std::all_of(type.dims->begin(), type.dims->end(), [](const Dim& dim) { return dim.is_number(1); });
}

namespace {

// Refuses scales that do not fit; gives whether there is one for all.
bool check_scales(const Infer& in, int64_t axis, int64_t block) {
  in.need_count(2, 3);
  in.need_dtype(1, is_float, "floating point");
  if (block < 0) fail("a block of {} elements", block);
  const Dims* scale = in.dims(1);
  if (!scale) return false;
  if (has_one_element(in.in(1)) && (block == 0 || scale->size() <= 1)) return true;
  const Dims* x = in.dims(0);
  if (!x) return false;
  size_t at = static_cast<size_t>(in.axis(0, axis));
  if (block == 0) {
    if (scale->size() != 1) fail("scale {} should have one axis", in.in(1).text());
    if ((*scale)[0].is_number() && (*x)[at].is_number() && (*scale)[0] != (*x)[at])
      fail("scale {} does not fit axis {} of {}", in.in(1).text(), at, in.in(0).text());
    return false;
  }
  if (scale->size() != x->size()) fail("scale {} does not fit {}", in.in(1).text(), in.in(0).text());
  for (size_t i = 0; i < x->size(); ++i) {
    Dim wanted = i == at ? ceil_div((*x)[i], block) : (*x)[i];
    if ((*scale)[i].is_number() && wanted.is_number() && (*scale)[i] != wanted)
      fail("scale {} does not fit blocks of {} of {}", in.in(1).text(), block, in.in(0).text());
  }
  return false;
}

ConstantPtr constant_of(Infer& in, size_t i) { return in.graph().value(in.node().inputs[i]).constant; }

}  // namespace

void Quantize::infer(Infer& in) const {
  bool single = check_scales(in, axis, block);
  if (in.has(2) && in.dtype(2) != DType::unknown && in.dtype(2) != to)
    fail("the zero point is {}, but the result {}", name_of(in.dtype(2)), name_of(to));
  Type type(to);
  type.dims = in.in(0).dims;
  if (in.constant(1) && (!in.has(2) || in.constant(2)) && in.dims(0)) {
    Grid grid;
    grid.scale = constant_of(in, 1);
    if (in.has(2)) grid.zero = constant_of(in, 2);
    if (!single) grid.axis = in.axis(0, axis), grid.block = block;
    type.grid = std::make_shared<const Grid>(std::move(grid));
  }
  in.out(0, std::move(type));
}

void Dequantize::infer(Infer& in) const {
  check_scales(in, axis, block);
  if (in.has(2)) in.need_same_dtype(0, 2);
  in.out(0, to, in.in(0).dims);
}

void DynamicQuantize::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_float, "floating point");
  DType to = symmetric ? DType::i8 : DType::u8;
  std::optional<Dims> grids = Dims();
  if (rows) {
    grids = in.in(0).dims;
    if (grids && grids->empty()) fail("a scalar has no rows");
    if (grids) grids->back() = 1;
  }
  in.out(0, to, in.in(0).dims);
  in.out(1, DType::f32, grids);
  in.out(2, to, grids);
}

}  // namespace remodel
