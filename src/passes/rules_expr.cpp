#include "ops/binary.h"
#include "passes/rules.h"

namespace remodel {

Expr operator+(Expr a, Expr b) { return a.rules->op(Add{}, {a, b}); }
Expr operator-(Expr a, Expr b) { return a.rules->op(Sub{}, {a, b}); }
Expr operator*(Expr a, Expr b) { return a.rules->op(Mul{}, {a, b}); }
Expr operator/(Expr a, Expr b) { return a.rules->op(Div{}, {a, b}); }
Expr operator+(Expr a, double b) { return a + a.rules->literal(b); }
Expr operator+(double a, Expr b) { return b.rules->literal(a) + b; }
Expr operator-(Expr a, double b) { return a - a.rules->literal(b); }
Expr operator-(double a, Expr b) { return b.rules->literal(a) - b; }
Expr operator*(Expr a, double b) { return a * a.rules->literal(b); }
Expr operator*(double a, Expr b) { return b.rules->literal(a) * b; }
Expr operator/(Expr a, double b) { return a / a.rules->literal(b); }
Expr operator/(double a, Expr b) { return b.rules->literal(a) / b; }

}  // namespace remodel
