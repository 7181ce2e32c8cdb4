#include "ops/activation.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <numeric>

#include "formats/onnx/rows.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/shape.h"

namespace remodel::onnx {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// The slope of opsets before 7 has one element or one for each channel.
void read_old_prelu(ReadNode& node) {
  node.ignore("consumed_inputs");
  ValueId slope = node.input(1);
  const auto& dims = node.type(1).dims;
  if (dims && dims->size() == 1 && !(*dims)[0].is_number(1) && node.rank(0) > 2) {
    Dims shape(node.rank(0) - 1, Dim(1));
    shape[0] = (*dims)[0];
    slope = node.emit(Reshape{shape, false}, {slope});
  }
  node.emit_results(Prelu{}, {node.input(0), slope});
}
std::string cannot_prelu(const WriteNode& node) {
  const Type &x = node.type(0), &slope = node.type(1), &y = node.result_type();
  if (!x.dims && slope.dims && *slope.dims == Dims{1}) return "";
  return x.dims && y.dims && *x.dims == *y.dims ? "" : "the slope broadcasts the input";
}

// Before opset 13 the axes from `axis` on count as one. That is an ordinary softmax where at most one of them
// is longer than 1.
template <class Op>
void read_flattening(ReadNode& node) {
  int64_t axis = node.integer("axis", 1), rank = node.rank(0);
  const Dims dims = *node.type(0).dims;
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) fail("axis {} is outside a tensor of rank {}", axis, rank);
  Op op;
  std::vector<int64_t> long_axes;
  for (int64_t i = axis; i < rank; ++i)
    if (!dims[i].is_number(1)) long_axes.push_back(i);
  if (rank > 0 && axis < rank && long_axes.size() <= 1) {
    op.axis = long_axes.empty() ? rank - 1 : long_axes[0];
    return node.emit_results(op, {node.input(0)});
  }
  op.axis = 1;
  Dims flat{product({dims.begin(), dims.begin() + axis}), product({dims.begin() + axis, dims.end()})};
  ValueId result = node.emit(op, {node.emit(Reshape{flat, false}, {node.input(0)})});
  node.emit_results(Reshape{dims, false}, {result});
}

// Softmax and its kin at opsets below 13: along the last axis both meanings agree.
void write_along_last(WriteNode& node, const char* type, int64_t axis) {
  int64_t rank = node.rank(0);
  if (rank < 0) fail("the rank is not known, and opset {}'s {} depends on it", node.opset(), type);
  if (axis < 0) axis += rank;
  if (axis == rank - 1) return node.emit_to(node.outs(), type, {node.in(0)}, {Attribute::of("axis", axis)});
  std::vector<int64_t> swap(rank);
  std::iota(swap.begin(), swap.end(), 0);
  std::swap(swap[axis], swap.back());
  Attributes turn{Attribute::of("perm", swap)};
  std::string result =
      node.emit(type, {node.emit("Transpose", {node.in(0)}, turn)}, {Attribute::of("axis", rank - 1)});
  node.emit_to(node.outs(), "Transpose", {result}, turn);
}
std::string has_beta(const WriteNode& node) {
  return node.op<Softmax>().beta == 1 ? "" : "softmax has a beta";
}

// The bound as a double, where that says it exactly. What does not bind becomes infinite.
std::optional<double> bound_of(const ConstantPtr& constant, DType dtype, bool low) {
  if (!constant || constant->count() != 1 || constant->dtype() == DType::string) return std::nullopt;
  double value = constant->tensor().doubles()[0];
  if (std::isnan(value)) return std::nullopt;
  if (!is_integer(dtype)) return value;
  int bits = bits_of(dtype);
  double lowest = is_signed(dtype) ? -std::ldexp(1, bits - 1) : 0;
  double past = std::ldexp(1, is_signed(dtype) ? bits - 1 : bits);
  if (low && value <= lowest) return -infinity;
  if (!low && value >= past - 1) return infinity;
  if (std::fabs(value) >= 0x1p53) return std::nullopt;
  return value;
}

void read_clip(ReadNode& node) {
  DType dtype = node.type(0).dtype;
  bool half = is_small_float(dtype);
  if (node.version() < 11) {
    node.ignore("consumed_inputs");
    double widest = node.version() < 6 ? infinity : FLT_MAX;
    Clamp op(node.real("min", -widest), node.real("max", widest));
    // No small float is larger and finite.
    if (half && op.low <= -FLT_MAX) op.low = -infinity;
    if (half && op.high >= FLT_MAX) op.high = infinity;
    return node.emit_results(op, {node.input(0)});
  }
  auto low = node.has_input(1) ? bound_of(node.constant(1), dtype, true) : -infinity;
  auto high = node.has_input(2) ? bound_of(node.constant(2), dtype, false) : infinity;
  if (low && high) return node.emit_results(Clamp(*low, *high), {node.input(0)});
  auto bound = [&](size_t i) {
    bool scalar = node.type(i).dims && node.type(i).dims->empty();
    return scalar ? node.input(i) : node.emit(Reshape{}, {node.input(i)});
  };
  ValueId x = node.input(0);
  if (node.has_input(1) && node.has_input(2)) x = node.emit(Max{}, {x, bound(1)});
  node.has_input(2) ? node.emit_results(Min{}, {x, bound(2)}) : node.emit_results(Max{}, {x, bound(1)});
}

void write_old_clip(WriteNode& node) {
  const auto& op = node.op<Clamp>();
  node.emit_to(node.outs(), "Clip", {node.in(0)},
               {Attribute::of("min", op.low), Attribute::of("max", op.high)});
}
std::string cannot_old_clip(const WriteNode& node) {
  if (node.dtype(0) == DType::f64) return "runtimes clip no doubles before opset 12";
  if (!is_float(node.dtype(0))) return "Clip takes floats before opset 12";
  const auto& op = node.op<Clamp>();
  if (op.low > op.high) return "its bounds are the wrong way round";
  for (double bound : {op.low, op.high})
    if (static_cast<double>(static_cast<float>(bound)) != bound) return "a bound is not a float of 32 bits";
  return "";
}
void write_clip(WriteNode& node) {
  const auto& op = node.op<Clamp>();
  std::vector<std::string> inputs{node.in(0)};
  DType dtype = node.dtype(0);
  if (op.low != -infinity || op.high != infinity)
    inputs.push_back(op.low == -infinity ? "" : node.scalar(dtype, op.low));
  if (op.high != infinity) inputs.push_back(node.scalar(dtype, op.high));
  node.emit_to(node.outs(), "Clip", inputs);
}
std::string cannot_clip(const WriteNode& node) {
  if (node.opset() >= 12) return "";
  if (node.dtype(0) == DType::f64) return "runtimes clip no doubles before opset 12";
  return is_float(node.dtype(0)) ? "" : "Clip takes floats before opset 12";
}

// min(max(x, low), high) of bounds that the model computes.
std::vector<NodeId> inside_clip(const WriteNode& least) {
  const Graph& graph = least.graph();
  const Value& inner = graph.value(least.node().inputs[0]);
  const Node* greatest = graph.producer(least.node().inputs[0]);
  const Max* op = greatest ? greatest->op.as<Max>() : nullptr;
  if (!op || inner.users.size() != 1 || graph.is_output(least.node().inputs[0])) return {};
  if (op->nan != NanRule::propagate || least.op<Min>().nan != NanRule::propagate) return {};
  if (least.rank(1) != 0 || !graph.value(greatest->inputs[1]).type.has_rank(0)) return {};
  if (!cannot_clip(least).empty()) return {};
  return {inner.producer};
}
void write_computed_clip(WriteNode& least, const std::vector<NodeId>& inner) {
  WriteNode greatest = least.at(inner[0]);
  least.emit_to(least.outs(), "Clip", {greatest.in(0), greatest.in(1), least.in(1)});
}

// ONNX takes integers too; the result is truncated to them.
void read_shrink(ReadNode& node) {
  Shrink op;
  op.lambda = node.real("lambd", 0.5), op.bias = node.real("bias", 0);
  DType dtype = node.type(0).dtype;
  if (!is_integer(dtype)) return node.emit_results(op, {node.input(0)});
  ValueId real = node.emit(Cast(DType::f64), {node.input(0)});
  node.emit_results(Cast(dtype), {node.emit(op, {real})});
}

void read_bias_gelu(ReadNode& node) {
  node.emit_results(Gelu{}, {node.emit(Add{}, {node.input(0), node.input(1)})});
}
void read_fast_gelu(ReadNode& node) {
  ValueId x = node.input(0);
  if (node.has_input(1)) x = node.emit(Add{}, {x, node.input(1)});
  Gelu op;
  op.form = Gelu::Form::tanh;
  node.emit_results(op, {x});
}

template <class Op>
void softmax_rows(Rows& rows, const char* type, WhenFn when = nullptr) {
  rows.read(type, range(1, 12), read_flattening<Op>);
  rows.row<Op>(type, since(13), {attr("axis", &Op::axis, int64_t{-1})}, when);
}

}  // namespace

void activation_rows(Rows& rows) {
  Slot consumed = ignore("consumed_inputs");
  rows.read_row<Relu>("Relu", since(1), {consumed});
  rows.write_row<Relu>("Relu", since(6), {}, [](const WriteNode& node) -> std::string {
    if (is_float(node.dtype(0)) || node.dtype(0) == DType::unknown) return "";
    // Runtimes have kernels for floats; what else it takes they run by its definition as a function.
    if (node.opset() < 18) return "Relu is no function of Max before opset 18";
    return is_signed(node.dtype(0)) ? "" : "Relu takes no unsigned integers";
  });
  rows.row<LeakyRelu>("LeakyRelu", since(1), {attr("alpha", &LeakyRelu::alpha, 0.01), consumed});
  rows.read("PRelu", range(1, 6), read_old_prelu);
  rows.row<Prelu>("PRelu", since(7), {}, cannot_prelu);
  rows.row<Threshold>("ThresholdedRelu", since(10), {attr("alpha", &Threshold::at, 1.0)},
                      [](const WriteNode& node) -> std::string {
                        return node.op<Threshold>().otherwise == 0 ? ""
                                                                   : "what replaces small values is not 0";
                      });
  rows.row<Elu>("Elu", since(1), {attr("alpha", &Elu::alpha, 1.0), consumed});
  rows.read_row<Selu>("Selu", range(1, 5),
                      {attr("alpha", &Selu::alpha, 1.6732), attr("gamma", &Selu::gain, 1.0507), consumed});
  rows.row<Selu>("Selu", since(6),
                 {attr("alpha", &Selu::alpha, 1.67326319217681884765625),
                  attr("gamma", &Selu::gain, 1.05070102214813232421875)});
  rows.row<Celu>("Celu", since(12), {attr("alpha", &Celu::alpha, 1.0)},
                 [](const WriteNode& node) -> std::string {
                   return node.dtype(0) == DType::f64 ? "ONNX's Celu takes no doubles" : "";
                 });
  rows.read("Shrink", since(9), read_shrink);
  rows.write_row<Shrink>("Shrink", since(9),
                         {attr("lambd", &Shrink::lambda, 0.5), attr("bias", &Shrink::bias, 0.0)});
  rows.row<Sigmoid>("Sigmoid", since(1), {consumed});
  rows.row<HardSigmoid>(
      "HardSigmoid", since(1),
      {attr("alpha", &HardSigmoid::alpha, 0.2), attr("beta", &HardSigmoid::beta, 0.5), consumed});
  rows.row<HardSwish>("HardSwish", since(14));
  rows.row<Swish>("Swish", since(24), {attr("alpha", &Swish::beta, 1.0)});
  rows.read_row<Swish>("com.microsoft:QuickGelu", since(1), {attr("alpha", &Swish::beta, 1.702)});
  rows.row<Gelu>(
      "Gelu", since(20),
      {choice("approximate", &Gelu::form, {{"none", int(Gelu::Form::erf)}, {"tanh", int(Gelu::Form::tanh)}},
              std::string_view("none"))});
  rows.read_row<Gelu>("com.microsoft:Gelu", since(1));
  rows.read("com.microsoft:BiasGelu", since(1), read_bias_gelu);
  rows.read("com.microsoft:FastGelu", since(1), read_fast_gelu);
  rows.row<Softplus>("Softplus", since(1));
  rows.row<Softsign>("Softsign", since(1));
  rows.row<Mish>("Mish", since(18));

  softmax_rows<Softmax>(rows, "Softmax", has_beta);
  rows.write<Softmax>(
      range(1, 12), [](WriteNode& node) { write_along_last(node, "Softmax", node.op<Softmax>().axis); },
      has_beta);
  softmax_rows<LogSoftmax>(rows, "LogSoftmax");
  rows.write<LogSoftmax>(range(1, 12), [](WriteNode& node) {
    write_along_last(node, "LogSoftmax", node.op<LogSoftmax>().axis);
  });
  softmax_rows<Hardmax>(rows, "Hardmax");
  rows.write<Hardmax>(range(1, 12),
                      [](WriteNode& node) { write_along_last(node, "Hardmax", node.op<Hardmax>().axis); });

  rows.read("Clip", since(1), read_clip);
  rows.write<Clamp>(range(6, 10), write_old_clip, cannot_old_clip);
  rows.write<Clamp>(since(11), write_clip, cannot_clip);
  rows.tile<Min>(since(11), inside_clip, write_computed_clip);
}

}  // namespace remodel::onnx
