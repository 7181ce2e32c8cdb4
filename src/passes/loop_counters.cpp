// Loops that count their steps in a carried value, and go on while it is below a limit.
#include <algorithm>

#include "base/error.h"
#include "ir/infer.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/shape.h"
#include "passes/loop_edit.h"
#include "passes/loop_rules.h"

namespace remodel {
size_t counters_into_step(Graph& graph, NodeId id) {
  LoopEdit loop(graph, id);
  size_t count = 0;
  for (size_t j = 0; j < static_cast<size_t>(loop.op.carried); ++j) {
    if (!counts_up(loop, j)) continue;
    auto first = known_number(graph, loop.initial(j));
    if (!first || !first->is_number()) continue;
    ValueId counter = loop.carried_in(j);
    NodeId sum = loop.body.value(loop.carried_out(j)).producer;
    const DType dtype = loop.body.value(counter).type.dtype;
    ValueId number = absent;
    for (NodeId user : std::vector<NodeId>(loop.body.value(counter).users)) {
      if (user == sum) continue;
      if (number == absent) {
        number = loop.add_step();
        if (dtype != DType::i64) number = loop.emit_inside(Cast(dtype), {number});
        if (!first->is_number(0)) {
          ConstantPtr start = constant_splat(dtype, {}, static_cast<double>(first->number()));
          number = loop.emit_inside(Add{}, {number, loop.body.add_constant(start)});
        }
      }
      const auto& operands = loop.body.node(user).inputs;
      for (size_t i = 0; i < operands.size(); ++i)
        if (operands[i] == counter) loop.body.set_input(user, i, number);
    }
    for (size_t k = loop.op.body_stacked(); k < loop.body.outputs.size(); ++k)
      if (loop.body.outputs[k].value == counter && number != absent) loop.body.outputs[k].value = number;
    count += number != absent;
  }
  if (count) loop.commit();
  return count;
}

namespace {

// counter < limit, as the body says it of the next step.
struct Limit {
  size_t counter = 0;       // the carried value
  ValueId inside = absent;  // the limit in the body
  bool is_float = false;    // both are compared as such
};

// The integer that a float is made of.
ValueId before_float(const Graph& graph, ValueId value) {
  const Node* cast = graph.producer(value);
  const bool found = cast && cast->op.is<Cast>() && !cast->has(1) &&
                     is_float(graph.value(value).type.dtype) &&
                     is_integer(graph.value(cast->inputs[0]).type.dtype);
  return found ? cast->inputs[0] : value;
}

bool same_number(Graph& graph, ValueId a, ValueId b) {
  if (a == b) return true;
  auto x = known_number(graph, a), y = known_number(graph, b);
  return x && y && *x == *y;
}

// Another comparison of what counts the steps says as much, or more.
bool is_implied(const LoopEdit& loop, const std::vector<Comparison>& all, size_t which) {
  const auto count = step_number(loop, before_float(loop.body, all[which].smaller));
  for (size_t k = 0; count && k < all.size(); ++k) {
    if (k == which || !same_number(loop.body, all[k].larger, all[which].larger)) continue;
    const auto other = step_number(loop, before_float(loop.body, all[k].smaller));
    if (!other || other->steps != count->steps) continue;
    if (k < which ? (other->rest - count->rest).at_least(0) : (other->rest - count->rest).at_least(1))
      return true;
  }
  return false;
}

// What the condition says, if all of it is of that form.
std::optional<std::vector<Limit>> limits_of(LoopEdit& loop, ValueId condition) {
  const auto all = comparisons(loop.body, condition);
  if (!all) return std::nullopt;
  std::vector<Limit> limits;
  for (size_t k = 0; k < all->size(); ++k) {
    if (is_implied(loop, *all, k)) continue;
    const Comparison& one = (*all)[k];
    const ValueId counter = before_float(loop.body, one.smaller);
    Limit limit{0, one.larger, counter != one.smaller};
    const size_t carried = static_cast<size_t>(loop.op.carried);
    while (limit.counter < carried && loop.carried_out(limit.counter) != counter) ++limit.counter;
    if (limit.counter == carried || !counts_up(loop, limit.counter)) return std::nullopt;
    limits.push_back(limit);
  }
  return limits;
}

// The same number outside: a constant or an invariant.
ValueId outside_of(LoopEdit& loop, ValueId inside) {
  const Value& value = loop.body.value(inside);
  if (!value.type.has_rank(0)) return absent;
  if (value.constant) return loop.graph.add_constant(value.constant);
  for (size_t i = 0; i < loop.invariants(); ++i)
    if (loop.invariant_in(i) == inside) return loop.invariant(i);
  return absent;
}

// Whether the condition before the first step says that each counter starts below its limit.
bool starts_below(LoopEdit& loop, const std::vector<Limit>& limits, const std::vector<ValueId>& outside) {
  Graph& graph = loop.graph;
  auto all = comparisons(graph, loop.operand(1));
  if (!all) return false;
  std::vector<bool> said(limits.size(), false);
  for (const Comparison& one : *all) {
    size_t k = 0;
    while (k < limits.size() && !(same_number(graph, one.smaller, loop.initial(limits[k].counter)) &&
                                  same_number(graph, one.larger, outside[k])))
      ++k;
    if (k == limits.size()) return false;
    said[k] = true;
  }
  return std::all_of(said.begin(), said.end(), [](bool one) { return one; });
}

}  // namespace

size_t condition_into_count(Graph& graph, NodeId id) {
  LoopEdit loop(graph, id);
  if (!loop.op.gives_condition || loop.operand(0) != absent || !loop.op.count.is_number(-1)) return 0;
  const auto found = limits_of(loop, loop.body.outputs[0].value);
  if (!found) return 0;
  const std::vector<Limit>& limits = *found;
  std::vector<ValueId> outside;
  std::vector<std::optional<Dim>> steps;
  for (const Limit& limit : limits) {
    outside.push_back(outside_of(loop, limit.inside));
    if (outside.back() == absent) return 0;
    auto first = known_number(graph, loop.initial(limit.counter)), last = known_number(graph, outside.back());
    if (limit.is_float && !last) return 0;  // numbers that are not exact may come
    steps.push_back(first && last ? std::optional(*last - *first) : std::nullopt);
  }
  bool all_known = std::all_of(steps.begin(), steps.end(), [](const auto& one) { return one.has_value(); });
  const Constant* start = graph.constant(loop.operand(1));
  bool unconditional = loop.operand(1) == absent || (start && splat_value(*start) == 1.0);
  if (unconditional) {
    // The first step is made whatever the limits are.
    if (!all_known) return 0;
    for (const auto& one : steps)
      if (!one->at_least(1)) return 0;
  } else if (!starts_below(loop, limits, outside)) {
    return 0;
  }
  if (all_known) {
    Dim least = *steps[0];
    for (const auto& one : steps) least = min(least, *one);
    loop.op.count = least.at_least(0) ? least : max(least, 0);
  } else {
    auto wide = [&](ValueId number) {
      return graph.value(number).type.dtype == DType::i64 ? number : loop.emit(Cast(DType::i64), {number});
    };
    ValueId least = absent;
    for (size_t k = 0; k < limits.size(); ++k) {
      ValueId span = loop.emit(Sub{}, {wide(outside[k]), wide(loop.initial(limits[k].counter))});
      least = least == absent ? span : loop.emit(Min{}, {least, span});
    }
    graph.set_input(id, 0, least);
  }
  graph.set_input(id, 1, absent);
  loop.body.outputs.erase(loop.body.outputs.begin());
  loop.op.gives_condition = false;
  loop.body.drop_dead();
  loop.commit();
  return 1;
}

}  // namespace remodel
