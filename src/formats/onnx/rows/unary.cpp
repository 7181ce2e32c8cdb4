#include "ops/unary.h"

#include "formats/onnx/rows.h"
#include "ops/cast.h"

namespace remodel::onnx {
namespace {

template <class Op>
void both_ways(Rows& rows, const char* type, int first = 1) {
  rows.row<Op>(type, since(first), {ignore("consumed_inputs")});
}

// ONNX takes integers too; the result is truncated to them.
void read_erf(ReadNode& node) {
  DType dtype = node.type(0).dtype;
  if (!is_integer(dtype)) return node.emit_results(Erf{}, node.operands());
  ValueId real = node.emit(Cast{DType::f32}, {node.input(0)});
  node.emit_results(Cast{dtype}, {node.emit(Erf{}, {real})});
}

}  // namespace

void unary_rows(Rows& rows) {
  both_ways<Abs>(rows, "Abs");
  both_ways<Neg>(rows, "Neg");
  both_ways<Sign>(rows, "Sign", 9);
  both_ways<Sqrt>(rows, "Sqrt");
  both_ways<Reciprocal>(rows, "Reciprocal");
  both_ways<Exp>(rows, "Exp");
  both_ways<Log>(rows, "Log");
  both_ways<Sin>(rows, "Sin", 7);
  both_ways<Cos>(rows, "Cos", 7);
  both_ways<Tan>(rows, "Tan", 7);
  both_ways<Asin>(rows, "Asin", 7);
  both_ways<Acos>(rows, "Acos", 7);
  both_ways<Atan>(rows, "Atan", 7);
  both_ways<Sinh>(rows, "Sinh", 9);
  both_ways<Cosh>(rows, "Cosh", 9);
  both_ways<Tanh>(rows, "Tanh");
  both_ways<Asinh>(rows, "Asinh", 9);
  both_ways<Acosh>(rows, "Acosh", 9);
  both_ways<Atanh>(rows, "Atanh", 9);
  rows.read("Erf", since(9), read_erf);
  rows.write_row<Erf>("Erf", since(9));
  both_ways<Ceil>(rows, "Ceil");
  both_ways<Floor>(rows, "Floor");
  both_ways<Round>(rows, "Round", 11);
  both_ways<IsNan>(rows, "IsNaN", 9);
  rows.row<IsInf>("IsInf", since(10),
                  {attr("detect_positive", &IsInf::positive, int64_t{1}),
                   attr("detect_negative", &IsInf::negative, int64_t{1})});
  both_ways<Not>(rows, "Not");
  both_ways<BitNot>(rows, "BitwiseNot", 18);
}

}  // namespace remodel::onnx
