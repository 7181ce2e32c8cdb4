// Object detection, and pictures in files.
#pragma once

#include "ir/op.h"

namespace remodel {

// (boxes [N, B, 4], scores [N, C, B], most?, overlap?, threshold?): the boxes that remain, by batch and
// class, as rows (batch, class, box) of i64, highest score first; of equal scores the lower index. A box
// remains where its score is above the threshold and its intersection over union with every remaining box of
// its class is not above `overlap`; at most `most` a class. The last three are attributes or operands.
// Corners come in any order.
struct NonMaxSuppression {
  static constexpr const char* name = "non_max_suppression";
  enum class Boxes : uint8_t { corners, center };  // y x y x, or centre x, centre y, width, height
  Boxes boxes = Boxes::corners;
  Dim most = 0;
  double overlap = 0;
  bool has_threshold = false;  // without one every score will do
  double threshold = 0;
  void describe(Fields& v) {
    v.choice("boxes", boxes, {"corners", "center"});
    v("most", most);
    v("overlap", overlap);
    v("has_threshold", has_threshold);
    v("threshold", threshold);
  }
  void infer(Infer& in) const;
};

// (encodings [1, boxes, 4 or more], scores [1, boxes, classes or one more before them], anchors [boxes, 4])
// -> (corners y x y x [1, n, 4], classes [1, n], scores [1, n], number of detections [1]), all f32; n is
// max_detections times classes_per_box. Encodings and anchors are y x h w around the centre. A box takes part
// where a score is at least the threshold, and is dropped where it overlaps a better one by more than
// `overlap`. Fast: by each box's best score, with its best classes. `regular`: class by class, at most
// `per_class` of each, the best of all remain. What no detection fills is 0.
struct DetectionPostprocess {
  static constexpr const char* name = "detection_postprocess";
  int64_t max_detections = 1, classes = 1, classes_per_box = 1, per_class = 100;
  double threshold = 0, overlap = 0.5;
  double y_scale = 1, x_scale = 1, h_scale = 1, w_scale = 1;
  bool regular = false;
  void describe(Fields& v) {
    v("max_detections", max_detections);
    v("classes", classes);
    v("classes_per_box", classes_per_box);
    v("per_class", per_class);
    v("threshold", threshold);
    v("overlap", overlap);
    v("y_scale", y_scale);
    v("x_scale", x_scale);
    v("h_scale", h_scale);
    v("w_scale", w_scale);
    v("regular", regular);
  }
  void infer(Infer& in) const;
};

// (bytes of a picture's file, u8[n]): its pixels, u8[height, width, channels]. No pixels where it cannot be
// decoded.
struct ImageDecode {
  static constexpr const char* name = "image_decode";
  enum class Pixels : uint8_t { rgb, bgr, gray } pixels = Pixels::rgb;
  void describe(Fields& v) { v.choice("pixels", pixels, {"rgb", "bgr", "gray"}); }
  void infer(Infer& in) const;
};

}  // namespace remodel
