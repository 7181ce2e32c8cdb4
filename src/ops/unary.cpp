#include "ops/unary.h"

#include "ops/contents.h"

namespace remodel {
namespace {

bool is_number(DType dtype) { return is_float(dtype) || is_integer(dtype); }
bool is_boolean(DType dtype) { return dtype == DType::boolean; }

void infer_like(Infer& in, bool (*is)(DType), const char* what) {
  in.need_count(1, 1);
  in.need_dtype(0, is, what);
  in.same_as(0);
}

void infer_test(Infer& in) {
  in.need_count(1, 1);
  in.need_dtype(0, is_float, "a float");
  in.out(0, DType::boolean, in.in(0).dims);
}

}  // namespace

void RealFunction::infer(Infer& in) const { infer_like(in, is_float, "a float"); }

void Abs::infer(Infer& in) const {
  infer_like(in, is_number, "a number");
  elementwise_content(in, in.dtype(0), [](std::span<const Quantity> x) {
    return larger(x[0], {Dim(0) - x[0].over, x[0].under});
  });
}

void Neg::infer(Infer& in) const {
  infer_like(in, is_number, "a number");
  elementwise_content(in, in.dtype(0), [](std::span<const Quantity> x) {
    return Known({Dim(0) - x[0].over, x[0].under});
  });
}

void Sign::infer(Infer& in) const {
  infer_like(in, is_number, "a number");
  elementwise_content(in, in.dtype(0), [](std::span<const Quantity> x) -> Known {
    if (x[0].over.is_number(0)) return Quantity{0};
    if (x[0].over.at_least(1)) return Quantity{1};
    if ((Dim(0) - x[0].over).at_least(1)) return Quantity{-1};
    return std::nullopt;
  });
}

void Ceil::infer(Infer& in) const {
  RealFunction::infer(in);
  elementwise_content(in, in.dtype(0), [](std::span<const Quantity> x) { return ceil_of(x[0]); });
}

void Floor::infer(Infer& in) const {
  RealFunction::infer(in);
  elementwise_content(in, in.dtype(0), [](std::span<const Quantity> x) { return floor_of(x[0]); });
}

void IsNan::infer(Infer& in) const { infer_test(in); }
void IsInf::infer(Infer& in) const { infer_test(in); }

void Not::infer(Infer& in) const {
  infer_like(in, is_boolean, "boolean");
  elementwise_content(in, DType::boolean, [](std::span<const Quantity> x) -> Known {
    if (!x[0].over.is_number()) return std::nullopt;
    return Quantity{x[0].over.is_number(0) ? 1 : 0};
  });
}

void BitNot::infer(Infer& in) const { infer_like(in, is_integer, "an integer"); }

}  // namespace remodel
