#include "formats/onnx/rows/ml.h"

#include <vector>

#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/reduce.h"
#include "ops/unary.h"

namespace remodel::onnx {
namespace {

// Scores of nearly 0 take no part.
ValueId softmax_without_zeros(ReadNode& node, ValueId scores) {
  const DType dtype = node.graph().value(scores).type.dtype;
  Reduce over_targets;
  over_targets.axes = {1};
  over_targets.kind = Reduce::Kind::max;
  ValueId most = node.emit(over_targets, {scores});
  ValueId counts = node.emit(Greater{}, {node.emit(Abs{}, {scores}), node.add_scalar(dtype, 1e-7)});
  ValueId raised = node.emit(Exp{}, {node.emit(Sub{}, {scores, most})});
  ValueId rest = node.emit(Mul{}, {scores, node.emit(Exp{}, {node.emit(Neg{}, {most})})});
  over_targets.kind = Reduce::Kind::sum;
  ValueId part = node.emit(Select{}, {counts, raised, node.add_scalar(dtype, 0)});
  ValueId sum = node.emit(over_targets, {part});
  return node.emit(Div{}, {node.emit(Select{}, {counts, raised, rest}), sum});
}

}  // namespace

ConstantPtr reals_constant(const std::vector<double>& values, DType dtype) {
  Shape shape{static_cast<int64_t>(values.size())};
  return constant_cast(constant_tensor(Tensor::of<double>(DType::f64, shape, values)), dtype);
}

ValueId as_f32(ReadNode& node, ValueId value) {
  return node.graph().value(value).type.dtype == DType::f32 ? value : node.emit(cast_to(DType::f32), {value});
}

ValueId real_features(ReadNode& node, size_t i) {
  return is_float(node.type(i).dtype) ? node.input(i) : as_f32(node, node.input(i));
}

ConstantPtr read_labels(ReadNode& node, const char* integers) {
  std::vector<std::string> texts = node.texts("classlabels_strings");
  if (texts.empty()) return constant_ints(node.integers(integers));
  return constant_strings({static_cast<int64_t>(texts.size())}, texts);
}

Transform read_transform(ReadNode& node) {
  static const std::vector<std::string> words{"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
  const Attribute* given = node.attribute("post_transform");
  int64_t number = given && given->kind == AttributeKind::integer ? given->integer : -1;
  if (!given) number = 0;
  for (size_t i = 0; given && i < words.size(); ++i)
    if (given->text == words[i]) number = static_cast<int64_t>(i);
  if (number < 0 || number > 4)
    fail("attribute 'post_transform': the value '{}' is not known", node.text("post_transform", ""));
  return static_cast<Transform>(number);
}

bool keeps_odd_transform(ReadNode& node, Transform transform, int64_t targets) {
  bool odd = transform == Transform::probit || (targets == 1 && transform != Transform::none);
  if (odd) node.keep();
  return odd;
}

ValueId transformed(ReadNode& node, ValueId scores, Transform transform) {
  switch (transform) {
    case Transform::softmax:
      return node.emit(Softmax{1}, {scores});
    case Transform::logistic:
      return node.emit(Sigmoid{}, {scores});
    case Transform::softmax_zero:
      return softmax_without_zeros(node, scores);
    case Transform::none:
    case Transform::probit:
      break;
  }
  return scores;
}

}  // namespace remodel::onnx
