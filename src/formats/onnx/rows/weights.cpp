#include "formats/onnx/rows/weights.h"

#include "ops/shape.h"

namespace remodel::onnx {
namespace {

struct Turn {
  Dims parted, result;
  std::vector<int64_t> perm;
};

// How weights of these sizes turn: as `parted`, permuted, as `result`.
Turn turn_of(const Dims& dims, int64_t groups) {
  if (dims.size() < 3 || groups < 1 || (dims[0].is_number() && dims[0].number() % groups != 0))
    fail("weights {} in {} groups", text_of(dims), groups);
  Turn turn;
  Dim each = floor_div(dims[0], groups);
  turn.parted = {groups, each, dims[1]};
  turn.result = {dims[1] * Dim(groups), each};
  turn.parted.insert(turn.parted.end(), dims.begin() + 2, dims.end());
  turn.result.insert(turn.result.end(), dims.begin() + 2, dims.end());
  turn.perm = {0, 2, 1};
  while (turn.perm.size() < turn.parted.size()) turn.perm.push_back(static_cast<int64_t>(turn.perm.size()));
  return turn;
}

std::vector<int64_t> swapped(size_t rank) {
  std::vector<int64_t> perm{1, 0};
  while (perm.size() < rank) perm.push_back(static_cast<int64_t>(perm.size()));
  return perm;
}

}  // namespace

ValueId repeat_each(ReadNode& node, size_t i, int64_t groups, const Dim& each) {
  ValueId column = node.emit(Reshape{{groups, 1}, false}, {node.input(i)});
  ValueId rows = node.emit(Expand{{groups, each}}, {column});
  return node.emit(Reshape{{each * Dim(groups)}, false}, {rows});
}

ConstantPtr turn_weights(const ConstantPtr& weights, int64_t groups) {
  Turn turn = turn_of(to_dims(weights->shape()), groups);
  if (groups == 1) return weights->permuted(swapped(weights->shape().size()));
  return weights->reshaped(*numbers(turn.parted))->permuted(turn.perm)->reshaped(*numbers(turn.result));
}

ValueId turn_weights(ReadNode& node, size_t i, int64_t groups) {
  if (ConstantPtr constant = node.constant(i)) return node.add_constant(turn_weights(constant, groups));
  if (!node.type(i).dims) fail_untyped("the rank of the weights is not known");
  Turn turn = turn_of(*node.type(i).dims, groups);
  if (groups == 1) return node.emit(Transpose{swapped(node.type(i).dims->size())}, {node.input(i)});
  ValueId parted = node.emit(Reshape{turn.parted, false}, {node.input(i)});
  return node.emit(Reshape{turn.result, false}, {node.emit(Transpose{turn.perm}, {parted})});
}

std::string turn_weights(WriteNode& node, size_t i, int64_t groups) {
  if (const Constant* constant = node.constant(i))
    return node.constant(turn_weights(constant->shared_from_this(), groups));
  const Dims& dims = *node.type(i).dims;
  if (groups == 1) return node.emit("Transpose", {node.in(i)}, {Attribute::of("perm", swapped(dims.size()))});
  Turn turn = turn_of(dims, groups);
  std::string parted = node.emit("Reshape", {node.in(i), node.sizes(turn.parted)});
  std::string turned = node.emit("Transpose", {parted}, {Attribute::of("perm", turn.perm)});
  return node.emit("Reshape", {turned, node.sizes(turn.result)});
}

}  // namespace remodel::onnx
