#include "ops/detection.h"

#include <algorithm>
#include <cmath>

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

void run_image_decode(Call&) { fail("pictures are not decoded here"); }

}  // namespace

void add_detection_kernels(Kernels& kernels) {
  kernels.add<NonMaxSuppression>(run_non_max_suppression);
  kernels.add<ImageDecode>(run_image_decode);
}

}  // namespace remodel
