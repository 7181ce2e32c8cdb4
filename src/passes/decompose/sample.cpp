#include "passes/decompose/sample.h"

namespace remodel {
namespace {

// The cubic filter up to a distance of 1, and from there to 2.
Term cubic_near(Term x, double a) { return (((a + 2) * x - (a + 3)) * x) * x + 1; }
Term cubic_far(Term x, double a) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; }

}  // namespace

Term filter_at(Term distance, ResizeMode mode, double cubic_a) {
  if (mode == ResizeMode::linear) return max(1 - distance, 0);
  Term far = select(distance < 2, cubic_far(distance, cubic_a), number(*distance.at, distance.dtype(), 0));
  return select(distance > 1, far, cubic_near(distance, cubic_a));
}

std::vector<Tap> taps_around(Term places, ResizeMode mode, double cubic_a) {
  Term low = floor(places), rest = places - low;
  if (mode == ResizeMode::linear) return {{low, 1 - rest}, {low + 1, rest}};
  return {{low - 1, cubic_far(rest + 1, cubic_a)},
          {low, cubic_near(rest, cubic_a)},
          {low + 1, cubic_near(1 - rest, cubic_a)},
          {low + 2, cubic_far(2 - rest, cubic_a)}};
}

Tap zero_outside(const Tap& tap, Term size) {
  Term outside = tap.place < 0 || tap.place > size - 1;
  return {min(max(tap.place, 0), size - 1), select(outside, number(*size.at, size.dtype(), 0), tap.weight)};
}

Term sampled_rows(Term rows, Term first, const std::vector<std::vector<Tap>>& taps, const Dims& sizes,
                  bool largest) {
  struct Part {
    Term row, weight;
  };
  std::vector<Part> parts{{first, {}}};
  for (size_t axis = 0; axis < taps.size(); ++axis) {
    const Dim inner = product(Dims(sizes.begin() + static_cast<std::ptrdiff_t>(axis) + 1, sizes.end()));
    std::vector<Part> next;
    for (const Part& part : parts)
      for (const Tap& tap : taps[axis]) {
        Term index = cast(tap.place, DType::i64);
        if (!inner.is_number(1)) index = index * size_term(*rows.at, inner);
        next.push_back({part.row + index, part.weight.at ? part.weight * tap.weight : tap.weight});
      }
    parts = next;
  }
  Term sum;
  for (const Part& part : parts) {
    Term term = gather(rows, part.row, 0) * unsqueeze(part.weight, {2});
    sum = !sum.at ? term : largest ? max(sum, term) : sum + term;
  }
  return sum;
}

}  // namespace remodel
