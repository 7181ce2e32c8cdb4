// Functions of one, two and three operands, element by element.
#include <algorithm>
#include <cmath>
#include <limits>

#include "formats/tflite/kernels.h"
#include "formats/tflite/rows.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/unary.h"

namespace remodel::tflite {
namespace {

// The operand's sizes, with ones in front up to that rank.
Dims aligned(const Dims& dims, size_t rank) {
  Dims result(rank - dims.size(), Dim(1));
  result.insert(result.end(), dims.begin(), dims.end());
  return result;
}

}  // namespace

void write_broadcast(WriteNode& node, std::string type, Ids operands, Attributes attributes) {
  const Kernel* kernel = find_kernel(type);
  const size_t most = kernel ? static_cast<size_t>(kernel->axes) : 8;
  bool deep = false;
  for (Id operand : operands) {
    const auto& dims = node.type_of(operand).dims;
    deep = deep || (dims && dims->size() > most) ||
           (kernel && !kernel->broadcasts && dims != node.type_of(operands[0]).dims);
  }
  if (!deep) return node.emit_to(node.outs(), std::move(type), std::move(operands), std::move(attributes));
  const Dims result = node.result_dims();
  std::vector<Dims> from;
  for (Id operand : operands) {
    if (!node.type_of(operand).dims) fail("the rank of an operand is not known");
    from.push_back(aligned(*node.type_of(operand).dims, result.size()));
  }
  // Axes that every operand has, or repeats, together are one.
  std::vector<Dims> merged(operands.size());
  Dims whole;
  std::vector<bool> last;
  for (size_t axis = 0; axis < result.size(); ++axis) {
    std::vector<bool> repeats;
    for (const Dims& dims : from) repeats.push_back(dims[axis].is_number(1) && !result[axis].is_number(1));
    const bool joins = axis > 0 && (repeats == last || result[axis].is_number(1));
    for (size_t i = 0; i < from.size(); ++i)
      if (joins)
        merged[i].back() = merged[i].back() * from[i][axis];
      else
        merged[i].push_back(from[i][axis]);
    if (joins)
      whole.back() = whole.back() * result[axis];
    else
      whole.push_back(result[axis]), last = repeats;
  }
  if (whole.size() > most || (kernel && !kernel->broadcasts)) {
    // Repeated in full, they need no broadcasting.
    for (size_t i = 0; i < operands.size(); ++i) {
      if (merged[i] != whole) {
        const Id flat = node.reshape(operands[i], merged[i]);
        operands[i] =
            node.emit("BROADCAST_TO", {flat, node.sizes(whole)}, Type(node.type_of(flat).dtype, whole));
      }
      merged[i] = {product(whole)};
    }
    whole = {product(whole)};
  }
  for (size_t i = 0; i < operands.size(); ++i) operands[i] = node.reshape(operands[i], merged[i]);
  const Id flat = node.emit(std::move(type), operands, Type(node.result_type().dtype, whole), attributes);
  node.reshape_to(node.out(), flat, result);
}

namespace {

void write_add(WriteNode& node) { write_broadcast(node, "ADD", node.ins()); }
void write_sub(WriteNode& node) { write_broadcast(node, "SUB", node.ins()); }
void write_mul(WriteNode& node) { write_broadcast(node, "MUL", node.ins()); }

void write_div(WriteNode& node) {
  const auto rounding = node.op<Div>().rounding;
  const bool integers = is_integer(node.dtype(0));
  if (integers && rounding == Div::Rounding::trunc) return write_broadcast(node, "DIV", node.ins());
  if (rounding == Div::Rounding::floor) return write_broadcast(node, "FLOOR_DIV", node.ins());
  if (rounding != Div::Rounding::real) fail("a quotient of floats is truncated");
  write_broadcast(node, "DIV", node.ins());
}

void write_mod(WriteNode& node) {
  if (node.op<Mod>().sign != Mod::Sign::divisor && is_signed(node.dtype(0)))
    fail("the remainder has the dividend's sign");
  if (node.op<Mod>().sign != Mod::Sign::divisor && is_float(node.dtype(0)))
    fail("the remainder has the dividend's sign");
  write_broadcast(node, "FLOOR_MOD", node.ins());
}

void write_pow(WriteNode& node) {
  // Integers to a float are truncated, and LiteRT refuses integers to a negative integer.
  if (!is_float(node.dtype(0))) fail("integers are raised to a power");
  write_broadcast(node, "POW", {node.in(0), node.cast(node.in(1), node.dtype(0))});
}

void write_clamp(WriteNode& node) {
  const auto& op = node.op<Clamp>();
  if (!is_float(node.dtype(0))) fail("integers are clamped");
  const double low = op.low, high = op.high;
  const char* type = low == 0 && std::isinf(high) ? "RELU"
                     : low == 0 && high == 6      ? "RELU6"
                     : low == -1 && high == 1     ? "RELU_N1_TO_1"
                     : low == 0 && high == 1      ? "RELU_0_TO_1"
                                                  : nullptr;
  if (!type) fail("clamp from {} to {} has no operator", low, high);
  node.emit_to(node.outs(), type, node.ins());
}

void write_relu(WriteNode& node) {
  if (!is_float(node.dtype(0))) fail("the operand is no float");
  node.emit_to(node.outs(), "RELU", node.ins());
}

void write_elu(WriteNode& node) {
  if (node.op<Elu>().alpha != 1) fail("elu has an alpha other than 1");
  node.emit_to(node.outs(), "ELU", node.ins());
}

void write_gelu(WriteNode& node) {
  Attributes attributes;
  if (node.op<Gelu>().form == Gelu::Form::tanh) attributes.push_back(Attribute::of("approximate", true));
  node.emit_to(node.outs(), "GELU", node.ins(), attributes);
}

void write_prelu(WriteNode& node) {
  if (!is_float(node.dtype(0))) fail("the operand is no float");
  // The slope has the sizes of the operand's last axes.
  const Dims x = node.dims(0), slope = node.dims(1);
  if (x.empty() || slope.empty() || slope.size() > x.size()) fail("prelu broadcasts its operands");
  for (size_t i = 1; i <= slope.size(); ++i)
    if (!(slope[slope.size() - i] == x[x.size() - i]) && !slope[slope.size() - i].is_number(1))
      fail("prelu broadcasts its operands");
  node.emit_to(node.outs(), "PRELU", node.ins());
}

void write_leaky_relu(WriteNode& node) {
  node.emit_to(node.outs(), "LEAKY_RELU", node.ins(), {Attribute::of("alpha", node.op<LeakyRelu>().alpha)});
}

// Along the last axis, where the operator computes.
void along_last(WriteNode& node, int64_t axis, const char* type, Attributes attributes) {
  const Dims dims = node.dims(0);
  const auto rank = static_cast<int64_t>(dims.size());
  if (rank == 0) fail("a scalar has no axis");
  axis = resolve_axis(axis, dims.size());
  if (axis == rank - 1) return node.emit_to(node.outs(), type, node.ins(), attributes);
  if (rank > 6) {
    // What lies before and behind the axis is one axis each.
    const auto at = dims.begin() + axis;
    const Dims three{product(Dims(dims.begin(), at)), *at, product(Dims(at + 1, dims.end()))};
    const Id moved = node.transpose(node.reshape(node.in(0), three), {0, 2, 1});
    const Id y = node.emit(type, {moved}, node.type_of(moved), attributes);
    return node.reshape_to(node.out(), node.transpose(y, {0, 2, 1}), dims);
  }
  std::vector<int64_t> perm;
  for (int64_t i = 0; i < rank; ++i) perm.push_back(i);
  std::swap(perm[static_cast<size_t>(axis)], perm.back());
  const Id moved = node.transpose(node.in(0), perm);
  const Id y = node.emit(type, {moved}, node.type_of(moved), attributes);
  node.emit_to(node.outs(), "TRANSPOSE", {y, node.integers(perm)});
}

void write_softmax(WriteNode& node) {
  const auto& op = node.op<Softmax>();
  along_last(node, op.axis, "SOFTMAX", {Attribute::of("beta", op.beta)});
}
void write_log_softmax(WriteNode& node) { along_last(node, node.op<LogSoftmax>().axis, "LOG_SOFTMAX", {}); }

void write_cast(WriteNode& node) {
  const auto& op = node.op<Cast>();
  const DType from = node.dtype(0), to = op.to;
  if (from == DType::string || to == DType::string) fail("numbers and strings are not cast");
  const auto code = [](DType dtype) {
    const auto type = tensor_type_of(dtype);
    if (!type || bits_of(dtype) < 8 || dtype == DType::u64 || (is_float(dtype) && bits_of(dtype) == 8))
      fail("LiteRT does not cast {}", name_of(dtype));
    return name_of(*type);
  };
  if ((from == DType::u64) != (to == DType::u64) && is_integer(from) && is_integer(to) &&
      bits_of(from) == bits_of(to))
    return node.emit_to(node.outs(), "BITCAST", node.ins());
  node.emit_to(node.outs(), "CAST", node.ins(),
               {word("in_data_type", code(from)), word("out_data_type", code(to))});
}

void write_bitcast(WriteNode& node) {
  for (const DType dtype : {node.dtype(0), node.op<Bitcast>().to})
    if (!tensor_type_of(dtype) || bits_of(dtype) < 8) fail("LiteRT casts no bits of {}", name_of(dtype));
  node.emit_to(node.outs(), "BITCAST", node.ins());
}

void write_is_nan(WriteNode& node) { node.emit_to(node.outs(), "NOT_EQUAL", {node.in(0), node.in(0)}); }

void write_is_inf(WriteNode& node) {
  const auto& op = node.op<IsInf>();
  if (!op.positive && !op.negative) fail("no infinity counts");
  Id x = node.in(0);
  if (op.positive && op.negative) x = node.emit("ABS", {x}, node.type(0));
  const double infinity = std::numeric_limits<double>::infinity();
  node.emit_to(node.outs(), "EQUAL", {x, node.scalar(node.dtype(0), op.positive ? infinity : -infinity)});
}

void write_reciprocal(WriteNode& node) {
  node.emit_to(node.outs(), "DIV", {node.scalar(node.dtype(0), 1), node.in(0)});
}

// Angles of right triangles.
void write_atan(WriteNode& node) {
  const Dims dims = node.dims(0);
  const auto known = numbers(dims);
  const Id one = known ? node.constant(constant_splat(node.dtype(0), *known, 1))
                       : node.emit("FILL", {node.sizes(dims), node.scalar(node.dtype(0), 1)}, node.type(0));
  node.emit_to(node.outs(), "ATAN2", {node.in(0), one});
}
// The other leg of the triangle with this leg and the hypotenuse 1.
Id other_leg(WriteNode& node) {
  const Type& type = node.type(0);
  const Id one = node.scalar(type.dtype, 1), x = node.in(0);
  const Id square =
      node.emit("MUL", {node.emit("SUB", {one, x}, type), node.emit("ADD", {one, x}, type)}, type);
  return node.emit("SQRT", {square}, type);
}
void write_asin(WriteNode& node) { node.emit_to(node.outs(), "ATAN2", {node.in(0), other_leg(node)}); }
void write_acos(WriteNode& node) { node.emit_to(node.outs(), "ATAN2", {other_leg(node), node.in(0)}); }

void write_abs(WriteNode& node) {
  if (!is_float(node.dtype(0)) && node.dtype(0) != DType::i32 && is_signed(node.dtype(0)) &&
      bits_of(node.dtype(0)) == 64)
    return write_broadcast(node, "MAXIMUM", {node.in(0), node.emit("NEG", {node.in(0)}, node.type(0))});
  if (is_integer(node.dtype(0)) && !is_signed(node.dtype(0)))
    return node.reshape_to(node.out(), node.in(0), node.dims(0));
  node.emit_to(node.outs(), "ABS", node.ins());
}

void write_xor(WriteNode& node) { write_broadcast(node, "NOT_EQUAL", node.ins()); }

}  // namespace

void write_elementwise_rows(Rows& rows) {
  rows.write<Abs>(since(1), write_abs);
  rows.write<Atan>(since(1), write_atan);
  rows.write<Asin>(since(1), write_asin);
  rows.write<Acos>(since(1), write_acos);
  rows.write<Reciprocal>(since(1), write_reciprocal);
  rows.write<IsNan>(since(1), write_is_nan);
  rows.write<IsInf>(since(1), write_is_inf);
  rows.write<Bitcast>(since(1), write_bitcast);
  rows.write<Cast>(since(1), write_cast);
  rows.write<Relu>(since(1), write_relu);
  rows.write<Clamp>(since(1), write_clamp);
  rows.write<LeakyRelu>(since(1), write_leaky_relu);
  rows.write<Elu>(since(1), write_elu);
  rows.write<Gelu>(since(1), write_gelu);
  rows.write<Prelu>(since(1), write_prelu);
  rows.write<Softmax>(since(1), write_softmax);
  rows.write<LogSoftmax>(since(1), write_log_softmax);

  rows.write<Add>(since(1), write_add);
  rows.write<Sub>(since(1), write_sub);
  rows.write<Mul>(since(1), write_mul);
  rows.write<Div>(since(1), write_div);
  rows.write<Mod>(since(1), write_mod);
  rows.write<Pow>(since(1), write_pow);
  rows.write<Xor>(since(1), write_xor);
}

}  // namespace remodel::tflite
