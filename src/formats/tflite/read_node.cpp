#include "formats/tflite/read_node.h"

#include <algorithm>

#include "formats/tflite/reader.h"
#include "formats/tflite/rows.h"
#include "ir/infer.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/control.h"
#include "ops/quantize.h"
#include "ops/shape.h"
#include "ops/unary.h"

namespace remodel::tflite {

ReadNode::ReadNode(GraphReader& reader, const Operator& proto)
    : remodel::ReadNode(reader.scope_.graph), reader_(reader), proto_(proto), bound_(proto.outputs.size()) {
  for (const int32_t output : proto.outputs)
    if (output >= 0 && origin_.empty())
      origin_ = {reader.path_ + reader.sub_.tensors[static_cast<size_t>(output)].name};
  for (const int32_t input : proto.inputs) raw_.push_back(input < 0 ? absent : reader.find(input).value);
  operands_ = raw_;
  // Only elements of one grid can be moved as they are.
  bool as_they_are = !proto.custom && moves_elements(proto.type);
  std::shared_ptr<const Grid> grid;
  const auto same = [&](const Tensor& tensor) {
    const std::shared_ptr<const Grid> other = grid_of(tensor);
    if (!other) return true;
    if (!grid) grid = other;
    return *grid == *other;
  };
  for (size_t i = 0; i < raw_.size(); ++i)
    if (raw_[i] != absent) as_they_are = as_they_are && same(input_tensor(i));
  for (size_t k = 0; k < outputs(); ++k)
    if (wants(k)) as_they_are = as_they_are && same(output_tensor(k));
  if (as_they_are) return;
  for (size_t i = 0; i < raw_.size(); ++i) {
    if (raw_[i] == absent) continue;
    const std::shared_ptr<const Grid> own = grid_of(input_tensor(i));
    if (!own || (!proto.custom && !takes_reals(proto.type))) continue;
    auto [place, is_new] = reader.dequantized_.emplace(proto.inputs[i], absent);
    if (is_new) place->second = dequantize(graph_, raw_[i], *own, origin_);
    operands_[i] = place->second;
  }
}

const Field& ReadNode::field(std::string_view name) const {
  const Builtin* builtin = find_builtin(proto_.type);
  const Field* found = builtin && builtin->options ? builtin->options->find(name) : nullptr;
  if (!found) throw Error(fmt::format("{} has no attribute '{}'", proto_.type, name), ErrorKind::internal);
  return *found;
}

const Attribute* ReadNode::attribute(std::string_view name) {
  understood_.insert(std::string(name));
  return proto_.find(name);
}

bool ReadNode::has(std::string_view name) { return attribute(name) != nullptr; }

int64_t ReadNode::integer(std::string_view name) {
  const Attribute* given = attribute(name);
  return given ? given->integer : static_cast<int64_t>(field(name).value);
}
double ReadNode::real(std::string_view name) {
  const Attribute* given = attribute(name);
  return given ? given->real : field(name).value;
}
std::string ReadNode::text(std::string_view name) {
  const Attribute* given = attribute(name);
  return given ? given->text : "";
}
std::string ReadNode::word(std::string_view name) {
  if (const Attribute* given = attribute(name)) return given->text;
  const Field& described = field(name);
  return std::string(described.find(static_cast<int64_t>(described.value))->word);
}
DType ReadNode::dtype_named(std::string_view name) {
  const Attribute* given = attribute(name);
  const auto type = static_cast<TensorType>(given ? given->integer : static_cast<int64_t>(field(name).value));
  const std::optional<DType> dtype = dtype_of(type);
  if (!dtype) fail("attribute '{}' is {}", name, name_of(type));
  return *dtype;
}
std::vector<int64_t> ReadNode::integers(std::string_view name) {
  const Attribute* given = attribute(name);
  return given ? given->integers : std::vector<int64_t>();
}
std::vector<double> ReadNode::reals(std::string_view name) {
  const Attribute* given = attribute(name);
  return given ? given->reals : std::vector<double>();
}
std::vector<std::string> ReadNode::texts(std::string_view) { return {}; }
ConstantPtr ReadNode::tensor(std::string_view) { return nullptr; }
Bytes ReadNode::bytes(std::string_view name) {
  const Attribute* given = attribute(name);
  return given ? given->bytes : Bytes();
}

void ReadNode::check_attributes_known() const {
  for (const Attribute& attribute : proto_.attributes)
    if (!understood_.count(attribute.name)) fail("attribute '{}' is not understood", attribute.name);
}

const Tensor& ReadNode::input_tensor(size_t i) const {
  if (i >= proto_.inputs.size() || proto_.inputs[i] < 0) fail("input {} is missing", i);
  return reader_.sub_.tensors[static_cast<size_t>(proto_.inputs[i])];
}
const Tensor& ReadNode::output_tensor(size_t k) const {
  if (!wants(k)) fail("output {} is missing", k);
  return reader_.sub_.tensors[static_cast<size_t>(proto_.outputs[k])];
}

ValueId ReadNode::raw(size_t i) const {
  if (i >= raw_.size() || raw_[i] == absent) fail("input {} is missing", i);
  return raw_[i];
}

Dims ReadNode::dims_of(size_t i, size_t least) const {
  const auto& dims = type(i).dims;
  if (!dims) fail("the rank of '{}' is not known", input_tensor(i).name);
  if (dims->size() < least)
    fail("'{}' is {}, but needs {} axes", input_tensor(i).name, type(i).text(), least);
  return *dims;
}

std::optional<Dims> ReadNode::elements(size_t i) {
  constexpr int64_t most = 256;
  if (const ConstantPtr known = constant(i)) {
    if (!is_integer(known->dtype()) || known->count() > most) return std::nullopt;
    return to_dims(known->tensor().ints());
  }
  Node probe;
  probe.inputs = operands_;
  const std::optional<Content> content = Infer(graph_, probe).content(i, 2);
  if (!content) return std::nullopt;
  Dims dims;
  for (const Quantity& one : *content) {
    const std::optional<Dim> whole = exact_div(one.over, one.under);
    if (!whole) return std::nullopt;
    dims.push_back(*whole);
  }
  return dims;
}

ValueId ReadNode::weights(size_t i, const std::vector<int64_t>& perm) {
  const std::shared_ptr<const Grid> grid = grid_of(input_tensor(i));
  const ConstantPtr constant = graph_.value(raw(i)).constant;
  ValueId moved = constant ? add_constant(constant->permuted(perm)) : emit(Transpose{perm}, {raw(i)});
  if (constant) graph_.value(moved).name = graph_.value(raw(i)).name;
  if (!grid) return moved;
  Grid turned = *grid;
  if (turned.block > 0 && !std::is_sorted(perm.begin(), perm.end()))
    fail("its weights are quantized in blocks");
  if (turned.axis >= 0) turned.axis = std::find(perm.begin(), perm.end(), turned.axis) - perm.begin();
  return dequantize(graph_, moved, turned, origin_);
}

bool ReadNode::hybrid(size_t x, size_t weights) const {
  return !quantized_input(x) && is_float(type(x).dtype) && grid_of(input_tensor(weights)) != nullptr;
}

ValueId ReadNode::rounded_rows(size_t i, bool asymmetric) { return rounded_rows_of(input(i), asymmetric); }

ValueId ReadNode::rounded_rows_of(ValueId x, bool asymmetric) {
  const Type type = graph_.value(x).type;
  if (!type.dims || type.dims->empty()) fail("the rank of its operand is not known");
  Dim rest = 1;
  for (size_t axis = 1; axis < type.dims->size(); ++axis) rest = rest * (*type.dims)[axis];
  const Dim rows = (*type.dims)[0];
  const ValueId flat = emit(Reshape{{rows, rest}, false}, {x});
  const std::vector<ValueId> codes = emit(DynamicQuantize{!asymmetric, true}, {flat}, 3);
  const ValueId scale = emit(Reshape{{rows}, false}, {codes[1]}),
                zero = emit(Reshape{{rows}, false}, {codes[2]});
  Dequantize op;
  op.axis = 0;
  const ValueId reals = emit(op, {codes[0], scale, zero});
  return emit(Reshape{*type.dims, false}, {reals});
}

ValueId ReadNode::bias(size_t i, size_t x, size_t w) {
  if (!has_input(i)) return absent;
  const std::shared_ptr<const Grid> a = grid_of(input_tensor(x)), b = grid_of(input_tensor(w));
  if (!is_integer(type(i).dtype)) return input(i);
  if (!a || !b) fail("its bias is {}, but its operands are not quantized", type(i).text());
  // The scales of a file are rounded; the kernels take the product.
  const std::vector<double> of_x = a->scale->tensor().doubles(), of_w = b->scale->tensor().doubles();
  remodel::Tensor scale(DType::f32, of_w.size() == 1 ? Shape{} : Shape{static_cast<int64_t>(of_w.size())});
  for (size_t c = 0; c < of_w.size(); ++c) scale.to<float>()[c] = static_cast<float>(of_x[0] * of_w[c]);
  Grid grid;
  grid.scale = constant_tensor(scale);
  grid.axis = of_w.size() == 1 ? -1 : 0;
  return dequantize(graph_, raw(i), grid, origin_);
}

ValueId ReadNode::activated(ValueId value) { return activated(value, word("fused_activation_function")); }

ValueId ReadNode::activated(ValueId value, std::string_view activation) {
  if (activation == "NONE") return value;
  if (activation == "RELU") return emit(Relu{}, {value});
  if (activation == "RELU6") return emit(Clamp(0, 6), {value});
  if (activation == "RELU_N1_TO_1") return emit(Clamp(-1, 1), {value});
  if (activation == "TANH") return emit(Tanh{}, {value});
  fail("the fused activation {} is not supported", activation);
}

ValueId ReadNode::quantize(ValueId value, DType to, const Grid& grid) {
  Quantize op;
  op.to = to;
  op.axis = std::max<int64_t>(grid.axis, 0);
  op.block = grid.block;
  std::vector<ValueId> operands{value, add_constant(grid.scale)};
  if (grid.zero) operands.push_back(add_constant(grid.zero));
  return emit(op, operands);
}

ValueId ReadNode::to_tensor(ValueId value, const Tensor& tensor) {
  const std::optional<DType> wanted = dtype_of(tensor.type);
  const DType given = graph_.value(value).type.dtype;
  const std::shared_ptr<const Grid> grid = grid_of(tensor);
  if (grid && is_float(given)) return quantize(value, *wanted, *grid);
  if (!wanted || given == DType::unknown || given == *wanted) return value;
  if (gives_indices(proto_.type) && given == DType::i64 && wanted == DType::i32)
    return emit(cast_to(*wanted), {value});
  fail("'{}' is {}, but the operator gives {}", tensor.name, remodel::name_of(*wanted),
       remodel::name_of(given));
}

void ReadNode::result(size_t k, ValueId value) {
  if (!wants(k)) return;
  value = to_tensor(value, output_tensor(k));
  Value& it = graph_.value(value);
  if (it.name.empty()) it.name = reader_.path_ + output_tensor(k).name;
  result_cell(k, {value, "", false});
}

void ReadNode::result_cell(size_t k, Cell cell) {
  if (!wants(k)) return;
  bound_[k] = true;
  reader_.define(proto_.outputs[k], std::move(cell));
}

const Cell& ReadNode::operand_cell(size_t i) {
  if (i >= proto_.inputs.size() || proto_.inputs[i] < 0) fail("input {} is missing", i);
  return reader_.find(proto_.inputs[i]);
}

size_t ReadNode::graph_named(std::string_view name) {
  const int64_t index = integer(name);
  if (index < 0 || index >= std::ssize(reading().file.graphs)) fail("there is no sub-graph {}", index);
  return static_cast<size_t>(index);
}

Scope& ReadNode::scope() { return reader_.scope_; }
Reading& ReadNode::reading() { return reader_.reading_; }

void ReadNode::keep() {
  Foreign foreign;
  foreign.format = "tflite";
  foreign.type = proto_.type;
  foreign.raw = std::make_shared<const Operator>(proto_);
  for (const Attribute& attribute : proto_.attributes) ignore(attribute.name);
  const std::vector<ValueId> results = emit(foreign, raw_, outputs());
  for (size_t k = 0; k < outputs(); ++k) {
    if (!wants(k)) continue;
    const Tensor& tensor = output_tensor(k);
    Type type = declared_type(tensor, [&](size_t) { return Dim::symbol(graph_.fresh_symbol()); });
    type.grid = grid_of(tensor);
    graph_.value(results[k]).type = type;
    result_cell(k, {results[k], "", false});
    graph_.value(results[k]).name = reader_.path_ + tensor.name;
  }
}

void ReadNode::check_complete() const {
  check_attributes_known();
  for (size_t k = 0; k < outputs(); ++k)
    if (wants(k) && !bound_[k]) fail("output '{}' is not supported", output_tensor(k).name);
}

ValueId dequantize(Graph& graph, ValueId value, const Grid& grid, const Origin& origin) {
  Dequantize op;
  op.axis = std::max<int64_t>(grid.axis, 0);
  op.block = grid.block;
  std::vector<ValueId> operands{value, graph.add_constant(grid.scale)};
  if (grid.zero) operands.push_back(graph.add_constant(grid.zero));
  return graph.node(graph.add_node(op, operands, {""}, origin)).outputs[0];
}

}  // namespace remodel::tflite
