#include "ops/activation.h"

#include "formats/tflite/rows.h"
#include "ops/unary.h"

namespace remodel::tflite {
namespace {

void read_relu6(ReadNode& node) { node.emit_results(Clamp(0, 6), {node.input(0)}); }
void read_relu_n1_to_1(ReadNode& node) { node.emit_results(Clamp(-1, 1), {node.input(0)}); }
void read_relu_0_to_1(ReadNode& node) { node.emit_results(Clamp(0, 1), {node.input(0)}); }

void read_gelu(ReadNode& node) {
  Gelu op;
  op.form = node.truth("approximate") ? Gelu::Form::tanh : Gelu::Form::erf;
  node.emit_results(op, {node.input(0)});
}

}  // namespace

void activation_rows(Rows& rows) {
  rows.read_row<Relu>("RELU", since(1));
  rows.read("RELU6", since(1), read_relu6);
  rows.read("RELU_N1_TO_1", since(1), read_relu_n1_to_1);
  rows.read("RELU_0_TO_1", since(1), read_relu_0_to_1);
  rows.read_row<LeakyRelu>("LEAKY_RELU", since(1), {attr("alpha", &LeakyRelu::alpha, 0.0)});
  rows.read_row<Prelu>("PRELU", since(1));
  rows.read_row<Elu>("ELU", since(1));
  rows.row<HardSwish>("HARD_SWISH", since(1));
  rows.read("GELU", since(1), read_gelu);
  rows.row<Sigmoid>("LOGISTIC", since(1));
  rows.row<Tanh>("TANH", since(1));
  rows.read_row<Softmax>("SOFTMAX", since(1), {attr("beta", &Softmax::beta, 0.0)});
  rows.read_row<LogSoftmax>("LOG_SOFTMAX", since(1));
}

}  // namespace remodel::tflite
