// How the rows of a convolution's points meet the kernel's taps. Only the convolution's own files need this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "run/conv_core.h"

namespace remodel {

// A shape without axes of size 1 but with at least one axis, and what follows from it.
struct ConvPlan : ConvShape {
  explicit ConvPlan(const ConvShape& shape);

  size_t rank;
  int64_t taps, in_points, out_points;
  int64_t group_in, group_out;
  // Elements between two channels, and between two points, of x and of y.
  int64_t in_channel_step, in_step, out_channel_step, out_step;
};

// Part of a row of points at one tap. A point p of the window's side in [begin, end) meets the point
// meet + (p - begin) * stride of the other side; those in [row_begin, begin) and [end, row_end) meet the
// padding.
struct ConvPiece {
  int64_t tap, row_begin, begin, end, row_end, meet;
};

// The pieces of the points [first, first + count), row by row, all taps for each. The window's side is y, and
// the other x; for a transposed convolution it is the other way round.
std::vector<ConvPiece> conv_pieces(const ConvPlan& plan, bool transposed, int64_t first, int64_t count);

// How many points to take at a time if each needs `elements` floats of scratch memory.
int64_t conv_tile_points(int64_t elements, int64_t points);

// Sets y to the bias, or to zero.
void conv_fill(const ConvPlan& plan, const float* bias, float* y, Pool& pool);

}  // namespace remodel
