#include "ops/detection.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "run/kernel.h"

namespace remodel {
namespace {

struct Box {
  float x_low, y_low, x_high, y_high;
  float area() const { return (x_high - x_low) * (y_high - y_low); }
};

Box box_at(const float* numbers, NonMaxSuppression::Boxes form) {
  if (form == NonMaxSuppression::Boxes::corners) {
    auto [y_low, y_high] = std::minmax(numbers[0], numbers[2]);
    auto [x_low, x_high] = std::minmax(numbers[1], numbers[3]);
    return {x_low, y_low, x_high, y_high};
  }
  float half_width = numbers[2] / 2, half_height = numbers[3] / 2;
  return {numbers[0] - half_width, numbers[1] - half_height, numbers[0] + half_width,
          numbers[1] + half_height};
}

// Boxes without area overlap nothing.
bool overlaps_more(const Box& a, const Box& b, float limit) {
  float width = std::min(a.x_high, b.x_high) - std::max(a.x_low, b.x_low);
  float height = std::min(a.y_high, b.y_high) - std::max(a.y_low, b.y_low);
  if (!(width > 0) || !(height > 0)) return false;
  float common = width * height, area_a = a.area(), area_b = b.area();
  if (!(area_a > 0) || !(area_b > 0)) return false;
  return common / (area_a + area_b - common) > limit;
}

const float* floats(const Tensor& tensor, const char* what) {
  if (tensor.dtype() != DType::f32) fail("{} must be f32, but are {}", what, name_of(tensor.dtype()));
  return tensor.as<float>();
}

double number_or(const Call& call, size_t i, double otherwise) {
  if (!call.has(i)) return otherwise;
  std::vector<double> values = call.in(i).doubles();
  if (values.size() != 1) fail("operand {} must be one number", i);
  return values[0];
}

void run_non_max_suppression(Call& call) {
  const auto& op = call.op<NonMaxSuppression>();
  const Tensor& boxes = call.in(0);
  const Tensor& scores = call.in(1);
  if (boxes.rank() != 3 || scores.rank() != 3 || boxes.dim(2) != 4 || boxes.dim(0) != scores.dim(0) ||
      boxes.dim(1) != scores.dim(2))
    fail("boxes {} and scores {} do not fit together", text_of(boxes.shape()), text_of(scores.shape()));
  const float* all_boxes = floats(boxes, "boxes");
  const float* all_scores = floats(scores, "scores");
  Shape most = call.sizes_or(2, {op.most});
  if (most.size() != 1) fail("the number of boxes must be one integer");
  float limit = static_cast<float>(number_or(call, 3, op.overlap));
  bool has_threshold = op.has_threshold || call.has(4);
  float threshold = static_cast<float>(number_or(call, 4, op.threshold));

  int64_t batches = scores.dim(0), classes = scores.dim(1), count = scores.dim(2);
  std::vector<int64_t> found;
  for (int64_t batch = 0; batch < batches; ++batch)
    for (int64_t one = 0; one < classes; ++one) {
      const float* score = all_scores + (batch * classes + one) * count;
      std::vector<int64_t> candidates;
      for (int64_t i = 0; i < count; ++i)
        if (!has_threshold || score[i] > threshold) candidates.push_back(i);
      // NaN comes last.
      auto rank = [&](int64_t i) { return std::isnan(score[i]) ? -INFINITY : score[i]; };
      std::stable_sort(candidates.begin(), candidates.end(),
                       [&](int64_t a, int64_t b) { return rank(a) > rank(b); });
      std::vector<Box> kept;
      for (int64_t i : candidates) {
        if (static_cast<int64_t>(kept.size()) >= most[0]) break;
        Box box = box_at(all_boxes + (batch * count + i) * 4, op.boxes);
        if (std::any_of(kept.begin(), kept.end(),
                        [&](const Box& other) { return overlaps_more(box, other, limit); }))
          continue;
        kept.push_back(box);
        found.insert(found.end(), {batch, one, i});
      }
    }
  call.set(0, Tensor::of<int64_t>(DType::i64, {static_cast<int64_t>(found.size() / 3), 3}, found));
}

// The boxes that remain of those with such scores, best first.
std::vector<int64_t> selected(const std::vector<Box>& boxes, const std::vector<float>& scores,
                              float threshold, float overlap, int64_t most) {
  std::vector<int64_t> candidates, kept;
  for (int64_t i = 0; i < static_cast<int64_t>(scores.size()); ++i)
    if (scores[i] >= threshold) candidates.push_back(i);
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  for (const int64_t i : candidates) {
    if (static_cast<int64_t>(kept.size()) >= most) break;
    need_time();
    const bool covered = std::any_of(kept.begin(), kept.end(), [&](int64_t other) {
      return overlaps_more(boxes[i], boxes[other], overlap);
    });
    if (!covered) kept.push_back(i);
  }
  return kept;
}

void run_detection_postprocess(Call& call) {
  const auto& op = call.op<DetectionPostprocess>();
  const Tensor &encodings = call.in(0), &scores = call.in(1), &anchors = call.in(2);
  const int64_t count = encodings.dim(1), width = encodings.dim(2), columns = scores.dim(2);
  if (encodings.dim(0) != 1 || scores.dim(0) != 1 || scores.dim(1) != count || anchors.dim(0) != count ||
      anchors.dim(1) != 4 || width < 4 || columns < op.classes)
    fail("boxes {}, scores {} and anchors {} do not fit together", text_of(encodings.shape()),
         text_of(scores.shape()), text_of(anchors.shape()));
  std::vector<Box> boxes;
  const float y_scale = static_cast<float>(op.y_scale), x_scale = static_cast<float>(op.x_scale),
              h_scale = static_cast<float>(op.h_scale), w_scale = static_cast<float>(op.w_scale);
  for (int64_t i = 0; i < count; ++i) {
    const float *code = encodings.as<float>() + i * width, *anchor = anchors.as<float>() + i * 4;
    const auto y = static_cast<float>(double(code[0]) / y_scale * anchor[2] + anchor[0]),
               x = static_cast<float>(double(code[1]) / x_scale * anchor[3] + anchor[1]);
    const auto h = static_cast<float>(0.5 * std::exp(double(code[2]) / h_scale) * anchor[2]),
               w = static_cast<float>(0.5 * std::exp(double(code[3]) / w_scale) * anchor[3]);
    boxes.push_back({x - w, y - h, x + w, y + h});
  }
  const int64_t places = op.max_detections * op.classes_per_box, offset = columns - op.classes;
  Tensor corners = Tensor::zeros(DType::f32, {1, places, 4}), kinds = Tensor::zeros(DType::f32, {1, places}),
         values = Tensor::zeros(DType::f32, {1, places});
  const auto score = [&](int64_t box, int64_t kind) {
    return scores.as<float>()[box * columns + offset + kind];
  };
  const auto put = [&](int64_t place, int64_t box, int64_t kind) {
    const Box& it = boxes[box];
    const float numbers[] = {it.y_low, it.x_low, it.y_high, it.x_high};
    std::copy_n(numbers, 4, corners.to<float>() + 4 * place);
    kinds.to<float>()[place] = static_cast<float>(kind);
    values.to<float>()[place] = score(box, kind);
  };
  const auto threshold = static_cast<float>(op.threshold), overlap = static_cast<float>(op.overlap);
  int64_t found = 0;
  if (op.regular) {
    struct Detection {
      int64_t box, kind;
    };
    std::vector<Detection> best;
    for (int64_t kind = 0; kind < op.classes; ++kind) {
      std::vector<float> column;
      for (int64_t i = 0; i < count; ++i) column.push_back(score(i, kind));
      const auto middle = static_cast<std::ptrdiff_t>(best.size());
      for (const int64_t box :
           selected(boxes, column, threshold, overlap, std::min(op.per_class, op.max_detections)))
        best.push_back({box, kind});
      std::inplace_merge(best.begin(), best.begin() + middle, best.end(),
                         [&](const Detection& a, const Detection& b) {
                           return score(a.box, a.kind) > score(b.box, b.kind);
                         });
      if (static_cast<int64_t>(best.size()) > op.max_detections)
        best.resize(static_cast<size_t>(op.max_detections));
    }
    for (const Detection& one : best) put(found++, one.box, one.kind);
  } else {
    const int64_t each = std::min(op.classes_per_box, op.classes);
    std::vector<std::vector<int64_t>> order;
    std::vector<float> highest;
    for (int64_t i = 0; i < count; ++i) {
      std::vector<int64_t> kinds_of_box(static_cast<size_t>(op.classes));
      for (int64_t kind = 0; kind < op.classes; ++kind) kinds_of_box[kind] = kind;
      std::partial_sort(kinds_of_box.begin(), kinds_of_box.begin() + each, kinds_of_box.end(),
                        [&](int64_t a, int64_t b) {
                          return score(i, a) > score(i, b) || (score(i, a) == score(i, b) && a < b);
                        });
      kinds_of_box.resize(static_cast<size_t>(each));
      highest.push_back(score(i, kinds_of_box[0]));
      order.push_back(std::move(kinds_of_box));
    }
    for (const int64_t box : selected(boxes, highest, threshold, overlap, op.max_detections)) {
      for (int64_t k = 0; k < each; ++k) put(op.classes_per_box * found + k, box, order[box][k]);
      ++found;
    }
  }
  call.set(0, corners), call.set(1, kinds), call.set(2, values);
  call.set(3, Tensor::of<float>(DType::f32, {1}, {static_cast<float>(found)}));
}

void run_image_decode(Call&) { fail("pictures are not decoded here"); }

}  // namespace

void add_detection_kernels(Kernels& kernels) {
  kernels.add<NonMaxSuppression>(run_non_max_suppression);
  kernels.add<DetectionPostprocess>(run_detection_postprocess);
  kernels.add<ImageDecode>(run_image_decode);
}

}  // namespace remodel
