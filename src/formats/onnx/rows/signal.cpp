#include "ops/signal.h"

#include "formats/onnx/rows.h"

namespace remodel::onnx {
namespace {

Dim known_size(ReadNode& node, size_t i, const char* what) {
  auto sizes = node.sizes(i);
  if (!sizes || sizes->size() != 1) fail("{} (input {}) is only known when the model runs", what, i);
  return (*sizes)[0];
}

std::string scalar_size(WriteNode& node, const Dim& size) {
  if (size.is_number()) return node.scalar(DType::i64, static_cast<double>(size.number()));
  return node.emit("Reshape", {node.sizes({size}), node.integers({})});
}

void read_dft(ReadNode& node) {
  Dft op;
  op.inverse = node.integer("inverse", 0) != 0;
  op.onesided = node.integer("onesided", 0) != 0;
  if (node.version() < 20) {
    op.axis = node.integer("axis", 1);
  } else if (node.has_input(2)) {
    auto axis = node.known_integers(2);
    if (!axis || axis->size() != 1) fail("the axis is only known when the model runs");
    op.axis = (*axis)[0];
  }
  std::vector<ValueId> operands{node.input(0)};
  if (node.has_input(1)) {
    auto length = node.sizes(1);
    if (length)
      op.length = *length;
    else
      operands.push_back(node.input(1));
  }
  node.emit_results(op, operands);
}

void write_dft(WriteNode& node) {
  const auto& op = node.op<Dft>();
  Attributes attributes;
  if (op.inverse) attributes.push_back(Attribute::of("inverse", int64_t{1}));
  if (op.onesided) attributes.push_back(Attribute::of("onesided", int64_t{1}));
  std::vector<std::string> inputs{node.in(0), ""};
  if (node.has(1)) inputs[1] = node.in(1);
  if (!op.length.empty()) inputs[1] = scalar_size(node, op.length[0]);
  if (node.opset() < 20)
    attributes.push_back(Attribute::of("axis", op.axis));
  else if (op.axis != -2)
    inputs.push_back(node.scalar(DType::i64, static_cast<double>(op.axis)));
  while (inputs.back().empty()) inputs.pop_back();
  node.emit_to(node.outs(), "DFT", inputs, attributes);
}

void read_stft(ReadNode& node) {
  Stft op;
  op.onesided = node.integer("onesided", 1) != 0;
  op.step = known_size(node, 1, "the step");
  if (node.has_input(3))
    op.length = known_size(node, 3, "the length of the frames");
  else if (node.has_input(2) && node.type(2).dims)
    op.length = (*node.type(2).dims).at(0);
  else
    fail("the length of the frames is not known");
  node.emit_results(op, {node.input(0), node.input_or_absent(2)});
}

void write_stft(WriteNode& node) {
  const auto& op = node.op<Stft>();
  Attributes attributes;
  if (!op.onesided) attributes.push_back(Attribute::of("onesided", int64_t{0}));
  node.emit_to(node.outs(), "STFT",
               {node.in(0), scalar_size(node, op.step), node.in(1), scalar_size(node, op.length)},
               attributes);
}

template <Window::Kind kind>
void read_window(ReadNode& node) {
  Window op;
  op.kind = kind;
  op.periodic = node.integer("periodic", 1) != 0;
  op.dtype = dtype_of_code(node.integer("output_datatype", 1));
  auto size = node.sizes(0);
  if (size && size->size() != 1) fail("the size should have one element");
  if (size) op.size = (*size)[0];
  node.emit_results(op, size ? std::vector<ValueId>{} : std::vector<ValueId>{node.input(0)});
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
    return op.inverse && op.onesided ? "its result is real" : "";
  });
  rows.read("STFT", since(17), read_stft);
  rows.write<Stft>(since(17), write_stft);
  rows.read("HannWindow", since(17), read_window<Window::Kind::hann>);
  rows.read("HammingWindow", since(17), read_window<Window::Kind::hamming>);
  rows.read("BlackmanWindow", since(17), read_window<Window::Kind::blackman>);
  rows.write<Window>(since(17), write_window);
  rows.row<MelWeights>("MelWeightMatrix", since(17),
                       {attr("output_datatype", &MelWeights::dtype, int64_t{1})});
}

}  // namespace remodel::onnx
