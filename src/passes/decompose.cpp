#include "passes/decompose.h"

#include <algorithm>

#include "ir/layer.h"
#include "passes/fold.h"

namespace remodel {

Dims Decompose::dims(size_t i) const {
  if (!type(i).dims) fail("the rank of operand {} is not known", i);
  return *type(i).dims;
}

std::vector<ValueId> Emitter::emit(Op op, std::vector<ValueId> operands, size_t results) {
  while (!operands.empty() && operands.back() == absent) operands.pop_back();
  NodeId id = graph_.add_node(std::move(op), std::move(operands), std::vector<std::string>(results), origin_);
  std::vector<ValueId> outputs = graph_.node(id).outputs;
  // What a decomposition computes from constants alone is a constant.
  const Node& made = graph_.node(id);
  bool known = std::all_of(made.inputs.begin(), made.inputs.end(),
                           [&](ValueId input) { return input == absent || graph_.constant(input); });
  static Pool pool(1);
  if (known) fold_node(graph_, id, pool);
  return outputs;
}

ValueId Emitter::emit(Op op, std::vector<ValueId> operands) {
  return emit(std::move(op), std::move(operands), 1)[0];
}

void Decompose::result(size_t k, ValueId value) {
  if (results_.size() <= k) results_.resize(k + 1, absent);
  results_[k] = value;
}

void Decompose::replace() {
  for (size_t k = 0; k < node_.outputs.size(); ++k) {
    ValueId old = node_.outputs[k];
    if (old == absent) continue;
    ValueId fresh = k < results_.size() ? results_[k] : absent;
    if (fresh == absent)
      throw Error(fmt::format("taking '{}' apart gave no result {}", node_.op.name(), k),
                  ErrorKind::internal);
    if (graph_.value(fresh).name.empty()) graph_.value(fresh).name = graph_.value(old).name;
    // The old type is what all users were inferred with, its symbols included.
    if (graph_.value(fresh).producer != absent && graph_.value(old).type.dims)
      graph_.value(fresh).type = graph_.value(old).type;
    graph_.replace_uses(old, fresh);
  }
  graph_.remove_node(id_);
}

namespace {

size_t take_apart(Graph& graph, const Refusal& refusal) {
  size_t count = 0;
  // Emitted nodes are numbered after all that stand there, so this loop sees them too.
  for (NodeId id = 0; id < static_cast<NodeId>(graph.node_count()); ++id) {
    if (!graph.node(id).live) continue;
    for (const GraphPtr& body : graph.node(id).op.graphs()) count += take_apart(*body, refusal);
    if (refusal(graph, graph.node(id)).empty()) continue;
    DecomposeFn fn = all_decompositions().find(graph.node(id).op.info());
    if (!fn) continue;
    Decompose one(graph, id);
    try {
      fn(one);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::internal) throw;
      continue;  // what it emitted has no users
    }
    one.replace();
    ++count;
  }
  return count;
}

// Nodes that nobody uses are no problem, so this comes last.
void report(Graph& graph, const Refusal& refusal, std::vector<Error>& problems) {
  graph.drop_dead();
  for (NodeId id = 0, count = static_cast<NodeId>(graph.node_count()); id < count; ++id) {
    if (!graph.node(id).live) continue;
    for (const GraphPtr& body : graph.node(id).op.graphs()) report(*body, refusal, problems);
    std::string why = refusal(graph, graph.node(id));
    if (why.empty()) continue;
    Error error(why);
    try {
      Decompose one(graph, id);
      if (DecomposeFn fn = all_decompositions().find(graph.node(id).op.info())) fn(one);
    } catch (const Error& reason) {
      error = reason;
    }
    problems.push_back(error.at(layer_text(graph.node(id))));
  }
}

}  // namespace

size_t decompose(Graph& graph, const Refusal& refusal, std::vector<Error>& problems) {
  size_t count = take_apart(graph, refusal);
  report(graph, refusal, problems);
  return count;
}

// One function a family, in decompose/.
void activation_decompositions(Decompositions& table);
void attention_decompositions(Decompositions& table);
void binary_decompositions(Decompositions& table);
void control_decompositions(Decompositions& table);
void conv_decompositions(Decompositions& table);
void detection_decompositions(Decompositions& table);
void dropout_decompositions(Decompositions& table);
void gather_decompositions(Decompositions& table);
void list_decompositions(Decompositions& table);
void matmul_decompositions(Decompositions& table);
void normalize_decompositions(Decompositions& table);
void pool_decompositions(Decompositions& table);
void quantize_decompositions(Decompositions& table);
void random_decompositions(Decompositions& table);
void recurrent_decompositions(Decompositions& table);
void reduce_decompositions(Decompositions& table);
void resize_decompositions(Decompositions& table);
void sampling_decompositions(Decompositions& table);
void shape_decompositions(Decompositions& table);
void signal_decompositions(Decompositions& table);
void slice_decompositions(Decompositions& table);
void sort_decompositions(Decompositions& table);
void unary_decompositions(Decompositions& table);

const Decompositions& all_decompositions() {
  static const Decompositions table = [] {
    Decompositions made;
    activation_decompositions(made);
    attention_decompositions(made);
    binary_decompositions(made);
    control_decompositions(made);
    conv_decompositions(made);
    detection_decompositions(made);
    dropout_decompositions(made);
    gather_decompositions(made);
    list_decompositions(made);
    matmul_decompositions(made);
    normalize_decompositions(made);
    pool_decompositions(made);
    quantize_decompositions(made);
    random_decompositions(made);
    recurrent_decompositions(made);
    reduce_decompositions(made);
    resize_decompositions(made);
    sampling_decompositions(made);
    shape_decompositions(made);
    signal_decompositions(made);
    slice_decompositions(made);
    sort_decompositions(made);
    unary_decompositions(made);
    return made;
  }();
  return table;
}

}  // namespace remodel
