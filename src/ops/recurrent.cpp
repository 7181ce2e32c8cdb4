#include "ops/recurrent.h"

#include <algorithm>

#include "ir/infer.h"

namespace remodel {
namespace {

const CellActivation activations[] = {
    {"sigmoid", 0, 0, 0},       {"tanh", 0, 0, 0},
    {"relu", 0, 0, 0},          {"affine", 2, 1, 0},
    {"leaky_relu", 1, 0.01, 0}, {"thresholded_relu", 1, 1, 0},
    {"scaled_tanh", 2, 1, 1},   {"hard_sigmoid", 2, 0.2, 0.5},
    {"elu", 1, 1, 0},           {"softsign", 0, 0, 0},
    {"softplus", 0, 0, 0},
};

struct Operands {
  size_t h0, c0, lengths, peephole;  // 0 where the cell has none
};

void infer_recurrent(Infer& in, const Recurrent& op, int64_t gates, int64_t functions, Operands at) {
  in.need_count(3, std::max(at.lengths, at.peephole) + 1);
  auto directions = static_cast<size_t>(op.directions());
  size_t named = directions * static_cast<size_t>(functions);
  if (op.activations.size() != named || op.alphas.size() != named || op.betas.size() != named)
    fail("expected {} activations, found {}", named, op.activations.size());
  for (const auto& name : op.activations)
    if (!find_cell_activation(name)) fail("the activation '{}' is not known", name);
  in.need_dtype(0, is_float, "floating point");
  for (size_t i = 1; i < in.count(); ++i) {
    if (!in.has(i)) continue;
    if (i == at.lengths)
      in.need_dtype(i, is_integer, "integers");
    else
      in.need_same_dtype(0, i);
  }
  for (size_t i = 0; i < 3; ++i) in.need_rank(i, 3);
  in.need_rank(at.lengths, in.has(at.lengths) ? 1 : in.rank(at.lengths));

  auto dim = [&](size_t i, size_t axis) {
    return in.dims(i) ? std::optional((*in.dims(i))[axis]) : std::nullopt;
  };
  auto hidden = dim(2, 2);
  auto check = [&](size_t i, const std::vector<std::optional<Dim>>& wanted) {
    if (!in.has(i) || !in.dims(i)) return;
    in.need_rank(i, static_cast<int64_t>(wanted.size()));
    for (size_t axis = 0; axis < wanted.size(); ++axis) {
      const Dim& found = (*in.dims(i))[axis];
      if (wanted[axis] && wanted[axis]->is_number() && found.is_number() && *wanted[axis] != found)
        fail("operand {} is {}; its axis {} should be {}", i, in.in(i).text(), axis, wanted[axis]->text());
    }
  };
  auto times = [&](int64_t n) { return hidden ? std::optional(*hidden * Dim(n)) : std::nullopt; };
  Dim d(op.directions());
  auto batch = dim(0, op.batch_major ? 0 : 1);
  check(1, {d, times(gates), dim(0, 2)});
  check(2, {d, times(gates), hidden});
  check(3, {d, times(2 * gates)});
  check(at.h0, {d, batch, hidden});
  if (at.c0) check(at.c0, {d, batch, hidden});
  check(at.lengths, {batch});
  if (at.peephole) check(at.peephole, {d, times(3)});

  DType dtype = in.dtype(0);
  Dim b = batch.value_or(Dim()), h = hidden.value_or(Dim()),
      time = dim(0, op.batch_major ? 1 : 0).value_or(Dim());
  if (!batch) time = in.fresh(0, op.batch_major ? 1 : 0), b = in.fresh(0, op.batch_major ? 0 : 2);
  if (!hidden) h = in.fresh(0, 3);
  in.out(0, dtype, op.batch_major ? Dims{b, time, d, h} : Dims{time, d, b, h});
  for (size_t k = 1; k < (at.c0 ? 3 : 2); ++k) in.out(k, dtype, Dims{d, b, h});
}

}  // namespace

const CellActivation* find_cell_activation(std::string_view name) {
  for (const CellActivation& one : activations)
    if (one.name == name) return &one;
  return nullptr;
}

void Recurrent::describe(Fields& v) {
  v.choice("direction", direction, {"forward", "backward", "both"});
  v("activations", activations);
  v("alphas", alphas);
  v("betas", betas);
  v("clip", clip);
  v("batch_major", batch_major);
}

void Rnn::infer(Infer& in) const { infer_recurrent(in, *this, gates, functions, {4, 0, 5, 0}); }
void Gru::infer(Infer& in) const { infer_recurrent(in, *this, gates, functions, {4, 0, 5, 0}); }
void Lstm::infer(Infer& in) const { infer_recurrent(in, *this, gates, functions, {4, 5, 6, 7}); }

}  // namespace remodel
