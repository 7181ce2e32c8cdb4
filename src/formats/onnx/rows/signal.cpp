#include "ops/signal.h"
#include "ops/shape.h"

#include "formats/onnx/rows.h"

namespace remodel::onnx {
namespace {

// The input's one number into the field; gives the operand where it is only known when the model runs.
ValueId size_or_operand(ReadNode& node, size_t i, Dim& field) {
  if (!node.has_input(i)) return absent;
  auto sizes = node.sizes(i);
  if (!sizes) return node.input(i);
  if (sizes->size() != 1) fail("input {} should have one element", i);
  field = (*sizes)[0];
  return absent;
}

std::string scalar_size(WriteNode& node, const Dim& size) {
  if (size.is_number()) return node.scalar(DType::i64, static_cast<double>(size.number()));
  return node.emit("Reshape", {node.sizes({size}), node.integers({})});
}

void read_dft(ReadNode& node) {
  Dft op;
  op.inverse = node.integer("inverse", 0) != 0;
  op.onesided = node.integer("onesided", 0) != 0;
  ValueId axis = absent, length = absent;
  if (node.version() < 20) {
    op.axis = node.integer("axis", 1);
  } else if (node.has_input(2)) {
    auto known = node.known_integers(2);
    if (known && known->size() != 1) fail("the axis should have one element");
    if (known)
      op.axis = (*known)[0];
    else
      axis = node.input(2);
  }
  if (node.has_input(1)) {
    auto known = node.sizes(1);
    if (known)
      op.length = *known;
    else
      length = node.input(1);
  }
  node.emit_results(op, {node.input(0), length, axis});
}

void write_dft(WriteNode& node) {
  const auto& op = node.op<Dft>();
  Attributes attributes;
  if (op.inverse) attributes.push_back(Attribute::of("inverse", int64_t{1}));
  if (op.onesided) attributes.push_back(Attribute::of("onesided", int64_t{1}));
  std::vector<std::string> inputs{node.in(0), ""};
  if (node.has(1)) inputs[1] = node.in(1);
  if (!op.length.empty()) inputs[1] = scalar_size(node, op.length[0]);
  if (node.has(2))
    inputs.push_back(node.in(2));
  else if (node.opset() < 20)
    attributes.push_back(Attribute::of("axis", op.axis));
  else if (op.axis != -2)
    inputs.push_back(node.scalar(DType::i64, static_cast<double>(op.axis)));
  while (inputs.back().empty()) inputs.pop_back();
  node.emit_to(node.outs(), "DFT", inputs, attributes);
}

void read_stft(ReadNode& node) {
  Stft op;
  op.onesided = node.integer("onesided", 1) != 0;
  ValueId step = size_or_operand(node, 1, op.step), length = size_or_operand(node, 3, op.length);
  if (!node.has_input(3)) {
    if (!node.has_input(2) || !node.type(2).has_rank(1))
      fail_untyped("the length of the frames is not known");
    op.length = (*node.type(2).dims)[0];
  }
  ValueId signal = node.input(0);
  if (node.type(0).has_rank(2))
    signal = node.emit(Unsqueeze{{2}}, {signal});  // as PyTorch writes real samples
  node.emit_results(op, {signal, node.input_or_absent(2), step, length});
}

void write_stft(WriteNode& node) {
  const auto& op = node.op<Stft>();
  Attributes attributes;
  attributes.push_back(Attribute::of("onesided", int64_t{op.onesided}));  // else onnx.checker takes 0
  std::string step = node.has(2) ? node.in(2) : scalar_size(node, op.step);
  std::string length = node.has(3) ? node.in(3) : scalar_size(node, op.length);
  node.emit_to(node.outs(), "STFT", {node.in(0), step, node.in(1), length}, attributes);
}

template <Window::Kind kind>
void read_window(ReadNode& node) {
  Window op;
  op.kind = kind;
  op.periodic = node.integer("periodic", 1) != 0;
  op.dtype = dtype_of_code(node.integer("output_datatype", 1));
  ValueId size = size_or_operand(node, 0, op.size);
  node.emit_results(op, size == absent ? std::vector<ValueId>{} : std::vector<ValueId>{size});
}

void write_window(WriteNode& node) {
  const auto& op = node.op<Window>();
  const char* types[] = {"HannWindow", "HammingWindow", "BlackmanWindow"};
  Attributes attributes;
  if (!op.periodic) attributes.push_back(Attribute::of("periodic", int64_t{0}));
  if (op.dtype != DType::f32) attributes.push_back(Attribute::of("output_datatype", code_of_dtype(op.dtype)));
  std::string size = node.has(0) ? node.in(0) : scalar_size(node, op.size);
  node.emit_to(node.outs(), types[static_cast<int>(op.kind)], {size}, attributes);
}

}  // namespace

void signal_rows(Rows& rows) {
  rows.read("DFT", since(17), read_dft);
  rows.write<Dft>(since(17), write_dft, [](const WriteNode& node) -> std::string {
    const auto& op = node.op<Dft>();
    if (op.inverse && op.onesided) return "its result is real";
    return node.has(2) && node.opset() < 20 ? "its axis is only known when the model runs" : "";
  });
  rows.read("STFT", since(17), read_stft);
  rows.write<Stft>(since(17), write_stft);
  rows.read("HannWindow", since(17), read_window<Window::Kind::hann>);
  rows.read("HammingWindow", since(17), read_window<Window::Kind::hamming>);
  rows.read("BlackmanWindow", since(17), read_window<Window::Kind::blackman>);
  rows.write<Window>(since(17), write_window);
  rows.row<MelWeights>("MelWeightMatrix", since(17),
                       {attr("output_datatype", &MelWeights::dtype, DType::f32)});
}

}  // namespace remodel::onnx
