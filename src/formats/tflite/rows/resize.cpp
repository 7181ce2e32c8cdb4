#include "ops/resize.h"

#include "formats/tflite/rows.h"

namespace remodel::tflite {
namespace {

Resize read_resize(ReadNode& node, ResizeMode mode) {
  Resize op;
  op.mode = mode;
  op.axes = {1, 2};
  const bool corners = node.truth("align_corners"), half = node.truth("half_pixel_centers");
  op.coordinates = corners ? Coordinates::align_corners
                   : half  ? Coordinates::half_pixel
                           : Coordinates::asymmetric;
  return op;
}

void emit_resize(ReadNode& node, Resize op) {
  if (const auto sizes = node.sizes(1)) {
    op.sizes = *sizes;
    return node.emit_results(op, {node.input(0)});
  }
  node.emit_results(op, {node.input(0), node.input(1)});
}

void read_bilinear(ReadNode& node) { emit_resize(node, read_resize(node, ResizeMode::linear)); }

void read_nearest(ReadNode& node) {
  Resize op = read_resize(node, ResizeMode::nearest);
  op.nearest = NearestRounding::floor;
  if (op.coordinates == Coordinates::align_corners) op.nearest = NearestRounding::half_up;
  if (op.coordinates == Coordinates::half_pixel) op.coordinates = Coordinates::half_pixel_unshifted;
  emit_resize(node, op);
}

}  // namespace

void resize_rows(Rows& rows) {
  rows.read("RESIZE_BILINEAR", since(1), read_bilinear);
  rows.read("RESIZE_NEAREST_NEIGHBOR", since(1), read_nearest);
}

}  // namespace remodel::tflite
