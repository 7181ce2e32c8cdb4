#include "ir/symbols.h"

namespace remodel {
namespace {

using Sizes = std::map<std::string, Dim, std::less<>>;

void substitute(Dim& dim, const Sizes& sizes) {
  if (dim.is_number()) return;
  dim = dim.substitute([&](std::string_view name) -> std::optional<Dim> {
    auto place = sizes.find(name);
    return place == sizes.end() ? std::nullopt : std::optional(place->second);
  });
}

void substitute(Type& type, const Sizes& sizes) {
  if (type.dims)
    for (Dim& dim : *type.dims) substitute(dim, sizes);
  if (!type.element) return;
  Type element = *type.element;
  substitute(element, sizes);
  type.element = std::make_shared<const Type>(std::move(element));
}

bool has_sizes(const Field& field) {
  return field.kind == FieldKind::dim || field.kind == FieldKind::dims || field.kind == FieldKind::type;
}

Op substituted(const Op& op, const Sizes& sizes) {
  bool any = false;
  for_each_symbol(op, [&](const std::string& symbol) { any = any || sizes.count(symbol); });
  if (!any) return op;
  std::shared_ptr<void> data = op.info().make(op.data());
  for (const Field& field : op.info().fields) {
    if (field.kind == FieldKind::dim) substitute(field_as<Dim>(data.get(), field), sizes);
    if (field.kind == FieldKind::type) substitute(field_as<Type>(data.get(), field), sizes);
    if (field.kind == FieldKind::dims)
      for (Dim& dim : field_as<Dims>(data.get(), field)) substitute(dim, sizes);
  }
  return Op(op.info(), data);
}

}  // namespace

void for_each_symbol(const Op& op, const UseSymbol& use) {
  auto use_dim = [&](const Dim& dim) {
    if (dim.is_number()) return;
    for (const std::string& symbol : dim.symbols()) use(symbol);
  };
  for (const Field& field : op.info().fields) {
    if (!has_sizes(field)) continue;
    if (field.kind == FieldKind::dim) use_dim(field_as<Dim>(op.data(), field));
    if (field.kind == FieldKind::type) for_each_symbol(field_as<Type>(op.data(), field), use);
    if (field.kind == FieldKind::dims)
      for (const Dim& dim : field_as<Dims>(op.data(), field)) use_dim(dim);
  }
}

void for_each_symbol(const Content& content, const UseSymbol& use) {
  for (const Quantity& quantity : content)
    for (const Dim& dim : {quantity.over, quantity.under})
      if (!dim.is_number())
        for (const std::string& symbol : dim.symbols()) use(symbol);
}

std::vector<std::string> sizes_found_by(const Graph& graph, NodeId id) {
  std::vector<std::string> found;
  auto for_each_made_up = [&](const std::vector<ValueId>& values, auto use) {
    for (ValueId value : values)
      if (value != absent && graph.value(value).type.dims)
        for (const Dim& dim : *graph.value(value).type.dims)
          if (std::string_view name = dim.symbol_name(); !name.empty() && name[0] == '_') use(name);
  };
  const Node& node = graph.node(id);
  for_each_made_up(node.outputs, [&](std::string_view name) { found.emplace_back(name); });
  if (found.empty()) return found;
  for_each_made_up(node.inputs, [&](std::string_view name) { std::erase(found, name); });
  for_each_symbol(node.op, [&](const std::string& name) { std::erase(found, name); });
  return found;
}

void substitute(Graph& graph, const Sizes& sizes) {
  for (ValueId id = 0; id < static_cast<ValueId>(graph.value_count()); ++id) {
    Value& value = graph.value(id);
    substitute(value.type, sizes);
    if (!value.content) continue;
    Content content = *value.content;
    for (Quantity& quantity : content) substitute(quantity.over, sizes), substitute(quantity.under, sizes);
    value.content = std::make_shared<const Content>(std::move(content));
  }
  for (NodeId id = 0; id < static_cast<NodeId>(graph.node_count()); ++id) {
    if (!graph.node(id).live) continue;
    graph.set_op(id, substituted(graph.node(id).op, sizes));
    for (const GraphPtr& body : graph.node(id).op.graphs()) substitute(*body, sizes);
  }
}

bool replace_value(Graph& graph, ValueId from, ValueId to) {
  if (from == to) return false;
  Sizes known;
  const Type &before = graph.value(from).type, &now = graph.value(to).type;
  bool differs = !same_shape_and_dtype(before, now);
  if (before.dims && now.dims && before.dims->size() == now.dims->size())
    for (size_t axis = 0; axis < now.dims->size(); ++axis) {
      std::string_view symbol = (*before.dims)[axis].symbol_name();
      if (!symbol.empty() && symbol[0] == '_' && !((*before.dims)[axis] == (*now.dims)[axis]))
        known.emplace(symbol, (*now.dims)[axis]);
    }
  graph.replace_uses(from, to);
  if (!known.empty()) substitute(graph, known);
  return differs;
}

}  // namespace remodel
