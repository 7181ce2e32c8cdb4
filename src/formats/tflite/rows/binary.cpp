#include "ops/binary.h"

#include "formats/tflite/rows.h"
#include "ops/unary.h"

namespace remodel::tflite {
namespace {

// With the activation after it.
template <class T>
void read_arithmetic(ReadNode& node) {
  // How it once was computed on integers of 16 bits; only kernels care.
  if constexpr (std::is_same_v<T, Add> || std::is_same_v<T, Sub>) node.ignore("pot_scale_int16");
  node.result(0, node.activated(node.emit(T{}, {node.input(0), node.input(1)})));
}

void read_div(ReadNode& node) {
  Div op;
  if (is_integer(node.type(0).dtype)) op.rounding = Div::Rounding::trunc;
  node.result(0, node.activated(node.emit(op, {node.input(0), node.input(1)})));
}

void read_floor_div(ReadNode& node) {
  Div op;
  op.rounding = Div::Rounding::floor;
  node.emit_results(op, {node.input(0), node.input(1)});
}

void read_floor_mod(ReadNode& node) { node.emit_results(Mod{}, {node.input(0), node.input(1)}); }

void read_squared_difference(ReadNode& node) {
  const ValueId difference = node.emit(Sub{}, {node.input(0), node.input(1)});
  node.emit_results(Mul{}, {difference, difference});
}

// Places that the type does not have are the nearest that it has.
void read_right_shift(ReadNode& node) {
  const DType dtype = node.type(1).dtype;
  const auto number = [&](int value) { return node.add_scalar(dtype, value); };
  ValueId places = node.emit(Min{}, {node.input(1), number(bits_of(dtype) - 1)});
  if (is_signed(dtype)) places = node.emit(Max{}, {places, number(0)});
  node.emit_results(Shr{}, {node.input(0), places});
}

void read_not_equal(ReadNode& node) {
  node.emit_results(Not{}, {node.emit(Equal{}, {node.input(0), node.input(1)})});
}

void read_add_n(ReadNode& node) {
  ValueId sum = node.input(0);
  for (size_t i = 1; i < node.inputs(); ++i) sum = node.emit(Add{}, {sum, node.input(i)});
  node.result(0, sum);
}

}  // namespace

void binary_rows(Rows& rows) {
  rows.read("ADD", since(1), read_arithmetic<Add>);
  rows.read("SUB", since(1), read_arithmetic<Sub>);
  rows.read("MUL", since(1), read_arithmetic<Mul>);
  rows.read("DIV", since(1), read_div);
  rows.read("FLOOR_DIV", since(1), read_floor_div);
  rows.read("FLOOR_MOD", since(1), read_floor_mod);
  rows.read("SQUARED_DIFFERENCE", since(1), read_squared_difference);
  rows.read("ADD_N", since(1), read_add_n);
  rows.read_row<Pow>("POW", since(1));
  rows.row<Atan2>("ATAN2", since(1));
  rows.row<Max>("MAXIMUM", since(1));
  rows.row<Min>("MINIMUM", since(1));
  rows.row<And>("LOGICAL_AND", since(1));
  rows.row<Or>("LOGICAL_OR", since(1));
  rows.row<BitXor>("BITWISE_XOR", since(1));
  rows.read("RIGHT_SHIFT", since(1), read_right_shift);
  rows.row<Equal>("EQUAL", since(1));
  rows.read("NOT_EQUAL", since(1), read_not_equal);
  rows.row<Less>("LESS", since(1));
  rows.row<LessEqual>("LESS_EQUAL", since(1));
  rows.row<Greater>("GREATER", since(1));
  rows.row<GreaterEqual>("GREATER_EQUAL", since(1));
  rows.row<Select>("SELECT_V2", since(1));
}

}  // namespace remodel::tflite
