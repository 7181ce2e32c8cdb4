#include "ops/list.h"

#include "formats/onnx/rows.h"

namespace remodel::onnx {
namespace {

void read_split(ReadNode& node) {
  ListSplit op;
  op.axis = node.integer("axis", 0);
  bool keep = node.integer("keepdims", 1) != 0;
  if (!node.has_input(1)) {
    op.keep = keep;
    return node.emit_results(op, {node.input(0)});
  }
  auto known = node.sizes(1);
  const Type& split = node.type(1);
  if (known && split.has_rank(0))
    op.chunk = (*known)[0];
  else if (known && split.has_rank(1) && !known->empty())
    op.sizes = *known;
  else
    return node.emit_results(op, {node.input(0), node.input(1)});
  node.emit_results(op, {node.input(0)});
}

void write_split(WriteNode& node) {
  const auto& op = node.op<ListSplit>();
  std::vector<std::string> inputs{node.in(0)};
  Attributes attributes;
  if (op.axis != 0) attributes.push_back(Attribute::of("axis", op.axis));
  if (node.has(1))
    inputs.push_back(node.in(1));
  else if (!op.sizes.empty())
    inputs.push_back(node.sizes(op.sizes));
  else if (!op.chunk.is_number(1))
    inputs.push_back(node.scalar_size(op.chunk));
  else if (!op.keep)
    attributes.push_back(Attribute::of("keepdims", int64_t{0}));
  node.emit_to(node.outs(), "SplitToSequence", inputs, attributes);
}

void write_new(WriteNode& node) {
  if (node.inputs() > 0) return node.emit_to(node.outs(), "SequenceConstruct", node.ins());
  DType dtype = node.op<ListNew>().dtype;
  Attributes attributes;
  if (dtype != DType::f32) attributes.push_back(Attribute::of("dtype", code_of_dtype(dtype)));
  node.emit_to(node.outs(), "SequenceEmpty", {}, attributes);
}

// Inserts before the old element, then erases that: it stands one further on, or as far from the end as
// before.
void write_set(WriteNode& node) {
  std::string longer = node.emit("SequenceInsert", node.ins());
  DType dtype = node.dtype(2);
  std::string counted_from_front = node.emit("Not", {node.emit("Less", {node.in(2), node.scalar(dtype, 0)})});
  std::string at = node.emit("Add", {node.in(2), node.cast(counted_from_front, dtype)});
  node.emit_to(node.outs(), "SequenceErase", {longer, at});
}

void read_optional(ReadNode& node) {
  const Attribute* type = node.attribute("type");
  if (node.has_input(0)) return node.emit_results(OptionalSome{}, {node.input(0)});
  if (!type || type->types.size() != 1) fail("attribute 'type' is missing");
  node.emit_results(OptionalNone{type->types[0]}, {});
}

void write_none(WriteNode& node) {
  Attribute type;
  type.name = "type";
  type.kind = AttributeKind::type_proto;
  type.types = {node.op<OptionalNone>().type};
  node.emit_to(node.outs(), "Optional", {}, {type});
}

bool may_be_optional(const Type& type) {
  return type.kind == Type::optional || (type.is_tensor() && type.dtype == DType::unknown);
}

void read_get(ReadNode& node) {
  if (may_be_optional(node.type(0)))
    node.emit_results(OptionalGet{}, {node.input(0)});
  else
    node.result(0, node.input(0));
}

void read_has(ReadNode& node) {
  if (node.has_input(0) && may_be_optional(node.type(0)))
    return node.emit_results(OptionalHas{}, {node.input(0)});
  node.result(0, node.add_scalar(DType::boolean, node.has_input(0)));
}

void write_has(WriteNode& node) {
  if (node.has(0)) return node.emit_to(node.outs(), "OptionalHasElement", {node.in(0)});
  node.emit_to(node.outs(), "Identity", {node.scalar(DType::boolean, 0)});
}

}  // namespace

void list_rows(Rows& rows) {
  rows.read("SequenceEmpty", since(11),
            [](ReadNode& node) { node.emit_results(ListNew{dtype_of_code(node.integer("dtype", 1))}, {}); });
  rows.read("SequenceConstruct", since(11),
            [](ReadNode& node) { node.emit_results(ListNew{node.type(0).dtype}, node.operands()); });
  rows.write<ListNew>(since(11), write_new);
  rows.row<ListGet>("SequenceAt", since(11));
  rows.row<ListInsert>("SequenceInsert", since(11));
  rows.row<ListErase>("SequenceErase", since(11));
  rows.row<ListSize>("SequenceLength", since(11));
  rows.write<ListSet>(since(11), write_set);
  rows.row<ListConcat>(
      "ConcatFromSequence", since(11),
      {attr("axis", &ListConcat::axis, Required{}), attr("new_axis", &ListConcat::stack, int64_t{0})});
  rows.read("SplitToSequence", since(11), read_split);
  rows.write<ListSplit>(since(11), write_split);
  rows.read("Optional", since(15), read_optional);
  rows.write<OptionalSome>(since(15),
                           [](WriteNode& node) { node.emit_to(node.outs(), "Optional", node.ins()); });
  rows.write<OptionalNone>(since(15), write_none);
  rows.read("OptionalGetElement", since(15), read_get);
  rows.write<OptionalGet>(
      since(15), [](WriteNode& node) { node.emit_to(node.outs(), "OptionalGetElement", node.ins()); });
  rows.read("OptionalHasElement", since(15), read_has);
  rows.write<OptionalHas>(since(15), write_has);
}

}  // namespace remodel::onnx
