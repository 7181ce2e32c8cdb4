#include "ops/detection.h"

#include "formats/onnx/rows.h"

namespace remodel::onnx {
namespace {

std::optional<double> known_number(ReadNode& node, size_t i) {
  ConstantPtr constant = node.constant(i);
  if (!constant || constant->count() != 1 || !is_float(constant->dtype())) return std::nullopt;
  return constant->tensor().doubles()[0];
}

void read_non_max_suppression(ReadNode& node) {
  NonMaxSuppression op;
  int64_t center = node.integer("center_point_box", 0);
  if (center != 0 && center != 1) fail("attribute 'center_point_box' is {}", center);
  op.boxes = center ? NonMaxSuppression::Boxes::center : NonMaxSuppression::Boxes::corners;
  std::vector<ValueId> operands{node.input(0), node.input(1), absent, absent, absent};
  if (node.has_input(2)) {
    auto most = node.sizes(2);
    if (most && most->size() == 1)
      op.most = (*most)[0];
    else
      operands[2] = node.input(2);
  }
  if (node.has_input(3)) {
    if (auto overlap = known_number(node, 3))
      op.overlap = *overlap;
    else
      operands[3] = node.input(3);
  }
  if (node.has_input(4)) {
    if (auto threshold = known_number(node, 4))
      op.has_threshold = true, op.threshold = *threshold;
    else
      operands[4] = node.input(4);
  }
  node.emit_results(op, operands);
}

void write_non_max_suppression(WriteNode& node) {
  const auto& op = node.op<NonMaxSuppression>();
  std::vector<std::string> inputs{node.in(0), node.in(1),
                                  node.has(2) ? node.in(2) : node.scalar_size(op.most),
                                  node.has(3) ? node.in(3) : node.scalar(DType::f32, op.overlap)};
  if (node.has(4))
    inputs.push_back(node.in(4));
  else if (op.has_threshold)
    inputs.push_back(node.scalar(DType::f32, op.threshold));
  Attributes attributes;
  if (op.boxes == NonMaxSuppression::Boxes::center)
    attributes.push_back(Attribute::of("center_point_box", int64_t{1}));
  node.emit_to(node.outs(), "NonMaxSuppression", inputs, attributes);
}

}  // namespace

void detection_rows(Rows& rows) {
  rows.read("NonMaxSuppression", since(10), read_non_max_suppression);
  rows.write<NonMaxSuppression>(since(10), write_non_max_suppression);
  using Pixels = ImageDecode::Pixels;
  rows.row<ImageDecode>(
      "ImageDecoder", since(20),
      {choice("pixel_format", &ImageDecode::pixels,
              {{"RGB", int(Pixels::rgb)}, {"BGR", int(Pixels::bgr)}, {"Grayscale", int(Pixels::gray)}},
              "RGB")});
}

}  // namespace remodel::onnx
