// Products of matrices.
#pragma once

#include "ir/op.h"

namespace remodel {

// (a, b, a_zero?, b_zero?): the product of the last two axes; the axes before them broadcast. A vector a
// stands for a row and a vector b for a column, and that axis is dropped from the result; it has no
// transpose. Floats: the sum's order is not specified. Integers: exact modulo 2^bits of the result. `out`
// unknown: the operands' type. Operands of 8 bits at most may differ in sign where the result is i32. Zero
// points are given for integers of 8 bits at most, whose type they share: they broadcast against their
// operand and are subtracted from it exactly; the result is i32.
struct MatMul {
  static constexpr const char* name = "matmul";
  bool transpose_a = false, transpose_b = false;
  DType out = DType::unknown;
  void describe(Fields& v) {
    v("transpose_a", transpose_a);
    v("transpose_b", transpose_b);
    v("out", out);
  }
  void infer(Infer& in) const;
};

// (x...): the sum over all labels that the result lacks. "ab,bc->ac": one letter an axis, any number of
// operands; a letter that repeats inside an operand is a diagonal; "..." stands for leading, broadcast axes.
// The result's labels are always written out, and no blanks.
struct Einsum {
  static constexpr const char* name = "einsum";
  std::string equation;
  void describe(Fields& v) { v("equation", equation); }
  void infer(Infer& in) const;
};

// (x): the determinant of the last two axes, a square.
struct Det {
  static constexpr const char* name = "det";
  void infer(Infer& in) const;
};

// An equation with its labels in numbers. "..." becomes as many numbers as it stands for axes, the same for
// the axis with the same distance from the end of every ellipsis. Refuses an equation that does not fit the
// ranks.
struct EinsumLabels {
  std::vector<std::vector<int>> operands;
  std::vector<int> result;
  int count = 0;
  int ellipsis = 0;  // labels below this number are of the ellipsis
};
EinsumLabels parse_einsum(const std::string& equation, const std::vector<int64_t>& ranks);
// Removes blanks and writes out the result's labels.
std::string normal_einsum(const std::string& equation);

}  // namespace remodel
