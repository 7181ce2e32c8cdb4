#include "formats/onnx/serialize.h"

#include <unordered_map>

#include "formats/elements.h"
#include "wire/protobuf.h"

namespace remodel::onnx {
namespace {

Message pair_message(const std::string& key, const std::string& value) {
  Message message;
  message.string(1, key);
  message.string(2, value);
  return message;
}

class Serializer {
 public:
  explicit Serializer(const ExternalData& external) : external_(external) {
    for (const auto& [constant, offset] : external.weights) offsets_[constant.get()] = offset;
  }

  Message model(const ModelProto& model) {
    Message message;
    message.int64(1, model.ir_version);
    if (!model.producer.empty()) message.string(2, model.producer);
    if (!model.producer_version.empty()) message.string(3, model.producer_version);
    if (!model.domain.empty()) message.string(4, model.domain);
    if (model.model_version) message.int64(5, model.model_version);
    if (!model.doc.empty()) message.string(6, model.doc);
    message.message(7, graph(model.graph));
    for (const auto& [domain, version] : model.opsets) message.message(8, opset(domain, version));
    for (const auto& [key, value] : model.metadata) message.message(14, pair_message(key, value));
    return message;
  }

 private:
  Message opset(const std::string& domain, int64_t version) {
    Message message;
    message.string(1, domain);
    message.int64(2, version);
    return message;
  }

  Message graph(const GraphProto& graph) {
    Message message;
    for (const NodeProto& one : graph.nodes) message.message(1, node(one));
    message.string(2, graph.name);
    for (const auto& [name, constant] : graph.initializers) message.message(5, tensor(name, constant));
    if (!graph.doc.empty()) message.string(10, graph.doc);
    for (const ValueInfo& input : graph.inputs) message.message(11, value_info(input));
    for (const ValueInfo& output : graph.outputs) message.message(12, value_info(output));
    return message;
  }

  Message node(const NodeProto& node) {
    Message message;
    for (const auto& input : node.inputs) message.string(1, input);
    for (const auto& output : node.outputs) message.string(2, output);
    if (!node.name.empty()) message.string(3, node.name);
    message.string(4, node.type);
    for (const Attribute& one : node.attributes) message.message(5, attribute(one));
    if (!node.doc.empty()) message.string(6, node.doc);
    if (!node.domain.empty()) message.string(7, node.domain);
    if (!node.overload.empty()) message.string(8, node.overload);
    for (const auto& [key, value] : node.metadata) message.message(9, pair_message(key, value));
    return message;
  }

  Message attribute(const Attribute& attribute) {
    Message message;
    message.string(1, attribute.name);
    switch (attribute.kind) {
      case AttributeKind::undefined:
        break;
      case AttributeKind::real:
        message.float32(2, attribute.real);
        break;
      case AttributeKind::integer:
        message.int64(3, attribute.integer);
        break;
      case AttributeKind::string:
        message.string(4, attribute.text);
        break;
      case AttributeKind::tensor:
        message.message(5, tensor("", attribute.tensors.at(0)));
        break;
      case AttributeKind::graph:
        message.message(6, graph(*attribute.graphs.at(0)));
        break;
      case AttributeKind::reals:
        for (float value : attribute.reals) message.float32(7, value);
        break;
      case AttributeKind::integers:
        for (int64_t value : attribute.integers) message.int64(8, value);
        break;
      case AttributeKind::strings:
        for (const auto& value : attribute.texts) message.string(9, value);
        break;
      case AttributeKind::tensors:
        for (const auto& value : attribute.tensors) message.message(10, tensor("", value));
        break;
      case AttributeKind::graphs:
        for (const auto& value : attribute.graphs) message.message(11, graph(*value));
        break;
      case AttributeKind::type_proto:
        message.message(14, type(attribute.types.at(0)));
        break;
      case AttributeKind::type_protos:
        for (const auto& value : attribute.types) message.message(15, type(value));
        break;
      case AttributeKind::sparse_tensor:
      case AttributeKind::sparse_tensors:
        fail("attribute '{}': sparse tensors are not written", attribute.name);
    }
    message.int64(20, static_cast<int64_t>(attribute.kind));
    return message;
  }

  Message tensor(const std::string& name, const ConstantPtr& constant) {
    Message message;
    message.packed_ints(1, constant->shape());
    message.int64(2, code_of_dtype(constant->dtype()));
    if (auto strings = constant->strings()) {
      for (const auto& value : *strings) message.string(6, value);
    }
    if (!name.empty()) message.string(8, name);
    if (constant->strings()) return message;
    uint64_t size = file_bytes(*constant);
    if (auto place = offsets_.find(constant.get()); place != offsets_.end()) {
      message.message(13, pair_message("location", external_.location));
      message.message(13, pair_message("offset", std::to_string(place->second)));
      message.message(13, pair_message("length", std::to_string(size)));
      message.int64(14, 1);
    } else if (size <= 256) {
      MemorySink small;
      write_elements(*constant, small);
      message.string(9, small.text());
    } else {
      message.stream(9, size, [constant](Sink& sink) { write_elements(*constant, sink); });
    }
    return message;
  }

  Message type(const Type& type) {
    Message message, inner;
    if (type.kind == Type::tensor) {
      inner.int64(1, code_of_dtype(type.dtype));
      if (type.dims) inner.message(2, shape(*type.dims));
      message.message(1, std::move(inner));
      return message;
    }
    Message element = this->type(type.element ? *type.element : Type(type.dtype));
    if (type.kind == Type::map) {
      inner.int64(1, code_of_dtype(type.dtype));
      inner.message(2, std::move(element));
      message.message(5, std::move(inner));
    } else {
      inner.message(1, std::move(element));
      message.message(type.kind == Type::list ? 4 : 9, std::move(inner));
    }
    return message;
  }

  Message shape(const Dims& dims) {
    Message message;
    for (const Dim& size : dims) {
      Message dim;
      // Symbols that we made up, and expressions, say no more than "unknown".
      std::string_view symbol = size.symbol_name();
      if (size.is_number())
        dim.int64(1, size.number());
      else if (!symbol.empty() && symbol[0] != '_')
        dim.string(2, symbol);
      message.message(1, std::move(dim));
    }
    return message;
  }

  Message value_info(const ValueInfo& value) {
    Message message;
    message.string(1, value.name);
    if (value.type.kind != Type::tensor || value.type.dtype != DType::unknown)
      message.message(2, type(value.type));
    if (!value.doc.empty()) message.string(3, value.doc);
    return message;
  }

  const ExternalData& external_;
  std::unordered_map<const Constant*, uint64_t> offsets_;
};

}  // namespace

uint64_t model_size(const ModelProto& model) {
  ExternalData none;
  return Serializer(none).model(model).size();
}

ExternalData plan_external_data(const ModelProto& model, std::string location) {
  ExternalData plan;
  plan.location = std::move(location);
  for (const auto& [name, constant] : model.graph.initializers) {
    if (constant->strings() || file_bytes(*constant) < smallest_external) continue;
    plan.size = (plan.size + external_alignment - 1) / external_alignment * external_alignment;
    plan.weights.emplace_back(constant, plan.size);
    plan.size += file_bytes(*constant);
  }
  return plan;
}

void write_model(const ModelProto& model, const ExternalData& external, Sink& sink) {
  const Message message = Serializer(external).model(model);
  sink.expect(message.size());
  message.write(sink);
}

void write_external_data(const ExternalData& external, Sink& sink) {
  sink.expect(external.size);
  for (const auto& [constant, offset] : external.weights) {
    sink.write_zeros(offset - sink.position());
    write_elements(*constant, sink);
  }
}

}  // namespace remodel::onnx
