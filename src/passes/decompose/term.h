// Arithmetic on values of a graph, written as such.
//
//   Term x{&node, node.in(0)};
//   node.result(0, (x - 0.5 * floor(x)).id);
//
// A number beside a term is a scalar of its type. Quotients of integers are truncated.
#pragma once

#include "ops/reduce.h"
#include "passes/decompose.h"

namespace remodel {

struct Term {
  Emitter* at = nullptr;
  ValueId id = absent;

  const Type& type() const { return at->type_of(id); }
  DType dtype() const { return type().dtype; }
};

Term apply(Op op, std::initializer_list<Term> operands);

Term operator+(Term a, Term b);
Term operator-(Term a, Term b);
Term operator*(Term a, Term b);
Term operator/(Term a, Term b);
Term operator+(Term a, double b);
Term operator-(Term a, double b);
Term operator-(double a, Term b);
Term operator*(double a, Term b);
Term operator/(Term a, double b);
Term operator/(double a, Term b);
// Of booleans.
Term operator&&(Term a, Term b);
Term operator||(Term a, Term b);
Term operator!(Term a);
// Comparisons, element by element.
Term operator<(Term a, Term b);
Term operator>(Term a, Term b);
Term operator==(Term a, Term b);
Term operator<(Term a, double b);
Term operator>(Term a, double b);
Term operator==(Term a, double b);

Term min(Term a, Term b);
Term max(Term a, Term b);
Term min(Term a, double b);
Term max(Term a, double b);
Term floor(Term x);
Term ceil(Term x);
Term abs(Term x);
Term truncated(Term x);                // to the whole number toward zero
Term remainder(Term x, Term divisor);  // of the divisor's sign
Term select(Term condition, Term a, Term b);
Term cast(Term x, DType dtype);
Term reshape(Term x, Dims dims);
Term unsqueeze(Term x, std::vector<int64_t> axes);
Term squeeze(Term x, std::vector<int64_t> axes);
Term transpose(Term x, std::vector<int64_t> perm);
Term expand(Term x, Dims dims);
Term concat(const std::vector<Term>& parts, int64_t axis);
Term gather(Term x, Term places, int64_t axis);
Term part(Term x, int64_t axis, const Dim& start, const Dim& size = 1);  // elements start, start + 1, ...
Term at_index(Term x, int64_t axis, int64_t index);                      // one element, without the axis
Term reduce(Reduce::Kind kind, Term x, std::vector<int64_t> axes, bool keep = false);
Term product(Term a, Term b);  // of matrices

Term number(Emitter& at, DType dtype, double value);
Dims dims_of(Term x);  // refuses an unknown rank

Term sizes_term(Emitter& at, const Dims& sizes);                         // i64[n]
Term size_term(Emitter& at, const Dim& size, DType dtype = DType::i64);  // a scalar
// 0, 1, ... , size - 1; `size` is i64[]
Term counting(Emitter& at, const Dim& size, DType dtype = DType::i64);
Term counting(Term size, DType dtype = DType::i64);
// Places as i64, negative ones counted from the end.
Term from_front(Term places, Term sizes);
Term from_front(Term places, int64_t size);
// Which of `rank` axes are among these [n]: boolean[rank].
Term listed(Term axes, int64_t rank);

}  // namespace remodel
