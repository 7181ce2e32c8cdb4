// Random numbers of other ranges and types, from those of the plain form.
#include "ops/random.h"

#include "passes/decompose/term.h"

namespace remodel {
namespace {

// Floats of 32 bits, all between 0 and 1, or around 0 with a deviation of 1.
template <class T>
Term plain(Decompose& d, const T& plain_op) {
  return {&d, d.emit(plain_op, d.has(0) ? std::vector<ValueId>{d.in(0)} : std::vector<ValueId>{})};
}

void decompose_uniform(Decompose& d) {
  RandomUniform op = d.op<RandomUniform>();
  const double low = op.low, span = op.high - op.low;
  const DType dtype = op.dtype;
  if (dtype == DType::f32 && low == 0 && span == 1) fail("it has a form");
  op.dtype = DType::f32, op.low = 0, op.high = 1;
  d.result(0, cast(span * plain(d, op) + low, dtype).id);
}

void decompose_normal(Decompose& d) {
  RandomNormal op = d.op<RandomNormal>();
  const double mean = op.mean, deviation = op.deviation;
  const DType dtype = op.dtype;
  if (dtype == DType::f32 && mean == 0 && deviation == 1) fail("it has a form");
  op.dtype = DType::f32, op.mean = 0, op.deviation = 1;
  d.result(0, cast(deviation * plain(d, op) + mean, dtype).id);
}

void decompose_bernoulli(Decompose& d) {
  const auto& op = d.op<Bernoulli>();
  RandomUniform uniform;
  uniform.seeded = op.seeded, uniform.seed = op.seed;
  uniform.shape = d.dims(0);
  Term drawn{&d, d.emit(uniform, {})}, probability = cast({&d, d.in(0)}, DType::f32);
  d.result(0, cast(drawn < probability, op.dtype == DType::unknown ? d.dtype(0) : op.dtype).id);
}

}  // namespace

void random_decompositions(Decompositions& table) {
  table.add<RandomUniform>(decompose_uniform);
  table.add<RandomNormal>(decompose_normal);
  table.add<Bernoulli>(decompose_bernoulli);
}

}  // namespace remodel
