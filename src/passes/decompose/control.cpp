#include "ops/control.h"

#include <algorithm>
#include <set>
#include <string>

#include "ir/symbols.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "passes/decompose.h"

namespace remodel {
namespace {

// `lengths` become selections in the body, of what a carried value was before or of 0.
void select_rows(Decompose& one, Loop& op, ValueId step, ValueId lengths) {
  Graph& body = *op.body;
  Emitter inside(body, one.origin());
  const Dim rows = (*body.value(lengths).type.dims)[0];
  if (body.value(lengths).type.dtype != DType::i64) lengths = inside.emit(Cast(DType::i64), {lengths});
  ValueId within = inside.emit(Less{}, {step, lengths});
  auto select = [&](Port& port, int64_t axis, ValueId past) {
    if (axis < 0) return;
    const Type type = body.value(port.value).type;
    if (!type.dims) fail("the rank of '{}' is not known", port.name);
    axis = resolve_axis(axis, type.dims->size());
    Dims shape(type.dims->size() - static_cast<size_t>(axis), Dim(1));
    shape[0] = rows;
    if (past == absent) past = body.add_constant(constant_splat(type.dtype, {}, 0));
    port.value = inside.emit(Select{}, {inside.emit(Reshape{shape, false}, {within}), port.value, past});
    body.value(port.value).type = type;
  };
  for (size_t j = 0; j < op.carried_rows.size(); ++j)
    select(body.outputs[op.body_next() + j], op.carried_rows[j], body.inputs[op.body_carried() + j].value);
  for (size_t j = 0; j < op.stack_rows.size(); ++j)
    if (one.wants(op.first_stacked() + j))
      select(body.outputs[op.body_stacked() + j], op.stack_rows[j], absent);
  op.carried_rows.clear();
  op.stack_rows.clear();
}

// The number of the step as the body's first input.
void add_step(Graph& body) {
  body.add_input("step", Type(DType::i64, Dims{}));
  std::rotate(body.inputs.begin(), body.inputs.end() - 1, body.inputs.end());
}

// Nothing is left for plain_loop to do.
bool is_plain(const Decompose& one, const Loop& op) {
  const auto zero = [](int64_t axis) { return axis == 0; };
  return op.step_axes.empty() && !one.has(Loop::lengths) &&
         std::all_of(op.stack_axes.begin(), op.stack_axes.end(), zero) &&
         std::all_of(op.stack_reversed.begin(), op.stack_reversed.end(), zero);
}

// Sizes that are known before the loop runs.
bool known_before(Decompose& one, const Dims& dims) {
  std::set<std::string> known;
  const auto note = [&](const std::string& symbol) { known.insert(symbol); };
  for (const Port& port : one.graph().inputs) for_each_symbol(one.graph().value(port.value).type, note);
  for (ValueId operand : one.node().inputs)
    if (operand != absent) for_each_symbol(one.graph().value(operand).type, note);
  for (const Dim& dim : dims)
    for (const std::string& symbol : dim.symbols())
      if (!known.count(symbol)) return false;
  return true;
}

// Stacked results are carried. Where the number of steps is known before they have all their elements from
// the start, and each step replaces one. Otherwise they grow by an element a step, and begin with one that is
// dropped: runtimes do not carry a tensor without elements.
void lists_carried(Decompose& one, Loop op) {
  const size_t stacked = op.stack_axes.size();
  if (stacked == 0) fail("a loop of this kind has no form");
  const bool counted = !one.has(0) && !one.has(1) && !op.gives_condition && known_before(one, {op.count});
  op.body = op.body->copy();
  Graph& body = *op.body;
  Emitter inside(body, one.origin());
  std::vector<ValueId> operands = one.node().inputs;
  std::vector<Port> invariants(body.inputs.begin() + static_cast<std::ptrdiff_t>(op.body_invariant()),
                               body.inputs.end());
  body.inputs.resize(op.body_invariant());
  std::vector<ValueId> kept(operands.begin() + static_cast<std::ptrdiff_t>(op.first_invariant()),
                            operands.end());
  operands.resize(op.first_invariant());
  if (counted && !op.takes_step) {
    add_step(body);
    op.takes_step = true;
  }
  for (size_t j = 0; j < stacked; ++j) {
    Port& element = body.outputs[op.body_stacked() + j];
    const Type type = body.value(element.value).type;
    if (!type.is_tensor() || !type.dims) fail("the rank of a stacked element is not known");
    if (!known_before(one, *type.dims)) fail("the size of a stacked element is not known");
    Dims list = *type.dims;
    list.insert(list.begin(), counted ? op.count : Dim(1));
    if (counted) list.insert(list.begin(), Dim(1));
    operands.push_back(one.emit(Expand{list}, {one.scalar(type.dtype, 0)}));
    if (counted) {
      const ValueId whole = body.add_input("list", Type(type.dtype, list)),
                    at = inside.emit(Unsqueeze{{0}}, {body.inputs[0].value});
      UpdateCache update;
      update.axis = 1;
      element.value = inside.emit(update, {whole, inside.emit(Unsqueeze{{0, 1}}, {element.value}), at});
    } else {
      list[0] = Dim::symbol(one.graph().fresh_symbol());
      const ValueId whole = body.add_input("list", Type(type.dtype, list));
      element.value = inside.emit(Concat{0}, {whole, inside.emit(Unsqueeze{{0}}, {element.value})});
    }
  }
  operands.insert(operands.end(), kept.begin(), kept.end());
  body.inputs.insert(body.inputs.end(), invariants.begin(), invariants.end());
  op.carried += static_cast<int64_t>(stacked);
  op.stack_axes.clear();
  op.stack_reversed.clear();
  std::vector<ValueId> results = one.emit(op, operands, one.node().outputs.size());
  const size_t first_list = static_cast<size_t>(op.carried) - stacked;
  for (size_t k = 0; k < results.size(); ++k) {
    if (!one.wants(k)) continue;
    ValueId result = results[k];
    if (k >= first_list && counted)
      result = one.emit(Squeeze{{0}}, {result});
    else if (k >= first_list)
      result = one.emit(Slice{{0}, {1}, {(*one.type_of(result).dims)[0] - 1}, {1}}, {result});
    one.result(k, result);
  }
}

// Per-step inputs become gathers by the step, stacked results stand along their first axis until after the
// loop, and lengths become selections.
void plain_loop(Decompose& one) {
  Loop op = one.op<Loop>();
  if (is_plain(one, op)) return lists_carried(one, op);
  size_t steps = op.step_axes.size(), stacked = op.stack_axes.size();
  std::vector<int64_t> axes(steps);
  std::vector<Dim> lengths(steps);
  for (size_t j = 0; j < steps; ++j) {
    const Dims& dims = one.dims(op.first_step() + j);
    axes[j] = resolve_axis(op.step_axes[j], dims.size());
    lengths[j] = dims[axes[j]];
  }
  std::vector<size_t> ranks(stacked);
  for (size_t j = 0; j < stacked; ++j) {
    if (!one.wants(op.first_stacked() + j)) continue;
    const Type& type = one.result_type(op.first_stacked() + j);
    if (!type.dims) fail("the rank of result {} is not known", op.first_stacked() + j);
    ranks[j] = type.dims->size();
  }
  // A copy: this node keeps its body until it goes.
  op.body = op.body->copy();
  Graph& body = *op.body;
  Emitter inside(body, one.origin());

  std::vector<ValueId> operands(one.node().inputs);
  std::vector<ValueId> sliced(operands.begin() + static_cast<std::ptrdiff_t>(op.first_step()),
                              operands.begin() + static_cast<std::ptrdiff_t>(op.first_invariant()));
  operands.erase(operands.begin() + static_cast<std::ptrdiff_t>(op.first_step()),
                 operands.begin() + static_cast<std::ptrdiff_t>(op.first_invariant()));
  if (steps) {
    if (one.has(0))
      operands[0] = one.emit(Min{}, {one.in(0), one.emit(Reshape{}, {one.emit(Sizes{{lengths[0]}}, {})})});
    else
      op.count = op.count.is_number(-1) ? lengths[0] : min(op.count, lengths[0]);
  }
  if ((steps || one.has(Loop::lengths)) && !op.takes_step) {
    add_step(body);
    op.takes_step = true;
  }
  ValueId step = op.takes_step ? body.inputs[0].value : absent;
  for (size_t j = 0; j < steps; ++j) {
    size_t place = op.body_step();
    Port slice = body.inputs[place];
    body.remove_input(place);
    ValueId whole = body.add_input(slice.name, one.graph().value(sliced[j]).type);
    operands.push_back(sliced[j]);
    ValueId index = step;
    if (op.step_reversed[j]) {
      // A body need not see what the length is made of.
      ValueId last;
      if (lengths[j].is_number()) {
        last = inside.scalar(DType::i64, static_cast<double>(lengths[j].number() - 1));
      } else {
        operands.push_back(one.emit(Reshape{}, {one.emit(Sizes{{lengths[j] - 1}}, {})}));
        last = body.add_input("last", Type(DType::i64, Dims{}));
      }
      index = inside.emit(Sub{}, {last, step});
    }
    Gather gather;
    gather.axis = axes[j];
    gather.wrap = false;
    ValueId item = inside.emit(gather, {whole, index});
    body.value(item).type = body.value(slice.value).type;
    body.replace_uses(slice.value, item);
  }
  op.step_axes.clear();
  op.step_reversed.clear();
  if (one.has(Loop::lengths)) {
    operands[Loop::lengths] = absent;
    operands.push_back(one.in(Loop::lengths));
    select_rows(one, op, step, body.add_input("lengths", one.type(Loop::lengths)));
  }
  std::vector<int64_t> stack_axes = op.stack_axes, reversed = op.stack_reversed;
  op.stack_axes.assign(stacked, 0);
  op.stack_reversed.assign(stacked, 0);

  std::vector<ValueId> results = one.emit(op, operands, one.node().outputs.size());
  for (size_t k = 0; k < results.size(); ++k) {
    if (!one.wants(k)) continue;
    ValueId result = results[k];
    if (k >= op.first_stacked()) {
      size_t j = k - op.first_stacked();
      const Dim trips = (*one.graph().value(result).type.dims)[0];
      if (reversed[j]) result = one.emit(Slice{{0}, {trips - 1}, {trips}, {-1}}, {result});
      int64_t axis = resolve_axis(stack_axes[j], ranks[j]);
      if (axis != 0) {
        std::vector<int64_t> perm;
        for (size_t a = 1; a < ranks[j]; ++a) perm.push_back(static_cast<int64_t>(a));
        perm.insert(perm.begin() + axis, 0);
        result = one.emit(Transpose{perm}, {result});
      }
    }
    one.result(k, result);
  }
}

}  // namespace

void control_decompositions(Decompositions& table) { table.add<Loop>(plain_loop); }

}  // namespace remodel
