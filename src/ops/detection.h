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

// (bytes of a picture's file, u8[n]): its pixels, u8[height, width, channels]. No pixels where it cannot be
// decoded.
struct ImageDecode {
  static constexpr const char* name = "image_decode";
  enum class Pixels : uint8_t { rgb, bgr, gray } pixels = Pixels::rgb;
  void describe(Fields& v) { v.choice("pixels", pixels, {"rgb", "bgr", "gray"}); }
  void infer(Infer& in) const;
};

}  // namespace remodel
