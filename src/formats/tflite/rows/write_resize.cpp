#include <cmath>

#include "formats/tflite/rows.h"
#include "ops/resize.h"

namespace remodel::tflite {
namespace {

// Which element of an axis stands at place `i`, as the op says; in f32 as runtimes compute it.
int64_t wished_place(const Resize& op, int64_t i, int64_t in, int64_t out, float scale) {
  const auto at = static_cast<float>(i);
  float x = 0;
  switch (op.coordinates) {
    case Coordinates::half_pixel:
      x = (at + 0.5f) / scale - 0.5f;
      break;
    case Coordinates::half_pixel_or_zero:
      x = out == 1 ? 0 : (at + 0.5f) / scale - 0.5f;
      break;
    case Coordinates::half_pixel_unshifted:
      x = (at + 0.5f) / scale;
      break;
    case Coordinates::asymmetric:
      x = at / scale;
      break;
    case Coordinates::align_corners:
      x = out == 1 ? 0 : at * static_cast<float>(in - 1) / static_cast<float>(out - 1);
      break;
    default:
      return -1;
  }
  const float whole = op.nearest == NearestRounding::floor       ? std::floor(x)
                      : op.nearest == NearestRounding::ceil      ? std::ceil(x)
                      : op.nearest == NearestRounding::half_down ? std::ceil(x - 0.5f)
                                                                 : std::floor(x + 0.5f);
  return std::min<int64_t>(std::max<int64_t>(static_cast<int64_t>(whole), 0), in - 1);
}

enum class Centres { none, half, corners };

int64_t given_place(Centres centres, int64_t i, int64_t in, int64_t out) {
  const bool corners = centres == Centres::corners && out > 1;
  const float scale = corners ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                              : static_cast<float>(in) / static_cast<float>(out);
  const float at = (static_cast<float>(i) + (centres == Centres::half ? 0.5f : 0.f)) * scale;
  const auto place = static_cast<int64_t>(centres == Centres::corners ? std::round(at) : std::floor(at));
  return std::min<int64_t>(std::max<int64_t>(place, 0), in - 1);
}

void write_resize(WriteNode& node) {
  const auto& op = node.op<Resize>();
  const Dims in = node.dims(0), out = node.result_dims();
  if (in.size() != 4 || op.axes.size() != 2 || op.mode == ResizeMode::cubic || op.antialias ||
      op.exclude_outside || node.has(3))
    fail("this resize has no operator");
  if (op.aspect != Aspect::stretch) fail("the scale of a resize is not that of its sizes");
  // Channels last; with channels first it is turned before it is written.
  const bool last = op.axes == std::vector<int64_t>{1, 2}, first = op.axes == std::vector<int64_t>{2, 3};
  if (!last && !first) fail("a resize of the axes {} and {} has no operator", op.axes[0], op.axes[1]);
  std::vector<std::vector<int64_t>> sizes;
  bool half = op.coordinates == Coordinates::half_pixel,
       corners = op.coordinates == Coordinates::align_corners,
       plain = op.coordinates == Coordinates::asymmetric;
  for (size_t k = 0; k < 2; ++k) {
    const auto axis = static_cast<size_t>(op.axes[k]);
    if (!in[axis].is_number() || !out[axis].is_number()) {
      // Scales that are whole numbers hold for all sizes.
      const bool whole = !op.scales.empty() && op.scales[k] == std::floor(op.scales[k]) && op.scales[k] >= 1;
      const bool exact = op.scales.empty() || whole;
      if (!exact) fail("the scale of a resize is not that of its sizes");
      if (op.mode == ResizeMode::nearest && !(plain && op.nearest == NearestRounding::floor) &&
          !(half && whole))
        fail("the places of a resize are not known");
      continue;
    }
    const int64_t from = in[axis].number(), to = out[axis].number();
    const bool scaled = !op.scales.empty() && op.coordinates != Coordinates::align_corners;
    if (op.mode == ResizeMode::linear) {
      if (scaled && static_cast<double>(from) * op.scales[k] != static_cast<double>(to))
        fail("the scale of a resize is not that of its sizes");
      if (op.coordinates == Coordinates::half_pixel_or_zero && to > 1) half = true;
      if (from == 1) continue;
    } else {
      sizes.push_back({from, to});
    }
  }
  Centres centres = half ? Centres::half : corners ? Centres::corners : Centres::none;
  if (op.mode == ResizeMode::linear && !half && !corners && !plain)
    fail("these coordinates have no operator");
  if (op.mode == ResizeMode::nearest && sizes.size() == 2) {
    const auto same = [&](Centres candidate) {
      for (size_t k = 0; k < 2; ++k) {
        const int64_t from = sizes[k][0], to = sizes[k][1];
        const float scale = op.scales.empty() ? static_cast<float>(to) / static_cast<float>(from)
                                              : static_cast<float>(op.scales[k]);
        for (int64_t i = 0; i < to; ++i)
          if (wished_place(op, i, from, to, scale) != given_place(candidate, i, from, to)) return false;
      }
      return true;
    };
    if (same(Centres::none))
      centres = Centres::none;
    else if (same(Centres::half))
      centres = Centres::half;
    else if (same(Centres::corners))
      centres = Centres::corners;
    else
      fail("no operator takes these places");
  }
  Attributes attributes;
  if (centres == Centres::corners) attributes.push_back(Attribute::of("align_corners", true));
  if (centres == Centres::half) attributes.push_back(Attribute::of("half_pixel_centers", true));
  const auto a = static_cast<size_t>(op.axes[0]), b = static_cast<size_t>(op.axes[1]);
  node.emit_to(node.outs(), op.mode == ResizeMode::linear ? "RESIZE_BILINEAR" : "RESIZE_NEAREST_NEIGHBOR",
               {node.in(0), node.sizes({out[a], out[b]})}, attributes);
}

}  // namespace

void write_resize_rows(Rows& rows) { rows.write<Resize>(since(1), write_resize); }

}  // namespace remodel::tflite
