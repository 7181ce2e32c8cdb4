#include "ops/signal.h"

#include "formats/tflite/rows.h"
#include "ops/binary.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"

namespace remodel::tflite {
namespace {

// The last two axes, cut or filled to the lengths; half of the last one.
void read_rfft2d(ReadNode& node) {
  const auto lengths = node.sizes(1);
  if (!lengths || lengths->size() != 2) fail("the lengths are only known when it runs");
  const int64_t rank = node.rank(0);
  if (rank < 2) fail("its operand is {}", node.type(0).text());
  Dft rows;
  rows.axis = rank - 1;
  rows.onesided = true;
  rows.length = {(*lengths)[1]};
  Dft columns;
  columns.axis = rank - 2;
  columns.length = {(*lengths)[0]};
  const ValueId parts =
      node.emit(columns, {node.emit(rows, {node.emit(Unsqueeze{{rank}}, {node.input(0)})})});
  const auto part = [&](int64_t i) {
    return node.emit(Squeeze{{rank}}, {node.emit(Slice{{rank}, {i}, {1}, {1}}, {parts})});
  };
  node.result(0, node.emit(Complex{}, {part(0), part(1)}));
}

void read_complex_abs(ReadNode& node) {
  const ValueId real = node.emit(Real{}, {node.input(0)}),
                imaginary = node.emit(Imaginary{}, {node.input(0)});
  const ValueId squares =
      node.emit(Add{}, {node.emit(Mul{}, {real, real}), node.emit(Mul{}, {imaginary, imaginary})});
  node.emit_results(Sqrt{}, {squares});
}

}  // namespace

void signal_rows(Rows& rows) {
  rows.read("RFFT2D", since(1), read_rfft2d);
  rows.row<Real>("REAL", since(1));
  rows.row<Imaginary>("IMAG", since(1));
  rows.read("COMPLEX_ABS", since(1), read_complex_abs);
}

}  // namespace remodel::tflite
