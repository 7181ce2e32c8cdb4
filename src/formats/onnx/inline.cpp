// Functions, and branches that are known, read in the place of the nodes that call them.
#include <algorithm>
#include <utility>

#include "formats/onnx/reader.h"

namespace remodel::onnx {
namespace {

// Functions that call one another can stand for more nodes than there is memory for.
int64_t most_inlined_nodes(const ModelProto& model) {
  int64_t nodes = static_cast<int64_t>(model.graph.nodes.size());
  for (const FunctionProto& function : model.functions) nodes += static_cast<int64_t>(function.nodes.size());
  return 100'000 + 100 * nodes;
}

std::string key_of(const std::string& domain, const std::string& name, const std::string& overload) {
  return fmt::format("{}\n{}\n{}", domain, name, overload);
}

using Given = std::map<std::string, Attribute>;

// Puts attributes of the call in the place of those that refer to them, bodies included; what the call does
// not give goes.
void bind_attributes(std::vector<NodeProto>& nodes, const Given& given) {
  for (NodeProto& node : nodes) {
    std::vector<Attribute> kept;
    for (Attribute& attribute : node.attributes) {
      if (!attribute.reference.empty()) {
        auto place = given.find(attribute.reference);
        if (place == given.end()) continue;
        Attribute bound = place->second;
        bound.name = attribute.name;
        kept.push_back(std::move(bound));
        continue;
      }
      for (auto& body : attribute.graphs) {
        body = std::make_shared<GraphProto>(*body);
        bind_attributes(body->nodes, given);
      }
      kept.push_back(std::move(attribute));
    }
    node.attributes = std::move(kept);
  }
}

}  // namespace

Functions::Functions(const ModelProto& model) : nodes_left(most_inlined_nodes(model)) {
  for (const FunctionProto& function : model.functions)
    by_name.emplace(key_of(function.domain, function.name, function.overload), &function);
}

const FunctionProto* Functions::find(const NodeProto& node) const {
  if (by_name.empty()) return nullptr;
  const auto place = by_name.find(key_of(node.domain, node.type, node.overload));
  return place == by_name.end() ? nullptr : place->second;
}

bool GraphReader::inline_function(const NodeProto& proto) {
  const FunctionProto* function = functions_->find(proto);
  if (!function) return false;
  std::vector<const FunctionProto*>& open = functions_->open;
  if (std::find(open.begin(), open.end(), function) != open.end()) fail("the function calls itself");
  functions_->nodes_left -= static_cast<int64_t>(function->nodes.size()) + 1;
  if (functions_->nodes_left < 0)
    fail("the model's functions call one another so often that they have over {} nodes",
         most_inlined_nodes(model_));

  Given given;
  for (const auto& attribute : function->attribute_defaults) given[attribute.name] = attribute;
  for (const auto& attribute : proto.attributes) given[attribute.name] = attribute;
  std::vector<NodeProto> nodes = function->nodes;
  bind_attributes(nodes, given);

  // The function's own names live in a scope of their own, in the same graph. Inputs that the call leaves out
  // stay undefined there and read as absent.
  Scope inside;
  for (size_t i = 0; i < function->inputs.size(); ++i) {
    ValueId value = absent;
    if (i < proto.inputs.size() && !proto.inputs[i].empty()) {
      value = find(proto.inputs[i]);
      if (value == absent && !scope_.values.count(proto.inputs[i]))
        fail("input '{}' is never computed", proto.inputs[i]);
    }
    inside.values.emplace(function->inputs[i], value);
  }
  Scope outside = std::exchange(scope_, std::move(inside));
  GraphReader* outer = std::exchange(outer_, nullptr);
  const std::string path = path_;
  const auto opsets = opsets_;
  path_ += (proto.name.empty() ? proto.type : proto.name) + "/";
  for (const auto& [domain, version] : function->opsets) opsets_[domain] = version;
  open.push_back(function);
  read_nodes(nodes);
  open.pop_back();
  opsets_ = opsets;
  path_ = path;
  outer_ = outer;
  inside = std::exchange(scope_, std::move(outside));
  for (size_t i = 0; i < proto.outputs.size() && i < function->outputs.size(); ++i) {
    if (proto.outputs[i].empty()) continue;
    auto place = inside.values.find(function->outputs[i]);
    if (place != inside.values.end() && place->second != absent) {
      define(proto.outputs[i], place->second);
      Value& value = graph_->value(place->second);
      if (value.producer != absent) value.name = proto.outputs[i];
    } else if (!inside.poisoned.count(function->outputs[i])) {
      fail("the function '{}' never computes '{}'", proto.type, function->outputs[i]);
    }
  }
  return true;
}

std::vector<ValueId> GraphReader::inline_graph(const GraphProto& proto) {
  // What it defines hides what has the same name here, and is not seen afterwards.
  std::vector<std::string> defined;
  for (const auto& [name, constant] : proto.initializers) defined.push_back(name);
  for (const NodeProto& node : proto.nodes)
    defined.insert(defined.end(), node.outputs.begin(), node.outputs.end());
  std::unordered_map<std::string, ValueId> hidden;
  std::unordered_set<std::string> hidden_poison;
  for (const std::string& name : defined) {
    if (auto found = scope_.values.extract(name)) hidden.insert(std::move(found));
    if (auto found = scope_.poisoned.extract(name)) hidden_poison.insert(std::move(found));
  }
  auto outside_declared = std::exchange(scope_.declared, {});
  for (const auto& value : proto.values) scope_.declared.emplace(value.name, &value.type);
  for (const auto& [name, constant] : proto.initializers)
    scope_.values.emplace(name, graph_->add_constant(constant, name));
  const Plan* plan = std::exchange(plan_, nullptr);
  read_nodes(proto.nodes);
  plan_ = plan;
  std::vector<ValueId> outputs;
  for (const auto& output : proto.outputs) {
    ValueId value = find(output.name);
    if (value != absent)
      outputs.push_back(value);
    else if (!poisoned(output.name))
      problems_.push_back(Error(fmt::format("output '{}' is never computed", output.name)));
  }
  for (const std::string& name : defined) scope_.values.erase(name), scope_.poisoned.erase(name);
  scope_.values.merge(hidden);
  scope_.poisoned.merge(hidden_poison);
  scope_.declared = std::move(outside_declared);
  if (outputs.size() != proto.outputs.size()) throw Silenced();
  return outputs;
}

}  // namespace remodel::onnx
