#include "formats/onnx/rows/fused.h"

#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/unary.h"

namespace remodel::onnx {

ValueId fused_activation(ReadNode& node, ValueId x, const std::vector<double>& numbers) {
  std::string name = node.text("activation", "");
  auto number = [&](size_t i, double otherwise) { return i < numbers.size() ? numbers[i] : otherwise; };
  if (name.empty()) return x;
  if (name == "Relu") return node.emit(Relu{}, {x});
  if (name == "Sigmoid") return node.emit(Sigmoid{}, {x});
  if (name == "Tanh") return node.emit(Tanh{}, {x});
  if (name == "LeakyRelu") return node.emit(LeakyRelu{{}, number(0, 0.01f)}, {x});
  if (name == "Clip" && numbers.size() == 2) return node.emit(Clamp{numbers[0], numbers[1]}, {x});
  if (name == "HardSigmoid") return node.emit(HardSigmoid{{}, number(0, 0.2f), number(1, 0.5f)}, {x});
  fail("attribute 'activation': the value '{}' is not known", name);
}

}  // namespace remodel::onnx
