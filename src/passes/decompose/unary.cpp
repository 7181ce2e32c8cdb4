#include "ops/unary.h"

#include <cfloat>

#include "passes/decompose/term.h"

namespace remodel {
namespace {

// The whole number below, and one more where more than a half is left, or a half above an odd number.
void round(Decompose& d) {
  Term x{&d, d.in(0)}, below = floor(x), rest = x - below;
  Term odd = below > 2 * floor(0.5 * below), up = rest > 0.5 || (odd && !(rest < 0.5));
  d.result(0, select(up, below + 1, below).id);
}

void is_inf(Decompose& d) {
  double most = 0;
  switch (d.dtype(0)) {
    case DType::f64:
      most = DBL_MAX;
      break;
    case DType::f32:
      most = FLT_MAX;
      break;
    case DType::f16:
      most = 65504;
      break;
    case DType::bf16:
      most = 0x1.fep127;
      break;
    default:
      fail("it does not compute on {}", name_of(d.dtype(0)));
  }
  const auto& op = d.op<IsInf>();
  Term x{&d, d.in(0)}, above = x > most, below = x < -most;
  if (op.positive && op.negative) return d.result(0, (above || below).id);
  if (op.positive || op.negative) return d.result(0, (op.positive ? above : below).id);
  d.result(0, (above && below).id);
}

// All bits set is -1; the difference borrows nowhere.
void bit_not(Decompose& d) {
  Tensor ones(d.dtype(0), {});
  std::fill_n(ones.to<uint8_t>(), ones.byte_count(), uint8_t{0xff});
  d.result(0, (Term{&d, d.constant(constant_tensor(ones))} - Term{&d, d.in(0)}).id);
}

}  // namespace

void unary_decompositions(Decompositions& table) {
  table.add<Round>(round);
  table.add<IsInf>(is_inf);
  table.add<BitNot>(bit_not);
}

}  // namespace remodel
