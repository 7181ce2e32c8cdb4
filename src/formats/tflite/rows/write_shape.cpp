#include <algorithm>
#include <numeric>

#include "formats/tflite/rows.h"
#include "ops/generate.h"
#include "ops/shape.h"

namespace remodel::tflite {
namespace {

Type list_type(int64_t count) { return Type(DType::i32, {Dim(count)}); }

void write_reshape(WriteNode& node) {
  const auto& op = node.op<Reshape>();
  if (!node.has(1)) return node.reshape_to(node.out(), node.in(0), op.shape);
  Id shape = node.cast(node.in(1), DType::i32);
  const auto& length = node.type(1).dims;
  if (!op.allow_zero) {
    // 0 stands for the size that the operand has there.
    if (!length || length->size() != 1 || !(*length)[0].is_number())
      fail("the rank of the result is not known");
    const int64_t count = (*length)[0].number(), rank = static_cast<int64_t>(node.dims(0).size());
    Id own = node.emit("SHAPE", {node.in(0)}, list_type(rank), {word("out_type", "INT32")});
    if (count < rank)
      own = node.emit("SLICE", {own, node.integers({0}), node.integers({count})}, list_type(count));
    else if (count > rank)
      own = node.emit("CONCATENATION", {own, node.integers(std::vector<int64_t>(count - rank, 0))},
                      list_type(count), {Attribute::of("axis", int64_t{0})});
    const Id zero =
        node.emit("EQUAL", {shape, node.scalar(DType::i32, 0)}, list_type(count).with_dtype(DType::boolean));
    shape = node.emit("SELECT_V2", {zero, own, shape}, list_type(count));
  }
  node.emit_to(node.outs(), "RESHAPE", {node.in(0), shape});
}

size_t open_sizes(const Dims& dims) {
  return static_cast<size_t>(
      std::count_if(dims.begin(), dims.end(), [](const Dim& dim) { return !dim.is_number(); }));
}

void write_squeeze(WriteNode& node) {
  const auto& op = node.op<Squeeze>();
  if (node.has(1)) fail("axes that are only known when the model runs");
  const auto& dims = node.result_type().dims;
  if (!dims) fail("the rank of the result is not known");
  if (open_sizes(*dims) < 2 || op.axes.empty()) return node.reshape_to(node.out(), node.in(0), *dims);
  node.emit_to(
      node.outs(), "SQUEEZE", {node.in(0)},
      {Attribute::of("squeeze_dims", sorted_axes(op.axes, static_cast<int64_t>(node.dims(0).size())))});
}

void write_unsqueeze(WriteNode& node) {
  const auto& op = node.op<Unsqueeze>();
  if (node.has(1)) fail("axes that are only known when the model runs");
  const Dims result = node.result_dims();
  if (open_sizes(result) < 2) return node.reshape_to(node.out(), node.in(0), result);
  const std::vector<int64_t> axes = sorted_axes(op.axes, static_cast<int64_t>(result.size()));
  Dims dims = node.dims(0);
  Id x = node.in(0);
  for (size_t i = 0; i < axes.size(); ++i) {
    dims.insert(dims.begin() + axes[i], Dim(1));
    const Id axis = node.scalar(DType::i32, static_cast<double>(axes[i]));
    if (i + 1 == axes.size())
      node.emit_to(node.outs(), "EXPAND_DIMS", {x, axis});
    else
      x = node.emit("EXPAND_DIMS", {x, axis}, Type(node.dtype(0), dims));
  }
}

void write_transpose(WriteNode& node) {
  std::vector<int64_t> perm = node.op<Transpose>().perm;
  const Dims dims = node.dims(0);
  if (perm.empty()) {
    perm.resize(dims.size());
    std::iota(perm.rbegin(), perm.rend(), 0);
  }
  if (dims.size() <= 6) return node.emit_to(node.outs(), "TRANSPOSE", {node.in(0), node.integers(perm)});
  // Axes of size 1, and those that stay together, need no place of their own.
  std::vector<std::vector<int64_t>> groups;  // in the order of the result
  for (int64_t axis : perm) {
    if (dims[static_cast<size_t>(axis)].is_number(1)) continue;
    if (!groups.empty() && groups.back().back() + 1 == axis)
      groups.back().push_back(axis);
    else
      groups.push_back({axis});
  }
  std::vector<size_t> order(groups.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return groups[a][0] < groups[b][0]; });
  Dims merged;
  std::vector<int64_t> moved(groups.size());
  for (size_t k = 0; k < order.size(); ++k) {
    Dim size = 1;
    for (int64_t axis : groups[order[k]]) size = size * dims[static_cast<size_t>(axis)];
    merged.push_back(size);
    moved[order[k]] = static_cast<int64_t>(k);
  }
  if (merged.size() > 6) fail("LiteRT transposes 6 axes at most");
  node.reshape_to(node.out(), node.transpose(node.reshape(node.in(0), merged), moved), node.result_dims());
}

void write_expand(WriteNode& node) {
  const auto& op = node.op<Expand>();
  if (node.dtype(0) == DType::string) fail("strings are repeated");
  if (!node.has(1)) {
    if (node.dims(0) == op.shape) return node.reshape_to(node.out(), node.in(0), op.shape);
    return node.emit_to(node.outs(), "BROADCAST_TO", {node.in(0), node.sizes(op.shape)});
  }
  const auto& length = node.type(1).dims;
  const int64_t rank = static_cast<int64_t>(node.dims(0).size());
  const bool known = length && length->size() == 1 && (*length)[0].is_number();
  const Id own = node.emit("SHAPE", {node.in(0)}, list_type(rank), {word("out_type", "INT32")});
  Type both(DType::i32);
  if (known) both.dims = Dims{Dim(std::max(rank, (*length)[0].number()))};
  const Id shape = node.emit("BROADCAST_ARGS", {own, node.cast(node.in(1), DType::i32)}, both);
  node.emit_to(node.outs(), "BROADCAST_TO", {node.in(0), shape});
}

void write_tile(WriteNode& node) {
  const Id repeats = node.has(1) ? node.cast(node.in(1), DType::i32) : node.sizes(node.op<Tile>().repeats);
  node.emit_to(node.outs(), "TILE", {node.in(0), repeats});
}

void write_shape_of(WriteNode& node) {
  const auto rank = static_cast<int64_t>(node.dims(0).size());
  const auto [start, end] = node.op<ShapeOf>().axes(rank);
  const Attributes i64{word("out_type", "INT64")};
  if (start == 0 && end == rank) return node.emit_to(node.outs(), "SHAPE", {node.in(0)}, i64);
  const Id all = node.emit("SHAPE", {node.in(0)}, Type(DType::i64, {Dim(rank)}), i64);
  node.emit_to(node.outs(), "SLICE",
               {all, node.integers({start}), node.integers({std::max<int64_t>(0, end - start)})});
}

void write_count_of(WriteNode& node) {
  Type type(DType::i64);
  if (node.type(0).dims) type.dims = Dims{Dim(static_cast<int64_t>(node.type(0).dims->size()))};
  const Id all = node.emit("SHAPE", {node.in(0)}, type, {word("out_type", "INT64")});
  node.emit_to(node.outs(), "REDUCE_PROD", {all, node.integers({0})}, {Attribute::of("keep_dims", false)});
}

void write_sizes(WriteNode& node) {
  const auto& sizes = node.op<Sizes>().sizes;
  const Id list = node.sizes(sizes);
  node.emit_to(node.outs(), "CAST", {list}, {word("in_data_type", "INT32"), word("out_data_type", "INT64")});
}

void write_range(WriteNode& node) {
  const auto& op = node.op<Range>();
  if (node.inputs() > 0)
    return node.emit_to(
        node.outs(), "RANGE",
        {node.reshape(node.in(0), {}), node.reshape(node.in(1), {}), node.reshape(node.in(2), {})});
  const auto scalar = [&](const Dim& size) {
    if (size.is_number()) return node.scalar(op.dtype, static_cast<double>(size.number()));
    return node.cast(node.reshape(node.sizes({size}), {}), op.dtype);
  };
  node.emit_to(node.outs(), "RANGE",
               {scalar(op.start), scalar(op.start + op.size * Dim(op.step)), scalar(op.step)});
}

}  // namespace

void write_shape_rows(Rows& rows) {
  rows.write<Reshape>(since(1), write_reshape);
  rows.write<Squeeze>(since(1), write_squeeze);
  rows.write<Unsqueeze>(since(1), write_unsqueeze);
  rows.write<Transpose>(since(1), write_transpose);
  rows.write<Expand>(since(1), write_expand);
  rows.write<Tile>(since(1), write_tile);
  rows.write<ShapeOf>(since(1), write_shape_of);
  rows.write<CountOf>(since(1), write_count_of);
  rows.write<Sizes>(since(1), write_sizes);
  rows.write<Range>(since(1), write_range);
}

}  // namespace remodel::tflite
