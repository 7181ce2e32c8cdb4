#include "formats/tflite/write_node.h"

#include "formats/tflite/writer.h"
#include "ops/quantize.h"

namespace remodel::tflite {

Attribute word(std::string name, std::string_view text) {
  Attribute attribute = Attribute::of(std::move(name), std::string(text));
  attribute.kind = FieldKind::word;
  return attribute;
}

Dims permuted(const Dims& dims, const std::vector<int64_t>& perm) {
  Dims result;
  for (int64_t axis : perm) result.push_back(dims[static_cast<size_t>(axis)]);
  return result;
}

Dims WriteNode::dims(size_t i) const {
  if (!type(i).dims) fail("the rank of operand {} is not known", i);
  return *type(i).dims;
}

Dims WriteNode::result_dims(size_t k) const {
  if (!result_type(k).dims) fail("the rank of result {} is not known", k);
  return *result_type(k).dims;
}

Id WriteNode::value(ValueId value) { return writer_.id_of(value); }
Id WriteNode::in(size_t i) { return has(i) ? writer_.id_of(node_.inputs[i]) : -1; }

Ids WriteNode::ins(size_t first) {
  Ids ids;
  for (size_t i = first; i < node_.inputs.size(); ++i) ids.push_back(in(i));
  return ids;
}

bool WriteNode::is_weights(size_t i) const {
  const Node* from = has(i) ? graph_.producer(node_.inputs[i]) : nullptr;
  return constant(i) || (from && from->op.is<Dequantize>() && graph_.constant(from->inputs[0]));
}

Id WriteNode::turned(size_t i, const std::vector<int64_t>& perm) {
  if (constant(i)) return constant(graph_.value(node_.inputs[i]).constant->permuted(perm));
  if (!is_weights(i)) return transpose(in(i), perm);
  const Node& from = *graph_.producer(node_.inputs[i]);
  if (writer_.is_quantized()) return writer_.signed_codes_of(from, perm);
  return emit("DEQUANTIZE", {writer_.codes_of(from, perm)}, Type(dtype(i), permuted(dims(i), perm)));
}

Id WriteNode::out(size_t k) {
  if (wants(k)) return writer_.id_of(node_.outputs[k]);
  return writer_.add_tensor("", Type(DType::f32));
}

Ids WriteNode::outs() {
  Ids ids;
  for (size_t k = 0; k < node_.outputs.size(); ++k) ids.push_back(out(k));
  return ids;
}

Id WriteNode::tensor(Type type) { return writer_.add_tensor("", std::move(type)); }
Id WriteNode::variable(Type type) {
  const Id id = writer_.add_tensor("state", std::move(type));
  writer_.make_variable(id);
  return id;
}
const Type& WriteNode::type_of(Id tensor) const { return writer_.type_of(tensor); }

Id WriteNode::constant(ConstantPtr constant) { return writer_.add_reals(std::move(constant), ""); }
Id WriteNode::integers(const std::vector<int64_t>& values) { return writer_.integers(values); }
Id WriteNode::scalar(DType dtype, double value) { return constant(constant_splat(dtype, {}, value)); }
Id WriteNode::sizes(const Dims& dims) { return writer_.sizes(dims); }

Id WriteNode::emit(std::string type, Ids inputs, Type result, Attributes attributes) {
  const Id id = writer_.add_tensor("", std::move(result));
  emit_to({id}, std::move(type), std::move(inputs), std::move(attributes));
  return id;
}

void WriteNode::emit_to(Ids results, std::string type, Ids inputs, Attributes attributes) {
  Operator made;
  made.type = std::move(type);
  made.inputs = std::move(inputs);
  made.outputs = std::move(results);
  made.attributes = std::move(attributes);
  writer_.emit(std::move(made));
}

void WriteNode::emit_custom(Operator made) { writer_.emit(std::move(made)); }
const WriteTarget& WriteNode::target() const { return writer_.target(); }

Id WriteNode::cast(Id tensor, DType to) { return writer_.cast(tensor, to); }

Id WriteNode::reshape(Id tensor, const Dims& dims) {
  const Type& type = type_of(tensor);
  if (type.dims && *type.dims == dims) return tensor;
  const Id result = writer_.add_tensor("", Type(type.dtype, dims));
  reshape_to(result, tensor, dims);
  return result;
}

void WriteNode::reshape_to(Id result, Id tensor, const Dims& dims) {
  Attributes attributes;
  // What readers without the second input go by.
  if (const auto known = numbers(dims)) attributes.push_back(Attribute::of("new_shape", *known));
  emit_to({result}, "RESHAPE", {tensor, writer_.reshape_sizes(tensor, dims)}, attributes);
}

Id WriteNode::transpose(Id tensor, const std::vector<int64_t>& perm) {
  const Type type = type_of(tensor);
  return emit("TRANSPOSE", {tensor, integers(perm)}, Type(type.dtype, permuted(*type.dims, perm)));
}

int64_t WriteNode::body(const Graph& graph, const std::vector<std::string>& sizes) {
  return writer_.write_body(graph, sizes);
}

}  // namespace remodel::tflite
