#include "ops/binary.h"

#include "ops/contents.h"

namespace remodel {
namespace {

using Pair = std::span<const Quantity>;

bool is_number(DType dtype) { return is_float(dtype) || is_integer(dtype); }
bool is_boolean(DType dtype) { return dtype == DType::boolean; }

void infer_two(Infer& in, bool (*is)(DType), const char* what) {
  in.need_count(2, 2);
  in.need_dtype(0, is, what);
  in.need_dtype(1, is, what);
  in.need_same_dtype(0, 1);
  in.broadcast(in.dtype(0) == DType::unknown ? in.dtype(1) : in.dtype(0));
}

// Contents of arithmetic. On floats only what rounds nowhere before the result itself does.
void arithmetic(Infer& in, Known (*compute)(const Quantity&, const Quantity&)) {
  bool real = is_float(in.dtype(0));
  elementwise_content(in, in.dtype(0), [=](Pair x) -> Known {
    if (real && !(is_binary(x[0]) && is_binary(x[1]))) return std::nullopt;
    return compute(x[0], x[1]);
  });
}

Known known(std::optional<bool> truth) {
  if (!truth) return std::nullopt;
  return Quantity{*truth ? 1 : 0};
}
Known opposite(std::optional<bool> truth) { return truth ? known(!*truth) : std::nullopt; }

}  // namespace

void Add::infer(Infer& in) const {
  infer_two(in, is_number, "a number");
  arithmetic(in, sum);
}
void Sub::infer(Infer& in) const {
  infer_two(in, is_number, "a number");
  arithmetic(in, difference);
}
void Mul::infer(Infer& in) const {
  infer_two(in, is_number, "a number");
  arithmetic(in, product);
}

void Div::infer(Infer& in) const {
  infer_two(in, is_number, "a number");
  if (rounding == Rounding::real && is_integer(in.dtype(0))) fail("integers are divided with a rounding");
  if (rounding == Rounding::real) return arithmetic(in, quotient);
  arithmetic(in, rounding == Rounding::floor ? [](const Quantity& a, const Quantity& b) -> Known {
    Known exact = quotient(a, b);
    return exact ? floor_of(*exact) : exact;
  } : [](const Quantity& a, const Quantity& b) -> Known {
    Known exact = quotient(a, b);
    return exact ? truncated(*exact) : exact;
  });
}

void Mod::infer(Infer& in) const {
  infer_two(in, is_number, "a number");
  bool down = sign == Sign::divisor;
  elementwise_content(in, in.dtype(0), [=](Pair x) -> Known {
    if (!is_binary(x[0]) || !is_binary(x[1])) return std::nullopt;
    Known exact = quotient(x[0], x[1]);
    Known whole = !exact ? exact : down ? floor_of(*exact) : truncated(*exact);
    Known taken = whole ? product(*whole, x[1]) : whole;
    return taken ? difference(x[0], *taken) : taken;
  });
}

void Pow::infer(Infer& in) const {
  in.need_count(2, 2);
  in.need_dtype(0, is_number, "a number");
  in.need_dtype(1, is_number, "a number");
  in.broadcast(in.dtype(0));
}

void Atan2::infer(Infer& in) const { infer_two(in, is_float, "floating point"); }

void Max::infer(Infer& in) const {
  infer_two(in, is_number, "a number");
  elementwise_content(in, in.dtype(0), [](Pair x) { return larger(x[0], x[1]); });
}
void Min::infer(Infer& in) const {
  infer_two(in, is_number, "a number");
  elementwise_content(in, in.dtype(0), [](Pair x) { return smaller(x[0], x[1]); });
}

void Logical::infer(Infer& in) const { infer_two(in, is_boolean, "boolean"); }
void Bitwise::infer(Infer& in) const { infer_two(in, is_integer, "an integer"); }

void Compare::infer_compare(Infer& in, bool ordered) const {
  in.need_count(2, 2);
  if (ordered) in.need_dtype(0, is_number, "a number");
  in.need_same_dtype(0, 1);
  in.broadcast(DType::boolean);
}
void Equal::infer(Infer& in) const {
  infer_compare(in, false);
  elementwise_content(in, DType::boolean, [](Pair x) { return known(is_equal(x[0], x[1])); });
}
void Less::infer(Infer& in) const {
  infer_compare(in, true);
  elementwise_content(in, DType::boolean, [](Pair x) { return known(is_less(x[0], x[1])); });
}
void LessEqual::infer(Infer& in) const {
  infer_compare(in, true);
  elementwise_content(in, DType::boolean, [](Pair x) { return opposite(is_less(x[1], x[0])); });
}
void Greater::infer(Infer& in) const {
  infer_compare(in, true);
  elementwise_content(in, DType::boolean, [](Pair x) { return known(is_less(x[1], x[0])); });
}
void GreaterEqual::infer(Infer& in) const {
  infer_compare(in, true);
  elementwise_content(in, DType::boolean, [](Pair x) { return opposite(is_less(x[0], x[1])); });
}

void Select::infer(Infer& in) const {
  in.need_count(3, 3);
  in.need_dtype(0, is_boolean, "boolean");
  in.need_same_dtype(1, 2);
  in.broadcast(in.dtype(1) == DType::unknown ? in.dtype(2) : in.dtype(1));
  elementwise_content(in, in.dtype(1), [](Pair x) -> Known {
    if (!x[0].over.is_number()) return std::nullopt;
    return x[0].over.is_number(0) ? x[2] : x[1];
  });
}

}  // namespace remodel
