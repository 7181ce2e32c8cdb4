#include "ops/gather.h"

#include "formats/onnx/rows.h"
#include "ops/shape.h"
#include "ops/sort.h"

namespace remodel::onnx {
namespace {

std::string has_gather(const WriteNode& node) {
  const auto& op = node.op<Gather>();
  if (op.batch != 0) return "ONNX's Gather has no batch axes";
  return op.outside != Outside::error ? "ONNX's Gather refuses indices outside the axis" : "";
}

std::string has_gather_nd(const WriteNode& node) {
  return node.op<GatherND>().batch != 0 && node.opset() < 12 ? "batch axes need opset 12" : "";
}

std::string only_sets(const WriteNode& node) {
  const auto* elements = node.node().op.as<ScatterElements>();
  Update update = elements ? elements->update : node.op<ScatterND>().update;
  return update == Update::set ? "" : "updates that accumulate need opset 16";
}

std::string no_extremes(const WriteNode& node) {
  const auto* elements = node.node().op.as<ScatterElements>();
  Update update = elements ? elements->update : node.op<ScatterND>().update;
  return update == Update::max || update == Update::min ? "updates by max and min need opset 18" : "";
}

template <class T>
Slot update_slot() {
  return choice("reduction", &T::update, {{"none", 0}, {"add", 1}, {"mul", 2}, {"max", 3}, {"min", 4}},
                "none");
}

// The axis, where there is none: the elements as a list.
template <class T>
T read_flat_or_axis(ReadNode& node) {
  T op;
  op.flat = !node.has("axis");
  if (!op.flat) {
    op.axis = node.integer("axis");
    if (node.type(0).dims) op.axis = resolve_axis(op.axis, node.rank(0));
  }
  return op;
}

void read_unique(ReadNode& node) {
  Unique op = read_flat_or_axis<Unique>(node);
  op.sorted = node.integer("sorted", 1) != 0;
  node.emit_results(op, {node.input(0)});
}

void write_unique(WriteNode& node) {
  const auto& op = node.op<Unique>();
  Attributes attributes;
  if (!op.flat) attributes.push_back(Attribute::of("axis", op.axis));
  if (!op.sorted) attributes.push_back(Attribute::of("sorted", int64_t{0}));
  std::vector<std::string> outputs = node.outs();
  if (outputs[0].empty()) outputs[0] = node.fresh_name("unused");
  node.emit_to(outputs, "Unique", {node.in(0)}, attributes);
}

void write_compress(WriteNode& node) {
  const auto& op = node.op<Compress>();
  Attributes attributes;
  if (!op.flat) attributes.push_back(Attribute::of("axis", op.axis));
  node.emit_to(node.outs(), "Compress", {node.in(0), node.in(1)}, attributes);
}

void write_top_k(WriteNode& node) {
  const auto& op = node.op<TopK>();
  Attributes attributes;
  if (!node.type(0).has_rank(op.axis + 1)) attributes.push_back(Attribute::of("axis", op.axis));
  if (!op.largest) attributes.push_back(Attribute::of("largest", int64_t{0}));
  if (!op.sorted && node.opset() >= 11) attributes.push_back(Attribute::of("sorted", int64_t{0}));
  std::vector<std::string> outputs{node.wants(0) ? node.out(0) : node.fresh_name("unused"),
                                   node.wants(1) ? node.out(1) : node.fresh_name("unused")};
  if (node.opset() < 10) {
    attributes.push_back(Attribute::of("k", op.k.number()));
    return node.emit_to(outputs, "TopK", {node.in(0)}, attributes);
  }
  node.emit_to(outputs, "TopK", {node.in(0), node.has(1) ? node.in(1) : node.sizes({op.k})}, attributes);
}

std::string has_top_k(const WriteNode& node) {
  const auto& op = node.op<TopK>();
  if (!op.largest && node.opset() < 11) return "the smallest elements need opset 11";
  if (node.opset() < 11 && is_integer(node.dtype(0)) && size_of(node.dtype(0)) == 8)
    return "integers of 64 bits need opset 11";
  if (node.opset() < 10 && (node.has(1) || !op.k.is_number())) return "a k that is no number needs opset 10";
  return "";
}

// Runtimes take a condition of any rank.
void read_compress(ReadNode& node) {
  const Compress op = read_flat_or_axis<Compress>(node);
  ValueId condition = node.input(1);
  if (node.type(1).dims && node.rank(1) != 1)
    condition = node.emit(Reshape{}, {condition, node.add_constant(constant_ints({-1}))});
  node.emit_results(op, {node.input(0), condition});
}

}  // namespace

void gather_rows(Rows& rows) {
  rows.row<Gather>("Gather", since(1), {attr("axis", &Gather::axis, int64_t{0})}, has_gather);
  rows.row<GatherElements>("GatherElements", since(11), {attr("axis", &GatherElements::axis, int64_t{0})});
  rows.row<GatherND>("GatherND", range(11, 11), {}, has_gather_nd);
  rows.row<GatherND>("GatherND", since(12), {attr("batch_dims", &GatherND::batch, int64_t{0})});
  rows.row<ScatterElements>("Scatter", range(9, 10), {attr("axis", &ScatterElements::axis, int64_t{0})},
                            only_sets);
  rows.read_row<ScatterElements>("Scatter", since(11), {attr("axis", &ScatterElements::axis, int64_t{0})});
  rows.row<ScatterElements>("ScatterElements", range(11, 15),
                            {attr("axis", &ScatterElements::axis, int64_t{0})}, only_sets);
  rows.row<ScatterElements>(
      "ScatterElements", range(16, 17),
      {attr("axis", &ScatterElements::axis, int64_t{0}), update_slot<ScatterElements>()}, no_extremes);
  rows.row<ScatterElements>(
      "ScatterElements", since(18),
      {attr("axis", &ScatterElements::axis, int64_t{0}), update_slot<ScatterElements>()});
  rows.row<ScatterND>("ScatterND", range(11, 15), {}, only_sets);
  rows.row<ScatterND>("ScatterND", range(16, 17), {update_slot<ScatterND>()}, no_extremes);
  rows.row<ScatterND>("ScatterND", since(18), {update_slot<ScatterND>()});
  rows.row<UpdateCache>("TensorScatter", since(24),
                        {attr("axis", &UpdateCache::axis, int64_t{-2}),
                         choice("mode", &UpdateCache::mode, {{"linear", 0}, {"circular", 1}}, "linear")});
  rows.row<NonZero>("NonZero", since(9));
  rows.read("Compress", since(9), read_compress);
  rows.write<Compress>(since(9), write_compress);
  rows.read("Unique", since(11), read_unique);
  rows.write<Unique>(since(11), write_unique);
  rows.read_row<TopK>("TopK", range(1, 9),
                      {attr("axis", &TopK::axis, int64_t{-1}), attr("k", &TopK::k, Required{})});
  rows.read_row<TopK>("TopK", range(10, 10), {attr("axis", &TopK::axis, int64_t{-1}), input(1, &TopK::k)});
  rows.read_row<TopK>(
      "TopK", since(11),
      {attr("axis", &TopK::axis, int64_t{-1}), input(1, &TopK::k),
       attr("largest", &TopK::largest, int64_t{1}), attr("sorted", &TopK::sorted, int64_t{1})});
  rows.write<TopK>(since(9), write_top_k, has_top_k);
}

}  // namespace remodel::onnx
