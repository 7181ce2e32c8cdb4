#include "ops/dropout.h"

#include "ops/random.h"
#include "ops/shape.h"
#include "passes/decompose/term.h"

namespace remodel {
namespace {

void decompose_dropout(Decompose& d) {
  const auto& op = d.op<Dropout>();
  const DType dtype = d.dtype(0);
  Term x{&d, d.in(0)};
  Term ratio = d.has(1) ? cast(reshape({&d, d.in(1)}, {}), DType::f32) : number(d, DType::f32, 0.5);
  Term training = d.has(2) ? reshape({&d, d.in(2)}, {}) : number(d, DType::boolean, 0);
  RandomUniform draw;
  draw.shape = d.dims(0);
  draw.seeded = op.seeded, draw.seed = static_cast<double>(op.seed);
  Term drawn{&d, d.emit(draw, {})};
  Term kept = !(training && drawn < ratio);
  Term factor = select(training, 1 / (1 - ratio), number(d, DType::f32, 1));
  if (d.wants(0)) d.result(0, select(kept, x * cast(factor, dtype), number(d, dtype, 0)).id);
  if (d.wants(1)) d.result(1, kept.id);
}

}  // namespace

void dropout_decompositions(Decompositions& table) { table.add<Dropout>(decompose_dropout); }

}  // namespace remodel
