#include "ops/list.h"

#include "ops/shape.h"
#include "ops/slice.h"
#include "passes/decompose/term.h"

namespace remodel {
namespace {

using Items = std::vector<ValueId>;

// An index, which must be a constant, counted from the front.
size_t index_of(Decompose& d, ValueId index, size_t count) {
  const Constant* known = d.graph().constant(index);
  if (!known) fail("an index is only known when the model runs");
  int64_t at = known->tensor().ints().at(0), size = static_cast<int64_t>(count);
  if (at < -size || at > size) fail("index {} is outside a list of {}", at, count);
  return static_cast<size_t>(at < 0 ? at + size : at);
}

Items parts_of(Decompose& d, const Node& node) {
  const auto& op = *node.op.as<ListSplit>();
  Term x{&d, node.inputs[0]};
  const Dims dims = dims_of(x);
  const int64_t axis = resolve_axis(op.axis, dims.size());
  const Dim& length = dims[static_cast<size_t>(axis)];
  std::optional<std::vector<int64_t>> sizes = numbers(op.sizes);
  if (node.has(1)) {
    const Constant* given = d.graph().constant(node.inputs[1]);
    if (!given || given->shape().size() != 1) fail("the sizes of a list are only known when the model runs");
    sizes = given->tensor().ints();
  } else if (op.sizes.empty()) {
    if (!length.is_number() || !op.chunk.is_number() || op.chunk.number() < 1)
      fail("the sizes of a list are only known when the model runs");
    for (int64_t start = 0; start < length.number(); start += op.chunk.number())
      sizes->push_back(std::min(op.chunk.number(), length.number() - start));
  }
  if (!sizes || sizes->size() > 1024) fail("a list of unknown or great length");
  Items items;
  int64_t start = 0;
  for (int64_t size : *sizes) {
    Term item = part(x, axis, start, size);
    items.push_back((op.keep || size != 1 ? item : squeeze(item, {axis})).id);
    start += size;
  }
  return items;
}

// The elements of a list that was put together step by step.
Items items_of(Decompose& d, ValueId list) {
  std::vector<Node> changes;
  Items items;
  for (;;) {
    const Node* maker = d.graph().producer(list);
    if (!maker) fail("the elements of a list are only known when the model runs");
    const Node node = *maker;
    if (node.op.is<ListNew>()) {
      items = node.inputs;
      break;
    }
    if (node.op.is<ListSplit>()) {
      items = parts_of(d, node);
      break;
    }
    if (!node.op.is<ListInsert>() && !node.op.is<ListErase>() && !node.op.is<ListSet>())
      fail("the elements of a list are only known when the model runs");
    changes.push_back(node);
    list = node.inputs[0];
  }
  for (size_t i = changes.size(); i-- > 0;) {
    const Node& node = changes[i];
    const bool erases = node.op.is<ListErase>();
    const size_t where = erases ? 1 : 2;
    size_t at = node.has(where) ? index_of(d, node.inputs[where], items.size()) : items.size() - erases;
    if (!node.op.is<ListInsert>() && at >= items.size())
      fail("index {} is outside a list of {}", at, items.size());
    auto place = items.begin() + static_cast<std::ptrdiff_t>(at);
    if (erases)
      items.erase(place);
    else if (node.op.is<ListSet>())
      *place = node.inputs[1];
    else
      items.insert(place, node.inputs[1]);
  }
  return items;
}

void decompose_get(Decompose& d) {
  Items items = items_of(d, d.in(0));
  size_t at = index_of(d, d.in(1), items.size());
  if (at >= items.size()) fail("index {} is outside a list of {}", at, items.size());
  d.result(0, items[at]);
}

void decompose_size(Decompose& d) {
  const Node* maker = d.graph().producer(d.in(0));
  if (maker && maker->op.is<ListSplit>() && maker->has(1) && d.type_of(maker->inputs[1]).has_rank(1))
    return d.result(0, d.emit(CountOf{}, {maker->inputs[1]}));
  d.result(0, d.scalar(DType::i64, static_cast<double>(items_of(d, d.in(0)).size())));
}

void decompose_concat(Decompose& d) {
  const auto& op = d.op<ListConcat>();
  std::vector<Term> parts;
  for (ValueId item : items_of(d, d.in(0))) parts.push_back({&d, item});
  if (parts.empty()) fail("an empty list");
  const size_t rank = dims_of(parts[0]).size() + op.stack;
  const int64_t axis = resolve_axis(op.axis, rank);
  if (op.stack)
    for (Term& item : parts) item = unsqueeze(item, {axis});
  d.result(0, concat(parts, axis).id);
}

// An optional that is put together here holds what it was given.
void decompose_optional_get(Decompose& d) {
  const Node* maker = d.graph().producer(d.in(0));
  if (!maker || !maker->op.is<OptionalSome>())
    fail("whether there is a value is only known when the model runs");
  d.result(0, maker->inputs[0]);
}

void decompose_optional_has(Decompose& d) {
  const Node* maker = d.has(0) ? d.graph().producer(d.in(0)) : nullptr;
  bool some = maker && maker->op.is<OptionalSome>(),
       none = !d.has(0) || (maker && maker->op.is<OptionalNone>());
  if (!some && !none) fail("whether there is a value is only known when the model runs");
  d.result(0, d.scalar(DType::boolean, some));
}

}  // namespace

void list_decompositions(Decompositions& table) {
  table.add<ListGet>(decompose_get);
  table.add<ListSize>(decompose_size);
  table.add<ListConcat>(decompose_concat);
  table.add<OptionalGet>(decompose_optional_get);
  table.add<OptionalHas>(decompose_optional_has);
}

}  // namespace remodel
