// ai.onnx.preview.training: one step of an optimiser, and derivatives.
#include "formats/onnx/rows.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/unary.h"
#include "passes/gradient.h"

namespace remodel::onnx {
namespace {

// Arithmetic on the values of one tensor that is optimised, all of its type.
class Step {
 public:
  Step(ReadNode& node, DType dtype) : node_(node), dtype_(dtype) {}
  ValueId number(double value) { return node_.add_scalar(dtype_, value); }
  ValueId input(size_t i) {
    return node_.type(i).dtype == dtype_ ? node_.input(i) : node_.emit(cast_to(dtype_), {node_.input(i)});
  }
  ValueId add(ValueId a, ValueId b) { return node_.emit(Add{}, {a, b}); }
  ValueId sub(ValueId a, ValueId b) { return node_.emit(Sub{}, {a, b}); }
  ValueId mul(ValueId a, ValueId b) { return node_.emit(Mul{}, {a, b}); }
  ValueId div(ValueId a, ValueId b) { return node_.emit(Div{}, {a, b}); }
  ValueId pow(ValueId a, ValueId b) { return node_.emit(Pow{}, {a, b}); }
  ValueId sqrt(ValueId a) { return node_.emit(Sqrt{}, {a}); }
  // What holds from the second step on, and at the first.
  ValueId later(ValueId then, ValueId first) {
    ValueId started = node_.emit(Greater{}, {node_.input(1), node_.add_scalar(DType::i64, 0)});
    return node_.emit(Select{}, {started, then, first});
  }
  // The gradient with that of the penalty on large values.
  ValueId penalised(ValueId x, ValueId gradient) {
    double coefficient = node_.real("norm_coefficient", 0);
    return coefficient == 0 ? gradient : add(mul(number(coefficient), x), gradient);
  }

 private:
  ReadNode& node_;
  DType dtype_;
};

// (rate, count, then n tensors of each of `kinds` kinds), which begin with the optimised ones and their
// gradients. Gives the new ones of all kinds but the gradients.
void for_each_tensor(ReadNode& node, size_t kinds,
                     std::vector<ValueId> (*step)(ReadNode&, Step&, const std::vector<ValueId>&)) {
  if (node.inputs() < 2 + kinds || (node.inputs() - 2) % kinds != 0)
    fail("{} inputs are no {} for each tensor after the first two", node.inputs(), kinds);
  size_t n = (node.inputs() - 2) / kinds;
  for (size_t i = 0; i < n; ++i) {
    std::vector<ValueId> tensors;
    for (size_t kind = 0; kind < kinds; ++kind) tensors.push_back(node.input(2 + kind * n + i));
    Step arithmetic(node, node.type(2 + i).dtype);
    std::vector<ValueId> updated = step(node, arithmetic, tensors);
    for (size_t kind = 0; kind < updated.size(); ++kind) node.result(kind * n + i, updated[kind]);
  }
}

std::vector<ValueId> adagrad(ReadNode& node, Step& s, const std::vector<ValueId>& tensors) {
  ValueId x = tensors[0], squares = tensors[2];
  ValueId age = s.add(s.number(1), s.mul(s.input(1), s.number(node.real("decay_factor", 0))));
  ValueId rate = s.div(s.input(0), age);
  ValueId gradient = s.penalised(x, tensors[1]);
  ValueId sum = s.add(squares, s.mul(gradient, gradient));
  ValueId root = s.add(s.sqrt(sum), s.number(node.real("epsilon", 1e-6f)));
  return {s.sub(x, s.div(s.mul(rate, gradient), root)), sum};
}

std::vector<ValueId> adam(ReadNode& node, Step& s, const std::vector<ValueId>& tensors) {
  ValueId x = tensors[0];
  double keep = node.real("alpha", 0.9f), keep_squares = node.real("beta", 0.999f);
  double shrink = node.real("norm_coefficient_post", 0);
  ValueId alpha = s.number(keep), beta = s.number(keep_squares), count = s.input(1), rate = s.input(0);
  ValueId gradient = s.penalised(x, tensors[1]);
  ValueId mean = s.add(s.mul(alpha, tensors[2]), s.mul(s.number(1 - keep), gradient));
  ValueId squares =
      s.add(s.mul(beta, tensors[3]), s.mul(s.number(1 - keep_squares), s.mul(gradient, gradient)));
  ValueId root = s.add(s.sqrt(squares), s.number(node.real("epsilon", 1e-6f)));
  ValueId unbiased = s.div(s.mul(rate, s.sqrt(s.sub(s.number(1), s.pow(beta, count)))),
                           s.sub(s.number(1), s.pow(alpha, count)));
  ValueId moved = s.sub(x, s.mul(s.later(unbiased, rate), s.div(mean, root)));
  return {shrink == 0 ? moved : s.mul(s.number(1 - shrink), moved), mean, squares};
}

std::vector<ValueId> momentum(ReadNode& node, Step& s, const std::vector<ValueId>& tensors) {
  ValueId x = tensors[0];
  std::string mode = node.text("mode", "");
  if (mode != "standard" && mode != "nesterov") fail("attribute 'mode': the value '{}' is not known", mode);
  ValueId alpha = s.number(node.real("alpha", 0));
  ValueId gradient = s.penalised(x, tensors[1]);
  ValueId weight = s.later(s.number(node.real("beta", 0)), s.number(1));
  ValueId velocity = s.add(s.mul(alpha, tensors[2]), s.mul(weight, gradient));
  ValueId direction = mode == "standard" ? velocity : s.add(gradient, s.mul(alpha, velocity));
  return {s.sub(x, s.mul(s.input(0), direction)), velocity};
}

// The derivatives of the tensor named y with respect to those named xs, where these and those named zs have
// the values of the inputs.
void read_gradient(ReadNode& node) {
  std::vector<std::string> names = node.texts("xs");
  const size_t count = names.size();
  for (const std::string& name : node.texts("zs")) names.push_back(name);
  if (names.empty() || names.size() != node.inputs())
    fail("{} tensors are named, but {} are given", names.size(), node.inputs());
  ValueId y = node.named(node.text("y", ""));
  std::vector<ValueId> variables;
  for (const std::string& name : names) variables.push_back(node.named(name));
  y = replayed(node.graph(), y, variables, node.operands());
  std::vector<ValueId> xs(node.operands().begin(),
                          node.operands().begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<ValueId> found = gradients(node.graph(), y, xs, node.origin());
  for (size_t k = 0; k < count; ++k) node.result(k, found[k]);
}

}  // namespace

void training_rows(Rows& rows) {
  const std::string domain = "ai.onnx.preview.training:";
  rows.read(domain + "Adagrad", since(1), [](ReadNode& node) { for_each_tensor(node, 3, adagrad); });
  rows.read(domain + "Adam", since(1), [](ReadNode& node) { for_each_tensor(node, 4, adam); });
  rows.read(domain + "Momentum", since(1), [](ReadNode& node) { for_each_tensor(node, 3, momentum); });
  rows.read(domain + "Gradient", since(1), read_gradient);
}

}  // namespace remodel::onnx
