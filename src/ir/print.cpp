#include <cctype>
#include <cmath>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "ir/text.h"

namespace remodel {
namespace {

constexpr int64_t printed_elements = 64;

bool plain(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  for (unsigned char c : name)
    if (!std::isalnum(c) && c != '_' && c != '.' && c != '/') return false;
  return name != "_" && name != "return" && name != "graph" && name != "state";
}

std::string quote(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result + "\"";
}

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return fmt::format("{}", value);
}

std::string constant_text(const Constant& constant) {
  if (auto strings = constant.strings()) {
    std::string text = "const [";
    for (size_t i = 0; i < strings->size(); ++i) text += (i ? ", " : "") + quote((*strings)[i]);
    return text + "]";
  }
  if (auto value = constant.splat() ? splat_value(constant) : std::nullopt)
    return "splat " + number_text(*value);
  if (constant.count() > printed_elements || is_complex(constant.dtype()))
    return fmt::format("data {}", constant.count());
  std::string text = "const [";
  Tensor tensor = constant.tensor();
  if (is_float(constant.dtype())) {
    auto values = tensor.doubles();
    for (size_t i = 0; i < values.size(); ++i) {
      // f32 prints the shortest digits that read back as that float.
      bool single = constant.dtype() == DType::f32 && std::isfinite(values[i]);
      text += (i ? ", " : "") +
              (single ? fmt::format("{}", static_cast<float>(values[i])) : number_text(values[i]));
    }
  } else {
    auto values = tensor.ints();
    for (size_t i = 0; i < values.size(); ++i) text += (i ? ", " : "") + std::to_string(values[i]);
  }
  return text + "]";
}

std::string typed(const ConstantPtr& constant) {
  if (!constant) return "none";
  return Type(constant->dtype(), to_dims(constant->shape())).text() + " " + constant_text(*constant);
}

std::string type_text(const Type& type) {
  if (!type.grid) return type.text();
  std::string text = type.text() + " on (" + typed(type.grid->scale) + ", " + typed(type.grid->zero);
  if (type.grid->axis >= 0) text += fmt::format(", axis: {}", type.grid->axis);
  if (type.grid->block) text += fmt::format(", block: {}", type.grid->block);
  return text + ")";
}

std::string word(std::string_view name) { return plain(name) ? std::string(name) : quote(name); }

// What graphs refer to by one name: the states of a model, and constants that several of them hold.
struct Surroundings {
  const Model* model = nullptr;
  std::unordered_map<const Constant*, std::string> shared;
};

class Printer {
 public:
  Printer(const Graph& graph, std::string indent, const Surroundings& around)
      : graph_(graph), indent_(std::move(indent)), around_(around) {
    for (const auto& [constant, name] : around.shared) taken_.insert(name);
  }

  std::string name(ValueId id) {
    if (id == absent) return "_";
    if (auto place = names_.find(id); place != names_.end()) return place->second;
    const Value& value = graph_.value(id);
    if (auto place = around_.shared.find(value.constant.get()); place != around_.shared.end())
      return names_[id] = word(place->second);
    std::string wish = value.name.empty() ? "v" + std::to_string(id) : value.name;
    std::string unique = wish;
    for (int i = 1; !taken_.insert(unique).second; ++i) unique = wish + "_" + std::to_string(i);
    return names_[id] = word(unique);
  }

  std::string graph() {
    std::string text = "graph " + (graph_.name.empty() ? "main" : word(graph_.name)) + "(";
    for (size_t i = 0; i < graph_.inputs.size(); ++i) {
      ValueId id = graph_.inputs[i].value;
      text += (i ? ", " : "") + name(id) + ": " + type_text(graph_.value(id).type) + state(graph_.inputs[i]);
    }
    text += ") {\n";
    std::set<ValueId> printed;
    auto constant = [&](ValueId id) {
      if (id == absent || !graph_.value(id).constant || !printed.insert(id).second) return;
      if (around_.shared.count(graph_.value(id).constant.get())) return;
      text += indent_ + "  " + name(id) + ": " + graph_.value(id).type.text() + " = " +
              constant_text(*graph_.value(id).constant) + "\n";
    };
    for (NodeId id : graph_.order()) {
      const Node& node = graph_.node(id);
      for (ValueId input : node.inputs) constant(input);
      text += indent_ + "  " + this->node(node) + "\n";
    }
    for (const Port& port : graph_.outputs) constant(port.value);
    text += indent_ + "  return ";
    for (size_t i = 0; i < graph_.outputs.size(); ++i) {
      const Port& port = graph_.outputs[i];
      std::string outside = word(port.name), inside = name(port.value);
      text += (i ? ", " : "") + (outside == inside ? inside : outside + ": " + inside) + state(port);
    }
    return text + "\n" + indent_ + "}";
  }

  std::string node(const Node& node) {
    std::string text;
    for (size_t k = 0; k < node.outputs.size(); ++k) {
      ValueId id = node.outputs[k];
      text += (k ? ", " : "") + name(id) + (id == absent ? "" : ": " + type_text(graph_.value(id).type));
    }
    text += " = " + std::string(node.op.name()) + "(";
    for (size_t i = 0; i < node.inputs.size(); ++i) text += (i ? ", " : "") + name(node.inputs[i]);
    text += ")";
    std::string fields;
    for (const Field& field : node.op.info().fields) {
      if (fields_equal(node.op.data(), node.op.info().defaults.get(), field)) continue;
      fields +=
          (fields.empty() ? "" : ", ") + std::string(field.name) + ": " + field_text(node.op.data(), field);
    }
    if (!fields.empty()) text += " {" + fields + "}";
    if (!node.origin.empty()) {
      text += " #";
      for (const auto& origin : node.origin) text += " " + quote(origin);
    }
    return text;
  }

 private:
  std::string state(const Port& port) const {
    bool is_state = port.state != absent && around_.model;
    return is_state ? " state " + word(around_.model->states[static_cast<size_t>(port.state)].name) : "";
  }

  template <class T, class F>
  std::string list(const std::vector<T>& values, F each) {
    std::string text = "[";
    for (size_t i = 0; i < values.size(); ++i) text += (i ? ", " : "") + each(values[i]);
    return text + "]";
  }

  std::string field_text(const void* op, const Field& field) {
    auto integer = [](int64_t value) { return std::to_string(value); };
    switch (field.kind) {
      case FieldKind::integer:
      case FieldKind::axis:
        return integer(field_as<int64_t>(op, field));
      case FieldKind::real:
        return number_text(field_as<double>(op, field));
      case FieldKind::truth:
        return field_as<bool>(op, field) ? "true" : "false";
      case FieldKind::text:
        return quote(field_as<std::string>(op, field));
      case FieldKind::choice:
        return std::string(field.choices.at(field_as<uint8_t>(op, field)));
      case FieldKind::dtype:
        return std::string(name_of(field_as<DType>(op, field)));
      case FieldKind::axes:
      case FieldKind::integers:
        return list(field_as<std::vector<int64_t>>(op, field), integer);
      case FieldKind::reals:
        return list(field_as<std::vector<double>>(op, field), number_text);
      case FieldKind::texts:
        return list(field_as<std::vector<std::string>>(op, field), quote);
      case FieldKind::dim:
        return field_as<Dim>(op, field).text();
      case FieldKind::dims:
        return text_of(field_as<Dims>(op, field));
      case FieldKind::graph:
        return Printer(*field_as<GraphPtr>(op, field), indent_ + "  ", around_).graph();
      case FieldKind::constant:
        return typed(field_as<ConstantPtr>(op, field));
      case FieldKind::type:
        return field_as<Type>(op, field).text();
    }
    return "";
  }

  const Graph& graph_;
  std::string indent_;
  const Surroundings& around_;
  std::unordered_map<ValueId, std::string> names_;
  std::set<std::string> taken_;
};

// For each constant that a graph or its bodies use, how many of them do; in the order of first use.
class Holders {
 public:
  void graph(const Graph& graph) {
    std::set<const Constant*> here;
    auto use = [&](ValueId id) {
      if (id == absent || !graph.value(id).constant) return;
      const Constant* constant = graph.value(id).constant.get();
      if (!here.insert(constant).second) return;
      if (count[constant]++ == 0) order.push_back({constant, graph.value(id).name});
    };
    for (NodeId id : graph.order()) {
      for (ValueId input : graph.node(id).inputs) use(input);
      for (const GraphPtr& body : graph.node(id).op.graphs()) this->graph(*body);
    }
    for (const Port& port : graph.outputs) use(port.value);
  }
  std::unordered_map<const Constant*, int> count;
  std::vector<std::pair<const Constant*, std::string>> order;
};

}  // namespace

std::string print(const Graph& graph) { return Printer(graph, "", {}).graph() + "\n"; }
std::string print(const Node& node, const Graph& graph) { return Printer(graph, "", {}).node(node); }

std::string print(const Model& model) {
  Holders holders;
  for (const GraphPtr& graph : model.graphs) holders.graph(*graph);
  Surroundings around;
  around.model = &model;
  std::set<std::string> taken;
  std::string text;
  for (const auto& [constant, name] : holders.order) {
    if (holders.count[constant] < 2) continue;
    std::string wish = name.empty() ? "shared" : name, unique = wish;
    for (int i = 1; !taken.insert(unique).second; ++i) unique = wish + "_" + std::to_string(i);
    around.shared[constant] = unique;
    text += word(unique) + ": " + Type(constant->dtype(), to_dims(constant->shape())).text() + " = " +
            constant_text(*constant) + "\n";
  }
  for (const StateSlot& state : model.states)
    text += "state " + word(state.name) + ": " + type_text(state.type) + " = " +
            constant_text(*state.initial) + "\n";
  for (const GraphPtr& graph : model.graphs) text += Printer(*graph, "", around).graph() + "\n";
  return text;
}

}  // namespace remodel
