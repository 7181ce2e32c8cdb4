#include "ops/shape.h"

#include "ops/gather.h"
#include "passes/decompose/bodies.h"

namespace remodel {
namespace {

// Where a size is 0 there are no elements, and any tensor of that shape will do.
void take_reshape_apart(Decompose& d) {
  Reshape op = d.op<Reshape>();
  if (!d.has(1) || !op.allow_zero) fail("a shape that is only known when the model runs");
  op.allow_zero = false;
  Term x{&d, d.in(0)}, shape{&d, d.in(1)};
  Term zeros = reduce(Reduce::Kind::sum, cast(shape == 0, DType::i32), {0});
  const DType dtype = d.dtype(0);
  auto none = [dtype](Emitter& inside, const std::vector<Term>& given) {
    ValueId filler =
        dtype == DType::string ? inside.constant(constant_strings({}, {""})) : inside.scalar(dtype, 0);
    return std::vector<Term>{apply(Expand{}, {Term{&inside, filler}, given[1]})};
  };
  auto some = [op](Emitter&, const std::vector<Term>& given) {
    return std::vector<Term>{apply(op, {given[0], given[1]})};
  };
  d.result(0, if_else(zeros > 0, {x, shape}, none, some)[0].id);
}

void take_squeeze_apart(Decompose& d) {
  if (!d.has(1) && !d.op<Squeeze>().axes.empty()) fail("it has a form");
  Term x{&d, d.in(0)}, shape = apply(ShapeOf{}, {x});
  Term gone = d.has(1) ? listed({&d, d.in(1)}, static_cast<int64_t>(d.dims(0).size())) : shape == 1;
  Compress pick;
  pick.flat = false, pick.axis = 0;
  Reshape without;
  without.allow_zero = true;
  d.result(0, apply(without, {x, apply(pick, {shape, !gone})}).id);
}

void take_unsqueeze_apart(Decompose& d) {
  const auto& count = d.has(1) ? d.type(1).dims : std::nullopt;
  if (!count || count->size() != 1 || !(*count)[0].is_number()) fail("the number of new axes is not known");
  Term x{&d, d.in(0)}, shape = apply(ShapeOf{}, {x});
  const int64_t rank = static_cast<int64_t>(d.dims(0).size()) + (*count)[0].number();
  Term made = listed({&d, d.in(1)}, rank);
  Term places = reshape(apply(NonZero{}, {cast(!made, DType::i32)}), dims_of(shape));
  Term ones{&d, d.integers(std::vector<int64_t>(static_cast<size_t>(rank), 1))};
  d.result(0, apply(Reshape{}, {x, apply(ScatterElements{}, {ones, places, shape})}).id);
}

}  // namespace

void shape_decompositions(Decompositions& table) {
  table.add<Reshape>(take_reshape_apart);
  table.add<Squeeze>(take_squeeze_apart);
  table.add<Unsqueeze>(take_unsqueeze_apart);
}

}  // namespace remodel
