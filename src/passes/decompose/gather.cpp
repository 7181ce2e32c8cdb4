#include "ops/gather.h"

#include <limits>

#include "ops/generate.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/sort.h"
#include "ops/unary.h"
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
Term coordinate(Decompose& d, const Dim& size, const Dim& step, size_t axis, size_t rank) {
  Dims shape(rank, 1);
  shape[axis] = size;
  Term values = reshape(counting(d, size), shape);
  return step.is_number(1) ? values : values * size_term(d, step);
}

// For each place in the last axis of the indices the number of the slice of x, all sliced axes taken as one.
Term slice_numbers(Decompose& d, size_t batch) {
  const Dims from = d.dims(0), places = d.dims(1);
  if (!places.back().is_number()) fail("the number of indexed axes is not known");
  size_t depth = static_cast<size_t>(places.back().number()), rank = places.size() - 1;
  Dims sizes = part_of(from, batch, batch + depth);
  Term index = from_front({&d, d.in(1)}, sizes_term(d, sizes));
  if (depth == 1)
    index = reshape(index, part_of(places, 0, rank));
  else
    index = reduce(Reduce::Kind::sum, index * sizes_term(d, steps_of(sizes)), {static_cast<int64_t>(rank)});
  Dims entries = part_of(from, 0, batch), steps = steps_of(entries);
  for (size_t k = 0; k < batch; ++k)
    index = index + coordinate(d, entries[k], steps[k] * product(sizes), k, rank);
  return index;
}

void decompose_gather_nd(Decompose& d) {
  size_t batch = static_cast<size_t>(d.op<GatherND>().batch);
  const Dims from = d.dims(0), places = d.dims(1);
  Term index = slice_numbers(d, batch);
  size_t depth = static_cast<size_t>(places.back().number());
  Dims flat{product(part_of(from, 0, batch + depth))}, rest = part_of(from, batch + depth, from.size());
  flat.insert(flat.end(), rest.begin(), rest.end());
  d.result(0, gather(reshape({&d, d.in(0)}, flat), index, 0).id);
}

// For each index of gather_elements and its like the number of the element of x.
Term element_numbers(Decompose& d, int64_t axis) {
  const Dims from = d.dims(0), shape = d.dims(1);
  size_t rank = from.size(), at = static_cast<size_t>(resolve_axis(axis, rank));
  Dims steps = steps_of(from);
  Term index = from_front({&d, d.in(1)}, size_term(d, from[at]));
  if (!steps[at].is_number(1)) index = index * size_term(d, steps[at]);
  for (size_t k = 0; k < rank; ++k)
    if (k != at && !shape[k].is_number(1)) index = index + coordinate(d, shape[k], steps[k], k, rank);
  return index;
}

void decompose_gather_elements(Decompose& d) {
  Term index = element_numbers(d, d.op<GatherElements>().axis);
  d.result(0, gather(reshape({&d, d.in(0)}, {product(d.dims(0))}), index, 0).id);
}

Term accumulated(Update update, Term a, Term b) {
  switch (update) {
    case Update::add:
      return a + b;
    case Update::mul:
      return a * b;
    case Update::max:
      return max(a, b);
    case Update::min:
      return min(a, b);
    case Update::set:
      break;
  }
  fail("nothing is accumulated");
}

// What changes nothing when it is accumulated.
Term neutral(Decompose& d, Update update, DType dtype) {
  if (update == Update::add) return number(d, dtype, 0);
  if (update == Update::mul) return number(d, dtype, 1);
  bool most = update == Update::min;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (is_float(dtype)) return number(d, dtype, most ? infinity : -infinity);
  int64_t value = 0;
  int bits = bits_of(dtype);
  if (is_signed(dtype))
    value = most ? static_cast<int64_t>((uint64_t{1} << (bits - 1)) - 1)
                 : -static_cast<int64_t>((uint64_t{1} << (bits - 1)) - 1) - 1;
  else if (most)
    value = bits == 64 ? -1 : (int64_t{1} << bits) - 1;
  ConstantPtr wide = constant_tensor(Tensor::of<int64_t>(DType::i64, {}, {value}));
  return {&d, d.constant(constant_cast(wide, dtype))};
}

// Each slice of x with the updates of its own number, which are picked out by comparing all numbers with all.
// x is [slices, elements], numbers [updates], updates [updates, elements].
Term accumulate_slices(Decompose& d, Update update, Term x, Term numbers, Term updates, const Dim& slices,
                       const Dim& count, const Dim& elements) {
  Term mine = reshape(counting(d, slices), {slices, 1, 1}) == reshape(numbers, {1, count, 1});
  Term picked = select(mine, reshape(updates, {1, count, elements}), neutral(d, update, d.dtype(0)));
  Reduce::Kind kind = update == Update::add   ? Reduce::Kind::sum
                      : update == Update::mul ? Reduce::Kind::product
                      : update == Update::max ? Reduce::Kind::max
                                              : Reduce::Kind::min;
  return accumulated(update, x, reduce(kind, picked, {1}));
}

void decompose_scatter_elements(Decompose& d) {
  const auto& op = d.op<ScatterElements>();
  const Dims from = d.dims(0), shape = d.dims(1);
  Dim slices = product(from), count = product(shape);
  Term updates{&d, d.in(2)}, numbers = element_numbers(d, op.axis);
  if (op.update == Update::set || op.update == Update::add) {
    // Elements of a list, by their numbers.
    Term y = apply(ScatterND{op.update}, {reshape({&d, d.in(0)}, {slices}), reshape(numbers, {count, 1}),
                                          reshape(updates, {count})});
    return d.result(0, reshape(y, from).id);
  }
  Term list = reshape({&d, d.in(0)}, {slices, 1});
  Term y = accumulate_slices(d, op.update, list, numbers, updates, slices, count, 1);
  d.result(0, reshape(y, from).id);
}

void decompose_scatter_nd(Decompose& d) {
  const auto& op = d.op<ScatterND>();
  const Dims from = d.dims(0), places = d.dims(1);
  Term numbers = slice_numbers(d, 0), updates{&d, d.in(2)};
  size_t depth = static_cast<size_t>(places.back().number());
  Dim slices = product(part_of(from, 0, depth)), elements = product(part_of(from, depth, from.size()));
  Dim count = product(part_of(places, 0, places.size() - 1));
  Term x = reshape({&d, d.in(0)}, {slices, elements}), y;
  if (op.update == Update::set) {
    Term rows = expand(reshape(numbers, {count, 1}), {count, elements});
    y = apply(ScatterElements{}, {x, rows, reshape(updates, {count, elements})});
  } else {
    y = accumulate_slices(d, op.update, x, numbers, updates, slices, count, elements);
  }
  d.result(0, reshape(y, from).id);
}

void decompose_update_cache(Decompose& d) {
  const auto& op = d.op<UpdateCache>();
  const Dims from = d.dims(0), updates = d.dims(1);
  size_t axis = static_cast<size_t>(resolve_axis(op.axis, from.size()));
  Term places = coordinate(d, updates[axis], 1, axis, from.size());
  if (d.has(2)) {
    Dims entries(from.size(), 1);
    entries[0] = from[0];
    places = places + reshape(cast({&d, d.in(2)}, DType::i64), entries);
  }
  if (op.mode == CacheMode::circular) places = remainder(places, size_term(d, from[axis]));
  ScatterElements put{static_cast<int64_t>(axis)};
  d.result(0, apply(put, {{&d, d.in(0)}, expand(places, updates), {&d, d.in(1)}}).id);
}

// The places where the condition holds are picked.
void decompose_compress(Decompose& d) {
  const auto& op = d.op<Compress>();
  const Dims dims = d.dims(0);
  Term x{&d, d.in(0)}, condition{&d, d.in(1)};
  if (op.flat) x = reshape(x, {product(dims)});
  Term places = squeeze(apply(NonZero{}, {condition}), {0});
  d.result(0, gather(x, places, op.flat ? 0 : resolve_axis(op.axis, dims.size())).id);
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
void decompose_top_k(Decompose& d) {
  TopK op = d.op<TopK>();
  DType dtype = d.dtype(0);
  const Dims dims = d.dims(0);
  op.axis = resolve_axis(op.axis, dims.size());
  const Dim& size = dims[static_cast<size_t>(op.axis)];
  if (!op.largest) {
    op.largest = true;
    auto turned = [&](Term x) {
      if (is_float(dtype)) return apply(Neg{}, {x});
      return (is_signed(dtype) ? number(d, dtype, -1) : neutral(d, Update::min, dtype)) - x;
    };
    std::vector<ValueId> operands{turned({&d, d.in(0)}).id};
    if (d.has(1)) operands.push_back(d.in(1));
    std::vector<ValueId> results = d.emit(op, operands, 2);
    if (d.wants(0)) d.result(0, turned({&d, results[0]}).id);
    if (d.wants(1)) d.result(1, results[1]);
    return;
  }
  if (op.k.is_number() && !d.has(1)) return wide_top_k(d, op, size);
  if (!size.is_number()) fail("neither 'k' nor the size of axis {} is known", op.axis);
  Term k = d.has(1) ? reshape(cast({&d, d.in(1)}, DType::i64), {1}) : sizes_term(d, {op.k});
  op.k = size;
  std::vector<ValueId> results = d.emit(op, {d.in(0)}, 2);
  ValueId first = d.integers({0}), axis = d.integers({op.axis});
  for (size_t i = 0; i < 2; ++i)
    if (d.wants(i)) d.result(i, d.emit(DynamicSlice{}, {results[i], first, k.id, axis}));
}

// Negative indices are moved outside.
void decompose_one_hot(Decompose& d) {
  OneHot op = d.op<OneHot>();
  if (op.wrap) fail("it takes this form already");
  op.wrap = true;
  Term index = cast({&d, d.in(0)}, DType::i64);
  Term depth = d.has(2) ? cast({&d, d.in(2)}, DType::i64) : sizes_term(d, {op.depth});
  std::vector<ValueId> operands{select(index < 0, depth, index).id, d.in(1)};
  if (d.has(2)) operands.push_back(d.in(2));
  d.result(0, d.emit(op, operands));
}

// Counting up is asking where a list of ones is not zero. `size` is i64[1] or i64[].
Term counted(Term size) {
  Term ones = apply(Expand{}, {number(*size.at, DType::i64, 1), reshape(size, {1})});
  return squeeze(apply(NonZero{}, {ones}), {0});
}

void decompose_range(Decompose& d) {
  const auto& op = d.op<Range>();
  const DType dtype = d.result_type().dtype;
  if (d.node().inputs.empty()) {
    Term places = counted(sizes_term(d, {op.size}));
    if (op.step != 1) places = places * size_term(d, op.step);
    if (!op.start.is_number(0)) places = places + size_term(d, op.start);
    return d.result(0, cast(places, dtype).id);
  }
  Term start{&d, d.in(0)}, limit{&d, d.in(1)}, delta{&d, d.in(2)}, size;
  if (is_float(dtype)) {
    auto wide = [](Term x) { return cast(x, DType::f64); };
    size = cast(ceil((wide(limit) - wide(start)) / wide(delta)), DType::i64);
  } else {
    Term step = cast(delta, DType::i64), span = cast(limit, DType::i64) - cast(start, DType::i64);
    size = (span + step - apply(Sign{}, {step})) / step;
  }
  d.result(0, (start + cast(counted(max(size, 0)), dtype) * delta).id);
}

void decompose_triangle(Decompose& d) {
  const auto& op = d.op<Triangle>();
  const Dims dims = d.dims(0);
  size_t rank = dims.size();
  Term columns = counting(d, dims[rank - 1]);
  Term rows = reshape(counting(d, dims[rank - 2]), {dims[rank - 2], 1});
  Term diagonal = columns - rows, k = d.has(1) ? cast({&d, d.in(1)}, DType::i64) : size_term(d, op.k);
  Term outside = op.upper ? diagonal < k : k < diagonal;
  ValueId zero =
      d.dtype(0) == DType::string ? d.constant(constant_strings({}, {""})) : d.scalar(d.dtype(0), 0);
  d.result(0, select(outside, {&d, zero}, {&d, d.in(0)}).id);
}

// The place behind the last equal key, 0 where there is none, in the values behind the other one.
void lookup(Decompose& d) {
  Term x{&d, d.in(0)}, keys{&d, d.in(1)}, otherwise{&d, d.in(3)};
  const Dims dims = dims_of(x);
  const auto axis = static_cast<int64_t>(dims.size());
  const Dim count = d.dims(1)[0];
  Term each = unsqueeze(x, {axis}), equal = each == keys;
  if (is_float(x.dtype())) equal = equal || (!(each == each) && !(keys == keys));
  Term places = counting(d, count) + 1, none = number(d, DType::i64, 0);
  Term last = reduce(Reduce::Kind::max, select(equal, places, none), {axis});
  Term values = concat({reshape(otherwise, {1}), {&d, d.in(2)}}, 0);
  d.result(0, gather(values, last, 0).id);
}

// Shared axes are joined with the one that is picked from, which comes behind them.
void gather_unshared(Decompose& d, int64_t axis, bool wrap) {
  const size_t batch = static_cast<size_t>(d.op<Gather>().batch), at = static_cast<size_t>(axis);
  const Dims dims = d.dims(0), index_dims = d.dims(1);
  const Dims shared(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(batch)),
      picked(index_dims.begin() + static_cast<std::ptrdiff_t>(batch), index_dims.end());
  std::vector<int64_t> perm, back;
  Dims whole = shared, rest;
  for (size_t i = 0; i < batch; ++i) perm.push_back(static_cast<int64_t>(i));
  perm.push_back(axis);
  for (size_t i = batch; i < dims.size(); ++i)
    if (i != at) perm.push_back(static_cast<int64_t>(i)), rest.push_back(dims[i]);
  whole.insert(whole.end(), picked.begin(), picked.end());
  whole.insert(whole.end(), rest.begin(), rest.end());
  Term x{&d, d.in(0)}, size = size_term(d, dims[at]);
  Term rows = reshape(transpose(x, perm), {product(shared) * dims[at], product(rest)});
  Term places = reshape(cast({&d, d.in(1)}, DType::i64), {product(shared), product(picked)});
  if (wrap) places = from_front(places, size);
  places = places + unsqueeze(counting(d, product(shared)) * size, {1});
  Term found = reshape(gather(rows, places, 0), whole);
  // What stands before the axis comes before the indices again.
  const size_t before = at - batch;
  for (size_t i = 0; i < whole.size(); ++i) back.push_back(static_cast<int64_t>(i));
  std::rotate(back.begin() + static_cast<std::ptrdiff_t>(batch),
              back.begin() + static_cast<std::ptrdiff_t>(batch + picked.size()),
              back.begin() + static_cast<std::ptrdiff_t>(batch + picked.size() + before));
  d.result(0, transpose(found, back).id);
}

// Without shared axes, and with indices that all lie inside.
void take_gather_apart(Decompose& d) {
  Gather op = d.op<Gather>();
  const Dims dims = d.dims(0), index_dims = d.dims(1);
  const int64_t axis = resolve_axis(op.axis, dims.size());
  if (op.outside == Outside::error) {
    if (op.batch == 0) fail("it has a form");
    return gather_unshared(d, axis, op.wrap);
  }
  if (op.batch > 0 && op.batch != axis) fail("axes between those that are shared and that of the indices");
  Term size = size_term(d, dims[static_cast<size_t>(axis)]), places = cast({&d, d.in(1)}, DType::i64);
  if (op.wrap) places = from_front(places, size);
  const bool zero = op.outside == Outside::zero;
  op.outside = Outside::error, op.wrap = false;
  Term found = apply(op, {{&d, d.in(0)}, min(max(places, 0), size - 1)});
  if (zero) {
    std::vector<int64_t> behind;
    for (size_t i = static_cast<size_t>(axis) + 1; i < dims.size(); ++i)
      behind.push_back(static_cast<int64_t>(index_dims.size() + behind.size()));
    Term outside = places < 0 || !(places < size);
    if (!behind.empty()) outside = unsqueeze(outside, behind);
    found = select(outside, number(d, found.dtype(), 0), found);
  }
  d.result(0, found.id);
}

}  // namespace

void gather_decompositions(Decompositions& table) {
  table.add<GatherND>(decompose_gather_nd);
  table.add<Gather>(take_gather_apart);
  table.add<Lookup>(lookup);
  table.add<GatherElements>(decompose_gather_elements);
  table.add<ScatterElements>(decompose_scatter_elements);
  table.add<ScatterND>(decompose_scatter_nd);
  table.add<UpdateCache>(decompose_update_cache);
  table.add<Compress>(decompose_compress);
  table.add<TopK>(decompose_top_k);
  table.add<OneHot>(decompose_one_hot);
  table.add<Range>(decompose_range);
  table.add<Triangle>(decompose_triangle);
}

}  // namespace remodel
