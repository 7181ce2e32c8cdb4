// Custom operators that are known. Their options are maps, or a structure's bytes.
#include <algorithm>
#include <set>

#include "formats/tflite/rows.h"
#include "ops/control.h"
#include "ops/detection.h"
#include "wire/flexbuffer.h"

namespace remodel::tflite {
namespace {

constexpr std::string_view detection_postprocess = "TFLite_Detection_PostProcess";

class CustomOptions {
 public:
  explicit CustomOptions(ReadNode& node) : entries_(parse_flex_map(node.proto().custom_options.view())) {}

  const FlexEntry* find(std::string_view key) {
    understood_.insert(std::string(key));
    const auto place =
        std::find_if(entries_.begin(), entries_.end(), [&](const FlexEntry& one) { return one.key == key; });
    return place == entries_.end() ? nullptr : &*place;
  }
  double number(std::string_view key) {
    const FlexEntry* entry = find(key);
    if (!entry) fail("option '{}' is missing", key);
    return entry->number();
  }
  double number(std::string_view key, double otherwise) {
    const FlexEntry* entry = find(key);
    return entry ? entry->number() : otherwise;
  }
  void check_known() const {
    for (const FlexEntry& entry : entries_)
      if (!understood_.count(entry.key)) fail("option '{}' is not understood", entry.key);
  }

 private:
  std::vector<FlexEntry> entries_;
  std::set<std::string> understood_;
};

void read_detection_postprocess(ReadNode& node) {
  CustomOptions options(node);
  DetectionPostprocess op;
  const auto count = [&](double value) {
    if (!(value >= 0 && value <= 1 << 24)) fail("there are {} of something", value);
    return static_cast<int64_t>(value);
  };
  op.max_detections = count(options.number("max_detections"));
  op.classes = count(options.number("num_classes"));
  op.classes_per_box = count(options.number("max_classes_per_detection"));
  op.per_class = count(options.number("detections_per_class", 100));
  op.threshold = options.number("nms_score_threshold");
  op.overlap = options.number("nms_iou_threshold");
  op.y_scale = options.number("y_scale"), op.x_scale = options.number("x_scale");
  op.h_scale = options.number("h_scale"), op.w_scale = options.number("w_scale");
  op.regular = options.number("use_regular_nms", 0) != 0;
  // Notes of a converter.
  options.find("_output_quantized"), options.find("_support_output_type_float_in_quantized_op");
  options.check_known();
  node.emit_results(op, {node.input(0), node.input(1), node.input(2)});
}

void write_detection_postprocess(WriteNode& node) {
  const auto& op = node.op<DetectionPostprocess>();
  const std::vector<FlexEntry> options{
      FlexEntry::of("max_detections", op.max_detections),
      FlexEntry::of("max_classes_per_detection", op.classes_per_box),
      FlexEntry::of("detections_per_class", op.per_class),
      FlexEntry::of("num_classes", op.classes),
      FlexEntry::of("nms_score_threshold", op.threshold),
      FlexEntry::of("nms_iou_threshold", op.overlap),
      FlexEntry::of("y_scale", op.y_scale),
      FlexEntry::of("x_scale", op.x_scale),
      FlexEntry::of("h_scale", op.h_scale),
      FlexEntry::of("w_scale", op.w_scale),
      FlexEntry::of("use_regular_nms", op.regular),
  };
  Operator made;
  made.type = detection_postprocess;
  made.custom = true;
  made.inputs = node.ins();
  made.outputs = node.outs();
  made.custom_options = Bytes::own(write_flex_map(options));
  node.emit_custom(std::move(made));
}

std::string needs(const WriteNode& node, std::string_view operator_name) {
  if (node.target().custom.allow(operator_name)) return "";
  return fmt::format("{} is a custom operator, which '--tflite-ops' does not allow", operator_name);
}

std::string cannot_write_detection_postprocess(const WriteNode& node) {
  return needs(node, detection_postprocess);
}

void write_foreign(WriteNode& node) {
  Operator made = *static_cast<const Operator*>(node.op<Foreign>().raw.get());
  const size_t inputs = made.inputs.size(), outputs = made.outputs.size();
  made.inputs = node.ins();
  made.inputs.resize(inputs, -1);
  made.outputs.clear();
  for (size_t k = 0; k < outputs; ++k) made.outputs.push_back(node.out(k));
  node.emit_custom(std::move(made));
}

std::string cannot_write_foreign(const WriteNode& node) {
  const auto& op = node.op<Foreign>();
  if (op.format != "tflite" || !op.raw) return fmt::format("{} is an operator of {}", op.type, op.format);
  if (!static_cast<const Operator*>(op.raw.get())->intermediates.empty())
    return "it has tensors of its own, which cannot be kept";
  return needs(node, op.type);
}

}  // namespace

void custom_rows(Rows& rows) {
  rows.write<DetectionPostprocess>(since(1), write_detection_postprocess, cannot_write_detection_postprocess);
  rows.write<Foreign>(since(1), write_foreign, cannot_write_foreign);
  rows.read("custom:TFLite_Detection_PostProcess", since(1), read_detection_postprocess);
  rows.refuse("custom:edgetpu-custom-op", since(1),
              "it is compiled for the Edge TPU; give the file that it was compiled from");
}

}  // namespace remodel::tflite
