#include "ops/gather.h"

#include "formats/tflite/reader.h"
#include "formats/tflite/rows.h"
#include "ir/convert.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/generate.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel::tflite {
namespace {

void read_gather(ReadNode& node) {
  Gather op;
  op.batch = node.integer("batch_dims");
  if (op.batch < 0) op.batch += node.rank(1);
  op.axis = resolve_axis(node.integer("axis"), static_cast<size_t>(node.rank(0)));
  op.wrap = false;
  node.emit_results(op, {node.input(0), node.input(1)});
}

// Rows of a table; those of a quantized one become real numbers after they are picked.
void read_embedding_lookup(ReadNode& node) {
  const auto grid = grid_of(node.input_tensor(1));
  if (!grid || grid->axis >= 0) return node.emit_results(Gather{}, {node.input(1), node.input(0)});
  const ValueId rows = node.emit(Gather{}, {node.raw(1), node.input(0)});
  node.result(0,
              grid_of(node.output_tensor(0)) ? rows : dequantize(node.graph(), rows, *grid, node.origin()));
}

ValueId filled(ReadNode& node, const std::optional<Dims>& sizes, size_t shape, ValueId element) {
  if (sizes) return node.emit(Expand{*sizes}, {element});
  return node.emit(Expand{}, {element, node.input(shape)});
}

// Into zeros; what meets adds up.
void read_scatter_nd(ReadNode& node) {
  const ValueId zeros = filled(node, node.sizes(2), 2, node.add_scalar(node.type(1).dtype, 0));
  ScatterND op;
  op.update = node.type(1).dtype == DType::boolean ? Update::set : Update::add;
  node.emit_results(op, {zeros, node.input(0), node.input(1)});
}

// (indices [], [n] or [n, rank], shape, values [] or [n], default)
void read_sparse_to_dense(ReadNode& node) {
  node.ignore("validate_indices");
  const auto shape = node.sizes(1);
  ValueId indices = node.input(0), values = node.input(2);
  Dim count = 1;
  if (node.rank(0) == 0) {
    indices = node.emit(Reshape{{1, 1}, true}, {indices});
  } else {
    count = (*node.type(0).dims)[0];
    if (node.rank(0) == 1) indices = node.emit(Unsqueeze{{1}}, {indices});
  }
  values = node.emit(Expand{{count}}, {values});
  const ValueId base = filled(node, shape, 1, node.input(3));
  node.emit_results(ScatterND{}, {base, indices, values});
}

// Element `axis` of the starts, moved so that an update with these sizes lies inside: an i32 scalar.
ValueId update_start(ReadNode& node, const std::optional<Dims>& starts, size_t axis, const Dim& size,
                     const Dim& update) {
  const auto number = [&](const ValueId value) { return node.emit(cast_to(DType::i32), {value}); };
  const auto scalar = [&](const Dim& value) {
    return value.is_number() ? node.add_scalar(DType::i32, static_cast<double>(value.number()))
                             : number(node.emit(Squeeze{{0}}, {node.emit(Sizes{{value}}, {})}));
  };
  if (starts && (*starts)[axis].is_number(0)) return scalar(0);
  if (starts && (*starts)[axis].is_number() && size.is_number() && update.is_number())
    return scalar(std::clamp<int64_t>((*starts)[axis].number(), 0, size.number() - update.number()));
  const Slice one{{0}, {static_cast<int64_t>(axis)}, {1}, {1}};
  ValueId start = number(node.emit(Squeeze{{0}}, {node.emit(one, {node.input(2)})}));
  start = node.emit(Min{}, {start, node.emit(Sub{}, {scalar(size), scalar(update)})});
  return node.emit(Max{}, {start, scalar(0)});
}

void read_update_slice(ReadNode& node) {
  const Dims dims = node.dims_of(0, 0), update = node.dims_of(1, 0);
  const auto starts = node.sizes(2);
  if (update.size() != dims.size() || (starts && starts->size() != dims.size()))
    fail("{} is updated by {}", node.type(0).text(), node.type(1).text());
  std::vector<size_t> partial;  // axes
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    const Dim more = dims[axis] - update[axis];
    if (more.is_number() && more.number() < 0)
      fail("the update {} is larger than {}", node.type(1).text(), node.type(0).text());
    if (!more.is_number(0)) partial.push_back(axis);
  }
  if (partial.empty()) return node.result(0, node.input(1));
  if (partial.size() == 1) {
    const size_t axis = partial[0];
    const ValueId start = update_start(node, starts, axis, dims[axis], update[axis]);
    UpdateCache op;
    op.axis = static_cast<int64_t>(axis) + 1;
    std::vector<ValueId> operands{node.input(0), node.input(1), start};
    for (ValueId& operand : operands) operand = node.emit(Unsqueeze{{0}}, {operand});
    return node.result(0, node.emit(Squeeze{{0}}, {node.emit(op, operands)}));
  }
  // The places of the update: for each axis its index plus the start, put together along a last axis.
  std::vector<ValueId> parts;
  Dims whole = update;
  whole.push_back(1);
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    const ValueId start = update_start(node, starts, axis, dims[axis], update[axis]);
    Dims shape(dims.size() + 1, 1);
    shape[axis] = update[axis];
    const ValueId along =
        node.emit(Reshape{shape, false}, {node.emit(Range{DType::i32, 0, update[axis], 1}, {})});
    parts.push_back(node.emit(Expand{whole}, {node.emit(Add{}, {along, start})}));
  }
  const ValueId indices = node.emit(Concat{static_cast<int64_t>(dims.size())}, parts);
  node.emit_results(ScatterND{}, {node.input(0), indices, node.input(1)});
}

void read_where(ReadNode& node) {
  node.result(0, node.emit(Transpose{{1, 0}}, {node.emit(NonZero{}, {node.input(0)})}));
}

// A condition of one axis chooses whole rows.
void read_select(ReadNode& node) {
  ValueId condition = node.input(0);
  const int64_t rank = node.rank(1);
  if (node.rank(0) == 1 && rank > 1) {
    std::vector<int64_t> axes;
    for (int64_t axis = 1; axis < rank; ++axis) axes.push_back(axis);
    condition = node.emit(Unsqueeze{axes}, {condition});
  }
  node.emit_results(Select{}, {condition, node.input(1), node.input(2)});
}

Dims tail(ReadNode& node, size_t i, size_t from) {
  const Dims dims = node.dims_of(i, from);
  return {dims.begin() + static_cast<std::ptrdiff_t>(from), dims.end()};
}

// (data, ids [n], ascending): as many segments as the last id says.
void read_segment_sum(ReadNode& node) {
  const ValueId ids = node.input(1);
  ValueId most = node.emit(Reduce{Reduce::Kind::max, {0}, true, false}, {ids});
  most = node.emit(cast_to(DType::i64), {most});
  const ValueId count = node.emit(Add{}, {most, node.add_constant(constant_ints({1}))});
  const Dims rest = tail(node, 0, 1);
  const ValueId shape = rest.empty() ? count : node.emit(Concat{0}, {count, node.emit(Sizes{rest}, {})});
  const ValueId zeros = node.emit(Expand{}, {node.add_scalar(node.type(0).dtype, 0), shape});
  ScatterND op;
  op.update = Update::add;
  node.emit_results(op, {zeros, node.emit(Unsqueeze{{1}}, {ids}), node.input(0)});
}

double lowest(DType dtype) {
  if (is_float(dtype)) return -largest_of(dtype);
  return is_signed(dtype) ? -std::ldexp(1.0, bits_of(dtype) - 1) : 0;
}
double highest(DType dtype) {
  if (is_float(dtype)) return -lowest(dtype);
  return std::ldexp(1.0, bits_of(dtype) - (is_signed(dtype) ? 1 : 0)) - 1;
}

// (data, ids of any leading shape, count): a negative id belongs to no segment, so it goes to one more, which
// is cut off.
template <Update update>
void read_unsorted_segment(ReadNode& node) {
  const auto count = node.sizes(2);
  if (!count || count->size() != 1) fail("the number of segments is only known when it runs");
  const Dim segments = (*count)[0];
  const auto leading = static_cast<size_t>(node.rank(1));
  const DType dtype = node.type(0).dtype, id = node.type(1).dtype;
  const double start = update == Update::mul   ? 1
                       : update == Update::max ? lowest(dtype)
                       : update == Update::min ? highest(dtype)
                                               : 0;
  const Dims rest = tail(node, 0, leading);
  Dims shape{segments + 1};
  shape.insert(shape.end(), rest.begin(), rest.end());
  const ValueId base = node.emit(Expand{shape}, {node.add_constant(constant_splat(dtype, {}, start))});
  const ValueId outside = node.emit(Less{}, {node.input(1), node.add_scalar(id, 0)});
  ValueId beyond = node.emit(cast_to(id), {node.emit(Squeeze{{0}}, {node.emit(Sizes{{segments}}, {})})});
  const ValueId ids = node.emit(Select{}, {outside, beyond, node.input(1)});
  ScatterND op;
  op.update = update;
  const ValueId all =
      node.emit(op, {base, node.emit(Unsqueeze{{static_cast<int64_t>(leading)}}, {ids}), node.input(0)});
  node.emit_results(Slice{{0}, {0}, {segments}, {1}}, {all});
}

// (ids, keys, values) -> the rows whose keys are the ids, and whether there are such.
void read_hashtable_lookup(ReadNode& node) {
  const ConstantPtr keys = node.constant(1);
  if (!keys || keys->shape().size() != 1) fail("the keys are no constant");
  std::vector<int64_t> places(static_cast<size_t>(keys->count()));
  for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<int64_t>(i);
  const ValueId place =
      node.emit(Lookup{}, {node.input(0), node.input(1), node.add_constant(constant_ints(places)),
                           node.add_scalar(DType::i64, -1)});
  const ValueId hit = node.emit(GreaterEqual{}, {place, node.add_scalar(DType::i64, 0)});
  Gather op;
  op.outside = Outside::zero;
  op.wrap = false;
  node.result(0, node.emit(op, {node.input(2), place}));
  node.result(1, node.emit(cast_to(DType::u8), {hit}));
}

}  // namespace

void gather_rows(Rows& rows) {
  rows.read("GATHER", since(1), read_gather);
  rows.read_row<GatherND>("GATHER_ND", since(1));
  rows.read("EMBEDDING_LOOKUP", since(1), read_embedding_lookup);
  rows.read("SCATTER_ND", since(1), read_scatter_nd);
  rows.read("SPARSE_TO_DENSE", since(1), read_sparse_to_dense);
  rows.read("DYNAMIC_UPDATE_SLICE", since(1), read_update_slice);
  rows.read("WHERE", since(1), read_where);
  rows.read("SELECT", since(1), read_select);
  rows.read("SEGMENT_SUM", since(1), read_segment_sum);
  rows.read("UNSORTED_SEGMENT_SUM", since(1), read_unsorted_segment<Update::add>);
  rows.read("UNSORTED_SEGMENT_PROD", since(1), read_unsorted_segment<Update::mul>);
  rows.read("UNSORTED_SEGMENT_MAX", since(1), read_unsorted_segment<Update::max>);
  rows.read("UNSORTED_SEGMENT_MIN", since(1), read_unsorted_segment<Update::min>);
  rows.read("HASHTABLE_LOOKUP", since(1), read_hashtable_lookup);
}

}  // namespace remodel::tflite
