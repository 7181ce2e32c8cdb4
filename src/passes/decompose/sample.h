// Elements read between those of a tensor, for decompositions.
#pragma once

#include "ops/resize.h"
#include "passes/decompose/term.h"

namespace remodel {

// A neighbour of each place, a whole number that may lie outside, and what it counts for.
struct Tap {
  Term place, weight;
};

// The filter's value at a distance that is not negative.
Term filter_at(Term distance, ResizeMode mode, double cubic_a);

// The neighbours that linear or cubic interpolation takes.
std::vector<Tap> taps_around(Term places, ResizeMode mode, double cubic_a);

// The weighted sum of rows [all rows, channels], picked by taps for each axis of an image with these sizes.
// Taps lie inside and have one shape [batch, points]; `first` is the image's first row. Gives [batch, points,
// channels]. `largest`: the largest of what would be summed.
Term sampled_rows(Term rows, Term first, const std::vector<std::vector<Tap>>& taps, const Dims& sizes,
                  bool largest = false);

// Outside of 0 .. size - 1 a tap counts nothing; its place moves inside.
Tap zero_outside(const Tap& tap, Term size);

}  // namespace remodel
