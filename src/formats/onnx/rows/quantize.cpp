#include "ops/quantize.h"

#include "formats/onnx/rows.h"
#include "ops/matmul.h"
#include "ops/shape.h"

namespace remodel::onnx {
namespace {

// The axis matters only where there are several scales.
int64_t read_axis(ReadNode& node, int64_t block) {
  int64_t axis = node.integer("axis", 1);
  const Type &x = node.type(0), &scale = node.type(1);
  bool one = scale.dims && (scale.dims->empty() || (block == 0 && has_one_element(scale)));
  if (one || (x.dims && x.dims->size() <= 1)) return 0;
  return x.dims ? resolve_axis(axis, x.dims->size()) : axis;
}

void read_quantize(ReadNode& node) {
  Quantize op;
  op.block = node.integer("block_size", 0);
  op.axis = read_axis(node, op.block);
  op.saturate = node.integer("saturate", 1) != 0;
  if (int64_t code = node.integer("precision", 0)) op.precision = dtype_of_code(code);
  if (int64_t code = node.integer("output_dtype", 0)) op.to = dtype_of_code(code);
  if (node.has_input(2) && node.type(2).dtype != DType::unknown) op.to = node.type(2).dtype;
  node.emit_results(op, node.operands());
}

void read_dequantize(ReadNode& node) {
  Dequantize op;
  op.block = node.integer("block_size", 0);
  op.axis = read_axis(node, op.block);
  op.to = node.type(1).dtype;
  if (int64_t code = node.integer("output_dtype", 0)) op.to = dtype_of_code(code);
  node.emit_results(op, node.operands());
}

bool is_float8(DType dtype) {
  return dtype == DType::f8e4m3fn || dtype == DType::f8e4m3fnuz || dtype == DType::f8e5m2 ||
         dtype == DType::f8e5m2fnuz;
}

// The first opset whose (de)quantization knows codes of this type; 0 for none.
int64_t codes_since(DType dtype) {
  if (dtype == DType::u8 || dtype == DType::i8) return 10;
  if (is_float8(dtype)) return 19;
  if (dtype == DType::u16 || dtype == DType::i16 || dtype == DType::u4 || dtype == DType::i4) return 21;
  if (dtype == DType::f4e2m1) return 23;
  return 0;
}

std::string scales_problem(const WriteNode& node, int64_t block) {
  if (!node.type(1).dims) return "the number of scales is not known";
  if (block != 0 && node.opset() < 21) return "its scales go in blocks";
  if (!has_one_element(node.type(1)) && node.opset() < 13) return "it has several scales";
  if (node.dtype(1) == DType::f8e8m0 && node.opset() < 24) return "its scales are powers of two";
  return "";
}

std::string cannot_write_quantize(const WriteNode& node) {
  const auto& op = node.op<Quantize>();
  int64_t since = codes_since(op.to);
  if (since == 0 || node.opset() < since) return fmt::format("its result is {}", name_of(op.to));
  if (node.opset() < 23 && is_small_float(op.precision)) return "its quotient is rounded";
  if (op.half_away && is_integer(op.to)) return "halves are rounded to even";
  if (!node.has(2) && op.to != DType::u8 && node.opset() < 21 && !numbers(*node.type(1).dims))
    return "the number of zero points is not known";
  return scales_problem(node, op.block);
}

std::string cannot_write_dequantize(const WriteNode& node) {
  DType from = node.dtype(0);
  int64_t since = from == DType::i32 ? 10 : codes_since(from);
  if (since == 0 || node.opset() < since) return fmt::format("its operand is {}", name_of(from));
  if (from == DType::i32 && node.has(2)) return "32-bit integers have no zero point";
  return scales_problem(node, node.op<Dequantize>().block);
}

// Scales or zero points; a single one stands as a scalar, or as a list of one where it is computed: runtimes
// cannot reshape all types.
std::string parameter(WriteNode& node, size_t i, int64_t block) {
  if (!node.has(i)) return "";
  const Type& type = node.type(i);
  if (block != 0 || !has_one_element(type) || type.dims->empty()) return node.in(i);
  if (const Constant* known = node.constant(i)) return node.constant(known->reshaped({}));
  if (type.dims->size() == 1) return node.in(i);
  return node.emit("Reshape", {node.in(i), node.constant(constant_ints({}))});
}

Attributes axis_attributes(const WriteNode& node, int64_t axis, int64_t block) {
  Attributes attributes;
  if ((block != 0 || !has_one_element(node.type(1))) && axis != 1)
    attributes.push_back(Attribute::of("axis", axis));
  if (block != 0) attributes.push_back(Attribute::of("block_size", block));
  return attributes;
}

void write_quantize(WriteNode& node) {
  const auto& op = node.op<Quantize>();
  Attributes attributes = axis_attributes(node, op.axis, op.block);
  if (!op.saturate) attributes.push_back(Attribute::of("saturate", int64_t{0}));
  if (op.precision != DType::unknown && node.opset() >= 23)
    attributes.push_back(Attribute::of("precision", code_of_dtype(op.precision)));
  std::string scale = parameter(node, 1, op.block), zero = parameter(node, 2, op.block);
  // Before opset 23 x and the scale have one type, and ONNX Runtime's fusions rely on it later, too.
  DType type = node.dtype(0), scale_type = node.dtype(1);
  if (scale_type != type && type != DType::i32) scale = node.cast(scale, type);
  if (zero.empty() && op.to != DType::u8) {
    if (node.opset() >= 21)
      attributes.push_back(Attribute::of("output_dtype", code_of_dtype(op.to)));
    else
      zero = node.constant(
          constant_splat(op.to, has_one_element(node.type(1)) ? Shape{} : *numbers(*node.type(1).dims), 0));
  }
  std::vector<std::string> inputs{node.in(0), scale};
  if (!zero.empty()) inputs.push_back(zero);
  node.emit_to(node.outs(), "QuantizeLinear", inputs, attributes);
}

void write_dequantize(WriteNode& node) {
  const auto& op = node.op<Dequantize>();
  Attributes attributes = axis_attributes(node, op.axis, op.block);
  std::string scale = parameter(node, 1, op.block), zero = parameter(node, 2, op.block);
  DType scale_type = node.dtype(1);
  // What the operator gives, which is the type of the scale, computed in f32.
  DType given = scale_type;
  if (scale_type == DType::f8e8m0) {
    attributes.push_back(Attribute::of("output_dtype", code_of_dtype(op.to)));
    given = op.to;
  } else if (is_small_float(scale_type) && op.to != scale_type) {
    scale = node.cast(scale, DType::f32);
    given = DType::f32;
  }
  std::vector<std::string> inputs{node.in(0), scale};
  if (!zero.empty()) inputs.push_back(zero);
  if (given == op.to) return node.emit_to(node.outs(), "DequantizeLinear", inputs, attributes);
  std::string wide = node.emit("DequantizeLinear", inputs, attributes);
  node.emit_to(node.outs(), "Cast", {wide}, {Attribute::of("to", code_of_dtype(op.to))});
}

void write_dynamic_quantize(WriteNode& node) {
  std::vector<std::string> outputs = node.outs();
  const char* names[] = {"quantized", "scale", "zero_point"};
  outputs.resize(3);
  for (size_t k = 0; k < 3; ++k)
    if (outputs[k].empty()) outputs[k] = node.fresh_name(names[k]);
  node.emit_to(outputs, "DynamicQuantizeLinear", {node.in(0)});
}

}  // namespace

void quantize_rows(Rows& rows) {
  for (const char* domain : {"", "com.microsoft:"}) {
    rows.read(std::string(domain) + "QuantizeLinear", since(1), read_quantize);
    rows.read(std::string(domain) + "DequantizeLinear", since(1), read_dequantize);
  }
  rows.write<Quantize>(since(10), write_quantize, cannot_write_quantize);
  rows.write<Dequantize>(since(10), write_dequantize, cannot_write_dequantize);
  rows.read("DynamicQuantizeLinear", since(11),
            [](ReadNode& node) { node.emit_results(DynamicQuantize{}, node.operands()); });
  rows.write<DynamicQuantize>(since(11), write_dynamic_quantize, [](const WriteNode& node) -> std::string {
    const auto& op = node.op<DynamicQuantize>();
    return op.rows || op.symmetric ? "its grid is u8, and one for the whole tensor" : "";
  });
}

}  // namespace remodel::onnx
