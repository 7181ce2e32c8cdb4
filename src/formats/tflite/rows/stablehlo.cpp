// Operators of StableHLO that the runtime has kernels for.
#include <algorithm>

#include "formats/tflite/reader.h"
#include "formats/tflite/rows.h"
#include "ops/binary.h"
#include "ops/gather.h"
#include "ops/slice.h"
#include "passes/decompose/term.h"

namespace remodel::tflite {
namespace {

void read_and(ReadNode& node) {
  if (node.type(0).dtype == DType::boolean) return node.emit_results(And{}, {node.input(0), node.input(1)});
  node.emit_results(BitAnd{}, {node.input(0), node.input(1)});
}

// Negative pads take elements away.
void read_pad(ReadNode& node) {
  for (const int64_t inner : node.integers("interior_padding"))
    if (inner != 0) fail("pads between elements are not supported");
  Pad op;
  op.low = to_dims(node.integers("edge_padding_low"));
  op.high = to_dims(node.integers("edge_padding_high"));
  if (op.low.size() != static_cast<size_t>(node.rank(0)) || op.high.size() != op.low.size())
    fail("{} and {} pads for {} axes", op.low.size(), op.high.size(), node.rank(0));
  node.emit_results(op, {node.input(0), node.input(1)});
}

// What it is composed of stands in a sub-graph.
void read_composite(ReadNode& node) {
  for (const Attribute& attribute : node.proto().attributes) node.ignore(attribute.name);
  const size_t graph = node.graph_named("decomposition_subgraph_index");
  std::vector<Cell> cells;
  for (size_t i = 0; i < node.proto().inputs.size(); ++i) cells.push_back(node.operand_cell(i));
  const std::string path = node.origin().empty() ? "" : node.origin()[0] + "/";
  const std::vector<Cell> results = GraphReader(node.reading(), node.scope(), graph, path).read(cells);
  if (results.size() != node.outputs())
    fail("its sub-graph has {} outputs, but it has {}", results.size(), node.outputs());
  for (size_t k = 0; k < results.size(); ++k)
    if (node.wants(k)) node.result_cell(k, results[k]);
}

using Combine = Term (*)(Term, Term);

// What a reduction's body is: one operator on its two inputs.
Combine combination(std::string_view type) {
  const bool own = type.starts_with("STABLEHLO_");
  if (own) type.remove_prefix(std::string_view("STABLEHLO_").size());
  if (type == "ADD") return [](Term a, Term b) { return a + b; };
  if (type == "MUL" || type == "MULTIPLY") return [](Term a, Term b) { return a * b; };
  if (type == "MAXIMUM") return [](Term a, Term b) { return max(a, b); };
  if (type == "MINIMUM") return [](Term a, Term b) { return min(a, b); };
  if (type == "LOGICAL_AND" || type == "ALL" || (own && type == "AND"))
    return [](Term a, Term b) { return a && b; };
  if (type == "LOGICAL_OR" || type == "ANY" || (own && type == "OR"))
    return [](Term a, Term b) { return a || b; };
  fail("a reduction by {} is not supported", type);
}

Combine body_of(ReadNode& node, std::string_view attribute) {
  const SubGraph& body = node.reading().file.graphs[node.graph_named(attribute)];
  if (body.operators.size() != 1 || body.inputs.size() != 2) fail("its body is more than one operator");
  return combination(body.operators[0].type);
}

// Windows over all axes: what each tap of them meets is combined, after the initial number.
void reduce_windows(ReadNode& node, Term x, const std::vector<int64_t>& window,
                    const std::vector<int64_t>& strides, const std::vector<int64_t>& dilations,
                    Combine combine) {
  constexpr int64_t most_taps = 4096, most_elements = int64_t{1} << 40;
  const Dims dims = dims_of(x);
  const size_t rank = dims.size();
  if (window.size() != rank || strides.size() != rank || dilations.size() != rank)
    fail("its windows have {} axes, its operand {}", window.size(), rank);
  for (const int64_t one : dilations)
    if (one > most_elements) fail("a window that is dilated by {}", one);
  const int64_t taps = count_of(window);
  if (taps > most_taps) fail("a window of {} elements", taps);
  Slice slice;
  slice.steps = strides;
  for (size_t i = 0; i < rank; ++i) {
    if (window[i] < 1 || strides[i] < 1 || dilations[i] < 1) fail("a window of {} elements", window[i]);
    slice.axes.push_back(static_cast<int64_t>(i));
    slice.sizes.push_back(floor_div(dims[i] - Dim((window[i] - 1) * dilations[i] + 1), strides[i]) + 1);
  }
  Term result = expand(reshape({x.at, node.input(1)}, {}), slice.sizes);
  for (int64_t t = 0; t < taps; ++t) {
    slice.starts.assign(rank, 0);
    for (int64_t i = static_cast<int64_t>(rank), rest = t; i-- > 0; rest /= window[static_cast<size_t>(i)]) {
      const auto at = static_cast<size_t>(i);
      slice.starts[at] = Dim(rest % window[at] * dilations[at]);
    }
    result = combine(result, apply(slice, {x}));
  }
  node.result(0, result.id);
}

void read_reduce_window(ReadNode& node) {
  for (const int64_t dilation : node.integers("base_dilations"))
    if (dilation != 1) fail("elements that are moved apart are not supported");
  const std::vector<int64_t> pads = node.integers("padding");
  Emitter at(node.graph(), node.origin());
  Term x{&at, node.input(0)};
  Pad pad;
  for (size_t i = 0; i + 1 < pads.size(); i += 2) pad.low.push_back(pads[i]), pad.high.push_back(pads[i + 1]);
  if (pad.low.size() != static_cast<size_t>(node.rank(0))) fail("it has {} pads", pads.size());
  if (std::any_of(pads.begin(), pads.end(), [](int64_t n) { return n != 0; }))
    x = apply(pad, {x, reshape({&at, node.input(1)}, {})});
  reduce_windows(node, x, node.integers("window_dimensions"), node.integers("window_strides"),
                 node.integers("window_dilations"), body_of(node, "body_subgraph_index"));
}

// The older form, with the numbers in operands.
void read_plain_reduce_window(ReadNode& node) {
  const auto numbers_of = [&](size_t i) {
    const auto known = node.known_integers(i);
    if (!known) fail("its windows are only known when it runs");
    return *known;
  };
  Emitter at(node.graph(), node.origin());
  reduce_windows(node, {&at, node.input(0)}, numbers_of(2), numbers_of(3), numbers_of(4),
                 combination(node.word("reduce_function")));
}

// How windows of an operand stand in another tensor: one for each vector of the indices, whose elements tell
// where it begins along some of the operand's axes.
struct Windows {
  Dims operand;
  Dims sizes;                    // along each of the operand's axes
  std::vector<int64_t> axes;     // of the other tensor, for those of the operand that are kept
  std::vector<int64_t> dropped;  // of the operand's, where a window has one element
  std::vector<int64_t> indexed;  // the operand's axes that a vector tells about
  int64_t vectors = 0;           // the axis of the indices that holds a vector
  bool moved_inside = false;     // otherwise elements may lie outside
};

bool has(const std::vector<int64_t>& list, size_t one) {
  return std::find(list.begin(), list.end(), static_cast<int64_t>(one)) != list.end();
}

// The place of each element of the other tensor in the flat operand; `outside` is set for elements that have
// none.
Term places_of(const Windows& windows, Term starts, Term& outside) {
  Emitter& at = *starts.at;
  const auto vectors = static_cast<size_t>(windows.vectors);
  if (windows.vectors < 0 || vectors > dims_of(starts).size())
    fail("its indices have no axis {}", windows.vectors);
  if (vectors == dims_of(starts).size()) starts = unsqueeze(starts, {windows.vectors});
  Dims batch = dims_of(starts);
  batch.erase(batch.begin() + windows.vectors);
  const size_t rank = batch.size() + windows.axes.size();
  if (windows.operand.size() != windows.axes.size() + windows.dropped.size()) fail("its axes do not fit");
  Dims batch_line(rank, Dim(1));
  for (size_t i = 0, next = 0; i < rank; ++i)
    if (!has(windows.axes, i)) {
      if (next == batch.size()) fail("its axes do not fit");
      batch_line[i] = batch[next++];
    }
  Term place;
  for (size_t axis = 0, kept = 0; axis < windows.operand.size(); ++axis) {
    const Term size = size_term(at, windows.operand[axis]), extent = size_term(at, windows.sizes[axis]);
    const auto indexed =
        std::find(windows.indexed.begin(), windows.indexed.end(), static_cast<int64_t>(axis));
    Term along = number(at, DType::i64, 0);
    if (indexed != windows.indexed.end()) {
      along = at_index(starts, windows.vectors, indexed - windows.indexed.begin());
      if (windows.moved_inside) along = min(max(along, 0), size - extent);
      along = reshape(along, batch_line);
    }
    if (!has(windows.dropped, axis)) {
      Dims line(rank, Dim(1));
      line[static_cast<size_t>(windows.axes[kept++])] = windows.sizes[axis];
      along = along + reshape(counting(at, windows.sizes[axis]), line);
    }
    if (!windows.moved_inside) {
      const Term beyond = along < 0 || !(along < size);
      outside = outside.at ? outside || beyond : beyond;
    }
    place = place.at ? place * size + along : along;
  }
  return place;
}

void check_axes(const std::vector<int64_t>& axes, size_t rank) {
  for (const int64_t axis : axes)
    if (axis < 0 || axis >= static_cast<int64_t>(rank)) fail("there is no axis {}", axis);
}

void read_gather(ReadNode& node) {
  node.ignore("indices_are_sorted");
  Windows windows;
  windows.sizes = to_dims(node.integers("slice_sizes"));
  windows.operand = node.dims_of(0, windows.sizes.size());
  if (windows.operand.size() != windows.sizes.size()) fail("its slices have {} axes", windows.sizes.size());
  windows.axes = node.integers("offset_dims");
  windows.dropped = node.integers("collapsed_slice_dims");
  windows.indexed = node.integers("start_index_map");
  windows.vectors = node.integer("index_vector_dim");
  windows.moved_inside = true;
  check_axes(windows.axes, windows.axes.size() + node.dims_of(1, 0).size());
  Emitter at(node.graph(), node.origin());
  Term unused;
  const Term place = places_of(windows, cast({&at, node.input(1)}, DType::i64), unused);
  node.result(0, gather(reshape({&at, node.input(0)}, {product(windows.operand)}), place, 0).id);
}

Update update_of(ReadNode& node) {
  const SubGraph& body = node.reading().file.graphs[node.graph_named("update_computation_subgraph_index")];
  if (body.inputs.size() == 2 && body.operators.empty() && body.outputs == std::vector{body.inputs[1]})
    return Update::set;
  std::string_view type = body.operators.size() == 1 ? std::string_view(body.operators[0].type) : "";
  if (type.starts_with("STABLEHLO_")) type.remove_prefix(std::string_view("STABLEHLO_").size());
  if (type == "ADD") return Update::add;
  if (type == "MUL" || type == "MULTIPLY") return Update::mul;
  if (type == "MAXIMUM") return Update::max;
  if (type == "MINIMUM") return Update::min;
  fail("its body is no update that is known");
}

// What lies outside goes behind the end, which is cut off.
void read_scatter(ReadNode& node) {
  node.ignore("indices_are_sorted"), node.ignore("unique_indices");
  Windows windows;
  windows.operand = node.dims_of(0, 0);
  windows.axes = node.integers("update_window_dims");
  windows.dropped = node.integers("inserted_window_dims");
  windows.indexed = node.integers("scatter_dims_to_operand_dims");
  windows.vectors = node.integer("index_vector_dim");
  const Dims updates = node.dims_of(2, 0);
  check_axes(windows.axes, updates.size());
  for (size_t axis = 0, kept = 0; axis < windows.operand.size(); ++axis)
    windows.sizes.push_back(has(windows.dropped, axis) || kept == windows.axes.size()
                                ? Dim(1)
                                : updates[static_cast<size_t>(windows.axes[kept++])]);
  Emitter at(node.graph(), node.origin());
  Term outside;
  const Dim all = product(windows.operand), count = product(updates);
  Term place = places_of(windows, cast({&at, node.input(1)}, DType::i64), outside);
  place = reshape(expand(select(outside, size_term(at, all), place), updates), {count, 1});
  Term flat = reshape({&at, node.input(0)}, {all});
  flat = concat({flat, expand(number(at, flat.dtype(), 0), {1})}, 0);
  ScatterND scatter;
  scatter.update = update_of(node);
  const Term result = apply(scatter, {flat, place, reshape({&at, node.input(2)}, {count})});
  node.result(0, reshape(part(result, 0, 0, all), windows.operand).id);
}

}  // namespace

void stablehlo_rows(Rows& rows) {
  rows.read("STABLEHLO_REDUCE_WINDOW", since(1), read_reduce_window);
  rows.read("REDUCE_WINDOW", since(1), read_plain_reduce_window);
  rows.read("STABLEHLO_GATHER", since(1), read_gather);
  rows.read("STABLEHLO_SCATTER", since(1), read_scatter);
  rows.read_row<Add>("STABLEHLO_ADD", since(1));
  rows.read_row<Mul>("STABLEHLO_MULTIPLY", since(1));
  rows.read_row<Max>("STABLEHLO_MAXIMUM", since(1));
  rows.read_row<Min>("STABLEHLO_MINIMUM", since(1));
  rows.read("STABLEHLO_AND", since(1), read_and);
  rows.read_row<Shl>("STABLEHLO_SHIFT_LEFT", since(1));
  rows.read("STABLEHLO_PAD", since(1), read_pad);
  rows.read("STABLEHLO_COMPOSITE", since(1), read_composite);
}

}  // namespace remodel::tflite
