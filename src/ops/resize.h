// Resampling.
#pragma once

#include "ir/op.h"

namespace remodel {

enum class ResizeMode : uint8_t { nearest, linear, cubic };

// Where element i of `out` lies among those of `in`; s is the scale.
enum class Coordinates : uint8_t {
  half_pixel,            // (i + 0.5) / s - 0.5
  half_pixel_symmetric,  // the same, moved so that what floor cut off the size is cut equally at both ends
  half_pixel_or_zero,    // the same as half_pixel, but 0 where out is 1 (PyTorch)
  half_pixel_unshifted,  // (i + 0.5) / s (TensorFlow's nearest neighbours)
  align_corners,         // i * (in - 1) / (out - 1), 0 where out is 1; out before it is rounded down
  asymmetric,            // i / s
  crop,  // evenly from start * (in - 1) to end * (in - 1) of the crop; their middle where out is 1
};

enum class NearestRounding : uint8_t { half_down, half_up, floor, ceil };

// What becomes of wished sizes.
enum class Aspect : uint8_t {
  stretch,      // they are the sizes
  not_larger,   // all axes are scaled by the smallest of wished / in
  not_smaller,  // ... by the largest; sizes are rounded, halves up
};

// (x, sizes?, scales?, crop?): x with other sizes along the axes. Either sizes are given and the scale is
// size / in, or scales are given and a size is floor(in * scale), in * (end - start) * scale of a crop,
// computed in f32; each as attribute or operand. Integers are computed in f32 and rounded to zero.
struct Resize {
  static constexpr const char* name = "resize";
  std::vector<int64_t> axes;
  Dims sizes;
  std::vector<double> scales;
  std::vector<double>
      crop;  // for coordinates `crop`: start of each axis, then end of each, 1 is the last element
  ResizeMode mode = ResizeMode::nearest;
  Coordinates coordinates = Coordinates::half_pixel;
  NearestRounding nearest = NearestRounding::half_down;
  Aspect aspect = Aspect::stretch;
  double cubic_a = -0.75;
  bool antialias = false;        // widen the filter where the scale is below 1
  bool exclude_outside = false;  // weights beyond the ends are dropped, the others scaled to sum 1
  double extrapolation = 0;      // for coordinates `crop`: what stands for places outside of x
  void describe(Fields& v) {
    v.axes("axes", axes);
    v("sizes", sizes);
    v("scales", scales);
    v("crop", crop);
    v.choice("mode", mode, {"nearest", "linear", "cubic"});
    v.choice("coordinates", coordinates,
             {"half_pixel", "half_pixel_symmetric", "half_pixel_or_zero", "half_pixel_unshifted",
              "align_corners", "asymmetric", "crop"});
    v.choice("nearest", nearest, {"half_down", "half_up", "floor", "ceil"});
    v.choice("aspect", aspect, {"stretch", "not_larger", "not_smaller"});
    v("cubic_a", cubic_a);
    v("antialias", antialias);
    v("exclude_outside", exclude_outside);
    v("extrapolation", extrapolation);
  }
  void infer(Infer& in) const;
};

// The sizes that wished ones become.
Dims resize_sizes(Aspect aspect, const Dims& in, const Dims& wished);
// in * span * scale in f32, and its floor.
double resize_length(int64_t in, double scale, double span = 1);
int64_t resize_scaled(int64_t in, double scale, double span = 1);

// (x [batch, channels, spatial...], grid [batch, out..., axes]) -> [batch, channels, out...]: x at the grid's
// places, whose last spatial axis stands first and which run from -1 to 1.
enum class GridPadding : uint8_t { zeros, border, reflection };
struct GridSample {
  static constexpr const char* name = "grid_sample";
  ResizeMode mode = ResizeMode::linear;  // nearest rounds halves to even
  GridPadding padding = GridPadding::zeros;
  bool align_corners = false;  // -1 and 1 are the centres of the outer elements, not their outer edges
  void describe(Fields& v) {
    v.choice("mode", mode, {"nearest", "linear", "cubic"});
    v.choice("padding", padding, {"zeros", "border", "reflection"});
    v("align_corners", align_corners);
  }
  void infer(Infer& in) const;
};

// (theta [batch, axes, axes + 1], size?) -> [batch, spatial..., axes]: theta times each place (x, y(, z), 1)
// of an image [batch, channels, spatial...], places as grid_sample has them.
struct AffineGrid {
  static constexpr const char* name = "affine_grid";
  Dims size;
  bool align_corners = false;
  void describe(Fields& v) {
    v("size", size);
    v("align_corners", align_corners);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
