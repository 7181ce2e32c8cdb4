#include "formats/onnx/write_node.h"

#include <algorithm>

#include "formats/onnx/writer.h"

namespace remodel::onnx {

int64_t WriteNode::opset() const { return writer_.file_.opset; }

int64_t WriteNode::version(const std::string& domain) const {
  auto place = writer_.file_.versions.find(domain);
  return place == writer_.file_.versions.end() ? 1 : place->second;
}
void WriteNode::need(const std::string& domain, int64_t version) {
  writer_.file_.versions[domain] = std::max(this->version(domain), version);
}

std::string WriteNode::name_of(ValueId value) { return writer_.name_of(value); }
std::string WriteNode::in(size_t i) { return has(i) ? writer_.name_of(node_.inputs[i]) : ""; }
std::string WriteNode::out(size_t k) { return wants(k) ? writer_.name_of(node_.outputs[k]) : ""; }

std::vector<std::string> WriteNode::ins(size_t first) {
  std::vector<std::string> names;
  for (size_t i = first; i < node_.inputs.size(); ++i) names.push_back(in(i));
  return names;
}
std::vector<std::string> WriteNode::outs() {
  std::vector<std::string> names;
  for (size_t k = 0; k < node_.outputs.size(); ++k) names.push_back(out(k));
  while (names.size() > 1 && names.back().empty()) names.pop_back();
  return names;
}

std::string WriteNode::constant(ConstantPtr constant) {
  std::string name = writer_.file_.initializer(constant, "");
  writer_.dtypes_[name] = constant->dtype();
  return name;
}
std::string WriteNode::integers(const std::vector<int64_t>& values) {
  return constant(constant_ints(values));
}
std::string WriteNode::scalar(DType dtype, double value) {
  return constant(constant_splat(dtype, {}, value));
}

std::string WriteNode::sizes(const Dims& dims) { return writer_.file_.numbered(writer_.sizes_.list(dims)); }
int WriteNode::nodes_for(const Dims& dims) const { return writer_.sizes_.cost(dims); }

std::string WriteNode::scalar_size(const Dim& dim) {
  if (dim.is_number()) return constant(constant_tensor(Tensor::of<int64_t>(DType::i64, {}, {dim.number()})));
  return emit("Squeeze", {sizes({dim})});
}

std::string WriteNode::emit(std::string type, std::vector<std::string> inputs, Attributes attributes,
                            std::string domain) {
  NodeProto proto;
  proto.type = std::move(type);
  proto.domain = std::move(domain);
  proto.inputs = std::move(inputs);
  proto.attributes = std::move(attributes);
  return writer_.emit(std::move(proto));
}

void WriteNode::emit_to(std::vector<std::string> results, std::string type, std::vector<std::string> inputs,
                        Attributes attributes, std::string domain) {
  NodeProto proto;
  proto.type = std::move(type);
  proto.domain = std::move(domain);
  proto.inputs = std::move(inputs);
  proto.outputs = std::move(results);
  proto.attributes = std::move(attributes);
  writer_.emit_legal(std::move(proto));
}

std::string WriteNode::fresh_name(std::string_view hint) { return writer_.file_.unique_name(hint); }

std::string WriteNode::cast(const std::string& name, DType to) {
  return emit("Cast", {name}, {Attribute::of("to", code_of_dtype(to))});
}

std::shared_ptr<GraphProto> WriteNode::write_body(const Graph& body,
                                                  const std::vector<std::string>& parameters) {
  auto result = std::make_shared<GraphProto>();
  GraphWriter(writer_.file_, body, &writer_).write(*result, parameters);
  return result;
}

}  // namespace remodel::onnx
