#include "ops/shape.h"

#include "formats/tflite/rows.h"
#include "ops/cast.h"
#include "ops/slice.h"
#include "passes/decompose/term.h"

namespace remodel::tflite {
namespace {

// The shape is an input or, in old files, an attribute; -1 is what is left. The 0 of a single -1 or 0 in old
// files means a scalar.
void read_reshape(ReadNode& node) {
  std::vector<int64_t> listed = node.integers("new_shape");
  std::optional<Dims> to;
  if (node.has_input(1))
    to = node.sizes(1);
  else
    to = to_dims(listed.size() == 1 && listed[0] == 0 ? std::vector<int64_t>() : listed);
  if (to) to = resolve_reshape(node.type(0).dims, *to, true);
  if (to) return node.emit_results(Reshape{*to, true}, {node.input(0)});
  const ValueId shape = node.has_input(1) ? node.input(1) : node.add_constant(constant_ints(listed));
  node.emit_results(Reshape{{}, true}, {node.input(0), shape});
}

void read_squeeze(ReadNode& node) {
  std::vector<int64_t> axes = node.integers("squeeze_dims");
  const auto& dims = node.type(0).dims;
  if (!dims) fail("the rank of its operand is not known");
  if (axes.empty()) {
    for (size_t axis = 0; axis < dims->size(); ++axis)
      if ((*dims)[axis].is_number(1)) axes.push_back(static_cast<int64_t>(axis));
    if (axes.empty()) return node.result(0, node.input(0));
  }
  for (int64_t& axis : axes) axis = resolve_axis(axis, dims->size());
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  node.emit_results(Squeeze{axes}, {node.input(0)});
}

void read_expand_dims(ReadNode& node) {
  const auto axis = node.known_integers(1);
  if (!axis || axis->size() != 1) fail("the axis is only known when it runs");
  node.emit_results(Unsqueeze{{resolve_axis((*axis)[0], static_cast<size_t>(node.rank(0)) + 1)}},
                    {node.input(0)});
}

void read_transpose(ReadNode& node) {
  auto perm = node.known_integers(1);
  if (!perm) fail("the order of the axes is only known when it runs");
  for (int64_t& axis : *perm) axis = resolve_axis(axis, perm->size());
  node.emit_results(Transpose{*perm}, {node.input(0)});
}

void read_tile(ReadNode& node) {
  if (const auto repeats = node.sizes(1)) return node.emit_results(Tile{*repeats}, {node.input(0)});
  node.emit_results(Tile{}, {node.input(0), node.input(1)});
}

// Sizes that broadcast: where both are known to differ, one is 1.
std::optional<Dims> broadcast_sizes(const Dims& a, const Dims& b) {
  Dims result;
  const size_t rank = std::max(a.size(), b.size());
  for (size_t axis = 0; axis < rank; ++axis) {
    const Dim x = axis + a.size() < rank ? Dim(1) : a[axis + a.size() - rank];
    const Dim y = axis + b.size() < rank ? Dim(1) : b[axis + b.size() - rank];
    if (x == y || y.is_number(1))
      result.push_back(x);
    else if (x.is_number(1) || (y.is_number() && !x.is_number()))
      result.push_back(y);
    else if (x.is_number() && !y.is_number())
      result.push_back(x);
    else
      return std::nullopt;
  }
  return result;
}

void read_broadcast_to(ReadNode& node) {
  const auto shape = node.sizes(1);
  if (!shape) return node.emit_results(Expand{}, {node.input(0), node.input(1)});
  if (shape->size() < static_cast<size_t>(node.rank(0)))
    fail("{} cannot be expanded to rank {}", node.type(0).text(), shape->size());
  node.emit_results(Expand{*shape}, {node.input(0)});
}

void read_broadcast_args(ReadNode& node) {
  const auto a = node.sizes(0), b = node.sizes(1);
  const auto sizes = a && b ? broadcast_sizes(*a, *b) : std::nullopt;
  if (sizes) return node.result(0, node.emit(Sizes{*sizes}, {}));
  // With ones in front of the shorter one, what is not 1 counts.
  Emitter at(node.graph(), node.origin());
  const Term shapes[] = {{&at, node.input(0)}, {&at, node.input(1)}};
  const auto with_ones = [&](const Term& shape, const Term& other) {
    const Term missing = max(apply(CountOf{}, {other}) - apply(CountOf{}, {shape}), 0);
    return concat({apply(Expand{}, {number(at, shape.dtype(), 1), reshape(missing, {1})}), shape}, 0);
  };
  const Term left = with_ones(shapes[0], shapes[1]), right = with_ones(shapes[1], shapes[0]);
  node.result(0, select(left == 1, right, left).id);
}

void read_shape(ReadNode& node) {
  node.ignore("out_type");  // which the result's type says, too
  node.emit_results(ShapeOf{}, {node.input(0)});
}

void read_rank(ReadNode& node) {
  node.result(0, node.add_scalar(DType::i32, static_cast<double>(node.rank(0))));
}

void read_fill(ReadNode& node) {
  if (const auto shape = node.sizes(0)) return node.emit_results(Expand{*shape}, {node.input(1)});
  node.emit_results(Expand{}, {node.input(1), node.input(0)});
}

void read_zeros_like(ReadNode& node) {
  const ValueId zero = node.add_scalar(node.type(0).dtype, 0);
  if (const auto& dims = node.type(0).dims) return node.emit_results(Expand{*dims}, {zero});
  node.emit_results(Expand{}, {zero, node.emit(ShapeOf{}, {node.input(0)})});
}

void read_pack(ReadNode& node) {
  node.ignore("values_count");
  const int64_t axis = resolve_axis(node.integer("axis"), static_cast<size_t>(node.rank(0)) + 1);
  std::vector<ValueId> parts;
  for (size_t i = 0; i < node.inputs(); ++i) parts.push_back(node.emit(Unsqueeze{{axis}}, {node.input(i)}));
  node.emit_results(Concat{axis}, parts);
}

void read_unpack(ReadNode& node) {
  node.ignore("num");
  const int64_t axis = resolve_axis(node.integer("axis"), static_cast<size_t>(node.rank(0)));
  const Split op{axis, Dims(node.outputs(), 1)};
  const std::vector<ValueId> parts = node.emit(op, {node.input(0)}, node.outputs());
  for (size_t k = 0; k < node.outputs(); ++k) node.result(k, node.emit(Squeeze{{axis}}, {parts[k]}));
}

}  // namespace

void shape_rows(Rows& rows) {
  rows.read("RESHAPE", since(1), read_reshape);
  rows.read("SQUEEZE", since(1), read_squeeze);
  rows.read("EXPAND_DIMS", since(1), read_expand_dims);
  rows.read("TRANSPOSE", since(1), read_transpose);
  rows.read("TILE", since(1), read_tile);
  rows.read("BROADCAST_TO", since(1), read_broadcast_to);
  rows.read("BROADCAST_ARGS", since(1), read_broadcast_args);
  rows.read("SHAPE", since(1), read_shape);
  rows.read("RANK", since(1), read_rank);
  rows.read("FILL", since(1), read_fill);
  rows.read("ZEROS_LIKE", since(1), read_zeros_like);
  rows.read("PACK", since(1), read_pack);
  rows.read("UNPACK", since(1), read_unpack);
}

}  // namespace remodel::tflite
