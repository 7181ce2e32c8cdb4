#include "ops/shape.h"

#include "formats/onnx/rows.h"

namespace remodel::onnx {
namespace {

// 0 copies the size of the axis, -1 is what is left.
void read_reshape(ReadNode& node) {
  bool allow_zero = node.version() >= 14 && node.integer("allowzero", 0) != 0;
  node.ignore("consumed_inputs");
  auto known = node.version() >= 5 ? node.sizes(1) : std::optional(to_dims(node.integers("shape")));
  if (!known || !node.type(0).dims)
    return node.emit_results(Reshape{{}, allow_zero}, {node.input(0), node.input(1)});
  Dims from = *node.type(0).dims, to = *known;
  std::optional<size_t> rest;
  Dim product_of_others(1);
  for (size_t axis = 0; axis < to.size(); ++axis) {
    if (to[axis].is_number(-1)) {
      if (rest) fail("two sizes are -1");
      rest = axis;
      continue;
    }
    if (to[axis].is_number(0) && !allow_zero) {
      if (axis >= from.size()) fail("size {} is 0, but the input has rank {}", axis, from.size());
      to[axis] = from[axis];
    }
    product_of_others = product_of_others * to[axis];
  }
  if (rest) {
    Dim whole = product(from);
    auto exact = exact_div(whole, product_of_others);
    if (!exact && whole.is_number() && product_of_others.is_number())
      fail("{} elements cannot be reshaped to {}", whole.text(), text_of(*known));
    to[*rest] = exact ? *exact : floor_div(whole, product_of_others);
  }
  node.emit_results(Reshape{to, false}, {node.input(0)});
}

void write_reshape(WriteNode& node) {
  const auto& op = node.op<Reshape>();
  std::string shape;
  Attributes attributes;
  if (node.has(1)) {
    shape = node.in(1);
    if (op.allow_zero) attributes.push_back(Attribute::of("allowzero", int64_t{1}));
  } else {
    // One unknown size is -1, unless a zero stands beside it.
    Dims dims = op.shape;
    size_t unknown = 0, zeros = 0;
    for (const Dim& dim : dims) unknown += !dim.is_number(), zeros += dim.is_number(0);
    if (unknown == 1 && zeros == 0)
      for (Dim& dim : dims)
        if (!dim.is_number()) dim = Dim(-1);
    if (zeros && node.opset() >= 14) attributes.push_back(Attribute::of("allowzero", int64_t{1}));
    shape = node.sizes(dims);
  }
  node.emit_to(node.outs(), "Reshape", {node.in(0), shape}, attributes);
}

}  // namespace

void shape_rows(Rows& rows) {
  rows.read("Reshape", since(1), read_reshape);
  rows.write<Reshape>(since(5), write_reshape);
  rows.read("Shape", range(1, 14), [](ReadNode& node) { node.emit_results(ShapeOf{}, node.operands()); });
  rows.row<ShapeOf>("Shape", since(1));
}

}  // namespace remodel::onnx
