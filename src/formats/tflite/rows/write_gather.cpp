#include <algorithm>
#include <numeric>

#include "formats/tflite/rows.h"
#include "ops/gather.h"
#include "ops/generate.h"
#include "ops/reduce.h"
#include "ops/sort.h"

namespace remodel::tflite {
namespace {

// Indices that certainly do not count from the end.
bool from_front(const WriteNode& node, size_t i) {
  if (const Constant* constant = node.constant(i)) {
    if (constant->count() > 1 << 20) return false;
    const std::vector<int64_t> values = constant->tensor().ints();
    return std::all_of(values.begin(), values.end(), [](int64_t value) { return value >= 0; });
  }
  const Node* producer = node.graph().producer(node.node().inputs[i]);
  return producer && (producer->op.is<ArgMax>() || producer->op.is<ArgMin>() || producer->op.is<TopK>() ||
                      producer->op.is<NonZero>());
}

// The remainder by the size counts negative indices from the end. `sizes` has one element, or one for each
// index of the last axis.
Id wrapped(WriteNode& node, size_t i, const Dims& sizes, bool list) {
  if (from_front(node, i)) return node.in(i);
  const DType dtype = node.dtype(i);
  Id size;
  if (const auto known = numbers(sizes)) {
    std::vector<int64_t> values;
    for (int64_t one : *known) values.push_back(std::max<int64_t>(one, 1));
    size = node.cast(node.integers(values), dtype);
    if (!list) size = node.scalar(dtype, static_cast<double>(values[0]));
  } else {
    // LiteRT fails at a remainder by 0, even where there are no indices.
    Dims divisors;
    for (const Dim& one : sizes) divisors.push_back(one.at_least(1) ? one : max(one, Dim(1)));
    size = node.cast(list ? node.sizes(divisors) : node.reshape(node.sizes(divisors), {}), dtype);
  }
  if (const Constant* constant = node.constant(i); constant && numbers(sizes)) {
    std::vector<int64_t> values = constant->tensor().ints();
    for (size_t k = 0; k < values.size(); ++k) {
      const int64_t one = sizes[k % sizes.size()].number();
      if (values[k] < 0) values[k] += one;
    }
    return node.constant(constant_cast(
        constant_tensor(remodel::Tensor::of<int64_t>(DType::i64, constant->shape(), values)), DType::i32));
  }
  // Many axes are taken as one.
  const Dims shape = node.dims(i);
  Dims flat = shape;
  if (shape.size() > 4)
    flat = list ? Dims{product(Dims(shape.begin(), shape.end() - 1)), shape.back()} : Dims{product(shape)};
  const Id rest = node.emit("FLOOR_MOD", {node.reshape(node.in(i), flat), size}, Type(dtype, flat));
  return node.reshape(rest, shape);
}

void write_gather(WriteNode& node) {
  const auto& op = node.op<Gather>();
  if (op.outside != Outside::error) fail("indices outside of the axis have a meaning");
  const Dims x = node.dims(0);
  const int64_t axis = resolve_axis(op.axis, x.size());
  const Id indices = op.wrap ? wrapped(node, 1, {x[static_cast<size_t>(axis)]}, false) : node.in(1);
  Attributes attributes{Attribute::of("axis", axis)};
  if (op.batch != 0) attributes.push_back(Attribute::of("batch_dims", op.batch));
  node.emit_to(node.outs(), "GATHER", {node.in(0), indices}, attributes);
}

// The sizes that the last axis of the indices speaks of.
Dims indexed(const WriteNode& node, size_t x, size_t indices) {
  const Dims places = node.dims(indices), dims = node.dims(x);
  if (places.empty() || !places.back().is_number()) fail("the length of an index is not known");
  const auto count = static_cast<size_t>(places.back().number());
  if (count == 0 || count > dims.size()) fail("an index of {} places", count);
  return Dims(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(count));
}

void write_gather_nd(WriteNode& node) {
  if (node.op<GatherND>().batch != 0) fail("the first axes are shared");
  node.emit_to(node.outs(), "GATHER_ND", {node.in(0), wrapped(node, 1, indexed(node, 0, 1), true)});
}

void write_scatter_nd(WriteNode& node) {
  const auto& op = node.op<ScatterND>();
  if (op.update != Update::set && op.update != Update::add) fail("this update has no operator");
  const Dims x = node.dims(0);
  const Id indices = node.cast(wrapped(node, 1, indexed(node, 0, 1), true), DType::i32),
           shape = node.sizes(x);
  if (op.update == Update::add) {
    const Id sum = node.emit("SCATTER_ND", {indices, node.in(2), shape}, node.type(0));
    return write_broadcast(node, "ADD", {node.in(0), sum});
  }
  // Of places that are set twice no order is promised.
  const Type marks(DType::i32, node.dims(2));
  Id ones;
  if (const auto known = numbers(*marks.dims))
    ones = node.constant(constant_splat(DType::i32, *known, 1));
  else
    ones = node.emit("FILL", {node.sizes(*marks.dims), node.scalar(DType::i32, 1)}, marks);
  const Id count = node.emit("SCATTER_ND", {indices, ones, shape}, Type(DType::i32, x));
  const Id set = node.emit("GREATER", {count, node.scalar(DType::i32, 0)}, Type(DType::boolean, x));
  const Id values = node.emit("SCATTER_ND", {indices, node.in(2), shape}, node.type(0));
  write_broadcast(node, "SELECT_V2", {set, values, node.in(0)});
}

// An update that does not fit is refused there, and moved until it fits by LiteRT.
void write_update_cache(WriteNode& node) {
  const auto& op = node.op<UpdateCache>();
  const Dims x = node.dims(0);
  if (op.mode != CacheMode::linear) fail("updates go on at the front");
  if (!x[0].is_number(1)) fail("each entry of the batch is updated at a place of its own");
  const int64_t rank = static_cast<int64_t>(x.size()), axis = resolve_axis(op.axis, x.size());
  Id starts = node.integers(std::vector<int64_t>(x.size(), 0));
  if (node.has(2)) {
    const Id around =
        node.constant(constant_cast(constant_ints({axis, rank - 1 - axis})->reshaped({1, 2}), DType::i32));
    starts = node.emit("PAD", {node.in(2), around}, Type(node.dtype(2), {Dim(rank)}));
  }
  node.emit_to(node.outs(), "DYNAMIC_UPDATE_SLICE", {node.in(0), node.in(1), starts});
}

void write_one_hot(WriteNode& node) {
  const auto& op = node.op<OneHot>();
  const DType dtype = node.dtype(1);
  Id depth = node.has(2)            ? node.reshape(node.cast(node.in(2), DType::i32), {})
             : op.depth.is_number() ? node.scalar(DType::i32, static_cast<double>(op.depth.number()))
                                    : node.reshape(node.sizes({op.depth}), {});
  const auto value = [&](int64_t i) {
    const Id one =
        node.emit("SLICE", {node.in(1), node.integers({i}), node.integers({1})}, Type(dtype, {Dim(1)}));
    return node.reshape(one, {});
  };
  Id indices = node.in(0);
  if (!is_integer(node.dtype(0)))
    indices = node.cast(indices, DType::i64);
  else if (bits_of(node.dtype(0)) != 64)
    indices = node.cast(indices, DType::i32);
  if (op.wrap) {
    const Type type = node.type_of(indices);
    const Id below =
        node.emit("LESS", {indices, node.scalar(type.dtype, 0)}, type.with_dtype(DType::boolean));
    const Id up = node.emit("ADD", {indices, node.cast(depth, type.dtype)}, type);
    indices = node.emit("SELECT_V2", {below, up, indices}, type);
  }
  const int64_t axis = resolve_axis(op.axis, node.dims(0).size() + 1);
  const int64_t last = static_cast<int64_t>(node.dims(0).size());
  node.emit_to(node.outs(), "ONE_HOT", {indices, depth, value(1), value(0)},
               {Attribute::of("axis", axis == last ? int64_t{-1} : axis)});
}

void write_top_k(WriteNode& node) {
  const auto& op = node.op<TopK>();
  if (!op.largest) fail("the smallest are asked for");
  const Dims x = node.dims(0);
  const int64_t axis = resolve_axis(op.axis, x.size()), last = static_cast<int64_t>(x.size()) - 1;
  const Id k = node.has(1)        ? node.reshape(node.cast(node.in(1), DType::i32), {})
               : op.k.is_number() ? node.scalar(DType::i32, static_cast<double>(op.k.number()))
                                  : node.reshape(node.sizes({op.k}), {});
  if (axis == last) return node.emit_to(node.outs(), "TOPK_V2", {node.in(0), k});
  std::vector<int64_t> perm(x.size());
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[static_cast<size_t>(axis)], perm.back());
  const Id moved = node.transpose(node.in(0), perm);
  Ids found;
  for (DType dtype : {node.dtype(0), DType::i64})
    found.push_back(node.tensor(Type(dtype, permuted(node.result_dims(), perm))));
  node.emit_to(found, "TOPK_V2", {moved, k});
  for (size_t i = 0; i < 2; ++i)
    if (node.wants(i)) node.emit_to({node.out(i)}, "TRANSPOSE", {found[i], node.integers(perm)});
}

void write_nonzero(WriteNode& node) {
  Id x = node.in(0);
  const auto rank = static_cast<int64_t>(node.dims(0).size());
  if (rank == 0) fail("a scalar has no places");
  if (node.dtype(0) != DType::boolean)
    x = node.emit("NOT_EQUAL", {x, node.scalar(node.dtype(0), 0)}, node.type(0).with_dtype(DType::boolean));
  const Dims result = node.result_dims();
  const Id places = node.emit("WHERE", {x}, Type(DType::i64, {result[1], result[0]}));
  node.emit_to(node.outs(), "TRANSPOSE", {places, node.integers({1, 0})});
}

}  // namespace

void write_gather_rows(Rows& rows) {
  rows.write<Gather>(since(1), write_gather);
  rows.write<GatherND>(since(1), write_gather_nd);
  rows.write<ScatterND>(since(1), write_scatter_nd);
  rows.write<UpdateCache>(since(1), write_update_cache);
  rows.write<OneHot>(since(1), write_one_hot);
  rows.write<TopK>(since(1), write_top_k);
  rows.write<NonZero>(since(1), write_nonzero);
}

}  // namespace remodel::tflite
