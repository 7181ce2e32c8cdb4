#include "ir/bind.h"

#include "ir/infer.h"

namespace remodel {
namespace {

class Binder {
 public:
  explicit Binder(const SizeMap& sizes) : sizes_(sizes) {}

  // Each gives whether anything changed.
  bool apply(Dim& dim) const {
    if (dim.is_number()) return false;
    auto symbols = dim.symbols();
    if (std::none_of(symbols.begin(), symbols.end(),
                     [&](const auto& name) { return sizes_.count(name) > 0; }))
      return false;
    dim = dim.substitute([&](std::string_view name) -> std::optional<Dim> {
      auto place = sizes_.find(name);
      return place == sizes_.end() ? std::nullopt : std::optional(place->second);
    });
    return true;
  }
  bool apply(Dims& dims) const {
    bool changed = false;
    for (Dim& dim : dims) changed = apply(dim) || changed;
    return changed;
  }
  bool apply(Type& type) const {
    bool changed = type.dims && apply(*type.dims);
    if (type.element) {
      Type element = *type.element;
      if (apply(element)) {
        type.element = std::make_shared<const Type>(std::move(element));
        changed = true;
      }
    }
    return changed;
  }
  bool apply(void* op, const Field& field) const {
    switch (field.kind) {
      case FieldKind::dim:
        return apply(field_as<Dim>(op, field));
      case FieldKind::dims:
        return apply(field_as<Dims>(op, field));
      case FieldKind::type:
        return apply(field_as<Type>(op, field));
      default:
        return false;
    }
  }
  void apply(Graph& graph) const {
    for (ValueId id = 0; id < static_cast<ValueId>(graph.value_count()); ++id) apply(graph.value(id).type);
    for (const Port& port : graph.inputs) apply_content(graph.value(port.value));
    for (NodeId id = 0; id < static_cast<NodeId>(graph.node_count()); ++id) {
      Node& node = graph.node(id);
      if (!node.live) continue;
      for (const GraphPtr& body : node.op.graphs()) apply(*body);
      std::shared_ptr<void> data = node.op.info().make(node.op.data());
      bool changed = false;
      for (const Field& field : node.op.info().fields) changed = apply(data.get(), field) || changed;
      if (changed) node.op = Op(node.op.info(), data);
    }
  }

 private:
  // That of results is inferred again.
  void apply_content(Value& value) const {
    if (!value.content) return;
    Content content = *value.content;
    for (Quantity& quantity : content) {
      apply(quantity.over);
      apply(quantity.under);
    }
    value.content = std::make_shared<const Content>(std::move(content));
  }

  const SizeMap& sizes_;
};

}  // namespace

void bind_symbols(Graph& graph, const SizeMap& sizes) {
  Binder(sizes).apply(graph);
  infer_graph(graph);
}

}  // namespace remodel
