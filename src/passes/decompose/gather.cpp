#include "ops/gather.h"

#include <limits>

#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/generate.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/sort.h"
#include "ops/unary.h"
#include "passes/decompose/places.h"
#include "passes/decompose/term.h"

namespace remodel {
namespace {

Dims part_of(const Dims& dims, size_t first, size_t last) {
  return {dims.begin() + first, dims.begin() + last};
}

// What the coordinates of a row-major array with these sizes count for.
Dims steps_of(const Dims& sizes) {
  Dims steps(sizes.size(), 1);
  for (size_t i = sizes.size(); i-- > 1;) steps[i - 1] = steps[i] * sizes[i];
  return steps;
}

// 0 .. size - 1 times step, along axis `axis` of `rank`.
ValueId coordinate(Decompose& node, const Dim& size, const Dim& step, size_t axis, size_t rank) {
  Dims shape(rank, 1);
  shape[axis] = size;
  ValueId values = node.emit(Reshape{shape}, {count_up(node, size)});
  return step.is_number(1) ? values : node.emit(Mul{}, {values, size_value(node, step)});
}

// For each place in the last axis of the indices the number of the slice of x, all sliced axes taken as one.
ValueId slice_numbers(Decompose& node, ValueId indices, size_t batch) {
  const Dims from = node.dims(0), places = node.dims(1);
  if (!places.back().is_number()) fail("the number of indexed axes is not known");
  size_t depth = static_cast<size_t>(places.back().number()), rank = places.size() - 1;
  Dims sizes = part_of(from, batch, batch + depth);
  ValueId index = from_front(node, as_i64(node, indices), sizes_value(node, sizes));
  if (depth == 1) {
    index = node.emit(Reshape{part_of(places, 0, rank)}, {index});
  } else {
    Reduce sum;
    sum.axes = {static_cast<int64_t>(rank)};
    sum.keep = false;
    index = node.emit(sum, {node.emit(Mul{}, {index, sizes_value(node, steps_of(sizes))})});
  }
  Dims entries = part_of(from, 0, batch), steps = steps_of(entries);
  for (size_t k = 0; k < batch; ++k)
    index = node.emit(Add{}, {index, coordinate(node, entries[k], steps[k] * product(sizes), k, rank)});
  return index;
}

void decompose_gather_nd(Decompose& node) {
  size_t batch = static_cast<size_t>(node.op<GatherND>().batch);
  const Dims from = node.dims(0), places = node.dims(1);
  ValueId index = slice_numbers(node, node.in(1), batch);
  size_t depth = static_cast<size_t>(places.back().number());
  Dims flat{product(part_of(from, 0, batch + depth))}, rest = part_of(from, batch + depth, from.size());
  flat.insert(flat.end(), rest.begin(), rest.end());
  node.result(0, node.emit(Gather{}, {node.emit(Reshape{flat}, {node.in(0)}), index}));
}

// For each index of gather_elements and its like the number of the element of x.
ValueId element_numbers(Decompose& node, int64_t axis) {
  const Dims from = node.dims(0), shape = node.dims(1);
  size_t rank = from.size(), at = static_cast<size_t>(resolve_axis(axis, rank));
  Dims steps = steps_of(from);
  ValueId index = from_front(node, as_i64(node, node.in(1)), size_value(node, from[at]));
  if (!steps[at].is_number(1)) index = node.emit(Mul{}, {index, size_value(node, steps[at])});
  for (size_t k = 0; k < rank; ++k)
    if (k != at && !shape[k].is_number(1))
      index = node.emit(Add{}, {index, coordinate(node, shape[k], steps[k], k, rank)});
  return index;
}

void decompose_gather_elements(Decompose& node) {
  ValueId index = element_numbers(node, node.op<GatherElements>().axis);
  ValueId list = node.emit(Reshape{{product(node.dims(0))}}, {node.in(0)});
  node.result(0, node.emit(Gather{}, {list, index}));
}

ValueId accumulated(Decompose& node, Update update, ValueId a, ValueId b) {
  switch (update) {
    case Update::add:
      return node.emit(Add{}, {a, b});
    case Update::mul:
      return node.emit(Mul{}, {a, b});
    case Update::max:
      return node.emit(Max{}, {a, b});
    case Update::min:
      return node.emit(Min{}, {a, b});
    case Update::set:
      break;
  }
  fail("nothing is accumulated");
}

// What changes nothing when it is accumulated.
ValueId neutral(Decompose& node, Update update, DType dtype) {
  if (update == Update::add) return node.scalar(dtype, 0);
  if (update == Update::mul) return node.scalar(dtype, 1);
  bool most = update == Update::min;
  if (is_float(dtype))
    return node.scalar(
        dtype, most ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity());
  int64_t value = 0;
  int bits = bits_of(dtype);
  if (is_signed(dtype))
    value = most ? static_cast<int64_t>((uint64_t{1} << (bits - 1)) - 1)
                 : -static_cast<int64_t>((uint64_t{1} << (bits - 1)) - 1) - 1;
  else if (most)
    value = bits == 64 ? -1 : (int64_t{1} << bits) - 1;
  ConstantPtr wide = constant_tensor(Tensor::of<int64_t>(DType::i64, {}, {value}));
  return node.constant(constant_cast(wide, dtype));
}

// Each slice of x with the updates of its own number, which are picked out by comparing all numbers with all.
// x is [slices, elements], numbers [updates], updates [updates, elements].
ValueId accumulate_slices(Decompose& node, Update update, ValueId x, ValueId slice_number, ValueId updates,
                          const Dim& slices, const Dim& count, const Dim& elements) {
  ValueId mine = node.emit(Equal{}, {node.emit(Reshape{{slices, 1, 1}}, {count_up(node, slices)}),
                                     node.emit(Reshape{{1, count, 1}}, {slice_number})});
  ValueId terms = node.emit(Reshape{{1, count, elements}}, {updates});
  ValueId picked = node.emit(Select{}, {mine, terms, neutral(node, update, node.dtype(0))});
  Reduce reduce;
  reduce.kind = update == Update::add   ? Reduce::Kind::sum
                : update == Update::mul ? Reduce::Kind::product
                : update == Update::max ? Reduce::Kind::max
                                        : Reduce::Kind::min;
  reduce.axes = {1};
  reduce.keep = false;
  return accumulated(node, update, x, node.emit(reduce, {picked}));
}

void decompose_scatter_elements(Decompose& node) {
  const auto& op = node.op<ScatterElements>();
  if (op.update == Update::set) fail("nothing is accumulated");
  const Dims from = node.dims(0), shape = node.dims(1);
  Dim slices = product(from), count = product(shape);
  ValueId list = node.emit(Reshape{{slices, 1}}, {node.in(0)});
  ValueId y =
      accumulate_slices(node, op.update, list, element_numbers(node, op.axis), node.in(2), slices, count, 1);
  node.result(0, node.emit(Reshape{from}, {y}));
}

void decompose_scatter_nd(Decompose& node) {
  const auto& op = node.op<ScatterND>();
  const Dims from = node.dims(0), places = node.dims(1);
  ValueId number = slice_numbers(node, node.in(1), 0);
  size_t depth = static_cast<size_t>(places.back().number());
  Dim slices = product(part_of(from, 0, depth)), elements = product(part_of(from, depth, from.size()));
  Dim count = product(part_of(places, 0, places.size() - 1));
  ValueId x = node.emit(Reshape{{slices, elements}}, {node.in(0)});
  ValueId y;
  if (op.update == Update::set) {
    ValueId rows = node.emit(Expand{{count, elements}}, {node.emit(Reshape{{count, 1}}, {number})});
    y = node.emit(ScatterElements{}, {x, rows, node.emit(Reshape{{count, elements}}, {node.in(2)})});
  } else {
    y = accumulate_slices(node, op.update, x, number, node.in(2), slices, count, elements);
  }
  node.result(0, node.emit(Reshape{from}, {y}));
}

void decompose_update_cache(Decompose& node) {
  const auto& op = node.op<UpdateCache>();
  const Dims from = node.dims(0), updates = node.dims(1);
  size_t axis = static_cast<size_t>(resolve_axis(op.axis, from.size()));
  ValueId places = coordinate(node, updates[axis], 1, axis, from.size());
  if (node.has(2)) {
    Dims entries(from.size(), 1);
    entries[0] = from[0];
    places = node.emit(Add{}, {places, node.emit(Reshape{entries}, {as_i64(node, node.in(2))})});
  }
  if (op.mode == CacheMode::circular) places = modulo(node, places, size_value(node, from[axis]));
  places = node.emit(Expand{updates}, {places});
  node.result(0, node.emit(ScatterElements{static_cast<int64_t>(axis)}, {node.in(0), places, node.in(1)}));
}

// Integers of 64 bits: all by their low halves, then, as equal ones keep their order, by their high halves.
void wide_top_k(Decompose& node, const TopK& op, const Dim& size) {
  const DType dtype = node.dtype(0);
  if (size_of(dtype) != 8 || !is_integer(dtype)) fail("it does not take {}", name_of(dtype));
  Term x{&node, node.in(0)}, whole = cast(x, DType::i64);
  Term half = number(node, DType::i64, 0x1p32);
  Term low = remainder(whole, half), high = (whole - low) / half;
  if (dtype == DType::u64) high = select(high < 0, high + half, high);
  auto largest = [&](Term keys, const Dim& k) {
    TopK sort = op;
    sort.k = k, sort.sorted = true;
    return Term{&node, node.emit(sort, {cast(keys, DType::f64).id}, 2)[1]};
  };
  const GatherElements pick{op.axis};
  Term by_low = largest(low, size);
  Term order = apply(pick, {by_low, largest(apply(pick, {high, by_low}), op.k)});
  if (node.wants(0)) node.result(0, apply(pick, {x, order}).id);
  if (node.wants(1)) node.result(1, order.id);
}

// The smallest are the largest of what is turned round: negative, or for integers the complement. Where k is
// only known when the model runs, all elements are sorted.
void decompose_top_k(Decompose& node) {
  TopK op = node.op<TopK>();
  DType dtype = node.dtype(0);
  const Dims dims = node.dims(0);
  op.axis = resolve_axis(op.axis, dims.size());
  const Dim& size = dims[static_cast<size_t>(op.axis)];
  if (!op.largest) {
    op.largest = true;
    auto turned = [&](ValueId x) {
      if (is_float(dtype)) return node.emit(Neg{}, {x});
      return node.emit(Sub{},
                       {is_signed(dtype) ? node.scalar(dtype, -1) : neutral(node, Update::min, dtype), x});
    };
    std::vector<ValueId> operands{turned(node.in(0))};
    if (node.has(1)) operands.push_back(node.in(1));
    std::vector<ValueId> results = node.emit(op, operands, 2);
    if (node.wants(0)) node.result(0, turned(results[0]));
    if (node.wants(1)) node.result(1, results[1]);
    return;
  }
  if (op.k.is_number() && !node.has(1)) return wide_top_k(node, op, size);
  if (!size.is_number()) fail("neither 'k' nor the size of axis {} is known", op.axis);
  ValueId k = node.has(1) ? node.emit(Reshape{{1}}, {as_i64(node, node.in(1))}) : sizes_value(node, {op.k});
  op.k = size;
  std::vector<ValueId> results = node.emit(op, {node.in(0)}, 2);
  ValueId first = node.integers({0}), axis = node.integers({op.axis});
  for (size_t i = 0; i < 2; ++i)
    if (node.wants(i)) node.result(i, node.emit(DynamicSlice{}, {results[i], first, k, axis}));
}

// Negative indices are moved outside.
void decompose_one_hot(Decompose& node) {
  OneHot op = node.op<OneHot>();
  if (op.wrap) fail("it takes this form already");
  op.wrap = true;
  ValueId index = as_i64(node, node.in(0));
  ValueId depth = node.has(2) ? as_i64(node, node.in(2)) : sizes_value(node, {op.depth});
  ValueId outside = less(node, index, node.scalar(DType::i64, 0));
  std::vector<ValueId> operands{node.emit(Select{}, {outside, depth, index}), node.in(1)};
  if (node.has(2)) operands.push_back(node.in(2));
  node.result(0, node.emit(op, operands));
}

// Counting up is asking where a list of ones is not zero. `size` is i64[1] or i64[].
ValueId counted(Decompose& node, ValueId size) {
  ValueId ones = node.emit(Expand{}, {node.scalar(DType::i64, 1), node.emit(Reshape{{1}}, {size})});
  return node.emit(Squeeze{{0}}, {node.emit(NonZero{}, {ones})});
}

void decompose_range(Decompose& node) {
  const auto& op = node.op<Range>();
  Cast cast;
  cast.to = node.result_type().dtype;
  auto typed = [&](ValueId x) { return cast.to == DType::i64 ? x : node.emit(cast, {x}); };
  if (node.node().inputs.empty()) {
    ValueId places = counted(node, sizes_value(node, {op.size}));
    if (op.step != 1) places = node.emit(Mul{}, {places, size_value(node, op.step)});
    if (!op.start.is_number(0)) places = node.emit(Add{}, {places, size_value(node, op.start)});
    return node.result(0, typed(places));
  }
  ValueId start = node.in(0), limit = node.in(1), delta = node.in(2), size;
  if (is_float(cast.to)) {
    auto wide = [&](ValueId x) { return remodel::cast({&node, x}, DType::f64); };
    Term count = ceil((wide(limit) - wide(start)) / wide(delta));
    size = as_i64(node, count.id);
  } else {
    ValueId step = as_i64(node, delta), span = node.emit(Sub{}, {as_i64(node, limit), as_i64(node, start)});
    ValueId rounded = node.emit(Sub{}, {node.emit(Add{}, {span, step}), node.emit(Sign{}, {step})});
    size = node.emit(Div{{}, Div::Rounding::trunc}, {rounded, step});
  }
  ValueId places = typed(counted(node, not_negative(node, size)));
  node.result(0, node.emit(Add{}, {start, node.emit(Mul{}, {places, delta})}));
}

void decompose_triangle(Decompose& node) {
  const auto& op = node.op<Triangle>();
  const Dims dims = node.dims(0);
  size_t rank = dims.size();
  ValueId columns = count_up(node, dims[rank - 1]);
  ValueId rows = node.emit(Reshape{{dims[rank - 2], 1}}, {count_up(node, dims[rank - 2])});
  ValueId diagonal = node.emit(Sub{}, {columns, rows});
  ValueId k = node.has(1) ? as_i64(node, node.in(1)) : size_value(node, op.k);
  ValueId outside = op.upper ? less(node, diagonal, k) : less(node, k, diagonal);
  ValueId zero = node.dtype(0) == DType::string ? node.constant(constant_strings({}, {""}))
                                                : node.scalar(node.dtype(0), 0);
  node.result(0, node.emit(Select{}, {outside, zero, node.in(0)}));
}

}  // namespace

void gather_decompositions(Decompositions& table) {
  table.add<GatherND>(decompose_gather_nd);
  table.add<GatherElements>(decompose_gather_elements);
  table.add<ScatterElements>(decompose_scatter_elements);
  table.add<ScatterND>(decompose_scatter_nd);
  table.add<UpdateCache>(decompose_update_cache);
  table.add<TopK>(decompose_top_k);
  table.add<OneHot>(decompose_one_hot);
  table.add<Range>(decompose_range);
  table.add<Triangle>(decompose_triangle);
}

}  // namespace remodel
