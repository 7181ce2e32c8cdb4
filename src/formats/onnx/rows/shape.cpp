#include "ops/shape.h"

#include <algorithm>

#include "formats/onnx/rows.h"
#include "ops/reduce.h"
#include "ops/slice.h"

namespace remodel::onnx {
namespace {

void read_reshape(ReadNode& node) {
  bool allow_zero = node.version() >= 14 && node.integer("allowzero", 0) != 0;
  node.ignore("consumed_inputs");
  std::vector<int64_t> attribute = node.version() < 5 ? node.integers("shape") : std::vector<int64_t>{};
  auto known = node.version() < 5 ? std::optional(to_dims(attribute)) : node.sizes(1);
  auto to = known ? resolve_reshape(node.type(0).dims, *known, allow_zero) : std::nullopt;
  if (to) return node.emit_results(Reshape{*to}, {node.input(0)});
  ValueId shape = node.version() < 5 ? node.add_constant(constant_ints(attribute)) : node.input(1);
  node.emit_results(Reshape{{}, allow_zero}, {node.input(0), shape});
}

void read_flatten(ReadNode& node) {
  int64_t axis = node.integer("axis", 1);
  if (!node.type(0).dims && (axis == 0 || axis == 1)) {
    ValueId shape = node.add_constant(constant_ints({axis == 0 ? 1 : 0, -1}));
    return node.emit_results(Reshape{}, {node.input(0), shape});
  }
  if (!node.type(0).dims) {
    Reduce elements;
    elements.kind = Reduce::Kind::product, elements.axes = {0}, elements.keep = true;
    auto count = [&](int64_t start, int64_t end) {
      return node.emit(elements, {node.emit(ShapeOf{start, end}, {node.input(0)})});
    };
    ValueId shape = node.emit(Concat{0}, {count(0, axis), count(axis, INT64_MAX)});
    Reshape op;
    op.allow_zero = true;
    return node.emit_results(op, {node.input(0), shape});
  }
  int64_t rank = node.rank(0);
  if (axis < -rank || axis > rank) fail("axis {} is outside rank {}", axis, rank);
  if (axis < 0) axis += rank;
  const Dims& from = *node.type(0).dims;
  Dims outer(from.begin(), from.begin() + axis), inner(from.begin() + axis, from.end());
  node.emit_results(Reshape{{product(outer), product(inner)}}, {node.input(0)});
}

// Sizes that stay where they are need no computing: 0 copies them, and one other may be -1.
void write_reshape(WriteNode& node) {
  const auto& op = node.op<Reshape>();
  Attributes attributes;
  if (node.has(1)) {
    if (op.allow_zero) attributes.push_back(Attribute::of("allowzero", int64_t{1}));
    return node.emit_to(node.outs(), "Reshape", {node.in(0), node.in(1)}, attributes);
  }
  Dims dims = op.shape;
  bool zeros = std::any_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is_number(0); });
  if (!zeros) {
    const auto& from = node.type(0).dims;
    size_t hardest = dims.size();
    for (size_t axis = 0; axis < dims.size(); ++axis) {
      if (dims[axis].is_number()) continue;
      if (from && axis < from->size() && (*from)[axis] == dims[axis])
        dims[axis] = 0;
      else if (hardest == dims.size() || dims[hardest].text().size() < dims[axis].text().size())
        hardest = axis;
    }
    if (hardest != dims.size()) dims[hardest] = -1;
    if (node.nodes_for(op.shape) < node.nodes_for(dims)) dims = op.shape;
  } else if (node.opset() >= 14) {
    attributes.push_back(Attribute::of("allowzero", int64_t{1}));
  } else {
    // Older forms cannot say 0, but there are no elements anyway.
    std::string none = node.emit("ConstantOfShape", {node.sizes(dims)});
    return node.emit_to(node.outs(), "Cast", {none},
                        {Attribute::of("to", code_of_dtype(node.result_type().dtype))});
  }
  node.emit_to(node.outs(), "Reshape", {node.in(0), node.sizes(dims)}, attributes);
}

void read_transpose(ReadNode& node) {
  Transpose op{node.integers("perm")};
  if (op.perm.empty() && node.type(0).dims)
    for (int64_t axis = node.rank(0); axis-- > 0;) op.perm.push_back(axis);
  node.emit_results(op, {node.input(0)});
}

// The axes of Squeeze and Unsqueeze: an attribute, from opset 13 on an input.
std::optional<std::vector<int64_t>> read_axes(ReadNode& node) {
  if (node.version() < 13) return node.integers("axes");
  return node.has_input(1) ? node.known_integers(1) : std::vector<int64_t>{};
}

void read_squeeze(ReadNode& node) {
  auto axes = read_axes(node);
  if (!axes) return node.emit_results(Squeeze{}, {node.input(0), node.input(1)});
  const auto& dims = node.type(0).dims;
  if (dims && axes->empty() && numbers(*dims)) {
    for (size_t axis = 0; axis < dims->size(); ++axis)
      if ((*dims)[axis].is_number(1)) axes->push_back(axis);
  } else if (dims) {
    axes = sorted_axes(*axes, dims->size());
  }
  node.emit_results(Squeeze{*axes}, {node.input(0)});
}

void read_unsqueeze(ReadNode& node) {
  auto axes = read_axes(node);
  if (!axes) return node.emit_results(Unsqueeze{}, {node.input(0), node.input(1)});
  if (node.type(0).dims) axes = sorted_axes(*axes, node.rank(0) + axes->size());
  node.emit_results(Unsqueeze{*axes}, {node.input(0)});
}

void write_axes(WriteNode& node, std::string type, const std::vector<int64_t>& axes) {
  if (node.has(1)) return node.emit_to(node.outs(), type, {node.in(0), node.in(1)});
  if (node.opset() >= 13) {
    std::vector<std::string> inputs{node.in(0)};
    if (!axes.empty() || type == "Unsqueeze") inputs.push_back(node.integers(axes));
    return node.emit_to(node.outs(), type, inputs);
  }
  Attributes attributes;
  if (!axes.empty() || type == "Unsqueeze") attributes.push_back(Attribute::of("axes", axes));
  node.emit_to(node.outs(), type, {node.in(0)}, attributes);
}

std::string axes_are_known(const WriteNode& node) {
  return node.has(1) && node.opset() < 13 ? "its axes are only known when it runs" : "";
}

// ONNX's shape may have sizes of 1 where the input has others.
void read_expand(ReadNode& node) {
  const auto& from = node.type(0).dims;
  auto shape = node.sizes(1);
  if (!from || !shape) return node.emit_results(Expand{}, {node.input(0), node.input(1)});
  size_t rank = std::max(from->size(), shape->size());
  Dims to;
  for (size_t axis = 0; axis < rank; ++axis) {
    Dim a = axis + from->size() < rank ? Dim(1) : (*from)[axis + from->size() - rank];
    Dim b = axis + shape->size() < rank ? Dim(1) : (*shape)[axis + shape->size() - rank];
    if (!(a == b) && !a.is_number() && !b.is_number())
      return node.emit_results(Expand{}, {node.input(0), node.input(1)});
    to.push_back(b.is_number(1) || (a.is_number() && !a.is_number(1)) ? a : b);
    if (a.is_number() && b.is_number() && !a.is_number(1) && !b.is_number(1) && !(a == b))
      fail("{} cannot be expanded to {}", text_of(*from), text_of(*shape));
  }
  node.emit_results(Expand{to}, {node.input(0)});
}

// A scalar repeated is ConstantOfShape, where that has the type.
bool is_constant_of_shape(const WriteNode& node) {
  const Constant* value = node.constant(0);
  if (!value || value->count() != 1 || value->dtype() == DType::string || is_complex(value->dtype()))
    return false;
  if (!node.has(1) && node.op<Expand>().shape.size() < value->shape().size()) return false;
  if (node.has(1) && !value->shape().empty()) return false;
  int needed = 9;
  if (value->dtype() == DType::bf16 || is_small_float(value->dtype())) needed = 20;
  if (value->dtype() == DType::f16) needed = 9;
  if (is_packed(value->dtype())) needed = value->dtype() == DType::f4e2m1 ? 23 : 21;
  if (value->dtype() == DType::f8e8m0) needed = 24;
  return node.opset() >= needed;
}

void write_expand(WriteNode& node) {
  std::string shape = node.has(1) ? node.in(1) : node.sizes(node.op<Expand>().shape);
  if (!is_constant_of_shape(node)) return node.emit_to(node.outs(), "Expand", {node.in(0), shape});
  ConstantPtr value = node.graph().constant(node.node().inputs[0])->reshaped({1});
  node.emit_to(node.outs(), "ConstantOfShape", {shape}, {Attribute::of("value", value)});
}

// Before opset 6: `tiles` copies along one `axis`, both inputs.
void read_tile_1(ReadNode& node) {
  ConstantPtr tiles = node.constant(1), axis = node.constant(2);
  if (!tiles || !axis || tiles->count() != 1 || axis->count() != 1)
    fail("inputs 1 and 2 must be constant numbers");
  Dims repeats(node.rank(0), 1);
  repeats[resolve_axis(static_cast<int64_t>(axis->tensor().doubles()[0]), repeats.size())] =
      static_cast<int64_t>(tiles->tensor().doubles()[0]);
  node.emit_results(Tile{repeats}, {node.input(0)});
}

void read_shape_of(ReadNode& node) {
  ShapeOf op;
  if (node.version() >= 15) {
    op.start = node.integer("start", 0);
    op.end = node.integer("end", INT64_MAX);
    if (node.type(0).dims) {
      std::tie(op.start, op.end) = op.axes(node.rank(0));
      if (op.end == node.rank(0)) op.end = INT64_MAX;
    }
  }
  node.emit_results(op, {node.input(0)});
}

void write_shape_of(WriteNode& node) {
  const auto& op = node.op<ShapeOf>();
  bool whole = op.start == 0 && op.end == INT64_MAX;
  if (whole || node.opset() >= 15) {
    Attributes attributes;
    if (op.start != 0) attributes.push_back(Attribute::of("start", op.start));
    if (op.end != INT64_MAX) attributes.push_back(Attribute::of("end", op.end));
    return node.emit_to(node.outs(), "Shape", {node.in(0)}, attributes);
  }
  std::string shape = node.emit("Shape", {node.in(0)});
  if (node.opset() >= 10)
    return node.emit_to(node.outs(), "Slice", {shape, node.integers({op.start}), node.integers({op.end})});
  node.emit_to(node.outs(), "Slice", {shape},
               {Attribute::of("starts", std::vector{op.start}), Attribute::of("ends", std::vector{op.end})});
}

void write_sizes(WriteNode& node) {
  const auto& op = node.op<Sizes>();
  node.emit_to(node.outs(), "Identity", {node.sizes(op.sizes)});
}

void read_depth_to_space(ReadNode& node) {
  DepthToSpace op;
  op.block = node.integer("blocksize");
  std::string mode = node.version() >= 11 ? node.text("mode", "DCR") : "DCR";
  if (mode != "DCR" && mode != "CRD") fail("attribute 'mode': the value '{}' is not known", mode);
  op.order = mode == "CRD" ? DepthOrder::crd : DepthOrder::dcr;
  node.emit_results(op, {node.input(0)});
}

void write_depth_to_space(WriteNode& node) {
  const auto& op = node.op<DepthToSpace>();
  Attributes attributes{Attribute::of("blocksize", op.block)};
  if (op.order == DepthOrder::crd) attributes.push_back(Attribute::of("mode", std::string("CRD")));
  node.emit_to(node.outs(), "DepthToSpace", {node.in(0)}, attributes);
}

std::string has_depth_to_space(const WriteNode& node) {
  const auto& op = node.op<DepthToSpace>();
  if (op.channels != Channels::first) return "channels must be first";
  return op.order == DepthOrder::crd && node.opset() < 11 ? "the order of channels needs opset 11" : "";
}

std::string has_space_to_depth(const WriteNode& node) {
  const auto& op = node.op<SpaceToDepth>();
  if (op.channels != Channels::first) return "channels must be first";
  return op.order == DepthOrder::crd ? "ONNX has only one order of channels" : "";
}

}  // namespace

void shape_rows(Rows& rows) {
  rows.read("Reshape", since(1), read_reshape);
  rows.read("Flatten", since(1), read_flatten);
  rows.write<Reshape>(since(5), write_reshape, [](const WriteNode& node) -> std::string {
    bool zeros = node.has(1) && node.op<Reshape>().allow_zero;
    return zeros && node.opset() < 14 ? "a computed size of 0 needs opset 14" : "";
  });
  rows.read("Transpose", since(1), read_transpose);
  rows.row<Transpose>("Transpose", since(1), {attr("perm", &Transpose::perm)});
  rows.read("Squeeze", since(1), read_squeeze);
  rows.write<Squeeze>(
      since(1), [](WriteNode& node) { write_axes(node, "Squeeze", node.op<Squeeze>().axes); },
      axes_are_known);
  rows.read("Unsqueeze", since(1), read_unsqueeze);
  rows.write<Unsqueeze>(
      since(1), [](WriteNode& node) { write_axes(node, "Unsqueeze", node.op<Unsqueeze>().axes); },
      axes_are_known);
  rows.read("Expand", since(8), read_expand);
  rows.write<Expand>(since(9), write_expand);
  rows.read("Tile", range(1, 5), read_tile_1);
  rows.row<Tile>("Tile", since(6), {input(1, &Tile::repeats)});
  rows.read("Shape", since(1), read_shape_of);
  rows.write<ShapeOf>(since(1), write_shape_of);
  rows.row<CountOf>("Size", since(1));
  rows.write<Sizes>(since(9), write_sizes);
  rows.read("DepthToSpace", since(1), read_depth_to_space);
  rows.write<DepthToSpace>(since(1), write_depth_to_space, has_depth_to_space);
  rows.row<SpaceToDepth>("SpaceToDepth", since(1), {attr("blocksize", &SpaceToDepth::block, Required{})},
                         has_space_to_depth);
}

}  // namespace remodel::onnx
