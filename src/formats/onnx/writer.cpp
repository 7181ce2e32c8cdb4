#include "formats/onnx/writer.h"

#include <algorithm>

#include "base/nearest.h"
#include "base/utf8.h"
#include "formats/onnx/operand_types.h"
#include "formats/onnx/rows.h"
#include "formats/onnx/schema.h"
#include "ir/layer.h"

namespace remodel::onnx {
std::string FileWriter::unique_name(std::string_view wish) {
  return names_.take(wish.empty() ? "value" : wish);
}

std::string FileWriter::initializer(const ConstantPtr& constant, std::string_view wish) {
  if (auto place = by_pointer_.find(constant); place != by_pointer_.end()) return place->second;
  size_t hash = constant->hash();
  auto [first, last] = by_content_.equal_range(hash);
  for (auto place = first; place != last; ++place)
    if (place->second.first->equals(*constant)) return by_pointer_[constant] = place->second.second;
  std::string name = unique_name(wish.empty() ? "constant" : wish);
  model.graph.initializers.emplace_back(name, constant);
  by_content_.emplace(hash, std::pair(constant, name));
  return by_pointer_[constant] = name;
}

std::string GraphWriter::name_of(ValueId value) {
  if (value == absent) return "";
  if (auto place = names_.find(value); place != names_.end()) return place->second;
  const Value& it = graph_.value(value);
  if (!it.constant)
    throw Error(fmt::format("'{}' is used before it is computed", it.name), ErrorKind::internal);
  std::string name = file_.initializer(it.constant, it.name);
  dtypes_[name] = it.constant->dtype();
  return names_[value] = name;
}

void GraphWriter::define(ValueId value, const std::string& name) {
  const Type& type = graph_.value(value).type;
  names_[value] = name;
  dtypes_[name] = type.is_tensor() ? type.dtype : DType::unknown;
  if (!type.is_tensor()) containers_[name] = type;
}

DType GraphWriter::dtype_of(const std::string& name) const {
  for (const GraphWriter* scope = this; scope; scope = scope->outer_)
    if (auto place = scope->dtypes_.find(name); place != scope->dtypes_.end()) return place->second;
  return DType::unknown;
}

const Type* GraphWriter::container_of(const std::string& name) const {
  for (const GraphWriter* scope = this; scope; scope = scope->outer_)
    if (auto place = scope->containers_.find(name); place != scope->containers_.end()) return &place->second;
  return nullptr;
}

// Other domains have versions of their own: what they hold is written as it came.
const OpSchema* GraphWriter::schema_of(const NodeProto& node) const {
  return node.domain.empty() ? find_schema("", node.type, static_cast<int>(file_.opset)) : nullptr;
}

void GraphWriter::note_result_types(const NodeProto& node) {
  const OpSchema* schema = schema_of(node);
  for (size_t k = 0; k < node.outputs.size(); ++k) {
    const std::string& name = node.outputs[k];
    if (name.empty() || dtypes_.count(name)) continue;
    DType dtype = DType::unknown;
    if (node.type == "Cast" || node.type == "ConstantOfShape" || node.type == "Constant") {
      if (auto to = node.find("to"); to && to->kind == AttributeKind::integer)
        dtype = dtype_of_code(to->integer);
      if (auto value = node.find("value")) dtype = value->tensors[0]->dtype();
    } else if (schema) {
      const Formal* formal = formal_of(schema->outputs, k);
      for (size_t i = 0; formal && i < node.inputs.size(); ++i) {
        const Formal* from = formal_of(schema->inputs, i);
        if (from && from->constraint == formal->constraint && !node.inputs[i].empty()) {
          dtype = dtype_of(node.inputs[i]);
          break;
        }
      }
      if (formal && formal->constraint == "tensor(int64)") dtype = DType::i64;
      if (formal && formal->constraint == "tensor(bool)") dtype = DType::boolean;
      if (formal && formal->constraint == "tensor(float)") dtype = DType::f32;
    }
    dtypes_[name] = dtype;
  }
}

std::string GraphWriter::emit(NodeProto node) {
  if (node.outputs.empty())
    node.outputs.push_back(file_.unique_name(node_name_.empty() ? node.type : node_name_ + "/" + node.type));
  std::string result = node.outputs[0];
  emit_legal(std::move(node));
  return result;
}

void GraphWriter::emit_legal(NodeProto node) {
  const OpSchema* schema = schema_of(node);
  if (node.domain.empty() && !schema)
    fail("ONNX's operator {} does not exist in opset {}", node.type, file_.opset);
  if (schema && schema->deprecated)
    fail("ONNX's operator {} is withdrawn in opset {}", node.type, file_.opset);
  file_.domains.insert(node.domain);

  auto check_container = [&](const Formal* formal, const std::string& name) {
    const Type* type = formal && !name.empty() ? container_of(name) : nullptr;
    if (type && !takes_container(*formal, *type))
      fail("opset {}'s {} does not take {}", file_.opset, node.type, type->text());
  };
  for (size_t i = 0; schema && i < node.inputs.size(); ++i)
    check_container(formal_of(schema->inputs, i), node.inputs[i]);
  for (size_t k = 0; schema && k < node.outputs.size(); ++k)
    check_container(formal_of(schema->outputs, k), node.outputs[k]);

  // Constraint name -> the type to compute in instead.
  std::map<std::string_view, std::pair<DType, DType>> casts;
  for (size_t i = 0; schema && i < node.inputs.size(); ++i) {
    const Formal* formal = formal_of(schema->inputs, i);
    if (!formal || node.inputs[i].empty()) continue;
    DType dtype = dtype_of(node.inputs[i]);
    if (dtype == DType::unknown || takes(node, *formal, dtype)) continue;
    // Nothing else can be cast.
    if (!takes_numbers(*formal)) continue;
    // Variadic operands of a body each have a type of their own.
    const DType chosen = formal->homogeneous ? wider_taken(node, *formal, dtype) : DType::unknown;
    if (chosen == DType::unknown)
      fail("opset {}'s {} does not take {}", file_.opset, node.type, remodel::name_of(dtype));
    casts.try_emplace(formal->constraint, dtype, chosen);
  }
  std::vector<NodeProto> after;
  if (!casts.empty()) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Formal* formal = formal_of(schema->inputs, i);
      if (!formal || node.inputs[i].empty()) continue;
      auto cast = casts.find(formal->constraint);
      if (cast == casts.end() || dtype_of(node.inputs[i]) == cast->second.second) continue;
      NodeProto before;
      before.type = "Cast";
      before.inputs = {node.inputs[i]};
      before.attributes = {Attribute::of("to", code_of_dtype(cast->second.second))};
      node.inputs[i] = emit(std::move(before));
    }
    for (size_t k = 0; k < node.outputs.size(); ++k) {
      const Formal* formal = formal_of(schema->outputs, k);
      auto cast = formal ? casts.find(formal->constraint) : casts.end();
      if (cast == casts.end() || node.outputs[k].empty()) continue;
      NodeProto back;
      back.type = "Cast";
      back.attributes = {Attribute::of("to", code_of_dtype(cast->second.first))};
      back.outputs = {node.outputs[k]};
      node.outputs[k] = file_.unique_name(node.outputs[k] + "/wide");
      back.inputs = {node.outputs[k]};
      dtypes_[back.outputs[0]] = cast->second.first;
      dtypes_[node.outputs[k]] = cast->second.second;
      after.push_back(std::move(back));
    }
  }
  note_result_types(node);
  if (node.name.empty()) node.name = node_name_;
  if (!node.name.empty()) node.name = file_.node_names.take(node.name);
  to_->nodes.push_back(std::move(node));
  for (NodeProto& back : after) emit_legal(std::move(back));
}

ValueInfo GraphWriter::value_info(const std::string& name, const Type& type) const {
  ValueInfo info;
  info.name = name;
  info.type = type;
  return info;
}

void GraphWriter::write(GraphProto& to, const std::vector<std::string>& parameters) {
  to_ = &to;
  to.name = graph_.name.empty() ? "graph" : graph_.name;
  to.doc = graph_.doc;
  for (size_t i = 0; i < graph_.inputs.size(); ++i) {
    const Port& port = graph_.inputs[i];
    std::string name = i < parameters.size() ? parameters[i] : "";
    if (name.empty()) {
      name = file_.unique_name(port.name);
      to.inputs.push_back(value_info(name, graph_.value(port.value).type));
    }
    define(port.value, name);
    note_sizes(graph_.value(port.value).type, name);
  }
  // The interface's names are taken first: inner values give way.
  std::vector<std::string> outputs;
  std::vector<bool> direct;
  for (const Port& port : graph_.outputs) {
    const Value& value = graph_.value(port.value);
    const auto place = names_.find(port.value);
    // An input may be an output under the same name.
    const bool passed = place != names_.end() && place->second == port.name && parameters.empty();
    outputs.push_back(passed ? port.name : file_.unique_name(port.name));
    const bool computed = value.producer != absent && place == names_.end();
    direct.push_back(computed || passed);
    if (computed) names_[port.value] = outputs.back();
  }
  const Cover covering = cover(graph_, [&](NodeId root) {
    return all_rows().find_tile(WriteNode(*this, graph_, graph_.node(root)), file_.opset);
  });
  const std::vector<NodeId> order = graph_.order();
  to.nodes.reserve(order.size());
  for (NodeId id : order) {
    if (covering.covered.count(id)) continue;
    const Node& node = graph_.node(id);
    for (ValueId output : node.outputs) {
      if (output == absent) continue;
      auto place = names_.find(output);
      define(output, place != names_.end() ? place->second : file_.unique_name(graph_.value(output).name));
    }
    node_name_ = node.origin.empty() ? "" : node.origin[0];
    try {
      auto tile = covering.tiles.find(id);
      write_node(node, tile != covering.tiles.end() ? &tile->second : nullptr);
    } catch (Error& error) {
      file_.problems.push_back(error.at(layer_text(node)));
    }
    // Only what is computed can be asked for its sizes.
    for (ValueId output : node.outputs)
      if (output != absent) note_sizes(graph_.value(output).type, names_[output]);
  }
  node_name_.clear();
  for (size_t i = 0; i < graph_.outputs.size(); ++i) {
    if (!direct[i]) pass_on(graph_.outputs[i].value, outputs[i]);
    to.outputs.push_back(value_info(outputs[i], graph_.value(graph_.outputs[i].value).type));
  }
}

namespace {

// `why` is empty where there is a row.
const Row* find_writer(const WriteNode& node, int64_t opset, std::string& why) {
  const Row* row = all_rows().find_writer(node, opset, &why);
  if (row)
    why.clear();
  else if (why.empty())
    why = fmt::format("'{}' has no form in opset {}", node.node().op.name(), opset);
  return row;
}

}  // namespace

void GraphWriter::write_node(const Node& node, const TileMatch* tile) {
  WriteNode writing(*this, graph_, node);
  if (tile) return all_rows().tile(*tile).write(writing, tile->inner);
  std::string why;
  const Row* row = find_writer(writing, file_.opset, why);
  if (!row) throw Error(why);
  if (row->write)
    row->write(writing);
  else
    write_by_row(writing, *row);
}

// Below opset 14 Identity takes no lists, but one with an element more and again without it is the same list.
void GraphWriter::pass_on(ValueId value, const std::string& output) {
  NodeProto node;
  node.type = "Identity";
  node.inputs = {name_of(value)};
  const Type& type = graph_.value(value).type;
  if (type.kind == Type::list && type.element && file_.opset >= 11 && file_.opset < 14) {
    const DType dtype = type.element->dtype;
    ConstantPtr item = dtype == DType::string ? constant_strings({}, {""}) : constant_splat(dtype, {}, 0);
    NodeProto longer;
    longer.type = "SequenceInsert";
    longer.inputs = {node.inputs[0], file_.initializer(item, "item")};
    node.type = "SequenceErase";
    node.inputs = {emit(std::move(longer))};
  }
  node.outputs = {output};
  emit_legal(std::move(node));
}

std::string cannot_write(const Graph& graph, const Node& node, int64_t opset) {
  std::vector<Error> problems;
  FileWriter file(opset, problems);
  GraphWriter writer(file, graph, nullptr);
  WriteNode writing(writer, graph, node);
  std::string why;
  find_writer(writing, opset, why);
  return why;
}

ModelProto build_model(const Model& model, int64_t opset, std::vector<Error>& problems) {
  if (model.graphs.size() > 1) {
    std::vector<std::string> names;
    for (const GraphPtr& graph : model.graphs) names.push_back(graph->name);
    Error error(fmt::format("the model has the entry points {}, but a file of ONNX holds one",
                            quoted_list(names, "and")));
    problems.push_back(std::move(error.hint("choose with --signature NAME")));
  }
  FileWriter file(opset, problems);
  ModelProto& to = file.model;
  to.producer = "remodel";
  to.domain = model.domain;
  to.doc = model.doc;
  to.model_version = model.version;
  to.metadata = model.metadata;
  for (const auto& [name, bytes] : model.assets)
    if (is_text(bytes.view())) to.metadata.emplace_back(name, std::string(bytes.view()));
  file.versions = model.opsets;
  GraphWriter writer(file, model.main(), nullptr);
  GraphProto graph;
  writer.write(graph, {});
  graph.initializers = std::move(to.graph.initializers);
  to.graph = std::move(graph);
  to.opsets[""] = opset;
  for (const auto& domain : file.domains)
    if (!domain.empty()) to.opsets[domain] = std::max<int64_t>(1, file.versions[domain]);
  for (const auto& [domain, version] : to.opsets)
    to.ir_version = std::max<int64_t>(to.ir_version, ir_version_for_opset(static_cast<int>(version), domain));
  return std::move(file.model);
}

}  // namespace remodel::onnx
