#include "ops/resize.h"

#include <algorithm>
#include <numeric>

#include "formats/onnx/rows.h"

namespace remodel::onnx {
namespace {

const std::vector<ChoiceName> mode_names{{"nearest", static_cast<int>(ResizeMode::nearest)},
                                         {"linear", static_cast<int>(ResizeMode::linear)},
                                         {"cubic", static_cast<int>(ResizeMode::cubic)}};
const std::vector<ChoiceName> coordinate_names{
    {"half_pixel", static_cast<int>(Coordinates::half_pixel)},
    {"half_pixel_symmetric", static_cast<int>(Coordinates::half_pixel_symmetric)},
    {"pytorch_half_pixel", static_cast<int>(Coordinates::half_pixel_or_zero)},
    {"tf_half_pixel_for_nn", static_cast<int>(Coordinates::half_pixel_unshifted)},
    {"align_corners", static_cast<int>(Coordinates::align_corners)},
    {"asymmetric", static_cast<int>(Coordinates::asymmetric)},
    {"tf_crop_and_resize", static_cast<int>(Coordinates::crop)}};
const std::vector<ChoiceName> nearest_names{
    {"round_prefer_floor", static_cast<int>(NearestRounding::half_down)},
    {"round_prefer_ceil", static_cast<int>(NearestRounding::half_up)},
    {"floor", static_cast<int>(NearestRounding::floor)},
    {"ceil", static_cast<int>(NearestRounding::ceil)}};
const std::vector<ChoiceName> aspect_names{{"stretch", static_cast<int>(Aspect::stretch)},
                                           {"not_larger", static_cast<int>(Aspect::not_larger)},
                                           {"not_smaller", static_cast<int>(Aspect::not_smaller)}};

template <class E>
E read_choice(ReadNode& node, const char* attribute, const std::vector<ChoiceName>& names,
              const char* otherwise) {
  std::string word = node.text(attribute, otherwise);
  for (const auto& [name, value] : names)
    if (name == word) return static_cast<E>(value);
  fail("attribute '{}': the value '{}' is not known", attribute, word);
}

template <class E>
std::string word_of(const std::vector<ChoiceName>& names, E value) {
  for (const auto& [name, number] : names)
    if (number == static_cast<int>(value)) return std::string(name);
  return "";
}

std::vector<int64_t> all_axes(size_t rank) {
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

// Leaves out axes along which nothing moves, and puts the others in order. Only where all is known when
// reading.
void tidy(const ReadNode& node, Resize& op) {
  const size_t n = op.axes.size();
  const auto& dims = node.type(0).dims;
  std::vector<size_t> kept;
  for (size_t i = 0; i < n; ++i) {
    bool still = op.sizes.empty() ? op.scales[i] == 1
                                  : op.aspect == Aspect::stretch && dims &&
                                        op.sizes[i] == (*dims)[static_cast<size_t>(op.axes[i])];
    if (op.coordinates == Coordinates::crop) still = still && op.crop[i] == 0 && op.crop[n + i] == 1;
    if (!still) kept.push_back(i);
  }
  std::sort(kept.begin(), kept.end(), [&](size_t a, size_t b) { return op.axes[a] < op.axes[b]; });
  Resize from = op;
  op.axes.clear(), op.sizes.clear(), op.scales.clear(), op.crop.clear();
  for (size_t i : kept) {
    op.axes.push_back(from.axes[i]);
    if (!from.sizes.empty()) op.sizes.push_back(from.sizes[i]);
    if (!from.scales.empty()) op.scales.push_back(from.scales[i]);
    if (!from.crop.empty()) op.crop.push_back(from.crop[i]);
  }
  for (size_t i : kept)
    if (!from.crop.empty()) op.crop.push_back(from.crop[n + i]);
}

// A given tensor of at least one element.
bool given(ReadNode& node, size_t i) {
  if (!node.has_input(i)) return false;
  const auto& dims = node.type(i).dims;
  return !(dims && dims->size() == 1 && (*dims)[0].is_number(0));
}

std::vector<double> constant_reals(ReadNode& node, size_t i) {
  ConstantPtr constant = node.constant(i);
  return constant ? constant->tensor().doubles() : std::vector<double>();
}

// The operands of a resize whose numbers stand in these inputs (-1: in none), and the op's fields for what is
// known.
void emit_resize(ReadNode& node, Resize op, int sizes_at, int scales_at, int crop_at) {
  std::vector<ValueId> operands{node.input(0), absent, absent, absent};
  bool known = true;
  size_t count = 0;
  auto length = [&](size_t i) {
    const auto& dims = node.type(i).dims;
    if (dims && dims->size() == 1 && (*dims)[0].is_number()) count = static_cast<size_t>((*dims)[0].number());
  };
  if (sizes_at >= 0) {
    auto sizes = node.sizes(static_cast<size_t>(sizes_at));
    if (sizes)
      op.sizes = *sizes, count = sizes->size();
    else
      operands[1] = node.input(static_cast<size_t>(sizes_at)), known = false,
      length(static_cast<size_t>(sizes_at));
  }
  if (scales_at >= 0) {
    op.scales = constant_reals(node, static_cast<size_t>(scales_at));
    count = op.scales.size();
    if (op.scales.empty())
      operands[2] = node.input(static_cast<size_t>(scales_at)), known = false,
      length(static_cast<size_t>(scales_at));
  } else if (sizes_at < 0) {
    count = op.scales.size();
  }
  if (op.axes.empty()) op.axes = all_axes(node.type(0).dims ? node.type(0).dims->size() : count);
  for (int64_t& axis : op.axes)
    if (node.type(0).dims) axis = resolve_axis(axis, node.type(0).dims->size());
  if (op.coordinates == Coordinates::crop) {
    if (crop_at < 0) fail("input 'roi' is missing");
    op.crop = constant_reals(node, static_cast<size_t>(crop_at));
    if (op.crop.empty()) operands[3] = node.input(static_cast<size_t>(crop_at)), known = false;
  }
  const size_t n = op.axes.size();
  if ((!op.sizes.empty() && op.sizes.size() != n) || (!op.scales.empty() && op.scales.size() != n) ||
      (!op.crop.empty() && op.crop.size() != 2 * n))
    fail("{} axes, {} sizes, {} scales and {} numbers of a crop", n, op.sizes.size(), op.scales.size(),
         op.crop.size());
  if (known) tidy(node, op);
  if (known && op.axes.empty()) return node.result(0, node.input(0));
  node.emit_results(op, operands);
}

void read_resize(ReadNode& node) {
  Resize op;
  op.mode = read_choice<ResizeMode>(node, "mode", mode_names, "nearest");
  op.coordinates =
      read_choice<Coordinates>(node, "coordinate_transformation_mode", coordinate_names, "half_pixel");
  op.nearest = read_choice<NearestRounding>(node, "nearest_mode", nearest_names, "round_prefer_floor");
  op.aspect = read_choice<Aspect>(node, "keep_aspect_ratio_policy", aspect_names, "stretch");
  op.cubic_a = node.real("cubic_coeff_a", -0.75);
  op.exclude_outside = node.integer("exclude_outside", 0) != 0;
  op.extrapolation = node.real("extrapolation_value", 0);
  op.antialias = node.integer("antialias", 0) != 0;
  op.axes = node.integers("axes");
  bool sizes = given(node, 3), scales = given(node, 2);
  if (sizes == scales) fail("exactly one of scales and sizes must be given");
  if (!sizes) op.aspect = Aspect::stretch;
  emit_resize(node, op, sizes ? 3 : -1, scales ? 2 : -1, given(node, 1) ? 1 : -1);
}

// Resize and Upsample before there were coordinate modes: asymmetric; the nearest element is the one before,
// or where the axis shrinks the one behind.
void read_scaled(ReadNode& node, Resize op, int scales_at) {
  op.coordinates = Coordinates::asymmetric;
  op.nearest = NearestRounding::floor;
  if (scales_at >= 0) op.scales = constant_reals(node, static_cast<size_t>(scales_at));
  if (op.mode != ResizeMode::nearest || op.scales.empty()) return emit_resize(node, op, -1, scales_at, -1);
  Resize grow = op, shrink = op;
  shrink.nearest = NearestRounding::ceil;
  grow.axes = shrink.axes = all_axes(op.scales.size());
  for (size_t i = 0; i < op.scales.size(); ++i) (op.scales[i] < 1 ? grow : shrink).scales[i] = 1;
  tidy(node, grow);
  tidy(node, shrink);
  if (shrink.axes.empty()) return emit_resize(node, op, -1, scales_at, -1);
  ValueId x = node.input(0);
  if (!grow.axes.empty()) x = node.emit(grow, {x});
  node.emit_results(shrink, {x});
}

Resize scaled_by_mode(ReadNode& node) {
  Resize op;
  std::string mode = node.text("mode", "nearest");
  if (mode != "nearest" && mode != "linear" && mode != "bilinear")
    fail("attribute 'mode': the value '{}' is not known", mode);
  op.mode = mode == "nearest" ? ResizeMode::nearest : ResizeMode::linear;
  return op;
}

void read_upsample_1(ReadNode& node) {
  Resize op = scaled_by_mode(node);
  // Old exporters wrote the attribute of version 7.
  if (node.has("scales"))
    op.scales = node.reals("scales");
  else
    op.scales = {1, 1, node.real("height_scale", 1), node.real("width_scale", 1)};
  read_scaled(node, op, -1);
}

void read_upsample_7(ReadNode& node) {
  Resize op = scaled_by_mode(node);
  op.scales = node.reals("scales");
  if (op.scales.empty()) fail("attribute 'scales' is missing");
  read_scaled(node, op, -1);
}

void read_with_scales(ReadNode& node) { read_scaled(node, scaled_by_mode(node), 1); }

bool all_in_order(const WriteNode& node, const std::vector<int64_t>& axes) {
  int64_t rank = node.rank(0);
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != static_cast<int64_t>(i)) return false;
  return rank < 0 || rank == static_cast<int64_t>(axes.size());
}

// Before opset 18 there is no list of axes, so operands must speak of all.
bool needs_axes(const WriteNode& node, const Resize& op) {
  return (node.has(1) || node.has(2) || node.has(3) || node.rank(0) < 0) && !all_in_order(node, op.axes);
}

std::string resize_problem(const WriteNode& node) {
  const auto& op = node.op<Resize>();
  const int64_t opset = node.opset();
  auto lacks = [&](const char* what) { return fmt::format("opset {} has no {} in Resize", opset, what); };
  if (op.antialias && opset < 18) return lacks("antialias");
  if (op.aspect != Aspect::stretch && opset < 18) return lacks("keep_aspect_ratio_policy");
  if (op.coordinates == Coordinates::half_pixel_symmetric && opset < 19) return lacks("half_pixel_symmetric");
  if (op.coordinates == Coordinates::half_pixel_unshifted && opset > 12) return lacks("tf_half_pixel_for_nn");
  if (opset < 18 && needs_axes(node, op)) return lacks("axes");
  return "";
}

// The numbers for all axes, from those of some.
template <class T>
std::vector<T> spread(const std::vector<int64_t>& axes, const std::vector<T>& some, std::vector<T> all) {
  for (size_t i = 0; i < axes.size(); ++i) all[static_cast<size_t>(axes[i])] = some[i];
  return all;
}

std::string reals(WriteNode& node, const std::vector<double>& values) {
  std::vector<float> narrow(values.begin(), values.end());
  return node.constant(
      constant_tensor(Tensor::of<float>(DType::f32, {static_cast<int64_t>(narrow.size())}, narrow)));
}

void write_resize(WriteNode& node) {
  const auto& op = node.op<Resize>();
  Attributes attributes{
      Attribute::of("mode", word_of(mode_names, op.mode)),
      Attribute::of("coordinate_transformation_mode", word_of(coordinate_names, op.coordinates))};
  if (op.mode == ResizeMode::nearest)
    attributes.push_back(Attribute::of("nearest_mode", word_of(nearest_names, op.nearest)));
  if (op.mode == ResizeMode::cubic) attributes.push_back(Attribute::of("cubic_coeff_a", op.cubic_a));
  if (op.exclude_outside) attributes.push_back(Attribute::of("exclude_outside", int64_t{1}));
  if (op.antialias) attributes.push_back(Attribute::of("antialias", int64_t{1}));
  if (op.coordinates == Coordinates::crop && op.extrapolation != 0)
    attributes.push_back(Attribute::of("extrapolation_value", op.extrapolation));

  bool cropped = op.coordinates == Coordinates::crop;
  Dims sizes = op.sizes;
  std::vector<double> scales = op.scales, crop = op.crop;
  bool some = needs_axes(node, op) || op.aspect != Aspect::stretch;
  if (!some && node.rank(0) >= 0 && !node.has(1) && !node.has(2)) {
    Dims all = *node.type(0).dims;
    if (!sizes.empty()) {
      Dims full = spread(op.axes, sizes, all);
      // Sizes that only running finds out cost nodes, a list of axes costs none.
      if (numbers(sizes) && !numbers(full) && node.opset() >= 18)
        some = true;
      else
        sizes = full;
    } else {
      scales = spread(op.axes, scales, std::vector<double>(all.size(), 1));
    }
    if (cropped && !some && !node.has(3)) {
      std::vector<double> starts(crop.begin(), crop.begin() + static_cast<int64_t>(op.axes.size()));
      std::vector<double> ends(crop.begin() + static_cast<int64_t>(op.axes.size()), crop.end());
      crop = spread(op.axes, starts, std::vector<double>(all.size(), 0));
      ends = spread(op.axes, ends, std::vector<double>(all.size(), 1));
      crop.insert(crop.end(), ends.begin(), ends.end());
    }
  }
  if (some) {
    attributes.push_back(Attribute::of("axes", op.axes));
    if (op.aspect != Aspect::stretch)
      attributes.push_back(Attribute::of("keep_aspect_ratio_policy", word_of(aspect_names, op.aspect)));
  }
  // Before opset 13 roi and scales may not be left out, but may be empty.
  std::string none = node.opset() >= 13 ? "" : reals(node, {});
  std::string roi = !cropped ? none : node.has(3) ? node.in(3) : reals(node, crop);
  std::vector<std::string> inputs{node.in(0), roi};
  if (node.has(2) || !scales.empty())
    inputs.push_back(node.has(2) ? node.in(2) : reals(node, scales));
  else
    inputs.insert(inputs.end(), {none, node.has(1) ? node.in(1) : node.sizes(sizes)});
  node.emit_to(node.outs(), "Resize", inputs, attributes);
}

// The scales for all axes, where opset 9 or 10 has this resize; empty where not.
std::vector<double> plain_scales(const WriteNode& node, const Resize& op) {
  if (op.coordinates != Coordinates::asymmetric || op.mode == ResizeMode::cubic || op.antialias ||
      op.exclude_outside || op.aspect != Aspect::stretch || node.has(1) || node.rank(0) < 0)
    return {};
  const Dims& dims = *node.type(0).dims;
  std::vector<double> scales = op.scales;
  for (size_t i = 0; i < op.sizes.size(); ++i) {
    const Dim& in = dims[static_cast<size_t>(op.axes[i])];
    if (!in.is_number() || !op.sizes[i].is_number() || in.number() == 0) return {};
    scales.push_back(static_cast<float>(op.sizes[i].number()) / static_cast<float>(in.number()));
    if (resize_scaled(in.number(), scales.back()) != op.sizes[i].number()) return {};
  }
  for (double scale : scales) {
    if (scale < 1 && node.opset() < 10) return {};
    if (op.mode == ResizeMode::nearest &&
        op.nearest != (scale < 1 ? NearestRounding::ceil : NearestRounding::floor))
      return {};
  }
  return spread(op.axes, scales, std::vector<double>(dims.size(), 1));
}

std::string plain_problem(const WriteNode& node) {
  const auto& op = node.op<Resize>();
  if (!node.has(2) && !plain_scales(node, op).empty()) return "";
  return fmt::format("opset {} has no such resize", node.opset());
}

void write_plain(WriteNode& node) {
  const auto& op = node.op<Resize>();
  node.emit_to(node.outs(), node.opset() < 10 ? "Upsample" : "Resize",
               {node.in(0), reals(node, plain_scales(node, op))},
               {Attribute::of("mode", word_of(mode_names, op.mode))});
}

std::vector<Slot> grid_sample_slots(std::string_view linear, std::string_view cubic) {
  return {choice("mode", &GridSample::mode,
                 {{linear, static_cast<int>(ResizeMode::linear)},
                  {"nearest", static_cast<int>(ResizeMode::nearest)},
                  {cubic, static_cast<int>(ResizeMode::cubic)}},
                 linear),
          choice("padding_mode", &GridSample::padding,
                 {{"zeros", static_cast<int>(GridPadding::zeros)},
                  {"border", static_cast<int>(GridPadding::border)},
                  {"reflection", static_cast<int>(GridPadding::reflection)}},
                 "zeros"),
          attr("align_corners", &GridSample::align_corners, int64_t{0})};
}

}  // namespace

void resize_rows(Rows& rows) {
  rows.read("Resize", range(10, 10), read_with_scales);
  rows.read("Resize", since(11), read_resize);
  rows.write<Resize>(range(9, 10), write_plain, plain_problem);
  rows.write<Resize>(since(11), write_resize, resize_problem);
  rows.read("Upsample", range(1, 6), read_upsample_1);
  rows.read("Upsample", range(7, 8), read_upsample_7);
  rows.read("Upsample", since(9), read_with_scales);
  rows.row<GridSample>("GridSample", range(16, 19), grid_sample_slots("bilinear", "bicubic"),
                       [](const WriteNode& node) -> std::string {
                         return node.rank(0) == 4 || node.rank(0) < 0 ? ""
                                                                      : "GridSample is 2-D before opset 20";
                       });
  rows.row<GridSample>("GridSample", since(20), grid_sample_slots("linear", "cubic"));
  rows.row<AffineGrid>(
      "AffineGrid", since(20),
      {input(1, &AffineGrid::size), attr("align_corners", &AffineGrid::align_corners, int64_t{0})});
}

}  // namespace remodel::onnx
