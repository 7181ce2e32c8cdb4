#include "ops/detection.h"

#include <limits>

#include "ops/gather.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "passes/decompose/bodies.h"

namespace remodel {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Corners {
  Term low_y, low_x, high_y, high_x, area;
};

Corners corners_of(const NonMaxSuppression& op, Term boxes, int64_t axis) {
  Term a = at_index(boxes, axis, 0), b = at_index(boxes, axis, 1), c = at_index(boxes, axis, 2),
       d = at_index(boxes, axis, 3);
  Corners box;
  if (op.boxes == NonMaxSuppression::Boxes::center)
    box = {b - d / 2, a - c / 2, b + d / 2, a + c / 2, {}};
  else
    box = {min(a, c), min(b, d), max(a, c), max(b, d), {}};
  box.area = (box.high_y - box.low_y) * (box.high_x - box.low_x);
  return box;
}

// Step by step the best of the boxes that are left, of all batches and classes at once. What is taken, or
// overlaps it, has the lowest score from then on.
void decompose_non_max_suppression(Decompose& d) {
  const auto& op = d.op<NonMaxSuppression>();
  const Dims dims = d.dims(1);
  const Dim batches = dims[0], classes = dims[1], count = dims[2], lists = batches * classes;
  auto given = [&](size_t i, double otherwise, DType dtype) {
    return d.has(i) ? cast(reshape({&d, d.in(i)}, {}), dtype) : number(d, dtype, otherwise);
  };
  Term most = d.has(2) ? given(2, 0, DType::i64) : size_term(d, op.most);
  Term overlap = given(3, op.overlap, DType::f32);
  Term scores = reshape(cast({&d, d.in(1)}, DType::f32), {lists, count});
  Term nothing = number(d, DType::f32, -infinity);
  if (d.has(4) || op.has_threshold)
    scores = select(scores > given(4, op.threshold, DType::f32), scores, nothing);
  // Every class has boxes of its own.
  Term boxes = unsqueeze(cast({&d, d.in(0)}, DType::f32), {1});
  boxes = reshape(expand(boxes, {batches, classes, count, Dim(4)}), {lists, count, Dim(4)});
  Term rows = reshape(boxes, {lists * count, Dim(4)});
  Term first = counting(d, lists) * size_term(d, count), places = counting(d, count);
  Term limit = size_term(d, count);
  limit = select(most < limit, most, limit);
  limit = select(limit < 0, number(d, DType::i64, 0), limit);

  auto step = [&](Emitter& inside, const std::vector<Term>& at) {
    // (step, scores, boxes, rows, first, places, overlap)
    Term left = at[1];
    ArgMax best;
    best.axis = 1, best.keep = false;
    Term chosen = apply(best, {left});
    Term found = reduce(Reduce::Kind::max, left, {1}) > -infinity;
    Corners one = corners_of(op, unsqueeze(gather(at[3], at[4] + chosen, 0), {1}), 2);
    Corners all = corners_of(op, at[2], 2);
    Term height = max(min(one.high_y, all.high_y) - max(one.low_y, all.low_y), 0);
    Term width = max(min(one.high_x, all.high_x) - max(one.low_x, all.low_x), 0);
    Term shared = height * width;
    Term over = shared > 0 && shared / (one.area + all.area - shared) > at[6];
    Term gone = over || unsqueeze(chosen, {1}) == at[5];
    return std::vector<Term>{select(gone, number(inside, DType::f32, -infinity), left), chosen, found};
  };
  auto results = repeat(limit, {scores}, {boxes, rows, first, places, overlap}, step);
  // Lists first, then steps.
  Term chosen = transpose(results[1], {1, 0}), found = transpose(results[2], {1, 0});
  Term at = apply(NonZero{}, {cast(found, DType::i32)});  // [2, rows]
  Term list = at_index(at, 0, 0), trip = at_index(at, 0, 1);
  Term flat = apply(Reshape{}, {chosen, Term{&d, d.integers({-1})}});
  Term box = gather(flat, list * limit + trip, 0);
  Term class_count = size_term(d, classes), batch = list / class_count;
  d.result(
      0,
      concat({unsqueeze(batch, {1}), unsqueeze(list - batch * class_count, {1}), unsqueeze(box, {1})}, 1).id);
}

}  // namespace

void detection_decompositions(Decompositions& table) {
  table.add<NonMaxSuppression>(decompose_non_max_suppression);
}

}  // namespace remodel
