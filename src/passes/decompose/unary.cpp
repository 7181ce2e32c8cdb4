#include "ops/unary.h"

#include <cfloat>

#include "ops/binary.h"
#include "passes/decompose.h"

namespace remodel {
namespace {

// The whole number below, and one more where more than a half is left, or a half above an odd number.
void round(Decompose& d) {
  DType dtype = d.dtype(0);
  ValueId x = d.in(0), half = d.scalar(dtype, 0.5), one = d.scalar(dtype, 1);
  ValueId below = d.emit(Floor{}, {x}), rest = d.emit(Sub{}, {x, below});
  ValueId even_below = d.emit(Mul{}, {d.emit(Floor{}, {d.emit(Mul{}, {below, half})}), d.scalar(dtype, 2)});
  ValueId odd = d.emit(Greater{}, {below, even_below});
  ValueId on_half = d.emit(Not{}, {d.emit(Less{}, {rest, half})});
  ValueId up = d.emit(Or{}, {d.emit(Greater{}, {rest, half}), d.emit(And{}, {odd, on_half})});
  d.result(0, d.emit(Select{}, {up, d.emit(Add{}, {below, one}), below}));
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
  ValueId x = d.in(0);
  ValueId above = d.emit(Greater{}, {x, d.scalar(d.dtype(0), most)});
  ValueId below = d.emit(Less{}, {x, d.scalar(d.dtype(0), -most)});
  if (op.positive && op.negative) return d.result(0, d.emit(Or{}, {above, below}));
  if (op.positive || op.negative) return d.result(0, op.positive ? above : below);
  d.result(0, d.emit(And{}, {above, below}));
}

// All bits set is -1; the difference borrows nowhere.
void bit_not(Decompose& d) {
  Tensor ones(d.dtype(0), {});
  std::fill_n(ones.to<uint8_t>(), ones.byte_count(), uint8_t{0xff});
  d.result(0, d.emit(Sub{}, {d.constant(constant_tensor(ones)), d.in(0)}));
}

}  // namespace

void unary_decompositions(Decompositions& table) {
  table.add<Round>(round);
  table.add<IsInf>(is_inf);
  table.add<BitNot>(bit_not);
}

}  // namespace remodel
