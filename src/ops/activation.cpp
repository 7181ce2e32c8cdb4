#include "ops/activation.h"

#include <limits>

#include "ir/infer.h"

namespace remodel {
namespace {

bool is_number(DType dtype) { return is_float(dtype) || is_integer(dtype); }

void infer_number(Infer& in) {
  in.need_count(1, 1);
  in.need_dtype(0, is_number, "a number");
  in.same_as(0);
}

}  // namespace

void Activation::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_float, "a float");
  in.same_as(0);
}

Clamp::Clamp() : Clamp(-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()) {}

void Relu::infer(Infer& in) const { infer_number(in); }
void Clamp::infer(Infer& in) const { infer_number(in); }

void Prelu::infer(Infer& in) const {
  in.need_count(2, 2);
  in.need_dtype(0, is_number, "a number");
  in.need_same_dtype(0, 1);
  in.broadcast(in.dtype(0));
}

void AlongAxis::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_dtype(0, is_float, "a float");
  in.axis(0, axis);
  in.same_as(0);
}

}  // namespace remodel
