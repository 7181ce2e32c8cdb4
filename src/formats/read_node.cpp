#include "formats/read_node.h"

#include "ir/infer.h"

namespace remodel {

ValueId ReadNode::input(size_t i) const {
  if (!has_input(i)) fail("input {} is missing", i);
  return operands_[i];
}

int64_t ReadNode::rank(size_t i) const {
  if (!type(i).dims) fail_untyped("the rank of input {} ('{}') is not known", i, input_name(i));
  return static_cast<int64_t>(type(i).dims->size());
}

std::optional<Dims> ReadNode::sizes(size_t i) {
  Node probe;
  probe.inputs = operands_;
  return Infer(graph_, probe).sizes(i);
}

std::optional<std::vector<int64_t>> ReadNode::known_integers(size_t i) {
  if (ConstantPtr known = constant(i)) {
    if (!is_integer(known->dtype())) return std::nullopt;
    return known->tensor().ints();
  }
  auto known = sizes(i);
  return known ? numbers(*known) : std::nullopt;
}

std::optional<bool> ReadNode::known_truth(size_t i) {
  if (type(i).dtype != DType::boolean) return std::nullopt;
  auto known = sizes(i);
  if (!known || known->size() != 1 || !(*known)[0].is_number()) return std::nullopt;
  return (*known)[0].number() != 0;
}

ConstantPtr ReadNode::constant(size_t i) const {
  return has_input(i) ? graph_.value(operands_[i]).constant : nullptr;
}

std::vector<ValueId> ReadNode::emit(Op op, std::vector<ValueId> operands, size_t results) {
  while (!operands.empty() && operands.back() == absent) operands.pop_back();
  NodeId id = graph_.add_node(std::move(op), std::move(operands), std::vector<std::string>(results), origin_);
  return graph_.node(id).outputs;
}

ValueId ReadNode::emit(Op op, std::vector<ValueId> operands) {
  return emit(std::move(op), std::move(operands), 1)[0];
}

void ReadNode::emit_results(Op op, std::vector<ValueId> operands) {
  std::vector<ValueId> results = emit(std::move(op), std::move(operands), outputs());
  for (size_t k = 0; k < results.size(); ++k) {
    if (wants(k)) {
      result(k, results[k]);
    } else {
      NodeId producer = graph_.value(results[k]).producer;
      graph_.value(results[k]).producer = absent;
      graph_.node(producer).outputs[k] = absent;
    }
  }
}

}  // namespace remodel
