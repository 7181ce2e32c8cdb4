#include "ops/cast.h"

#include <algorithm>
#include <cmath>

#include "formats/tflite/reader.h"
#include "formats/tflite/rows.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/unary.h"

namespace remodel::tflite {
namespace {

// What its operand stands for. Half floats have no grid.
ValueId real(ReadNode& node) {
  if (node.quantized_input(0)) return node.input(0);
  if (const auto grid = any_grid_of(node.input_tensor(0)))
    return dequantize(node.graph(), node.raw(0), *grid, node.origin());
  if (!is_float(node.type(0).dtype)) fail("'{}' has no grid", node.input_tensor(0).name);
  if (const ConstantPtr half = node.constant(0)) return node.add_constant(constant_cast(half, DType::f32));
  return node.emit(cast_to(DType::f32), {node.input(0)});
}

void read_dequantize(ReadNode& node) { node.result(0, real(node)); }

void read_quantize(ReadNode& node) {
  const Tensor& tensor = node.output_tensor(0);
  const auto grid = any_grid_of(tensor);
  if (!grid) fail("'{}' has no grid", tensor.name);
  node.result(0, node.quantize(real(node), *dtype_of(tensor.type), *grid));
}

void read_densify(ReadNode& node) { node.result(0, node.input(0)); }

void read_cast(ReadNode& node) {
  node.ignore("in_data_type"), node.ignore("out_data_type");
  node.result(0, node.emit(cast_to(*dtype_of(node.output_tensor(0).type)), {node.raw(0)}));
}

void read_bitcast(ReadNode& node) {
  Bitcast op;
  op.to = *dtype_of(node.output_tensor(0).type);
  node.result(0, node.emit(op, {node.raw(0)}));
}

// Rounded to 2^bits numbers from low to high, moved so that 0 is one of them.
void read_fake_quant(ReadNode& node) {
  const double low = node.real("min"), high = node.real("max");
  const int64_t bits = node.integer("num_bits");
  if (bits < 2 || bits > 16 || !(low <= 0 && high >= 0 && low < high))
    fail("{} bits from {} to {}", bits, low, high);
  const double least = node.truth("narrow_range") ? 1 : 0, most = std::ldexp(1.0, static_cast<int>(bits)) - 1;
  const auto scale = static_cast<float>((high - low) / (most - least));
  const double zero = std::round(std::clamp(least - low / scale, least, most));
  const auto from = static_cast<float>((least - zero) * scale),
             to = static_cast<float>((most - zero) * scale);
  const ValueId inside = node.emit(Clamp(from, to), {node.input(0)});
  const auto number = [&](double value) { return node.add_scalar(DType::f32, value); };
  const ValueId steps = node.emit(Mul{}, {node.emit(Sub{}, {inside, number(from)}), number(1.0f / scale)});
  const ValueId whole = node.emit(Floor{}, {node.emit(Add{}, {steps, number(0.5)})});
  node.emit_results(Add{}, {node.emit(Mul{}, {whole, number(scale)}), number(from)});
}

}  // namespace

void cast_rows(Rows& rows) {
  rows.read("QUANTIZE", since(1), read_quantize);
  rows.read("DEQUANTIZE", since(1), read_dequantize);
  rows.read("DENSIFY", since(1), read_densify);
  rows.read("CAST", since(1), read_cast);
  rows.read("BITCAST", since(1), read_bitcast);
  rows.read("FAKE_QUANT", since(1), read_fake_quant);
}

}  // namespace remodel::tflite
