#include "ops/binary.h"

#include "formats/onnx/rows.h"
#include "ops/cast.h"
#include "ops/shape.h"

namespace remodel::onnx {
namespace {

// Before opset 7 the second operand's axes stand at `axis` of the first one's, or at its end, and need not
// reach the last one.
std::vector<ValueId> aligned(ReadNode& node) {
  node.ignore("consumed_inputs");
  bool spread = node.integer("broadcast", 0) != 0;
  int64_t axis = node.integer("axis", -1);
  if (!spread || !node.has("axis") || !node.type(1).dims) return {node.input(0), node.input(1)};
  int64_t left = node.rank(0), right = node.rank(1);
  if (axis < 0) axis += left;
  if (axis < 0 || axis + right > left) fail("axis {} does not fit ranks {} and {}", axis, left, right);
  Dims shape = *node.type(1).dims;
  shape.resize(left - axis, Dim(1));
  return {node.input(0), node.emit(Reshape{shape, false}, {node.input(1)})};
}

template <class Op>
void read_aligned(ReadNode& node) {
  node.emit_results(Op{}, aligned(node));
}

template <class Op>
void arithmetic(Rows& rows, const char* type) {
  rows.read(type, range(1, 6), read_aligned<Op>);
  rows.row<Op>(type, since(7));
}

Div division(ReadNode& node) {
  return {{}, is_integer(node.type(0).dtype) ? Div::Rounding::trunc : Div::Rounding::real};
}
void read_old_div(ReadNode& node) { node.emit_results(division(node), aligned(node)); }
void read_div(ReadNode& node) { node.emit_results(division(node), node.operands()); }
std::string cannot_div(const WriteNode& node) {
  bool whole = is_integer(node.dtype(0));
  auto rounding = node.op<Div>().rounding;
  if (rounding == (whole ? Div::Rounding::trunc : Div::Rounding::real)) return "";
  return "the quotient is rounded";
}

std::string cannot_mod(const WriteNode& node) {
  bool remainder = node.op<Mod>().sign == Mod::Sign::dividend;
  return is_float(node.dtype(0)) && !remainder ? "ONNX's Mod of floats has the sign of the dividend" : "";
}

// Before opset 12 both operands are floats of one type.
void write_old_pow(WriteNode& node) {
  DType dtype = node.dtype(0), real = is_float(dtype) ? dtype : DType::f64;
  std::string base = real == dtype ? node.in(0) : node.cast(node.in(0), real);
  std::string exponent = node.dtype(1) == real ? node.in(1) : node.cast(node.in(1), real);
  if (real == dtype) return node.emit_to(node.outs(), "Pow", {base, exponent});
  std::string power = node.emit("Pow", {base, exponent});
  node.emit_to(node.outs(), "Cast", {power}, {Attribute::of("to", code_of_dtype(dtype))});
}

// Any number of operands.
template <class Op>
void read_variadic(ReadNode& node) {
  node.ignore("consumed_inputs");
  ValueId result = node.input(0);
  if (node.inputs() == 1) return node.result(0, result);
  for (size_t i = 1; i + 1 < node.inputs(); ++i) result = node.emit(Op{}, {result, node.input(i)});
  node.emit_results(Op{}, {result, node.input(node.inputs() - 1)});
}
void read_mean(ReadNode& node) {
  node.ignore("consumed_inputs");
  ValueId sum = node.input(0);
  if (node.inputs() == 1) return node.result(0, sum);
  for (size_t i = 1; i < node.inputs(); ++i) sum = node.emit(Add{}, {sum, node.input(i)});
  ValueId count = node.add_scalar(node.type(0).dtype, static_cast<double>(node.inputs()));
  node.emit_results(Div{}, {sum, count});
}

template <class Op>
std::string cannot_extreme(const WriteNode& node) {
  if (node.op<Op>().nan != NanRule::propagate) return "NaN is ignored";
  if (node.opset() < 12 && is_integer(node.dtype(0))) return "it takes floats before opset 12";
  return "";
}

std::string cannot_sum(const WriteNode& node) { return is_float(node.dtype(0)) ? "" : "Sum takes floats"; }

// The steps before the last of op(op(a, b), c), where they are one layer of the user's.
template <WhenFn cannot>
std::vector<NodeId> steps_of_layer(const WriteNode& last) {
  const Graph& graph = last.graph();
  std::vector<NodeId> steps;
  if (!cannot(last).empty()) return steps;
  for (ValueId value = last.node().inputs[0];; value = graph.node(steps.back()).inputs[0]) {
    const Node* step = graph.producer(value);
    if (!step || !(step->op == last.node().op) || step->origin != last.node().origin ||
        graph.value(value).users.size() != 1 || graph.is_output(value))
      return steps;
    steps.push_back(graph.value(value).producer);
  }
}
void write_steps(WriteNode& last, const std::vector<NodeId>& steps) {
  std::vector<std::string> operands = last.at(steps.back()).ins();
  for (size_t i = steps.size() - 1; i-- > 0;) operands.push_back(last.at(steps[i]).in(1));
  operands.push_back(last.in(1));
  const char* type = last.node().op.is<Add>() ? "Sum" : last.node().op.is<Max>() ? "Max" : "Min";
  last.emit_to(last.outs(), type, operands);
}

void read_bit_shift(ReadNode& node) {
  std::string direction = node.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    fail("attribute 'direction': the value '{}' is not known", direction);
  direction == "LEFT" ? node.emit_results(Shl{}, node.operands()) : node.emit_results(Shr{}, node.operands());
}
void write_bit_shift(WriteNode& node) {
  std::string direction = node.node().op.is<Shl>() ? "LEFT" : "RIGHT";
  node.emit_to(node.outs(), "BitShift", node.ins(), {Attribute::of("direction", direction)});
}
std::string cannot_shift(const WriteNode& node) {
  return is_signed(node.dtype(0)) ? "ONNX shifts unsigned integers only" : "";
}

std::string cannot_equal(const WriteNode& node) {
  DType dtype = node.dtype(0);
  if (node.opset() < 11 && is_float(dtype)) return "it takes no floats before opset 11";
  if (node.opset() < 19 && dtype == DType::string) return "it takes no strings before opset 19";
  return "";
}

}  // namespace

void binary_rows(Rows& rows) {
  arithmetic<Add>(rows, "Add");
  arithmetic<Sub>(rows, "Sub");
  arithmetic<Mul>(rows, "Mul");
  rows.read("Div", range(1, 6), read_old_div);
  rows.read("Div", since(7), read_div);
  rows.write_row<Div>("Div", since(7), {}, cannot_div);
  rows.row<Mod>("Mod", since(10),
                {choice("fmod", &Mod::sign, {{"0", int(Mod::Sign::divisor)}, {"1", int(Mod::Sign::dividend)}},
                        int64_t{0})},
                cannot_mod);
  rows.read("Pow", range(1, 6), read_aligned<Pow>);
  rows.row<Pow>("Pow", since(12));
  rows.read_row<Pow>("Pow", range(7, 11));
  rows.write<Pow>(range(7, 11), write_old_pow);

  rows.read("Sum", since(1), read_variadic<Add>);
  rows.tile<Add>(since(8), steps_of_layer<cannot_sum>, write_steps);
  rows.read("Mean", since(1), read_mean);
  rows.read("Max", since(1), read_variadic<Max>);
  rows.write_row<Max>("Max", since(8), {}, cannot_extreme<Max>);
  rows.tile<Max>(since(8), steps_of_layer<cannot_extreme<Max>>, write_steps);
  rows.read("Min", since(1), read_variadic<Min>);
  rows.write_row<Min>("Min", since(8), {}, cannot_extreme<Min>);
  rows.tile<Min>(since(8), steps_of_layer<cannot_extreme<Min>>, write_steps);

  arithmetic<And>(rows, "And");
  arithmetic<Or>(rows, "Or");
  arithmetic<Xor>(rows, "Xor");
  rows.row<BitAnd>("BitwiseAnd", since(18));
  rows.row<BitOr>("BitwiseOr", since(18));
  rows.row<BitXor>("BitwiseXor", since(18));
  rows.read("BitShift", since(11), read_bit_shift);
  rows.write<Shl>(since(11), write_bit_shift, cannot_shift);
  rows.write<Shr>(since(11), write_bit_shift, cannot_shift);

  rows.read("Equal", range(1, 6), read_aligned<Equal>);
  rows.row<Equal>("Equal", since(7), {}, cannot_equal);
  arithmetic<Less>(rows, "Less");
  arithmetic<Greater>(rows, "Greater");
  rows.row<LessEqual>("LessOrEqual", since(12));
  rows.row<GreaterEqual>("GreaterOrEqual", since(12));
  rows.row<Select>("Where", since(9));
}

}  // namespace remodel::onnx
