#include "formats/onnx/read_node.h"

#include "formats/loop_types.h"
#include "formats/onnx/reader.h"

namespace remodel::onnx {

ReadNode::ReadNode(GraphReader& reader, Graph& graph, const NodeProto& proto, int64_t version)
    : remodel::ReadNode(graph),
      reader_(reader),
      proto_(proto),
      version_(version),
      results_(proto.outputs.size(), absent) {
  for (const auto& name : proto.inputs) {
    ValueId value = name.empty() ? absent : reader_.find(name);
    if (value == absent && !name.empty() && !reader_.scope_.values.count(name))
      fail("input '{}' is never computed", name);
    operands_.push_back(value);
  }
  while (!operands_.empty() && operands_.back() == absent) operands_.pop_back();
  std::string name = !proto.name.empty() ? proto.name : proto.outputs.empty() ? "" : proto.outputs[0];
  origin_ = {reader_.path_ + name};
}

const Attribute* ReadNode::attribute(std::string_view name) {
  understood_.insert(std::string(name));
  return proto_.find(name);
}

bool ReadNode::has(std::string_view name) { return attribute(name) != nullptr; }

namespace {
const Attribute* checked(const Attribute* attribute, AttributeKind kind, const char* what) {
  if (!attribute) return nullptr;
  bool empty_list = attribute->kind == AttributeKind::undefined;
  if (attribute->kind != kind && !empty_list) fail("attribute '{}' should be {}", attribute->name, what);
  return attribute;
}
}  // namespace

int64_t ReadNode::integer(std::string_view name) {
  auto found = checked(attribute(name), AttributeKind::integer, "an integer");
  if (!found) fail("attribute '{}' is missing", name);
  return found->integer;
}
int64_t ReadNode::integer(std::string_view name, int64_t otherwise) {
  auto found = checked(attribute(name), AttributeKind::integer, "an integer");
  return found ? found->integer : otherwise;
}
double ReadNode::real(std::string_view name) { return real(name, 0); }
double ReadNode::real(std::string_view name, double otherwise) {
  auto found = checked(attribute(name), AttributeKind::real, "a number");
  return found ? found->real : otherwise;
}
std::string ReadNode::text(std::string_view name, std::string_view otherwise) {
  auto found = checked(attribute(name), AttributeKind::string, "a string");
  return found ? found->text : std::string(otherwise);
}
std::string ReadNode::text(std::string_view name) { return text(name, ""); }
std::string ReadNode::word(std::string_view name) {
  auto found = attribute(name);
  return found && found->kind == AttributeKind::integer ? std::to_string(found->integer) : text(name);
}
DType ReadNode::dtype_named(std::string_view name) { return dtype_of_code(integer(name)); }
std::vector<int64_t> ReadNode::integers(std::string_view name, std::vector<int64_t> otherwise) {
  auto found = checked(attribute(name), AttributeKind::integers, "a list of integers");
  return found ? found->integers : otherwise;
}
std::vector<double> ReadNode::reals(std::string_view name, std::vector<double> otherwise) {
  auto found = checked(attribute(name), AttributeKind::reals, "a list of numbers");
  return found ? std::vector<double>(found->reals.begin(), found->reals.end()) : otherwise;
}
std::vector<std::string> ReadNode::texts(std::string_view name) {
  auto found = checked(attribute(name), AttributeKind::strings, "a list of strings");
  return found ? found->texts : std::vector<std::string>();
}
ConstantPtr ReadNode::tensor(std::string_view name) {
  auto found = attribute(name);
  if (!found) return nullptr;
  if (found->tensors.size() != 1) fail("attribute '{}' should be a tensor", name);
  return found->tensors[0];
}
std::shared_ptr<GraphProto> ReadNode::body(std::string_view name) {
  auto found = checked(attribute(name), AttributeKind::graph, "a graph");
  if (!found || found->graphs.size() != 1) fail("attribute '{}' should be a graph", name);
  return found->graphs[0];
}

ValueId ReadNode::named(const std::string& tensor) {
  if (reader_.poisoned(tensor)) throw Silenced();
  ValueId value = reader_.find(tensor);
  if (value == absent) fail("'{}' is never computed", tensor);
  return value;
}

void ReadNode::keep() {
  for (const auto& attribute : proto_.attributes) ignore(attribute.name);
  for (size_t k = 0; k < outputs(); ++k)
    if (results_[k] != absent) reader_.forget(proto_.outputs[k]);
  reader_.read_foreign(*this);
}

void ReadNode::result(size_t k, ValueId value) {
  if (!wants(k)) return;
  Value& it = graph_.value(value);
  if (it.name.empty()) it.name = proto_.outputs[k];
  results_[k] = value;
  reader_.define(proto_.outputs[k], value);
}

ReadNode::Body ReadNode::read_body(const GraphProto& proto, const std::vector<Type>& types) {
  if (proto.inputs.size() != types.size())
    fail("the body '{}' has {} inputs, but {} are given", proto.name, proto.inputs.size(), types.size());
  GraphReader inner(reader_.model_, reader_.opsets_, &reader_, reader_.problems_);
  inner.read(proto, types);
  if (inner.graph()->outputs.size() != proto.outputs.size()) throw Silenced();
  return {inner.graph(), inner.captures()};
}

ReadNode::Body ReadNode::read_loop_body(const GraphProto& proto, std::vector<Type> types, size_t first_input,
                                        size_t first_output, size_t carried) {
  constexpr int careful_depth = 3;
  if (proto.outputs.size() < first_output + carried)
    fail("the body '{}' has {} outputs, but {} values are carried", proto.name, proto.outputs.size(),
         carried);
  // Bodies in bodies would be read exponentially often.
  const bool widest = reader_.loop_depth_ >= careful_depth;
  const Deeper deeper(reader_.loop_depth_);
  auto& problems = reader_.problems_;
  const size_t before = problems.size();
  Body body;
  const auto read_with = [&](const std::vector<Type>& wider) {
    try {
      body = read_body(proto, wider);
    } catch (const Silenced&) {
      if (problems.size() == before) throw;
      body = {};
    }
    return body.graph;
  };
  if (!remodel::read_loop_body(std::move(types), first_input, first_output, carried, widest, graph_, problems,
                               read_with))
    throw Silenced();
  return body;
}

std::vector<ValueId> ReadNode::inline_body(const GraphProto& proto) { return reader_.inline_graph(proto); }

void ReadNode::adopt(size_t i, const Type& declared) {
  if (!has_input(i)) return;
  Type& type = graph_.value(operands_[i]).type;
  if (type.is_tensor() && type.dtype == DType::unknown && !type.dims)
    type = declared.is_tensor() ? Type(declared.dtype) : declared;
}

void ReadNode::check_attributes_known() const {
  for (const auto& attribute : proto_.attributes)
    if (!understood_.count(attribute.name)) fail("attribute '{}' is not understood", attribute.name);
}

void ReadNode::check_complete() const {
  check_attributes_known();
  for (size_t k = 0; k < results_.size(); ++k)
    if (!proto_.outputs[k].empty() && results_[k] == absent)
      fail("output '{}' is not supported", proto_.outputs[k]);
}

}  // namespace remodel::onnx
