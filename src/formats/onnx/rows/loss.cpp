#include "formats/onnx/rows.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/unary.h"

namespace remodel::onnx {
namespace {

ValueId all_axes(ReadNode& node, Reduce::Kind kind, ValueId x, int64_t rank) {
  Reduce reduce;
  reduce.kind = kind;
  reduce.keep = false;
  for (int64_t axis = 0; axis < rank; ++axis) reduce.axes.push_back(axis);
  return node.emit(reduce, {x});
}

// What the classes (axis 1 of `logs`) lose by their logarithms of probability at the labels; inputs are
// (.., labels, weights of the classes?).
void emit_loss(ReadNode& node, ValueId logs) {
  const DType dtype = node.type(0).dtype;
  const int64_t rank = node.rank(0) - 1;
  if (rank < 1) fail("the input must be [batch, classes, ...], but is {}", node.type(0).text());
  std::string reduction = node.text("reduction", "mean");
  ValueId labels = node.input(1), zero = node.add_scalar(dtype, 0), ignored = absent;
  if (node.has("ignore_index")) {
    const DType integers = node.type(1).dtype;
    ConstantPtr index = constant_tensor(Tensor::of<int64_t>(DType::i64, {}, {node.integer("ignore_index")}));
    ignored = node.emit(Equal{}, {labels, node.add_constant(constant_cast(index, integers))});
    labels = node.emit(Select{}, {ignored, node.add_scalar(integers, 0), labels});
  }
  auto unless_ignored = [&](ValueId x) {
    return ignored == absent ? x : node.emit(Select{}, {ignored, zero, x});
  };
  ValueId at_labels = node.emit(GatherElements{1}, {logs, node.emit(Unsqueeze{{1}}, {labels})});
  ValueId loss = unless_ignored(node.emit(Neg{}, {node.emit(Squeeze{{1}}, {at_labels})}));
  ValueId weights = absent;
  if (node.has_input(2)) {
    weights = unless_ignored(node.emit(Gather{}, {node.input(2), labels}));
    loss = node.emit(Mul{}, {loss, weights});
  } else if (ignored != absent && reduction == "mean") {
    weights = node.emit(cast_to(dtype), {node.emit(Not{}, {ignored})});
  }
  if (reduction == "none")
    node.result(0, loss);
  else if (reduction == "sum")
    node.result(0, all_axes(node, Reduce::Kind::sum, loss, rank));
  else if (reduction != "mean")
    fail("attribute 'reduction': the value '{}' is not known", reduction);
  else if (weights == absent)
    node.result(0, all_axes(node, Reduce::Kind::mean, loss, rank));
  else
    node.result(0, node.emit(Div{}, {all_axes(node, Reduce::Kind::sum, loss, rank),
                                     all_axes(node, Reduce::Kind::sum, weights, rank)}));
}

void read_softmax_cross_entropy(ReadNode& node) {
  ValueId logs = node.emit(LogSoftmax{1}, {node.input(0)});
  node.result(1, logs);
  emit_loss(node, logs);
}

}  // namespace

void loss_rows(Rows& rows) {
  rows.read("NegativeLogLikelihoodLoss", since(12), [](ReadNode& node) { emit_loss(node, node.input(0)); });
  rows.read("SoftmaxCrossEntropyLoss", since(12), read_softmax_cross_entropy);
}

}  // namespace remodel::onnx
