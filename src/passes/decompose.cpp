#include "passes/decompose.h"

namespace remodel {

const Dims& Decompose::dims(size_t i) const {
  if (!type(i).dims) fail("the rank of operand {} is not known", i);
  return *type(i).dims;
}

std::vector<ValueId> Decompose::emit(Op op, std::vector<ValueId> operands, size_t results) {
  while (!operands.empty() && operands.back() == absent) operands.pop_back();
  NodeId id =
      graph_.add_node(std::move(op), std::move(operands), std::vector<std::string>(results), node_.origin);
  return graph_.node(id).outputs;
}

ValueId Decompose::emit(Op op, std::vector<ValueId> operands) {
  return emit(std::move(op), std::move(operands), 1)[0];
}

void Decompose::result(size_t k, ValueId value) {
  if (results_.size() <= k) results_.resize(k + 1, absent);
  results_[k] = value;
}

size_t decompose(Graph& graph, const std::function<bool(const Graph&, const Node&)>& keep) {
  size_t count = 0;
  // Emitted nodes are numbered after all that stand there, so this loop sees them too.
  for (NodeId id = 0; id < static_cast<NodeId>(graph.node_count()); ++id) {
    if (!graph.node(id).live) continue;
    for (const GraphPtr& body : graph.node(id).op.graphs()) count += decompose(*body, keep);
    if (keep(graph, graph.node(id))) continue;
    DecomposeFn fn = all_decompositions().find(graph.node(id).op.info());
    if (!fn) continue;
    Decompose one(graph, id);
    try {
      fn(one);
    } catch (Error& error) {
      const std::vector<std::string>& origin = graph.node(id).origin;
      throw error.at(
          fmt::format("layer '{}' ({})", origin.empty() ? "" : origin[0], graph.node(id).op.name()));
    }
    for (size_t k = 0; k < one.node_.outputs.size(); ++k) {
      ValueId old = one.node_.outputs[k];
      if (old == absent) continue;
      ValueId fresh = k < one.results_.size() ? one.results_[k] : absent;
      if (fresh == absent)
        throw Error(fmt::format("taking '{}' apart gave no result {}", one.node_.op.name(), k),
                    ErrorKind::internal);
      if (graph.value(fresh).name.empty()) graph.value(fresh).name = graph.value(old).name;
      // The old type is what all users were inferred with, its symbols included.
      if (graph.value(fresh).producer != absent && graph.value(old).type.dims)
        graph.value(fresh).type = graph.value(old).type;
      graph.replace_uses(old, fresh);
    }
    graph.remove_node(id);
    ++count;
  }
  return count;
}

// One function a family, in decompose/.
void activation_decompositions(Decompositions& table);
void attention_decompositions(Decompositions& table);
void binary_decompositions(Decompositions& table);
void control_decompositions(Decompositions& table);
void conv_decompositions(Decompositions& table);
void gather_decompositions(Decompositions& table);
void matmul_decompositions(Decompositions& table);
void normalize_decompositions(Decompositions& table);
void pool_decompositions(Decompositions& table);
void quantize_decompositions(Decompositions& table);
void reduce_decompositions(Decompositions& table);
void resize_decompositions(Decompositions& table);
void signal_decompositions(Decompositions& table);
void slice_decompositions(Decompositions& table);
void unary_decompositions(Decompositions& table);

const Decompositions& all_decompositions() {
  static const Decompositions table = [] {
    Decompositions made;
    activation_decompositions(made);
    attention_decompositions(made);
    binary_decompositions(made);
    control_decompositions(made);
    conv_decompositions(made);
    gather_decompositions(made);
    matmul_decompositions(made);
    normalize_decompositions(made);
    pool_decompositions(made);
    quantize_decompositions(made);
    reduce_decompositions(made);
    resize_decompositions(made);
    signal_decompositions(made);
    slice_decompositions(made);
    unary_decompositions(made);
    return made;
  }();
  return table;
}

}  // namespace remodel
