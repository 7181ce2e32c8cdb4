// Pooling: what a window over the spatial axes sees, made one element.
#pragma once

#include "ops/spatial.h"

namespace remodel {

// (x): the largest element of each window; NaN where there is one. Padding counts for nothing.
struct MaxPool : Pooling {
  static constexpr const char* name = "max_pool";
  void describe(Fields& v) { describe_pooling(v); }
  void infer(Infer& in) const;
};

// (x) -> (y, index i64): max_pool, and where each element stood. Of equal ones it is the first, row by row;
// the first NaN comes before all others.
enum class IndexSpan : uint8_t {
  plane,   // counts inside one channel's spatial sizes
  tensor,  // counts over all of x, as it is laid out
};
struct MaxPoolIndex : Pooling {
  static constexpr const char* name = "max_pool_index";
  IndexSpan span = IndexSpan::plane;
  bool column_major = false;  // the first spatial axis is the one that counts in ones
  void describe(Fields& v) {
    describe_pooling(v);
    v.choice("span", span, {"plane", "tensor"});
    v("column_major", column_major);
  }
  void infer(Infer& in) const;
};

// (x, index, shape?): zeros of a shape with x's elements at indices, which count over the whole result.
struct MaxUnpool {
  static constexpr const char* name = "max_unpool";
  Dims shape;
  void describe(Fields& v) { v("shape", shape); }
  void infer(Infer& in) const;
};

// (x): the sum of each window over a divisor.
enum class Divisor : uint8_t {
  inside,  // the elements of the window that lie inside x
  padded,  // those that lie inside x and its pads
  window,  // all elements of the window
};
struct AvgPool : Pooling {
  static constexpr const char* name = "avg_pool";
  Divisor divisor = Divisor::inside;
  void describe(Fields& v) {
    describe_pooling(v);
    v.choice("divisor", divisor, {"inside", "padded", "window"});
  }
  void infer(Infer& in) const;
};

// (x): the p-norm of each window.
struct LpPool : Pooling {
  static constexpr const char* name = "lp_pool";
  double p = 2;
  void describe(Fields& v) {
    describe_pooling(v);
    v("p", p);
  }
  void infer(Infer& in) const;
};

// (x [batch, channels, h, w], rois [n, 4] as x1 y1 x2 y2, batch index [n]) -> [n, channels, height, width].
// Each roi times the scale is cut into bins, and samples are read linearly between x's elements.
enum class RoiMode : uint8_t { average, max };
enum class RoiPlaces : uint8_t {
  centres,  // a roi's numbers are those of elements' centres
  corners,  // of their first corners; a roi is at least 1 x 1
};
struct RoiAlign {
  static constexpr const char* name = "roi_align";
  int64_t height = 1, width = 1;
  int64_t samples = 0;  // a bin along each axis; 0: as many as elements, rounded up
  double scale = 1;
  RoiPlaces places = RoiPlaces::centres;
  RoiMode mode = RoiMode::average;  // max is that of the weighted neighbours
  void describe(Fields& v) {
    v("height", height);
    v("width", width);
    v("samples", samples);
    v("scale", scale);
    v.choice("places", places, {"centres", "corners"});
    v.choice("mode", mode, {"average", "max"});
  }
  void infer(Infer& in) const;
};

// (x [batch, channels, h, w], rois [n, 5] as batch x1 y1 x2 y2) -> [n, channels, height, width]: the largest
// element of each bin; coordinates are rounded to elements, ends included.
struct RoiPool {
  static constexpr const char* name = "roi_pool";
  int64_t height = 1, width = 1;
  double scale = 1;
  void describe(Fields& v) {
    v("height", height);
    v("width", width);
    v("scale", scale);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
