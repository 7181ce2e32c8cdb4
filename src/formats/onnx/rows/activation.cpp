#include "ops/activation.h"

#include "formats/onnx/rows.h"

namespace remodel::onnx {

void activation_rows(Rows& rows) {
  rows.row<Relu>("Relu", since(1), {ignore("consumed_inputs")});
  rows.row<LeakyRelu>("LeakyRelu", since(1),
                      {attr("alpha", &LeakyRelu::alpha, 0.01), ignore("consumed_inputs")});
  rows.row<Softmax>("Softmax", since(13), {attr("axis", &Softmax::axis, int64_t{-1})},
                    [](const WriteNode& node) -> std::string {
                      return node.op<Softmax>().beta == 1 ? "" : "softmax has a beta";
                    });
}

}  // namespace remodel::onnx
