#include "run/cost.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "ops/control.h"
#include "ops/conv.h"
#include "ops/matmul.h"

namespace remodel {
namespace {

// Costs are reports, not bounds: what would overflow stays at the largest number.
int64_t times(int64_t a, int64_t b) {
  int64_t result;
  return __builtin_mul_overflow(a, b, &result) ? std::numeric_limits<int64_t>::max() : result;
}
int64_t plus(int64_t a, int64_t b) {
  int64_t result;
  return __builtin_add_overflow(a, b, &result) ? std::numeric_limits<int64_t>::max() : result;
}

int64_t number(const Dim& dim) { return dim.is_number() ? dim.number() : 1; }
int64_t count(const Type& type) {
  int64_t result = 1;
  if (type.dims)
    for (const Dim& dim : *type.dims) result = times(result, number(dim));
  return result;
}

struct View {
  const Node& node;
  const Graph& graph;
  const Type* type(size_t i) const { return node.has(i) ? &graph.value(node.inputs[i]).type : nullptr; }
  int64_t operand(size_t i) const { return type(i) ? count(*type(i)) : 0; }
  int64_t result(size_t k = 0) const {
    return k < node.outputs.size() && node.outputs[k] != absent ? count(graph.value(node.outputs[k]).type)
                                                                : 0;
  }
  // Axes count from the end where negative; 1 where there is none.
  int64_t size(size_t i, int64_t axis) const {
    const Type* it = type(i);
    if (!it || !it->dims) return 1;
    int64_t rank = static_cast<int64_t>(it->dims->size());
    if (axis < 0) axis += rank;
    return axis < 0 || axis >= rank ? 1 : number((*it->dims)[axis]);
  }
};

using Cost = int64_t (*)(const View& view);

int64_t matmul(const View& view) {
  const MatMul& op = *view.node.op.as<MatMul>();
  bool vector = view.type(0) && view.type(0)->has_rank(1);
  return times(view.result(), view.size(0, op.transpose_a && !vector ? -2 : -1));
}

int64_t einsum(const View& view) {
  const Einsum& op = *view.node.op.as<Einsum>();
  std::vector<int64_t> ranks;
  for (size_t i = 0; i < view.node.inputs.size(); ++i) {
    if (!view.type(i) || !view.type(i)->dims) return 0;
    ranks.push_back(static_cast<int64_t>(view.type(i)->dims->size()));
  }
  EinsumLabels labels = parse_einsum(op.equation, ranks);
  std::vector<int64_t> sizes(labels.count, 1);
  for (size_t i = 0; i < labels.operands.size(); ++i)
    for (size_t axis = 0; axis < labels.operands[i].size(); ++axis) {
      int64_t& size = sizes[labels.operands[i][axis]];
      size = std::max(size, view.size(i, static_cast<int64_t>(axis)));
    }
  int64_t all = 1;
  for (int64_t size : sizes) all = times(all, size);
  return labels.operands.size() < 2 ? 0 : times(all, static_cast<int64_t>(labels.operands.size()) - 1);
}

// Each result takes the weights of one output channel.
int64_t conv(const View& view) {
  int64_t channels = std::max<int64_t>(view.size(1, 0), 1);
  return times(view.result(), view.operand(1) / channels);
}
// Each input goes to the weights of its channel, in its group.
int64_t conv_transpose(const View& view) {
  int64_t channels = view.size(1, 1) * view.node.op.as<ConvTranspose>()->groups;
  return times(view.operand(0), view.operand(1) / std::max<int64_t>(channels, 1));
}

// Each step of each row takes all weights.
int64_t recurrent(const View& view) {
  return times(times(view.size(0, 0), view.size(0, 1)), plus(view.operand(1), view.operand(2)));
}

int64_t attention(const View& view) {
  int64_t rows = times(times(view.size(0, 0), view.size(0, 1)), view.size(0, 2));
  int64_t keys = plus(view.size(1, 2), view.type(4) ? view.size(4, 2) : 0);
  return times(times(rows, keys), plus(view.size(0, 3), view.size(2, 3)));
}

int64_t branches(const View& view) {
  int64_t most = 0;
  for (const GraphPtr& body : view.node.op.graphs()) most = std::max(most, multiply_adds(*body));
  return most;
}

int64_t loop(const View& view) {
  const Loop& op = *view.node.op.as<Loop>();
  int64_t steps = op.count.is_number() && op.count.number() >= 0 ? op.count.number() : 1;
  if (const Constant* given = view.node.has(0) ? view.graph.constant(view.node.inputs[0]) : nullptr)
    if (given->count() == 1 && is_integer(given->dtype()))
      steps = std::max<int64_t>(0, given->tensor().ints()[0]);
  if (!op.step_axes.empty()) steps = view.size(op.first_step(), op.step_axes[0]);
  return op.body ? times(steps, multiply_adds(*op.body)) : 0;
}

const std::unordered_map<std::string_view, Cost>& table() {
  static const std::unordered_map<std::string_view, Cost> costs{
      {"matmul", matmul},       {"einsum", einsum},  {"conv", conv},
      {"deform_conv", conv},    {"lstm", recurrent}, {"conv_transpose", conv_transpose},
      {"gru", recurrent},       {"rnn", recurrent},  {"if", branches},
      {"attention", attention}, {"loop", loop},
  };
  return costs;
}

int64_t bytes(const Type& type) {
  if (!type.is_tensor()) return type.element ? bytes(*type.element) : 0;
  return times(count(type), static_cast<int64_t>(size_of(type.dtype)));
}

bool is_view(std::string_view op) { return op == "reshape" || op == "squeeze" || op == "unsqueeze"; }

}  // namespace

int64_t multiply_adds(const Node& node, const Graph& graph) {
  auto cost = table().find(node.op.name());
  return cost == table().end() ? 0 : cost->second({node, graph});
}

int64_t multiply_adds(const Graph& graph) {
  int64_t all = 0;
  for (NodeId id : graph.order()) all = plus(all, multiply_adds(graph.node(id), graph));
  return all;
}

std::vector<std::string_view> multiply_add_ops() {
  std::vector<std::string_view> names;
  for (const auto& [name, cost] : table()) names.push_back(name);
  return names;
}

int64_t peak_activation_bytes(const Graph& graph) {
  // A view stands for the value that it shows, so that this one lives as long as its last view.
  std::vector<ValueId> home(graph.value_count());
  for (size_t i = 0; i < home.size(); ++i) home[i] = static_cast<ValueId>(i);
  std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    const Node& node = graph.node(id);
    if (is_view(node.op.name()) && node.has(0) && node.outputs[0] != absent)
      home[node.outputs[0]] = home[node.inputs[0]];
  }
  std::vector<int32_t> uses(graph.value_count(), 0);
  auto size = [&](ValueId value) { return graph.constant(value) ? 0 : bytes(graph.value(value).type); };
  for (NodeId id : order)
    for (ValueId input : graph.node(id).inputs)
      if (input != absent) ++uses[home[input]];
  for (const Port& port : graph.outputs) ++uses[home[port.value]];
  int64_t now = 0;
  for (const Port& port : graph.inputs) now = plus(now, size(port.value));
  int64_t peak = now;
  for (NodeId id : order) {
    const Node& node = graph.node(id);
    int64_t inside = 0;
    for (const GraphPtr& body : node.op.graphs()) inside = std::max(inside, peak_activation_bytes(*body));
    std::vector<ValueId> made;
    for (ValueId output : node.outputs)
      if (output != absent && home[output] == output) made.push_back(output), now = plus(now, size(output));
    peak = std::max(peak, plus(now, inside));
    for (ValueId input : node.inputs)
      if (input != absent && --uses[home[input]] == 0) now -= size(home[input]);
    for (ValueId output : made)
      if (uses[output] == 0) now -= size(output);
  }
  return peak;
}

bool has_open_sizes(const Graph& graph) {
  for (NodeId id : graph.order())
    for (ValueId output : graph.node(id).outputs) {
      if (output == absent) continue;
      const Type& type = graph.value(output).type;
      if (type.is_tensor() && (!type.dims || !numbers(*type.dims))) return true;
    }
  return false;
}

}  // namespace remodel
