#include "passes/cell_gates.h"

#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/matmul.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"

namespace remodel {
namespace {

constexpr int most_depth = 32;

Dims long_axes(const Dims& dims) {
  Dims found;
  for (const Dim& dim : dims)
    if (!dim.is_number(1)) found.push_back(dim);
  return found;
}

// The axis of `to` that an axis of `from`, whose size is not 1, is in a view that only differs in such.
std::optional<size_t> same_long_axis(const Dims& from, size_t axis, const Dims& to) {
  if (from[axis].is_number(1)) return std::nullopt;
  size_t before = 0;
  for (size_t k = 0; k < axis; ++k) before += !from[k].is_number(1);
  for (size_t k = 0; k < to.size(); ++k) {
    if (to[k].is_number(1)) continue;
    if (before-- == 0) return k;
  }
  return std::nullopt;
}

bool is_view(const Op& op) { return op.is<Reshape>() || op.is<Squeeze>() || op.is<Unsqueeze>(); }

bool is_last_axis(int64_t axis, const Dims& dims) {
  return resolve_axis(axis, dims.size()) == static_cast<int64_t>(dims.size()) - 1;
}

int64_t columns_of(const Graph& graph, ValueId value) {
  const auto& dims = graph.value(value).type.dims;
  return dims && !dims->empty() && dims->back().is_number() ? dims->back().number() : -1;
}

// The same, one step.
ValueId cut_from(const Graph& graph, ValueId value, int64_t& first) {
  const Node* node = graph.producer(value);
  if (!node || (!node->op.is<Split>() && !node->op.is<Slice>())) return absent;
  const auto& from = graph.value(node->inputs[0]).type.dims;
  if (!from || from->empty()) return absent;
  int64_t skipped = 0;
  if (const auto* split = node->op.as<Split>()) {
    if (!is_last_axis(split->axis, *from)) return absent;
    for (ValueId output : node->outputs) {
      if (output == value) break;
      const int64_t size = output == absent ? -1 : columns_of(graph, output);
      if (size < 0) return absent;
      skipped += size;
    }
  }
  if (const auto* slice = node->op.as<Slice>())
    for (size_t k = 0; k < slice->axes.size(); ++k) {
      if (slice->steps[k] != 1 || !slice->starts[k].is_number()) return absent;
      const auto axis = static_cast<size_t>(resolve_axis(slice->axes[k], from->size()));
      if (axis + 1 == from->size())
        skipped = slice->starts[k].number();
      else if (!slice->starts[k].is_number(0) || !(slice->sizes[k] == (*from)[axis]))
        return absent;
    }
  first += skipped;
  return node->inputs[0];
}

}  // namespace

ValueId columns_behind(const Graph& graph, ValueId value, int64_t& first) {
  for (int depth = 0; depth < most_depth; ++depth) {
    const ValueId from = cut_from(graph, value, first);
    if (from == absent) break;
    value = from;
  }
  return value;
}

ValueId without_unit_axes(const Graph& graph, ValueId value) {
  for (int depth = 0; depth < most_depth; ++depth) {
    const Node* node = graph.producer(value);
    if (!node || !is_view(node->op)) break;
    const auto &from = graph.value(node->inputs[0]).type.dims, &to = graph.value(value).type.dims;
    if (!from || !to || long_axes(*from) != long_axes(*to)) break;
    value = node->inputs[0];
  }
  return value;
}

bool GateReader::set_sequence(const Sequence& found) {
  if (!sequence_) sequence_ = found;
  return *sequence_ == found;
}

std::optional<Gate> GateReader::read(ValueId sum, int64_t first, ValueId cell) {
  cell_ = cell;
  Gate gate;
  if (!add({sum, first, false, {}, true}, gate, most_depth)) return std::nullopt;
  return gate;
}

bool GateReader::add_constant(const ConstantPtr& constant, int64_t first, Gate& gate) {
  const Shape& shape = constant->shape();
  if (constant->count() == 1) {
    gate.biases.push_back(constant->reshaped({1})->expanded({hidden_}));
    return true;
  }
  if (shape.empty() || shape.back() != constant->count() || first + hidden_ > constant->count()) return false;
  gate.biases.push_back(constant->reshaped({constant->count()})->sliced(0, first, hidden_, 1));
  return true;
}

bool GateReader::add(const Columns& at, Gate& gate, int depth) {
  if (depth == 0) return false;
  const Graph& graph = at.outside ? loop_.graph : loop_.body;
  const Value& value = graph.value(at.value);
  if (value.constant) return add_constant(value.constant, at.first, gate);
  const auto& dims = value.type.dims;
  const int64_t columns = columns_of(graph, at.value);
  if (!dims || columns < at.first + hidden_) return false;
  if (!at.outside)
    for (size_t j = 0; j < loop_.op.step_axes.size(); ++j)
      if (at.value == loop_.step_in(j)) {
        const ValueId all = loop_.step_input(j);
        const Type& type = loop_.graph.value(all).type;
        if (!type.has_rank(3)) return false;
        return add({all,
                    at.first,
                    true,
                    {all, resolve_axis(loop_.op.step_axes[j], 3), loop_.op.step_reversed[j] != 0},
                    at.whole},
                   gate, depth - 1);
      }
  const Node* node = graph.producer(at.value);
  if (!node) return false;
  Columns next = at;
  if (const auto* clamp = node->op.as<Clamp>()) {
    if (!at.whole || !(clamp->high > 0) || clamp->low != -clamp->high) return false;
    gate.clip = clamp->high;
    next.value = node->inputs[0], next.whole = false;
    return add(next, gate, depth - 1);
  }
  if (node->op.is<Add>()) {
    next.whole = false;
    for (ValueId operand : node->inputs) {
      const Value& part = graph.value(operand);
      // What is no constant must not be repeated along the columns.
      if (!part.constant && columns_of(graph, operand) != columns) return false;
      next.value = operand;
      if (!add(next, gate, depth - 1)) return false;
    }
    return true;
  }
  if (node->op.is<MatMul>()) return add_product(at, *node, gate);
  if (node->op.is<Mul>() && !at.outside) return add_scaled(at, *node, gate, depth);
  if (node->op.is<Split>() || node->op.is<Slice>()) {
    next.value = cut_from(graph, at.value, next.first);
    return next.value != absent && add(next, gate, depth - 1);
  }
  if (const auto* concat = node->op.as<Concat>()) {
    if (!is_last_axis(concat->axis, *dims)) return false;
    for (ValueId part : node->inputs) {
      const int64_t size = columns_of(graph, part);
      if (size < 0) return false;
      next.value = part;
      if (next.first < size) return next.first + hidden_ <= size && add(next, gate, depth - 1);
      next.first -= size;
    }
    return false;
  }
  if (is_view(node->op) && !at.outside) {
    const ValueId inner = without_unit_axes(graph, at.value);
    if (inner == at.value || columns_of(graph, inner) != columns) return false;
    next.value = inner;
    return add(next, gate, depth - 1);
  }
  if (is_view(node->op)) {
    const auto& from = graph.value(node->inputs[0]).type.dims;
    if (!from || from->empty() || long_axes(*from) != long_axes(*dims) || !(from->back() == dims->back()))
      return false;
    const auto time = same_long_axis(*dims, static_cast<size_t>(at.from.time), *from);
    if (!time) return false;
    next.value = node->inputs[0];
    next.from.time = static_cast<int64_t>(*time);
    return add(next, gate, depth - 1);
  }
  if (const auto* transpose = node->op.as<Transpose>(); transpose && at.outside) {
    if (transpose->perm.back() != static_cast<int64_t>(dims->size()) - 1) return false;
    next.value = node->inputs[0];
    next.from.time = transpose->perm[static_cast<size_t>(at.from.time)];
    return add(next, gate, depth - 1);
  }
  return false;
}

bool GateReader::add_product(const Columns& at, const Node& node, Gate& gate) {
  const Graph& graph = at.outside ? loop_.graph : loop_.body;
  const auto& op = *node.op.as<MatMul>();
  const Value& weights = graph.value(node.inputs[1]);
  if (op.transpose_a || op.out != DType::unknown || node.inputs.size() > 2 || !weights.constant ||
      weights.constant->shape().size() != 2 || weights.constant->dtype() != weights.type.dtype)
    return false;
  const ConstantPtr rows = (op.transpose_b ? weights.constant : weights.constant->permuted({1, 0}))
                               ->sliced(0, at.first, hidden_, 1);
  return add_factor(node.inputs[0], at.outside, at.from, rows, gate);
}

// rows [hidden, ...] times what they are multiplied with.
bool GateReader::add_factor(ValueId factor, bool outside, const Sequence& from, ConstantPtr rows,
                            Gate& gate) {
  const Graph& graph = outside ? loop_.graph : loop_.body;
  if (outside) {
    if (gate.w) return false;
    gate.w = std::move(rows);
    return set_sequence({factor, from.time, from.reversed});
  }
  factor = without_unit_axes(graph, factor);
  if (factor == h_) {
    if (gate.r || rows->shape()[1] != hidden_) return false;
    gate.r = std::move(rows);
    return true;
  }
  for (size_t j = 0; j < loop_.op.step_axes.size(); ++j) {
    if (factor != loop_.step_in(j)) continue;
    const ValueId all = loop_.step_input(j);
    if (gate.w || !loop_.graph.value(all).type.has_rank(3)) return false;
    gate.w = std::move(rows);
    return set_sequence({all, resolve_axis(loop_.op.step_axes[j], 3), loop_.op.step_reversed[j] != 0});
  }
  const Node* node = graph.producer(factor);
  if (!node) return false;
  if (const auto* concat = node->op.as<Concat>()) {
    const auto& dims = graph.value(factor).type.dims;
    if (!dims || !is_last_axis(concat->axis, *dims)) return false;
    int64_t first = 0;
    for (ValueId part : node->inputs) {
      const int64_t size = columns_of(graph, part);
      if (size < 0 || first + size > rows->shape()[1] ||
          !add_factor(part, false, from, rows->sliced(1, first, size, 1), gate))
        return false;
      first += size;
    }
    return first == rows->shape()[1];
  }
  if (node->op.is<Mul>() && gate.reset == absent && !gate.r && rows->shape()[1] == hidden_) {
    const bool second = without_unit_axes(graph, node->inputs[1]) == h_;
    if (!second && without_unit_axes(graph, node->inputs[0]) != h_) return false;
    gate.reset = node->inputs[second ? 0 : 1];
    gate.r = std::move(rows);
    return true;
  }
  return false;
}

// A peephole, or a reset gate times what the state gives.
bool GateReader::add_scaled(const Columns& at, const Node& node, Gate& gate, int depth) {
  const Graph& body = loop_.body;
  if (at.first != 0 || columns_of(body, at.value) != hidden_) return false;
  for (size_t i : {0, 1}) {
    const ValueId a = node.inputs[i], b = node.inputs[1 - i];
    const ConstantPtr& factor = body.value(b).constant;
    if (cell_ != absent && factor && without_unit_axes(body, a) == cell_) {
      if (gate.peephole || (factor->count() != hidden_ && factor->count() != 1)) return false;
      gate.peephole = factor->reshaped({factor->count()})->expanded({hidden_});
      return true;
    }
  }
  if (gate.reset != absent || gate.r) return false;
  for (size_t i : {0, 1}) {
    Gate inner;
    if (!add({node.inputs[1 - i], 0, false, {}}, inner, depth - 1)) continue;
    if (!inner.r || inner.w || inner.peephole || inner.reset != absent) continue;
    gate.reset = node.inputs[i];
    gate.reset_after = true;
    gate.r = inner.r;
    gate.after_biases = inner.biases;
    return true;
  }
  return false;
}

}  // namespace remodel
