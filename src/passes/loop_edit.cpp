#include "passes/loop_edit.h"

#include "ir/infer.h"
#include "ir/symbols.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/shape.h"

namespace remodel {
namespace {

template <class T>
void insert_at(std::vector<T>& list, size_t index, T item) {
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(index), std::move(item));
}
template <class T>
void erase_at(std::vector<T>& list, size_t index) {
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(index));
}

// A new input of the body, put at its place in the list.
ValueId add_body_input(Graph& body, size_t index, const std::string& name, Type type) {
  ValueId value = body.add_input(name, std::move(type));
  Port port = body.inputs.back();
  body.inputs.pop_back();
  insert_at(body.inputs, index, port);
  return value;
}

}  // namespace

ValueId LoopEdit::add_invariant(ValueId outside) {
  const Value& value = graph.value(outside);
  if (value.constant) return body.add_constant(value.constant, value.name);
  for (size_t i = 0; i < invariants(); ++i)
    if (invariant(i) == outside) return invariant_in(i);
  ValueId inside = add_body_input(body, body.inputs.size(), value.name, value.type);
  body.value(inside).content = value.content;
  graph.insert_operand(id, operands(), outside);
  return inside;
}

ValueId LoopEdit::add_step_input(ValueId outside, int64_t axis, bool reversed) {
  for (size_t j = 0; j < op.step_axes.size(); ++j)
    if (step_input(j) == outside && op.step_axes[j] == axis && op.step_reversed[j] == reversed)
      return step_in(j);
  const Value& value = graph.value(outside);
  Type slice(value.type.dtype, *value.type.dims);
  erase_at(*slice.dims, static_cast<size_t>(axis));
  ValueId inside = add_body_input(body, op.body_invariant(), value.name, slice);
  graph.insert_operand(id, op.first_invariant(), outside);
  op.step_axes.push_back(axis);
  op.step_reversed.push_back(reversed);
  return inside;
}

ValueId LoopEdit::add_stacked(ValueId inside, int64_t axis, bool reversed, const std::string& name) {
  for (size_t j = 0; j < op.stack_axes.size(); ++j)
    if (stacked_out(j) == inside && op.stack_axes[j] == axis && op.stack_reversed[j] == reversed &&
        (!has_lengths() || op.stack_rows[j] < 0) && result(op.first_stacked() + j) != absent)
      return result(op.first_stacked() + j);
  body.outputs.push_back({name, inside});
  op.stack_axes.push_back(axis);
  op.stack_reversed.push_back(reversed);
  if (has_lengths()) op.stack_rows.push_back(-1);
  size_t index = op.first_stacked() + op.stack_axes.size() - 1;
  while (graph.node(id).outputs.size() < index) graph.node(id).outputs.push_back(absent);
  return graph.insert_result(id, index, name);
}

ValueId LoopEdit::add_step() {
  if (!op.takes_step) add_body_input(body, 0, "step", Type(DType::i64, Dims{}));
  op.takes_step = true;
  return step();
}

void LoopEdit::remove_carried(size_t j) {
  graph.remove_operand(id, Loop::first_carried + j);
  if (j < graph.node(id).outputs.size()) graph.remove_result(id, j);
  erase_at(body.outputs, op.body_next() + j);
  body.remove_input(op.body_carried() + j);
  if (has_lengths()) erase_at(op.carried_rows, j);
  --op.carried;
}

void LoopEdit::remove_stacked(size_t j) {
  if (op.first_stacked() + j < graph.node(id).outputs.size()) graph.remove_result(id, op.first_stacked() + j);
  erase_at(body.outputs, op.body_stacked() + j);
  erase_at(op.stack_axes, j);
  erase_at(op.stack_reversed, j);
  if (has_lengths()) erase_at(op.stack_rows, j);
}

void LoopEdit::remove_step_input(size_t j) {
  graph.remove_operand(id, op.first_step() + j);
  body.remove_input(op.body_step() + j);
  erase_at(op.step_axes, j);
  erase_at(op.step_reversed, j);
}

void LoopEdit::remove_invariant(size_t i) {
  graph.remove_operand(id, op.first_invariant() + i);
  body.remove_input(op.body_invariant() + i);
}

void LoopEdit::commit() {
  graph.set_op(id, op);
  std::vector<Type> before;
  for (ValueId output : graph.node(id).outputs)
    before.push_back(output == absent ? Type() : graph.value(output).type);
  infer_node(graph, id);
  std::map<std::string, Dim, std::less<>> known;
  bool changed = false;
  for (size_t k = 0; k < before.size(); ++k) {
    if (result(k) == absent) continue;
    const Type& now = graph.value(result(k)).type;
    changed = changed || !same_shape_and_dtype(before[k], now);
    if (!before[k].dims || !now.dims || before[k].dims->size() != now.dims->size()) continue;
    for (size_t axis = 0; axis < now.dims->size(); ++axis) {
      std::string_view old = (*before[k].dims)[axis].symbol_name();
      if (!old.empty() && old[0] == '_' && !((*now.dims)[axis] == (*before[k].dims)[axis]))
        known.emplace(old, (*now.dims)[axis]);
    }
  }
  if (!known.empty()) substitute(graph, known);
  if (changed) infer_graph(graph);
  op = *graph.node(id).op.as<Loop>();
}

ValueId LoopEdit::emit_to(Graph& to, Op made, const std::vector<ValueId>& operands) {
  NodeId node = to.add_node(std::move(made), operands, {""}, graph.node(id).origin);
  return to.node(node).outputs[0];
}

void LoopEdit::set_lengths(ValueId outside) {
  if (has_lengths()) return;
  graph.set_input(id, Loop::lengths, outside);
  op.carried_rows.assign(static_cast<size_t>(op.carried), -1);
  op.stack_rows.assign(op.stack_axes.size(), -1);
}

ValueId same_integers(const Graph& graph, ValueId value) {
  while (const Node* node = graph.producer(value)) {
    bool relabels =
        node->op.is<Cast>() && is_integer(graph.value(node->inputs[0]).type.dtype) && !node->has(1);
    bool reshapes = node->op.is<Reshape>() || node->op.is<Squeeze>() || node->op.is<Unsqueeze>();
    if (!relabels && !reshapes) break;
    value = node->inputs[0];
  }
  return value;
}

std::optional<Dim> known_number(Graph& graph, ValueId value) {
  Node probe;
  probe.inputs = {value};
  auto sizes = Infer(graph, probe).sizes(0);
  return sizes && sizes->size() == 1 ? std::optional((*sizes)[0]) : std::nullopt;
}

std::optional<std::vector<Comparison>> comparisons(const Graph& graph, ValueId condition) {
  std::vector<Comparison> found;
  std::vector<ValueId> parts{condition};
  while (!parts.empty()) {
    const Node* node = graph.producer(parts.back());
    parts.pop_back();
    if (!node) return std::nullopt;
    if (node->op.is<And>())
      parts.insert(parts.end(), node->inputs.begin(), node->inputs.end());
    else if (node->op.is<Less>())
      found.push_back({node->inputs[0], node->inputs[1]});
    else if (node->op.is<Greater>())
      found.push_back({node->inputs[1], node->inputs[0]});
    else
      return std::nullopt;
  }
  return found;
}

bool runs_once_at_least(const Graph& graph, const Node& node) {
  const auto& op = *node.op.as<Loop>();
  if (node.has(0) || node.has(1)) return false;
  if (!op.count.is_number(-1) && !op.count.at_least(1)) return false;
  for (size_t j = 0; j < op.step_axes.size(); ++j) {
    const Type& type = graph.value(node.inputs[op.first_step() + j]).type;
    if (!type.dims || !(*type.dims)[resolve_axis(op.step_axes[j], type.dims->size())].at_least(1))
      return false;
  }
  return true;
}

}  // namespace remodel
