// Operators of StableHLO that the runtime has kernels for.
#include <algorithm>

#include "formats/tflite/reader.h"
#include "formats/tflite/rows.h"
#include "ops/binary.h"
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
  constexpr int64_t most_taps = 4096;
  const Dims dims = dims_of(x);
  const size_t rank = dims.size();
  if (window.size() != rank || strides.size() != rank || dilations.size() != rank)
    fail("its windows have {} axes, its operand {}", window.size(), rank);
  Slice slice;
  slice.steps = strides;
  for (size_t i = 0; i < rank; ++i) {
    if (window[i] < 1 || strides[i] < 1 || dilations[i] < 1) fail("a window of {} elements", window[i]);
    slice.axes.push_back(static_cast<int64_t>(i));
    slice.sizes.push_back(floor_div(dims[i] - Dim((window[i] - 1) * dilations[i] + 1), strides[i]) + 1);
  }
  const int64_t taps = count_of(window);
  if (taps > most_taps) fail("a window of {} elements", taps);
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

// A slice for each vector of the indices, which are moved inside; by the places of all its elements.
void read_gather(ReadNode& node) {
  node.ignore("indices_are_sorted");
  const std::vector<int64_t> sizes = node.integers("slice_sizes"), offsets = node.integers("offset_dims"),
                             collapsed = node.integers("collapsed_slice_dims"),
                             map = node.integers("start_index_map");
  const Dims dims = node.dims_of(0, sizes.size());
  const auto has = [](const std::vector<int64_t>& list, size_t one) {
    return std::find(list.begin(), list.end(), static_cast<int64_t>(one)) != list.end();
  };
  Emitter at(node.graph(), node.origin());
  Term starts = cast({&at, node.input(1)}, DType::i64);
  const auto vectors = static_cast<size_t>(node.integer("index_vector_dim"));
  if (vectors > dims_of(starts).size() || dims.size() != sizes.size()) fail("its sizes do not fit");
  if (vectors == dims_of(starts).size()) starts = unsqueeze(starts, {static_cast<int64_t>(vectors)});
  Dims batch = dims_of(starts);
  batch.erase(batch.begin() + static_cast<std::ptrdiff_t>(vectors));
  const size_t rank = batch.size() + offsets.size();
  // Where the batch axes and those of the slices stand in the result.
  std::vector<size_t> batch_at, offset_at;
  for (size_t i = 0; i < rank; ++i) (has(offsets, i) ? offset_at : batch_at).push_back(i);
  if (batch_at.size() != batch.size() || dims.size() != offsets.size() + collapsed.size())
    fail("its axes do not fit");
  Term place;
  for (size_t axis = 0, kept = 0; axis < dims.size(); ++axis) {
    const Term size = size_term(at, dims[axis]);
    place = place.at ? place * size : place;
    const auto mapped = std::find(map.begin(), map.end(), static_cast<int64_t>(axis));
    Term along;
    if (mapped != map.end()) {
      Term start = at_index(starts, static_cast<int64_t>(vectors), mapped - map.begin());
      start = min(max(start, 0), size - static_cast<double>(sizes[axis]));
      Dims line(rank, Dim(1));
      for (size_t i = 0; i < batch.size(); ++i) line[batch_at[i]] = batch[i];
      along = reshape(start, line);
    }
    if (!has(collapsed, axis)) {
      Dims line(rank, Dim(1));
      line[offset_at[kept++]] = Dim(sizes[axis]);
      const Term offset = reshape(counting(at, Dim(sizes[axis])), line);
      along = along.at ? along + offset : offset;
    }
    if (along.at) place = place.at ? place + along : along;
  }
  const Term all = reshape({&at, node.input(0)}, {product(dims)});
  node.result(0, gather(all, place, 0).id);
}

}  // namespace

void stablehlo_rows(Rows& rows) {
  rows.read("STABLEHLO_REDUCE_WINDOW", since(1), read_reduce_window);
  rows.read("REDUCE_WINDOW", since(1), read_plain_reduce_window);
  rows.read("STABLEHLO_GATHER", since(1), read_gather);
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
