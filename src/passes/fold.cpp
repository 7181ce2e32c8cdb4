#include "passes/fold.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "run/lazy.h"
#include "run/runner.h"

namespace remodel {

// In fold_views.cpp: the result of an op that only moves data, as a view of its operands; null for other ops.
ConstantPtr fold_view(const Graph& graph, const Node& node);
// In fold_views.cpp: ops that must stay though their operands are constants.
bool stays(const Node& node);

namespace {

// A result up to this size is worth a constant even where its operands are smaller.
constexpr int64_t small_result = 1 << 16;
// Larger ones may add this part of the bytes of all constants to them, or that many bytes; what is on the way
// to a smaller result counts only while it is there.
constexpr int64_t growth_part = 64, least_growth = 1 << 20;
// Larger operands are not computed on as a whole.
constexpr int64_t largest_computed = int64_t{1} << 26;
// Further ones stay nodes.
constexpr int most_lazy_operations = 64;

ConstantPtr from_content(const Value& value) {
  if (!value.content || !value.type.is_static()) return nullptr;
  std::vector<int64_t> shape = *numbers(*value.type.dims);
  if (static_cast<size_t>(count_of(shape)) != value.content->size()) return nullptr;
  std::vector<double> reals;
  std::vector<int64_t> integers;
  bool whole = is_integer(value.type.dtype) || value.type.dtype == DType::boolean;
  for (const Quantity& quantity : *value.content) {
    if (!quantity.over.is_number() || !quantity.under.is_number()) return nullptr;
    int64_t over = quantity.over.number(), under = quantity.under.number();
    if (under == 0 || (whole && over % under != 0)) return nullptr;
    integers.push_back(over / under);
    reals.push_back(static_cast<double>(over) / static_cast<double>(under));
  }
  if (!whole && !is_float(value.type.dtype)) return nullptr;
  Tensor tensor(value.type.dtype, shape);
  if (whole)
    convert_elements(DType::i64, integers.data(), value.type.dtype, tensor.raw(), tensor.count());
  else
    convert_elements(DType::f64, reals.data(), value.type.dtype, tensor.raw(), tensor.count());
  return constant_tensor(tensor);
}

int64_t bytes_of(const Type& type) {
  return count_of(*numbers(*type.dims)) *
         (type.dtype == DType::string ? 16 : static_cast<int64_t>(size_of(type.dtype)));
}

// Of all results; nullopt where inference does not know them.
std::optional<int64_t> bytes_of_results(const Graph& graph, const Node& node) {
  int64_t bytes = 0;
  for (ValueId output : node.outputs) {
    if (output == absent) continue;
    const Type& type = graph.value(output).type;
    if (!type.is_static() || type.dtype == DType::unknown) return std::nullopt;
    bytes += bytes_of(type);
  }
  return bytes;
}

bool may_fold(const Node& node) { return !node.op.info().effect && !stays(node) && node.op.graphs().empty(); }

int64_t bytes_of_constants(const Graph& graph) {
  int64_t bytes = 0;
  for (ValueId id = 0; id < static_cast<ValueId>(graph.value_count()); ++id)
    if (const Value& value = graph.value(id); value.constant && !value.users.empty())
      bytes += static_cast<int64_t>(value.constant->byte_count());
  for (NodeId id = 0; id < static_cast<NodeId>(graph.node_count()); ++id)
    if (const Node& node = graph.node(id); node.live)
      for (const GraphPtr& body : node.op.graphs()) bytes += bytes_of_constants(*body);
  return bytes;
}

// Whether what follows the node, one constant computed from the last, comes back to `most` bytes or to a
// small result: such a chain goes into the file as its end alone.
bool shrinks_again(const Graph& graph, const Node& first, int64_t most) {
  const Node* node = &first;
  for (int step = 0; step < most_lazy_operations; ++step) {
    if (node->outputs.size() != 1) return false;
    const Value& value = graph.value(node->outputs[0]);
    if (value.users.size() != 1 || graph.is_output(node->outputs[0])) return false;
    node = &graph.node(value.users[0]);
    if (!may_fold(*node)) return false;
    for (ValueId input : node->inputs)
      if (input != absent && !graph.constant(input) && graph.value(input).producer != value.producer)
        return false;
    const std::optional<int64_t> made = bytes_of_results(graph, *node);
    if (!made) return false;
    if (*made <= std::max(most, small_result)) return true;
  }
  return false;
}

std::vector<ConstantPtr> folded_results(const Graph& graph, const Node& node, int64_t& budget, Pool& pool) {
  if (!may_fold(node)) return {};
  int64_t given = 0, freed = 0;
  std::vector<ConstantPtr> operands;
  for (ValueId input : node.inputs) {
    if (input == absent) continue;
    const Value& value = graph.value(input);
    if (!value.constant) return {};
    given += static_cast<int64_t>(value.constant->byte_count());
    if (value.users.size() == 1) freed += static_cast<int64_t>(value.constant->byte_count());
    operands.push_back(value.constant);
  }
  const std::optional<int64_t> results_bytes = bytes_of_results(graph, node);
  if (!results_bytes) return {};
  const int64_t made = *results_bytes;
  if (made > given && made > small_result && made - freed > budget && !shrinks_again(graph, node, given))
    return {};
  budget -= made - freed;
  if (ConstantPtr view = fold_view(graph, node)) return {view};
  const Type& type = graph.value(node.outputs[0]).type;
  bool all_given = operands.size() == node.inputs.size();
  if (node.op.info().elementwise && made > small_result && node.outputs.size() == 1 && all_given)
    return {lazy_elementwise(node.op, type.dtype, *numbers(*type.dims), operands)};
  if (std::max(given, made) > largest_computed) return {};
  std::vector<Datum> values;
  for (ValueId input : node.inputs)
    values.push_back(input == absent ? Datum() : Datum(graph.value(input).constant->tensor()));
  std::vector<ConstantPtr> results;
  for (Datum& result : run_op(node.op, std::move(values), node.outputs.size(), pool)) {
    if (!result.is_tensor()) return {};
    results.push_back(constant_tensor(result.tensor));
  }
  return results;
}

bool fold_within(Graph& graph, NodeId id, int64_t& budget, Pool& pool) {
  for (ValueId output : std::vector<ValueId>(graph.node(id).outputs)) {
    if (output == absent || graph.node(id).op.info().effect) continue;
    if (ConstantPtr known = from_content(graph.value(output))) graph.make_constant(output, known);
  }
  Node node = graph.node(id);
  bool any = false;
  for (ValueId output : node.outputs) any = any || output != absent;
  if (!any && !node.op.info().effect) {
    graph.remove_node(id);
    return true;
  }
  std::vector<ConstantPtr> results;
  try {
    results = folded_results(graph, node, budget, pool);
  } catch (const Error& error) {
    // What cannot be computed now fails when the model runs, as it did before.
    if (error.kind() == ErrorKind::internal) throw;
  }
  const bool deep = std::any_of(results.begin(), results.end(), [](const ConstantPtr& result) {
    return result->operations() > most_lazy_operations;
  });
  if (results.empty() || deep) return false;
  for (size_t k = 0; k < node.outputs.size(); ++k)
    if (node.outputs[k] != absent) graph.make_constant(node.outputs[k], results[k]);
  graph.remove_node(id);
  return true;
}

}  // namespace

bool fold_node(Graph& graph, NodeId id, Pool& pool) {
  int64_t budget = 0;
  return fold_within(graph, id, budget, pool);
}

GrowthBudget::GrowthBudget(const Graph& graph)
    : bytes(std::max(bytes_of_constants(graph) / growth_part, least_growth)) {}

size_t fold_constants(Graph& graph, GrowthBudget& budget, Pool& pool) {
  size_t folded = 0;
  for (NodeId id : graph.order()) {
    if (!graph.node(id).live) continue;
    for (const GraphPtr& body : graph.node(id).op.graphs()) folded += fold_constants(*body, budget, pool);
    folded += fold_within(graph, id, budget.bytes, pool);
  }
  return folded;
}

}  // namespace remodel
