// Custom operators that are known. Their options are maps, or a structure's bytes.
#include <algorithm>
#include <set>

#include "formats/tflite/rows.h"
#include "ops/detection.h"
#include "wire/flexbuffer.h"

namespace remodel::tflite {
namespace {

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

}  // namespace

void custom_rows(Rows& rows) {
  rows.read("custom:TFLite_Detection_PostProcess", since(1), read_detection_postprocess);
  rows.refuse("custom:edgetpu-custom-op", since(1),
              "it is compiled for the Edge TPU; give the file that it was compiled from");
}

}  // namespace remodel::tflite
