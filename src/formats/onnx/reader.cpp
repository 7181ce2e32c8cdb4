#include "formats/onnx/reader.h"

#include <algorithm>
#include <utility>

#include "formats/onnx/count.h"
#include "formats/onnx/names.h"
#include "formats/onnx/rows.h"
#include "formats/onnx/schema.h"
#include "formats/row_engine.h"
#include "ir/infer.h"
#include "ops/control.h"

namespace remodel::onnx {
namespace {

constexpr int deepest_nesting = 100;

// Refuses a number of inputs that the operator does not take.
void check_inputs(const NodeProto& proto, const OpSchema& schema) {
  int given = static_cast<int>(proto.inputs.size());
  while (given > 0 && proto.inputs[static_cast<size_t>(given) - 1].empty()) --given;
  if (given >= schema.min_inputs && given <= schema.max_inputs) return;
  std::string takes = schema.min_inputs == schema.max_inputs ? std::to_string(schema.min_inputs)
                      : schema.max_inputs == unbounded
                          ? fmt::format("at least {}", schema.min_inputs)
                          : fmt::format("{} to {}", schema.min_inputs, schema.max_inputs);
  std::string names;
  for (const Formal& formal : schema.inputs) names += (names.empty() ? "" : ", ") + std::string(formal.name);
  fail("it takes {} input{}{}, but {} given", takes, takes == "1" ? "" : "s",
       names.empty() ? "" : " (" + names + ")", given == 1 ? "1 is" : fmt::format("{} are", given));
}

std::string place_of(const NodeProto& proto, const std::string& path) {
  std::string name = !proto.name.empty() ? proto.name : proto.outputs.empty() ? "" : proto.outputs[0];
  return fmt::format("node '{}' ({}{})", path + name, proto.domain.empty() ? "" : proto.domain + ".",
                     proto.type);
}

// Nodes sorted so that each follows the producers of its inputs, as the format promises but files forget.
std::vector<const NodeProto*> sorted_nodes(const std::vector<NodeProto>& nodes) {
  std::vector<const NodeProto*> result;
  std::unordered_map<std::string, size_t> producers;
  for (size_t i = 0; i < nodes.size(); ++i)
    for (const auto& output : nodes[i].outputs)
      if (!output.empty()) producers.emplace(output, i);
  auto needs = [&](const NodeProto& node) {
    std::vector<size_t> found;
    for (const std::string& name : references(node))
      if (auto place = producers.find(name); place != producers.end()) found.push_back(place->second);
    return found;
  };
  std::vector<std::vector<size_t>> needed(nodes.size());
  bool in_order = true;
  for (size_t i = 0; i < nodes.size(); ++i) {
    needed[i] = needs(nodes[i]);
    for (size_t other : needed[i]) in_order = in_order && other < i;
  }
  if (in_order) {
    for (const auto& node : nodes) result.push_back(&node);
    return result;
  }
  enum State : uint8_t { fresh, open, done };
  std::vector<State> state(nodes.size(), fresh);
  for (size_t root = 0; root < nodes.size(); ++root) {
    std::vector<std::pair<size_t, size_t>> stack;
    if (state[root] == fresh) stack.push_back({root, 0}), state[root] = open;
    while (!stack.empty()) {
      auto& [at, next] = stack.back();
      if (next == needed[at].size()) {
        state[at] = done;
        result.push_back(&nodes[at]);
        stack.pop_back();
        continue;
      }
      size_t child = needed[at][next++];
      if (state[child] == open)
        throw Error("its inputs depend on its own results (a cycle)").at(place_of(nodes[child], ""));
      if (state[child] == fresh) state[child] = open, stack.push_back({child, 0});
    }
  }
  return result;
}

}  // namespace

GraphReader::GraphReader(const ModelProto& model, const std::map<std::string, int64_t>& opsets,
                         GraphReader* outer, std::vector<Error>& problems)
    : model_(model), opsets_(opsets), outer_(outer), problems_(problems) {
  if (outer_) {
    graph_->share_symbols(*outer_->graph_);
    path_ = outer_->path_;
    loop_depth_ = outer_->loop_depth_;
  }
  functions_ = outer_ ? outer_->functions_ : std::make_shared<Functions>(model);
}

ValueId GraphReader::find(const std::string& name) {
  if (auto place = scope_.values.find(name); place != scope_.values.end()) return place->second;
  if (!outer_) return absent;
  ValueId outside = outer_->find(name);
  if (outside == absent) return absent;
  const Value& value = outer_->graph_->value(outside);
  ValueId inside;
  if (value.constant) {
    inside = graph_->add_constant(value.constant, name);
  } else if (auto place = captured_.find(outside); place != captured_.end()) {
    inside = place->second;
  } else {
    inside = graph_->add_input(name, value.type);
    graph_->value(inside).content = value.content;
    captures_.push_back(outside);
    captured_.emplace(outside, inside);
  }
  scope_.values.emplace(name, inside);
  return inside;
}

void GraphReader::define(const std::string& name, ValueId value) {
  if (!scope_.values.emplace(name, value).second) fail("the name '{}' is defined twice", name);
}

bool GraphReader::poisoned(const std::string& name) const {
  for (const GraphReader* reader = this; reader; reader = reader->outer_)
    if (reader->scope_.poisoned.count(name)) return true;
  return false;
}

void GraphReader::poison(const NodeProto& proto) {
  for (const auto& output : proto.outputs)
    if (!output.empty()) scope_.poisoned.insert(output);
}

void GraphReader::read(const GraphProto& proto, const std::vector<Type>& input_types) {
  graph_->name = proto.name;
  graph_->doc = proto.doc;
  std::unordered_map<std::string, bool> initialized;
  for (const auto& [name, constant] : proto.initializers) {
    initialized.emplace(name, true);
    if (!scope_.values.count(name)) scope_.values.emplace(name, graph_->add_constant(constant, name));
  }
  size_t index = 0;
  for (const auto& input : proto.inputs) {
    size_t at = index++;
    if (initialized.count(input.name)) continue;
    const Type& type = at < input_types.size() ? input_types[at] : input.type;
    try {
      add_input(input.name, type);
    } catch (Error& error) {
      problems_.push_back(error);
    }
  }
  for (const auto& value : proto.values) scope_.declared.emplace(value.name, &value.type);
  for (const auto& output : proto.outputs) scope_.declared.emplace(output.name, &output.type);
  if (plan_)
    for (const std::string& name : plan_->order)
      if (initialized.count(name)) {
        Type type = graph_->value(scope_.values.at(name)).type;
        scope_.values.erase(name);
        add_input(name, type);
      }
  read_nodes(proto.nodes);
  for (const auto& output : proto.outputs) {
    ValueId value = find(output.name);
    if (value == absent) {
      if (!poisoned(output.name))
        problems_.push_back(Error(fmt::format("output '{}' is never computed", output.name)));
      continue;
    }
    Type& type = graph_->value(value).type;
    if (type.is_tensor() && type.dtype == DType::unknown && output.type.is_tensor())
      type.dtype = output.type.dtype;
    if (type.is_tensor() && !type.dims && output.type.dims) {
      type.dims = output.type.dims;
      for (Dim& dim : *type.dims)
        if (!dim.is_number()) dim = Dim::symbol(graph_->fresh_symbol());
    }
    graph_->outputs.push_back({output.name, value});
  }
}

void GraphReader::read_nodes(const std::vector<NodeProto>& nodes) {
  try {
    for (const NodeProto* proto : sorted_nodes(nodes)) {
      if (plan_)
        read_main(*proto);
      else
        read_node(*proto);
    }
  } catch (Error& error) {
    for (const NodeProto& proto : nodes) poison(proto);
    problems_.push_back(error);
  }
}

void GraphReader::add_input(const std::string& name, Type type) {
  const InputPlan* plan = plan_ ? plan_->find(name) : nullptr;
  try {
    if (!outer_ && !plan && type.is_tensor() && type.dtype == DType::unknown)
      throw Error("its type is not known").hint("give it with --input-dtype and --input-shape");
    if (!plan) return define(name, graph_->add_input(name, std::move(type)));
    if (!type.is_tensor()) fail("it is {}, so it cannot be given a shape or type", type.text());
    if (plan->dims) {
      if (type.dims && type.dims->size() != plan->dims->size())
        fail("it is {}, so it cannot be given the shape {}", type.text(), text_of(*plan->dims));
      Dims declared = type.dims.value_or(*plan->dims);
      type.dims = plan->dims;
      for (size_t axis = 0; axis < declared.size(); ++axis)
        if ((*type.dims)[axis].is_number(-1)) (*type.dims)[axis] = declared[axis];
    }
    for (size_t axis = 0; type.dims && axis < type.dims->size(); ++axis) {
      Dim& size = (*type.dims)[axis];
      // Only a number or a name of its own can be an input's size.
      bool unknown = size.is_number(-1) || (!size.is_number() && size.symbol_name().empty());
      if (unknown) size = Dim::symbol(fmt::format("_{}.{}", name, axis));
    }
    DType inside = type.dtype;
    if (plan->dtype != DType::unknown) type.dtype = plan->dtype;
    if (type.dtype == DType::unknown)
      throw Error("its type is not known").hint("give it with --input-dtype and --input-shape");
    ValueId value = graph_->add_input(name, type);
    scope_.values[name] = value;
    if (inside == DType::unknown || inside == type.dtype) return;
    NodeProto cast;
    cast.name = name + "/cast", cast.type = "Cast";
    cast.inputs = {name}, cast.outputs = {cast.name};
    cast.attributes = {Attribute::of("to", code_of_dtype(inside))};
    std::map<std::string, int64_t> opsets = std::exchange(opsets_, {{"", 13}});
    read_node(cast);
    opsets_ = std::move(opsets);
    scope_.values[name] = find(cast.name);
  } catch (Error& error) {
    scope_.poisoned.insert(name);
    problems_.push_back(error.at(fmt::format("input '{}'", name)));
  }
}

void GraphReader::read_main(const NodeProto& proto) {
  size_t problems_before = problems_.size();
  const Plan& plan = *std::exchange(plan_, nullptr);
  read_node(proto);
  plan_ = &plan;
  if (plan.quiet.count(&proto))
    problems_.erase(problems_.begin() + static_cast<std::ptrdiff_t>(problems_before), problems_.end());
  for (const std::string& output : proto.outputs) {
    const InputPlan* input = plan.find(output);
    if (!input || !input->cut) continue;
    auto place = scope_.values.find(output);
    Type type = place == scope_.values.end() ? Type() : graph_->value(place->second).type;
    if (place != scope_.values.end()) scope_.values.erase(place);
    scope_.poisoned.erase(output);
    add_input(output, type);
  }
}

namespace {

// By its row, or as one that we do not know.
void read_by(const Row* row, ReadNode& node) {
  const NodeProto& proto = node.proto();
  if (row && !row->refusal.empty()) fail("{}", row->refusal);
  if (row && row->read) {
    row->read(node);
    node.check_complete();
  } else if (row) {
    read_by_row(node, *row);
  } else {
    bool standard = proto.domain.empty();
    if (standard && find_schema("", proto.type, node.version()) == nullptr) {
      if (find_schema("", proto.type, newest_opset()))
        throw Error(
            fmt::format("the operator is not part of opset {}, which the file declares", node.version()));
      throw Error("the operator is unknown").hint("is it a custom operator whose domain is missing?");
    }
    node.keep();
  }
}

}  // namespace

void GraphReader::read_node(const NodeProto& proto) {
  for (const auto& input : proto.inputs)
    if (!input.empty() && poisoned(input)) return poison(proto);
  size_t problems_before = problems_.size();
  const Deeper deeper(functions_->depth);
  try {
    if (functions_->depth > deepest_nesting) fail("graphs and functions are nested too deeply");
    if (inline_function(proto)) {
      if (problems_.size() != problems_before) poison(proto);
      return;
    }
    auto opset = opsets_.find(proto.domain);
    int64_t version = opset == opsets_.end() ? 1 : opset->second;
    const Row* row = all_rows().find_reader(proto.domain, proto.type, version);
    if (const OpSchema* schema = find_schema(proto.domain, proto.type, static_cast<int>(version)))
      check_inputs(proto, *schema);
    ReadNode node(*this, *graph_, proto, version);
    try {
      read_by(row, node);
    } catch (const Untyped&) {
      // Behind an operator that we do not know, types may be missing: such a node stays as it is.
      if (!find_schema(proto.domain, proto.type, static_cast<int>(version))) throw;
      node.keep();
    }
    if (problems_.size() != problems_before) poison(proto);
  } catch (const Silenced&) {
    poison(proto);
  } catch (Error& error) {
    problems_.push_back(error.at(place_of(proto, path_)));
    poison(proto);
  }
}

// What the file says of an inner value; sizes without a number are not known.
Type GraphReader::declared_type(const std::string& name) const {
  auto place = scope_.declared.find(name);
  if (place == scope_.declared.end()) return Type();
  Type type = *place->second;
  if (outer_ && type.dims)
    for (Dim& dim : *type.dims)
      if (!dim.is_number()) dim = Dim::symbol(graph_->fresh_symbol());
  return type;
}

void GraphReader::read_foreign(ReadNode& node) {
  const NodeProto& proto = node.proto();
  Foreign foreign;
  foreign.format = "onnx";
  foreign.type = proto.domain.empty() ? proto.type : proto.domain + ":" + proto.type;
  foreign.raw = std::make_shared<const NodeProto>(proto);
  if (auto own = opsets_.find(""); own != opsets_.end()) foreign.version = own->second;
  std::vector<ValueId> operands = node.operands();
  operands.resize(proto.inputs.size(), absent);
  for (const std::string& name : free_names(proto)) {
    if (poisoned(name)) throw Silenced();
    ValueId value = find(name);
    if (value == absent) fail("'{}', which its body reads, is never computed", name);
    operands.push_back(value);
  }
  node.emit_results(foreign, operands);
  for (const std::string& output : proto.outputs)
    if (!output.empty()) graph_->value(find(output)).type = declared_type(output);
}

namespace {

// Leaves what the outputs are computed by, and the inputs in the order that the user lists them.
void trim(Graph& graph, const Plan& plan) {
  std::vector<bool> needed(graph.value_count(), false);
  for (const Port& port : graph.outputs) needed[port.value] = true;
  std::vector<NodeId> order = graph.order();
  for (size_t i = order.size(); i-- > 0;) {
    const Node& node = graph.node(order[i]);
    bool used = std::any_of(node.outputs.begin(), node.outputs.end(),
                            [&](ValueId value) { return value != absent && needed[value]; });
    if (!used) {
      graph.remove_node(order[i]);
      continue;
    }
    for (ValueId input : node.inputs)
      if (input != absent) needed[input] = true;
  }
  std::vector<Port> inputs;
  for (const std::string& name : plan.order)
    for (const Port& port : graph.inputs)
      if (port.name == name) inputs.push_back(port);
  for (const Port& port : graph.inputs) {
    bool listed = std::find(plan.order.begin(), plan.order.end(), port.name) != plan.order.end();
    if (listed || !needed[port.value]) continue;
    if (!plan.order.empty())
      throw Error(fmt::format("the outputs also need the input '{}'", port.name))
          .hint("name it with --inputs, too");
    inputs.push_back(port);
  }
  graph.inputs = std::move(inputs);
}

}  // namespace

ReadResult read_model(const Bytes& file, const OpenExternal& open_external, const ReadRequest& request) {
  ModelProto proto = parse_model(file, open_external);
  ReadResult result;
  Model& model = result.model;
  model.format = "onnx";
  model.producer = proto.producer;
  model.producer_version = proto.producer_version;
  model.domain = proto.domain;
  model.doc = proto.doc;
  model.version = proto.model_version;
  model.metadata = proto.metadata;
  if (proto.opsets.empty()) proto.opsets[""] = 1;
  model.opsets = proto.opsets;
  auto opset = proto.opsets.find("");
  if (opset != proto.opsets.end()) result.version = opset->second;
  if (result.version > newest_opset())
    fail("the model uses opset {}; the newest that is known is {}", result.version, newest_opset());
  count_operators(proto.graph, result.operators);
  Plan plan = prepare(proto.graph, request, result.problems);
  if (!result.problems.empty()) return result;
  GraphReader reader(proto, proto.opsets, nullptr, result.problems);
  if (!request.empty()) reader.follow(plan);
  reader.read(proto.graph);
  if (result.problems.empty() && (!request.inputs.empty() || !request.outputs.empty()))
    trim(*reader.graph(), plan);
  model.graphs.push_back(reader.graph());
  // Functions may hold nodes of domains that the model itself does not import.
  for (const FunctionProto& function : proto.functions)
    for (const auto& [domain, version] : function.opsets) model.opsets.emplace(domain, version);
  return result;
}

}  // namespace remodel::onnx
