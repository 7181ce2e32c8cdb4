#include "ops/pool.h"

#include <algorithm>

#include "formats/onnx/rows.h"
#include "formats/onnx/rows/window.h"
#include "ops/binary.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"

namespace remodel::onnx {
namespace {

constexpr int64_t max_pool_dilations = 10, max_pool_ceil = 10;
constexpr int64_t avg_pool_dilations = 19, avg_pool_ceil = 10;
constexpr int64_t lp_pool_dilations = 18, lp_pool_ceil = 18;

void read_max_pool(ReadNode& node, Channels channels) {
  MaxPoolIndex op;
  op.channels = channels;
  read_pooling(node, op);
  op.span = IndexSpan::tensor;
  op.column_major = node.integer("storage_order", 0) != 0;
  if (node.wants(1)) return node.emit_results(op, node.operands());
  node.emit_results(MaxPool{op}, node.operands());
}

std::string max_pool_problem(const WriteNode& node) {
  return pooling_problem(node, node.op<MaxPool>(), max_pool_dilations, max_pool_ceil);
}

std::string max_pool_index_problem(const WriteNode& node) {
  const auto& op = node.op<MaxPoolIndex>();
  if (op.span != IndexSpan::tensor) return "ONNX counts indices over the whole tensor";
  return pooling_problem(node, op, max_pool_dilations, max_pool_ceil);
}

void write_max_pool(WriteNode& node) {
  node.emit_to(node.outs(), "MaxPool", node.ins(), pooling_attributes(node, node.op<MaxPool>()));
}

void write_max_pool_index(WriteNode& node) {
  const auto& op = node.op<MaxPoolIndex>();
  Attributes attributes = pooling_attributes(node, op);
  if (op.column_major) attributes.push_back(Attribute::of("storage_order", int64_t{1}));
  std::string y = node.wants(0) ? node.out(0) : node.fresh_name("pooled");
  node.emit_to({y, node.out(1)}, "MaxPool", node.ins(), attributes);
}

void read_avg_pool(ReadNode& node) {
  AvgPool op;
  read_pooling(node, op);
  if (node.integer("count_include_pad", 0) != 0) op.divisor = Divisor::padded;
  node.emit_results(op, node.operands());
}

std::string avg_pool_problem(const WriteNode& node) {
  const auto& op = node.op<AvgPool>();
  if (op.divisor == Divisor::window && op.ceil) return "ONNX never counts what lies beyond the padding";
  return pooling_problem(node, op, avg_pool_dilations, avg_pool_ceil);
}

void write_avg_pool(WriteNode& node) {
  const auto& op = node.op<AvgPool>();
  Attributes attributes = pooling_attributes(node, op);
  if (op.divisor != Divisor::inside) attributes.push_back(Attribute::of("count_include_pad", int64_t{1}));
  node.emit_to(node.outs(), "AveragePool", node.ins(), attributes);
}

void read_lp_pool(ReadNode& node) {
  LpPool op;
  read_pooling(node, op);
  op.p = node.version() < 2 ? node.real("p", 2) : static_cast<double>(node.integer("p", 2));
  node.emit_results(op, node.operands());
}

std::string lp_pool_problem(const WriteNode& node) {
  const auto& op = node.op<LpPool>();
  if (op.p != static_cast<double>(static_cast<int64_t>(op.p)))
    return fmt::format("ONNX has no norm of order {}", op.p);
  return pooling_problem(node, op, lp_pool_dilations, lp_pool_ceil);
}

void write_lp_pool(WriteNode& node) {
  const auto& op = node.op<LpPool>();
  Attributes attributes = pooling_attributes(node, op);
  if (op.p != 2) attributes.push_back(Attribute::of("p", static_cast<int64_t>(op.p)));
  node.emit_to(node.outs(), "LpPool", node.ins(), attributes);
}

// A reduction of all spatial axes to size 1.
void read_global(ReadNode& node, Reduce::Kind kind) {
  Reduce reduce;
  reduce.kind = kind;
  for (int64_t i = 2; i < node.rank(0); ++i) reduce.axes.push_back(i);
  if (reduce.axes.empty()) fail("the input must have spatial axes, but is {}", node.type(0).text());
  node.emit_results(reduce, {node.input(0)});
}

void read_global_lp_pool(ReadNode& node) {
  double p = node.version() < 2 ? node.real("p", 2) : static_cast<double>(node.integer("p", 2));
  if (p == 1 || p == 2) return read_global(node, p == 1 ? Reduce::Kind::l1 : Reduce::Kind::l2);
  if (!(p > 0)) fail("a norm of order {}", p);
  const DType dtype = node.type(0).dtype;
  Reduce sum;
  for (int64_t i = 2; i < node.rank(0); ++i) sum.axes.push_back(i);
  ValueId powers = node.emit(Pow{}, {node.emit(Abs{}, {node.input(0)}), node.add_scalar(dtype, p)});
  node.result(0, node.emit(Pow{}, {node.emit(sum, {powers}), node.add_scalar(dtype, 1 / p)}));
}

// The indices count over the tensor that was pooled; output_shape may be larger than that.
void read_max_unpool(ReadNode& node) {
  std::vector<int64_t> window = node.integers("kernel_shape");
  Sliding sliding;
  read_sliding(node, window, sliding);
  const size_t rank = window.size();
  if (node.rank(0) != static_cast<int64_t>(rank) + 2)
    fail("a window of {} axes needs an input of rank {}, but it is {}", rank, rank + 2, node.type(0).text());
  MaxUnpool op;
  op.shape = *node.type(0).dims;
  for (size_t i = 0; i < rank; ++i)
    op.shape[i + 2] = (op.shape[i + 2] - 1) * Dim(sliding.strides[i]) + Dim(window[i]) - sliding.pads_low[i] -
                      sliding.pads_high[i];
  if (!node.has_input(2)) return node.emit_results(op, node.operands());
  auto wished = node.sizes(2);
  ValueId y = node.emit(op, {node.input(0), node.input(1)});
  if (!wished) {
    ValueId beyond = node.emit(Sub{}, {node.input(2), node.emit(Sizes{op.shape}, {})});
    ValueId before = node.add_constant(constant_ints(std::vector<int64_t>(rank + 2, 0)));
    ValueId pads = node.emit(Concat{0}, {before, beyond});
    return node.result(0, node.emit(Pad{}, {y, absent, pads}));
  }
  if (wished->size() != rank + 2) fail("an output shape of {} numbers", wished->size());
  Pad pad;
  for (size_t i = 0; i < rank + 2; ++i) {
    pad.low.push_back(0);
    pad.high.push_back((*wished)[i] - op.shape[i]);
  }
  bool same = std::all_of(pad.high.begin(), pad.high.end(), [](const Dim& d) { return d.is_number(0); });
  node.result(0, same ? y : node.emit(pad, {y}));
}

// The stride and the window that spread `in` elements over `out`, which is (in - 1) * stride + window.
struct Spread {
  int64_t stride, window;
};
std::optional<Spread> spread_over(const Dim& in, const Dim& out) {
  auto by = [&](int64_t stride) -> std::optional<Spread> {
    Dim window = out - (in - 1) * Dim(stride);
    if (stride < 1 || !window.is_number() || window.number() < 1) return std::nullopt;
    return Spread{stride, window.number()};
  };
  if (in.is_number() && out.is_number())
    return in.number() < 1 ? std::nullopt : by(std::max<int64_t>(1, out.number() / in.number()));
  if (in.terms().empty()) return std::nullopt;
  for (const Dim::Term& term : out.terms())
    if (auto found = by(term.factor / in.terms()[0].factor)) return found;
  return std::nullopt;
}

std::string max_unpool_problem(const WriteNode& node) {
  const auto& op = node.op<MaxUnpool>();
  if (node.has(2)) return "MaxUnpool's shape must be known";
  const auto& dims = node.type(0).dims;
  if (!dims || dims->size() < 3) return "MaxUnpool needs spatial axes";
  for (size_t i = 0; i < 2; ++i)
    if (!(op.shape[i] == (*dims)[i])) return "MaxUnpool keeps batch and channels";
  for (size_t i = 2; i < dims->size(); ++i)
    if (!spread_over((*dims)[i], op.shape[i]))
      return fmt::format("no window spreads {} over {}", (*dims)[i].text(), op.shape[i].text());
  return "";
}

void write_max_unpool(WriteNode& node) {
  const auto& op = node.op<MaxUnpool>();
  std::vector<int64_t> strides, window;
  for (size_t i = 2; i < op.shape.size(); ++i) {
    Spread spread = *spread_over((*node.type(0).dims)[i], op.shape[i]);
    strides.push_back(spread.stride);
    window.push_back(spread.window);
  }
  node.emit_to(node.outs(), "MaxUnpool", {node.in(0), node.in(1)},
               {Attribute::of("kernel_shape", window), Attribute::of("strides", strides)});
}

void read_max_roi_pool(ReadNode& node) {
  RoiPool op;
  std::vector<int64_t> shape = node.integers("pooled_shape");
  if (shape.size() != 2) fail("attribute 'pooled_shape' must have two numbers");
  op.height = shape[0];
  op.width = shape[1];
  op.scale = node.real("spatial_scale", 1);
  node.emit_results(op, node.operands());
}

void write_max_roi_pool(WriteNode& node) {
  const auto& op = node.op<RoiPool>();
  node.emit_to(node.outs(), "MaxRoiPool", node.ins(),
               {Attribute::of("pooled_shape", std::vector<int64_t>{op.height, op.width}),
                Attribute::of("spatial_scale", op.scale)});
}

std::vector<Slot> roi_align_slots() {
  return {
      choice("mode", &RoiAlign::mode,
             {{"avg", static_cast<int>(RoiMode::average)}, {"max", static_cast<int>(RoiMode::max)}}, "avg"),
      attr("output_height", &RoiAlign::height, int64_t{1}),
      attr("output_width", &RoiAlign::width, int64_t{1}),
      attr("sampling_ratio", &RoiAlign::samples, int64_t{0}), attr("spatial_scale", &RoiAlign::scale, 1.0)};
}

}  // namespace

void pool_rows(Rows& rows) {
  rows.read("MaxPool", since(1), [](ReadNode& node) { read_max_pool(node, Channels::first); });
  rows.read("com.microsoft:NhwcMaxPool", since(1),
            [](ReadNode& node) { read_max_pool(node, Channels::last); });
  rows.write<MaxPool>(since(1), write_max_pool, max_pool_problem);
  rows.write<MaxPoolIndex>(since(8), write_max_pool_index, max_pool_index_problem);
  rows.read("AveragePool", since(1), read_avg_pool);
  rows.write<AvgPool>(since(7), write_avg_pool, avg_pool_problem);
  rows.read("LpPool", since(1), read_lp_pool);
  rows.write<LpPool>(since(2), write_lp_pool, lp_pool_problem);
  rows.read("GlobalAveragePool", since(1), [](ReadNode& node) { read_global(node, Reduce::Kind::mean); });
  rows.read("GlobalMaxPool", since(1), [](ReadNode& node) { read_global(node, Reduce::Kind::max); });
  rows.read("GlobalLpPool", since(1), read_global_lp_pool);
  rows.read("MaxUnpool", since(9), read_max_unpool);
  rows.write<MaxUnpool>(since(9), write_max_unpool, max_unpool_problem);
  rows.read("MaxRoiPool", since(1), read_max_roi_pool);
  rows.write<RoiPool>(since(1), write_max_roi_pool);

  auto aligned = roi_align_slots();
  aligned.push_back(choice("coordinate_transformation_mode", &RoiAlign::places,
                           {{"half_pixel", static_cast<int>(RoiPlaces::centres)},
                            {"output_half_pixel", static_cast<int>(RoiPlaces::corners)}},
                           "half_pixel"));
  rows.row<RoiAlign>("RoiAlign", since(16), aligned);
  // Before, there were no half pixels.
  rows.read("RoiAlign", range(10, 15), [](ReadNode& node) {
    RoiAlign op;
    std::string mode = node.text("mode", "avg");
    if (mode != "avg" && mode != "max") fail("attribute 'mode': the value '{}' is not known", mode);
    op.mode = mode == "max" ? RoiMode::max : RoiMode::average;
    op.height = node.integer("output_height", 1);
    op.width = node.integer("output_width", 1);
    op.samples = node.integer("sampling_ratio", 0);
    op.scale = node.real("spatial_scale", 1);
    op.places = RoiPlaces::corners;
    node.emit_results(op, node.operands());
  });
  rows.row<RoiAlign>("RoiAlign", range(10, 15), roi_align_slots(), [](const WriteNode& node) -> std::string {
    return node.op<RoiAlign>().places == RoiPlaces::centres
               ? "opset 15 and before have no half pixels in RoiAlign"
               : "";
  });
}

}  // namespace remodel::onnx
