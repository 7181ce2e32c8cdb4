#include "ops/unary.h"

#include "formats/tflite/rows.h"
#include "ops/binary.h"

namespace remodel::tflite {
namespace {

void read_rsqrt(ReadNode& node) { node.emit_results(Reciprocal{}, {node.emit(Sqrt{}, {node.input(0)})}); }
void read_square(ReadNode& node) { node.emit_results(Mul{}, {node.input(0), node.input(0)}); }

}  // namespace

void unary_rows(Rows& rows) {
  rows.read_row<Abs>("ABS", since(1));
  rows.row<Neg>("NEG", since(1));
  rows.row<Sign>("SIGN", since(1));
  rows.row<Sqrt>("SQRT", since(1));
  rows.read("RSQRT", since(1), read_rsqrt);
  rows.row<Exp>("EXP", since(1));
  rows.row<Log>("LOG", since(1));
  rows.row<Sin>("SIN", since(1));
  rows.row<Cos>("COS", since(1));
  rows.row<Floor>("FLOOR", since(1));
  rows.row<Ceil>("CEIL", since(1));
  rows.row<Round>("ROUND", since(1));
  rows.read("SQUARE", since(1), read_square);
  rows.row<Not>("LOGICAL_NOT", since(1));
}

}  // namespace remodel::tflite
