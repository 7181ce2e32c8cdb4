// Updates that only rows within their length take.
#include "base/error.h"
#include "ops/binary.h"
#include "ops/shape.h"
#include "ops/unary.h"
#include "passes/loop_edit.h"
#include "passes/loop_rules.h"

namespace remodel {
namespace {

struct Mask {
  ValueId lengths = absent;  // outside the loop
  int64_t axis = -1;         // of what is selected by it
  bool within = true;        // it holds before the end of a row; else behind it
};

// The only axis of `type` that is not known to have size 1, counted in a result of that rank.
int64_t axis_of_rows(const Type& type, const Dims& result) {
  if (!type.dims || type.dims->size() > result.size()) return -1;
  size_t shift = result.size() - type.dims->size();
  int64_t found = -1;
  for (size_t axis = 0; axis < type.dims->size(); ++axis) {
    if ((*type.dims)[axis].is_number(1)) continue;
    if (found >= 0) return -1;
    found = static_cast<int64_t>(axis + shift);
  }
  return found >= 0 && (*type.dims)[static_cast<size_t>(found) - shift] == result[static_cast<size_t>(found)]
             ? found
             : -1;
}

// The lengths outside that a value of the body consists of, one for each row.
ValueId lengths_of(LoopEdit& loop, ValueId inside) {
  inside = same_integers(loop.body, inside);
  const Value& value = loop.body.value(inside);
  if (!value.type.has_rank(1) || !is_integer(value.type.dtype)) return absent;
  for (size_t i = 0; i < loop.invariants(); ++i)
    if (loop.invariant_in(i) == inside) return loop.invariant(i);
  return absent;
}

// step < lengths in any of its forms, and the axis of `result` that the rows stand on.
Mask mask_of(LoopEdit& loop, ValueId condition, const Dims& result) {
  Mask mask;
  const Graph& body = loop.body;
  const Node* node = body.producer(condition);
  while (node && (node->op.is<Expand>() || node->op.is<Not>())) {
    if (node->op.is<Not>()) mask.within = !mask.within;
    condition = node->inputs[0];
    node = body.producer(condition);
  }
  mask.axis = axis_of_rows(body.value(condition).type, result);
  // The order of the rows is the same in any shape that has one axis for them.
  while (node && (node->op.is<Reshape>() || node->op.is<Unsqueeze>() || node->op.is<Squeeze>() ||
                  node->op.is<Not>())) {
    if (node->op.is<Not>()) mask.within = !mask.within;
    node = body.producer(node->inputs[0]);
  }
  if (!node || mask.axis < 0) return {};
  bool less = node->op.is<Less>(), greater = node->op.is<Greater>(), not_less = node->op.is<GreaterEqual>(),
       not_greater = node->op.is<LessEqual>();
  if (!less && !greater && !not_less && !not_greater) return {};
  // The step stands on the left of `<` and `>=`, on the right of `>` and `<=`.
  bool step_first = less || not_less;
  if (!is_step(loop, node->inputs[step_first ? 0 : 1])) return {};
  if (not_less || not_greater) mask.within = !mask.within;
  mask.lengths = lengths_of(loop, node->inputs[step_first ? 1 : 0]);
  if (mask.lengths == absent) return {};
  if (loop.has_lengths() && loop.operand(Loop::lengths) != mask.lengths) return {};
  return mask;
}

struct Masked {
  Mask mask;
  ValueId update = absent, past = absent;  // what is selected before and behind the end of a row
};

Masked masked(LoopEdit& loop, ValueId value) {
  const Node* select = loop.body.producer(value);
  if (!select || !select->op.is<Select>()) return {};
  const Type& type = loop.body.value(value).type;
  if (!type.dims) return {};
  Masked result{mask_of(loop, select->inputs[0], *type.dims), select->inputs[1], select->inputs[2]};
  if (result.mask.lengths == absent) return {};
  if (!result.mask.within) std::swap(result.update, result.past);
  if (!same_shape_and_dtype(loop.body.value(result.update).type, type)) return {};
  return result;
}

bool is_zero(const Graph& graph, ValueId value) {
  const Constant* constant = graph.constant(value);
  return constant && constant->dtype() != DType::string && splat_value(*constant) == 0.0;
}

}  // namespace

size_t masks_into_lengths(Graph& graph, NodeId id) {
  LoopEdit loop(graph, id);
  if (!loop.op.takes_step) return 0;
  size_t count = 0;
  for (size_t j = 0; j < static_cast<size_t>(loop.op.carried); ++j) {
    if (loop.has_lengths() && loop.op.carried_rows[j] >= 0) continue;
    Masked found = masked(loop, loop.carried_out(j));
    if (found.update == absent || found.past != loop.carried_in(j)) continue;
    loop.set_lengths(found.mask.lengths);
    loop.op.carried_rows[j] = found.mask.axis;
    loop.body.outputs[loop.op.body_next() + j].value = found.update;
    ++count;
  }
  for (size_t j = 0; j < loop.op.stack_axes.size(); ++j) {
    if (loop.has_lengths() && loop.op.stack_rows[j] >= 0) continue;
    Masked found = masked(loop, loop.stacked_out(j));
    if (found.update == absent || !is_zero(loop.body, found.past)) continue;
    loop.set_lengths(found.mask.lengths);
    loop.op.stack_rows[j] = found.mask.axis;
    loop.body.outputs[loop.op.body_stacked() + j].value = found.update;
    ++count;
  }
  if (!count) return 0;
  loop.body.drop_dead();
  loop.commit();
  return count;
}

}  // namespace remodel
