// What a body computes from the number of its step.
#include <array>

#include "ir/infer.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"
#include "passes/loop_edit.h"

namespace remodel {
namespace {

// Deeper than this nothing is looked at.
constexpr int most_depth = 12;

class StepNumbers {
 public:
  explicit StepNumbers(const LoopEdit& loop) : loop_(loop), body_(loop.body) {}

  std::optional<StepNumber> of(ValueId value, size_t element, int depth = most_depth) {
    if (value == absent || depth == 0 || !is_integer(body_.value(value).type.dtype)) return std::nullopt;
    if (loop_.op.takes_step && value == loop_.step()) return StepNumber{1, 0};
    for (size_t j = 0; j < static_cast<size_t>(loop_.op.carried); ++j) {
      if (value != loop_.carried_in(j) || !counts_up(loop_, j)) continue;
      const auto first = known_number(loop_.graph, loop_.initial(j));
      return first ? std::optional(StepNumber{1, *first}) : std::nullopt;
    }
    if (const auto known = known_at(value, element)) return StepNumber{0, *known};
    const Node* node = body_.producer(value);
    return node ? computed(*node, element, depth) : std::nullopt;
  }

 private:
  std::optional<Dim> known_at(ValueId value, size_t element) {
    Node probe;
    probe.inputs = {value};
    const auto sizes = Infer(body_, probe).sizes(0);
    return sizes && element < sizes->size() ? std::optional((*sizes)[element]) : std::nullopt;
  }

  size_t count(ValueId value) const {
    const auto& dims = body_.value(value).type.dims;
    const auto sizes = dims ? numbers(*dims) : std::nullopt;
    size_t product = sizes ? 1 : 0;
    for (size_t axis = 0; sizes && axis < sizes->size(); ++axis)
      product *= static_cast<size_t>((*sizes)[axis]);
    return product;  // 0: not known
  }

  // The same place of an operand that has as many elements, or one.
  std::optional<StepNumber> operand(const Node& node, size_t i, size_t element, int depth) {
    return of(node.inputs[i], count(node.inputs[i]) == 1 ? 0 : element, depth - 1);
  }

  std::optional<StepNumber> computed(const Node& node, size_t element, int depth) {
    const Op& op = node.op;
    if ((op.is<Cast>() && !node.has(1)) || op.is<Reshape>() || op.is<Squeeze>() || op.is<Unsqueeze>())
      return of(node.inputs[0], element, depth - 1);
    if (op.is<Concat>()) return of_part(node, element, depth);
    if (const auto* pad = op.as<Pad>()) {
      if (pad->low.size() != 1 || !pad->low[0].is_number() || node.inputs.size() != 1) return std::nullopt;
      const int64_t at = static_cast<int64_t>(element) - pad->low[0].number();
      if (pad->mode != PadMode::constant || at < -pad->low[0].number()) return std::nullopt;
      const auto size = static_cast<int64_t>(count(node.inputs[0]));
      if (size == 0) return std::nullopt;
      if (at < 0 || at >= size) return StepNumber{0, 0};
      return of(node.inputs[0], static_cast<size_t>(at), depth - 1);
    }
    if (const auto* slice = op.as<Slice>()) {
      if (slice->axes.size() != 1 || !slice->starts[0].is_number() ||
          !body_.value(node.inputs[0]).type.has_rank(1))
        return std::nullopt;
      const int64_t at = slice->starts[0].number() + static_cast<int64_t>(element) * slice->steps[0];
      return of(node.inputs[0], static_cast<size_t>(at), depth - 1);
    }
    if (op.is<Select>()) {
      const auto truth = holds(node.inputs[0], element, depth);
      return truth ? operand(node, *truth ? 1 : 2, element, depth) : std::nullopt;
    }
    const bool add = op.is<Add>(), sub = op.is<Sub>(), least = op.is<Min>(), most = op.is<Max>();
    if (!add && !sub && !least && !most) return std::nullopt;
    const auto a = operand(node, 0, element, depth), b = operand(node, 1, element, depth);
    if (!a || !b) return std::nullopt;
    if (add) return StepNumber{a->steps + b->steps, a->rest + b->rest};
    if (sub) return StepNumber{a->steps - b->steps, a->rest - b->rest};
    if (at_least(*a, *b)) return least ? b : a;
    if (at_least(*b, *a)) return least ? a : b;
    return std::nullopt;
  }

  std::optional<StepNumber> of_part(const Node& node, size_t element, int depth) {
    for (ValueId part : node.inputs) {
      const size_t size = count(part);
      if (size == 0 || !body_.value(part).type.has_rank(1)) return std::nullopt;
      if (element < size) return of(part, element, depth - 1);
      element -= size;
    }
    return std::nullopt;
  }

  // a >= b at each step.
  bool at_least(const StepNumber& a, const StepNumber& b) {
    const int64_t steps = a.steps - b.steps;
    const Dim rest = a.rest - b.rest;
    if (steps >= 0) return rest.at_least(0);
    const auto made = steps_of(loop_);
    return made && (rest + Dim(steps) * (*made - 1)).at_least(0);
  }

  // Whether the condition holds, at each step alike.
  std::optional<bool> holds(ValueId condition, size_t element, int depth) {
    if (depth == 0) return std::nullopt;
    const size_t at = count(condition) == 1 ? 0 : element;
    if (const Constant* constant = body_.constant(condition)) {
      if (constant->dtype() != DType::boolean || at >= static_cast<size_t>(constant->count()))
        return std::nullopt;
      return constant->tensor().as<uint8_t>()[at] != 0;
    }
    const Node* node = body_.producer(condition);
    if (!node || !node->op.is<Less>()) return std::nullopt;
    const auto a = operand(*node, 0, element, depth), b = operand(*node, 1, element, depth);
    if (!a || !b) return std::nullopt;
    if (at_least(*a, *b)) return false;
    return at_least(*b, {a->steps, a->rest + 1}) ? std::optional(true) : std::nullopt;
  }

  const LoopEdit& loop_;
  Graph& body_;
};

}  // namespace

std::optional<StepNumber> step_number(const LoopEdit& loop, ValueId value, size_t element) {
  return StepNumbers(loop).of(value, element);
}

bool is_step(const LoopEdit& loop, ValueId value) {
  const auto found = step_number(loop, value);
  return found && *found == StepNumber{1, 0};
}

bool is_mirrored_step(const LoopEdit& loop, ValueId value, const Dim& length) {
  const auto found = step_number(loop, value);
  return found && *found == StepNumber{-1, length - 1};
}

bool counts_up(const LoopEdit& loop, size_t j) {
  const Type& type = loop.body.value(loop.carried_in(j)).type;
  if (!type.has_rank(0) || !is_integer(type.dtype) || is_packed(type.dtype)) return false;
  const Node* sum = loop.body.producer(loop.carried_out(j));
  if (!sum || !sum->op.is<Add>()) return false;
  for (size_t i : {0, 1}) {
    if (sum->inputs[i] != loop.carried_in(j)) continue;
    const auto by = known_number(loop.body, sum->inputs[1 - i]);
    return by && by->is_number(1);
  }
  return false;
}

std::optional<Dim> steps_of(const LoopEdit& loop) {
  if (loop.operand(0) != absent || loop.operand(1) != absent || loop.op.gives_condition) return std::nullopt;
  std::optional<Dim> steps;
  if (!loop.op.count.is_number(-1)) steps = loop.op.count;
  for (size_t j = 0; j < loop.op.step_axes.size(); ++j) {
    const Type& type = loop.graph.value(loop.step_input(j)).type;
    if (!type.dims) return std::nullopt;
    const Dim& length = (*type.dims)[resolve_axis(loop.op.step_axes[j], type.dims->size())];
    steps = steps ? min(*steps, length) : length;
  }
  return steps;
}

}  // namespace remodel
