// What the operators of ai.onnx.ml share.
#pragma once

#include <string>

#include "formats/onnx/read_node.h"

namespace remodel::onnx {

ConstantPtr reals_constant(const std::vector<double>& values, DType dtype);  // [n]

// Input i as floats: doubles stay, all else becomes f32.
ValueId real_features(ReadNode& node, size_t i);
ValueId as_f32(ReadNode& node, ValueId value);

// The labels of classes, [n]: texts, or the integers of this attribute.
ConstantPtr read_labels(ReadNode& node, const char* integers);

// What the attribute post_transform does to scores [rows, targets].
enum class Transform : uint8_t { none, softmax, logistic, softmax_zero, probit };
Transform read_transform(ReadNode& node);  // a word, or its number
// Keeps the node as it is where its transform is odd: runtimes leave a single score alone, whatever ONNX
// says.
bool keeps_odd_transform(ReadNode& node, Transform transform, int64_t targets);
// Not for probit.
ValueId transformed(ReadNode& node, ValueId scores, Transform transform);

}  // namespace remodel::onnx
