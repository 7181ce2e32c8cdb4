#include "ops/detection.h"

#include <cmath>
#include <limits>

#include "ops/gather.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/sort.h"
#include "ops/unary.h"
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

// A row of each list for each detection; zeros for those that were not found.
Term padded(Term rows, const Dim& count, int64_t wide) {
  const Dims dims = dims_of(rows);
  Pad pad;
  pad.low.assign(dims.size(), 0), pad.high.assign(dims.size(), 0);
  pad.high[0] = max(count - dims[0], Dim(0));
  if (dims.size() > 1) pad.high[1] = Dim(wide) - dims[1];
  return apply(pad, {rows});
}

void decompose_detection_postprocess(Decompose& d) {
  const auto& op = d.op<DetectionPostprocess>();
  const Dims encoded = d.dims(0), scored = d.dims(1);
  const Dim count = encoded[1];
  if (!scored[2].is_number()) fail("the number of scores of a box is not known");
  Term codes = squeeze({&d, d.in(0)}, {0}), anchors{&d, d.in(2)};
  const auto code = [&](int64_t i) { return at_index(codes, 1, i); };
  const auto anchor = [&](int64_t i) { return at_index(anchors, 1, i); };
  Term y = code(0) / op.y_scale * anchor(2) + anchor(0), x = code(1) / op.x_scale * anchor(3) + anchor(1);
  Term h = 0.5 * apply(Exp{}, {code(2) / op.h_scale}) * anchor(2),
       w = 0.5 * apply(Exp{}, {code(3) / op.w_scale}) * anchor(3);
  Term corners =
      concat({unsqueeze(y - h, {1}), unsqueeze(x - w, {1}), unsqueeze(y + h, {1}), unsqueeze(x + w, {1})}, 1);
  Term scores =
      part(squeeze({&d, d.in(1)}, {0}), 1, scored[2] - Dim(op.classes), op.classes);  // [boxes, classes]
  NonMaxSuppression selection;
  selection.overlap = op.overlap;
  selection.has_threshold = true;
  // A score that is the threshold will do here, but not there.
  selection.threshold =
      std::nextafter(static_cast<float>(op.threshold), -std::numeric_limits<float>::infinity());
  const int64_t most = op.max_detections, places = most * op.classes_per_box;
  Term boxes, kinds, values, found;
  if (op.regular) {
    selection.most = std::min(op.per_class, most);
    Term by_class = transpose(scores, {1, 0});
    Term rows = apply(selection, {unsqueeze(corners, {0}), unsqueeze(by_class, {0})});
    Term kind = at_index(rows, 1, 1), box = at_index(rows, 1, 2);
    Term value = gather(reshape(by_class, {Dim(op.classes) * count}), kind * size_term(d, count) + box, 0);
    TopK best;
    best.axis = 0;
    best.k = min(Dim(most), dims_of(value)[0]);
    const std::vector<ValueId> sorted = d.emit(best, {value.id}, 2);
    Term order{&d, sorted[1]};
    values = {&d, sorted[0]};
    kinds = cast(gather(kind, order, 0), DType::f32);
    boxes = gather(corners, gather(box, order, 0), 0);
    found = values;
  } else {
    selection.most = most;
    Term highest = reduce(Reduce::Kind::max, scores, {1});
    Term rows = apply(selection, {unsqueeze(corners, {0}), unsqueeze(highest, {0, 1})});
    Term box = at_index(rows, 1, 2);
    TopK best;
    best.axis = 1;
    best.k = std::min(op.classes_per_box, op.classes);
    const std::vector<ValueId> sorted = d.emit(best, {gather(scores, box, 0).id}, 2);
    values = padded({&d, sorted[0]}, most, op.classes_per_box);
    kinds = padded(cast({&d, sorted[1]}, DType::f32), most, op.classes_per_box);
    const Dims repeated{dims_of(box)[0], best.k, Dim(4)};
    boxes = padded(expand(unsqueeze(gather(corners, box, 0), {1}), repeated), most, op.classes_per_box);
    values = reshape(values, {places}), kinds = reshape(kinds, {places}), boxes = reshape(boxes, {places, 4});
    found = box;
  }
  d.result(0, reshape(padded(boxes, places, 4), {1, places, 4}).id);
  d.result(1, reshape(padded(kinds, places, 0), {1, places}).id);
  d.result(2, reshape(padded(values, places, 0), {1, places}).id);
  d.result(3, reshape(size_term(d, dims_of(found)[0], DType::f32), {1}).id);
}

}  // namespace

void detection_decompositions(Decompositions& table) {
  table.add<NonMaxSuppression>(decompose_non_max_suppression);
  table.add<DetectionPostprocess>(decompose_detection_postprocess);
}

}  // namespace remodel
