#include "formats/tflite/writer.h"

#include <algorithm>

#include "formats/row_engine.h"
#include "formats/tflite/hybrid.h"
#include "formats/tflite/kernels.h"
#include "formats/tflite/metadata.h"
#include "formats/tflite/rows.h"
#include "ir/layer.h"
#include "ir/uncast.h"
#include "ops/cluster.h"
#include "ops/quantize.h"

namespace remodel::tflite {
namespace {

// Sizes that are not known stand as 1 in the shape, and as -1 in its signature.
void set_shape(Tensor& tensor, const Type& type) {
  if (!type.dims) return;
  bool open = false;
  for (const Dim& dim : *type.dims) {
    if (dim.is_number() && dim.number() > INT32_MAX)
      fail("a size of {} is beyond what a file can say", dim.number());
    const int32_t size = dim.is_number() ? static_cast<int32_t>(dim.number()) : 1;
    tensor.shape.push_back(size);
    tensor.signature.push_back(dim.is_number() ? size : -1);
    open |= !dim.is_number();
  }
  if (!open) tensor.signature.clear();
}

TensorType tensor_type(DType dtype) {
  if (dtype == DType::unknown) fail("an element type is not known");
  const auto type = tensor_type_of(dtype);
  if (!type) fail("TensorFlow Lite has no tensors of {}", name_of(dtype));
  return *type;
}

}  // namespace

Id GraphWriter::add_tensor(const std::string& name, Type type, Quantization grid) {
  if (!type.is_tensor()) fail("TensorFlow Lite has no {}", type.text());
  tflite::Tensor tensor;
  tensor.name = names_.take(!name.empty() ? name : node_name_.empty() ? "tensor" : node_name_);
  tensor.type = tensor_type(type.dtype);
  set_shape(tensor, type);
  tensor.quantization = std::move(grid);
  to_.tensors.push_back(std::move(tensor));
  types_.push_back(std::move(type));
  return static_cast<Id>(to_.tensors.size()) - 1;
}

Id GraphWriter::add_constant(ConstantPtr constant, const std::string& name, const Quantization& grid) {
  if (auto place = by_pointer_.find(constant); place != by_pointer_.end() && grid_of(place->second) == grid)
    return place->second;
  const size_t hash = constant->hash();
  auto [first, last] = by_content_.equal_range(hash);
  for (auto place = first; place != last; ++place)
    if (grid_of(place->second) == grid && constant_of(place->second)->equals(*constant))
      return by_pointer_[constant] = place->second;
  const Id id =
      add_tensor(name.empty() ? "constant" : name, Type(constant->dtype(), to_dims(constant->shape())), grid);
  to_.tensors.back().data = constant;
  by_content_.emplace(hash, id);
  return by_pointer_[constant] = id;
}

Id GraphWriter::add_reals(ConstantPtr constant, const std::string& name) {
  constexpr int64_t least = 128;  // elements that are worth an operator
  const ConstantPtr half = constant->dtype() == DType::f32 ? uncast(*constant) : nullptr;
  if (!half || half->dtype() != DType::f16 || half->count() < least || quantized_)
    return add_constant(std::move(constant), name);
  const Id narrow = add_constant(half, name);
  if (const auto place = wide_.find(narrow); place != wide_.end()) return place->second;
  const Id wide = wide_[narrow] = add_tensor(name, type_of(narrow).with_dtype(DType::f32));
  Operator made;
  made.type = "DEQUANTIZE";
  made.inputs = {narrow};
  made.outputs = {wide};
  put(std::move(made));
  return wide;
}

Id GraphWriter::integers(const std::vector<int64_t>& values) {
  for (int64_t value : values)
    if (value > INT32_MAX || value < INT32_MIN) fail("{} is beyond 32 bits", value);
  return add_constant(constant_tensor(remodel::Tensor::of<int32_t>(
                          DType::i32, {static_cast<int64_t>(values.size())}, {values.begin(), values.end()})),
                      "");
}

Id GraphWriter::id_of(ValueId value) {
  if (value == absent) return -1;
  const Node* from = graph_.producer(value);
  if (quantized_) {
    if (auto place = quantized_->ids.find(value); place != quantized_->ids.end()) return place->second;
    if (from && from->op.is<Dequantize>()) return signed_codes_of(*from);
    if (const Value& it = graph_.value(value); it.constant) return add_constant(it.constant, it.name);
    if (from && is_move(from->op) && is_float(graph_.value(value).type.dtype)) {
      if (quantized_->ids.size() > most_moves) fail("its operands are moved too often");
      const Id id = quantized_->ids[value] = add_tensor("", graph_.value(value).type);
      write_node(*from, nullptr);
      return id;
    }
  }
  if (auto place = ids_.find(value); place != ids_.end()) return place->second;
  const Value& it = graph_.value(value);
  if (it.constant) return ids_[value] = add_reals(it.constant, it.name);
  if (from && waits(*from)) {
    ids_[value] = add_value(it.name, value);
    write_node(*from, nullptr);
    return ids_[value];
  }
  if (!trial_) throw Error(fmt::format("'{}' is used before it is computed", it.name), ErrorKind::internal);
  return ids_[value] = add_value(it.name, value);
}

bool GraphWriter::waits(const Node& node) {
  if (node.op.is<Dequantize>() && graph_.constant(node.inputs[0])) return !graph_.is_output(node.outputs[0]);
  return is_said_by_hybrids(WriteNode(*this, graph_, node));
}

Id GraphWriter::sizes(const Dims& dims) {
  if (!trial_ || numbers(dims)) return sizes_.list(dims);
  return add_tensor("sizes", Type(DType::i32, {Dim(static_cast<int64_t>(dims.size()))}));
}

Id GraphWriter::reshape_sizes(Id tensor, const Dims& dims) {
  std::vector<int64_t> wished;
  size_t open = 0;
  bool zero = false;
  for (const Dim& dim : dims) {
    wished.push_back(dim.is_number() ? dim.number() : -1);
    open += !dim.is_number();
    zero |= dim.is_number(0);
  }
  (void)tensor;
  if (open == 0 || (open == 1 && !zero)) return integers(wished);
  return sizes(dims);
}

void GraphWriter::put(Operator made) {
  std::vector<Type> inputs, outputs;
  for (Id id : made.inputs) inputs.push_back(id < 0 ? Type() : type_of(id));
  for (Id id : made.outputs) outputs.push_back(type_of(id));
  if (is_hybrid(made))
    made.version = hybrid_version_of(made, grid_of(made.inputs[1]).scale.size() > 1);
  else if (!made.custom)
    made.version = version_of(made, inputs, outputs);
  to_.operators.push_back(std::move(made));
}

bool GraphWriter::is_hybrid(const Operator& made) const {
  static constexpr std::string_view products[] = {"BATCH_MATMUL", "CONV_2D", "DEPTHWISE_CONV_2D",
                                                  "FULLY_CONNECTED", "TRANSPOSE_CONV"};
  if (std::find(std::begin(products), std::end(products), made.type) == std::end(products)) return false;
  const Id x = made.inputs[made.type == "TRANSPOSE_CONV" ? 2 : 0], weights = made.inputs[1];
  return type_of(x).dtype == DType::f32 && type_of(weights).dtype == DType::i8;
}

void GraphWriter::cast_to(Id result, Id tensor) {
  const DType from = type_of(tensor).dtype, to = type_of(result).dtype;
  Operator made;
  made.inputs = {tensor};
  made.outputs = {result};
  if (from == DType::u64 || to == DType::u64) {
    if (bits_of(from) != bits_of(to) || is_float(from) || is_float(to)) fail("LiteRT casts no u64");
    made.type = "BITCAST";
  } else {
    made.type = "CAST";
    made.attributes = {word("in_data_type", name_of(tensor_type(from))),
                       word("out_data_type", name_of(tensor_type(to)))};
  }
  put(std::move(made));
}

Id GraphWriter::cast(Id tensor, DType to) {
  const Type from = type_of(tensor);
  if (from.dtype == to) return tensor;
  if (const ConstantPtr constant = constant_of(tensor)) return add_reals(constant_cast(constant, to), "");
  const Id result = add_tensor("", from.with_dtype(to));
  cast_to(result, tensor);
  return result;
}

void GraphWriter::emit(Operator made) {
  if (made.custom) return put(std::move(made));
  if (is_hybrid(made)) return put(std::move(made));
  if (quantized_) return emit_quantized(std::move(made));
  emit_raw(std::move(made));
}

void GraphWriter::emit_raw(Operator made) {
  const Kernel* kernel = find_kernel(made.type);
  if (!kernel) fail("what types {} takes is not known", made.type);
  // What is computed instead of T.
  DType wished = DType::unknown, computed = DType::unknown;
  for (size_t i = 0; i < made.inputs.size(); ++i) {
    Id& input = made.inputs[i];
    if (input < 0) continue;
    const Type& type = type_of(input);
    switch (letter(kernel->inputs, i)) {
      case 'T': {
        if (type.dims && type.dims->size() > static_cast<size_t>(kernel->axes))
          fail("LiteRT's {} takes {} axes at most, but there are {}", kernel->type, kernel->axes,
               type.dims->size());
        if (wished == DType::unknown) {
          wished = type.dtype;
          const QuantizedKernel* moving = find_quantized_kernel(made.type);
          // What only chooses among elements does so with integers on a grid.
          const bool chooses = moving && moving->grids == Grids::moved && !grid_of(input).empty();
          computed = chooses ? wished : taken(*kernel, wished);
          if (computed == DType::unknown) fail("LiteRT's {} does not take {}", kernel->type, name_of(wished));
        }
        input = cast(input, computed);
        break;
      }
      case 'i':
        if (type.dtype != DType::i32) input = cast(input, DType::i32);
        break;
      case 'I':
        if (type.dtype != DType::i32 && type.dtype != DType::i64) input = cast(input, DType::i32);
        break;
      case 'f':
        input = cast(input, DType::f32);
        break;
      default:
        break;
    }
  }
  std::vector<std::pair<Id, Id>> back;
  for (size_t k = 0; k < made.outputs.size(); ++k) {
    const char what = letter(kernel->outputs, k);
    const DType given = what == 'T'   ? computed
                        : what == 'i' ? DType::i32
                        : what == 'b' ? DType::boolean
                        : what == 'f' ? DType::f32
                                      : DType::unknown;
    Id& output = made.outputs[k];
    if (given == DType::unknown || type_of(output).dtype == given) continue;
    const Id inner = add_tensor("", type_of(output).with_dtype(given));
    back.emplace_back(output, inner);
    output = inner;
  }
  put_ungridded(*kernel, std::move(made));
  for (const auto& [output, inner] : back) cast_to(output, inner);
}

void GraphWriter::activate(Id result, std::string_view activation) {
  if (trial_) return;
  Operator& last = to_.operators.back();
  if (takes_activation(last.type)) {
    last.attributes.push_back(word("fused_activation_function", activation));
    return;
  }
  const Id before = add_tensor("", type_of(result));
  to_.operators.back().outputs = {before};
  Operator after;
  after.type = std::string(activation);
  after.inputs = {before};
  after.outputs = {result};
  put(std::move(after));
}

int64_t GraphWriter::write_body(const Graph& graph, const std::vector<std::string>& sizes) {
  if (trial_) return 0;
  const size_t number = file_.file.graphs.size();
  file_.file.graphs.emplace_back();
  SubGraph body = GraphWriter(file_, graph, false).write(true, sizes);
  file_.file.graphs[number] = std::move(body);
  return static_cast<int64_t>(number);
}

SubGraph GraphWriter::write(bool inner, const std::vector<std::string>& sizes) {
  to_.name = graph_.name.empty() ? "main" : graph_.name;
  // The interface's names are taken first: what is inside gives way.
  std::vector<Port> outputs;
  for (const Port& port : graph_.outputs)
    if (port.state == absent) outputs.push_back(port);
  for (const Port& port : graph_.inputs) {
    if (port.state != absent) continue;
    const Id id = add_value(port.name, port.value);
    to_.inputs.push_back(id);
    ids_[port.value] = id;
    sizes_.note(graph_.value(port.value).type, id);
  }
  for (size_t i = 0; i < sizes.size(); ++i)
    sizes_.know({Dim::symbol(sizes[i])}, to_.inputs[to_.inputs.size() - sizes.size() + i]);
  // An output takes the name that it has outside; what is one twice, or is not computed, is copied at the
  // end.
  std::unordered_map<ValueId, std::string> names;
  std::vector<bool> direct;
  for (const Port& port : outputs) {
    direct.push_back(graph_.value(port.value).producer != absent &&
                     names.emplace(port.value, port.name).second);
  }
  std::vector<Id> copies(outputs.size(), -1);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Port& port = outputs[i];
    const bool kept = inner && !graph_.value(port.value).constant;
    if (!direct[i] && !kept) copies[i] = add_value(port.name, port.value);
  }
  for (const auto& [value, name] : names) {
    try {
      ids_[value] = add_value(name, value);
    } catch (Error& error) {
      file_.problems.push_back(error.at(layer_text(*graph_.producer(value))));
      return {};
    }
  }
  read_states();
  const Cover covering = cover(graph_, [&](NodeId root) {
    return all_rows().find_tile(WriteNode(*this, graph_, graph_.node(root)), 1);
  });
  for (NodeId id : graph_.order()) {
    const Node& node = graph_.node(id);
    if (covering.covered.count(id) || waits(node)) continue;
    if (is_same_codes(node)) {
      ids_[node.outputs[0]] = id_of(graph_.producer(node.inputs[0])->inputs[0]);
      continue;
    }
    node_name_ = node.origin.empty() ? "" : node.origin[0];
    try {
      for (ValueId output : node.outputs)
        if (output != absent && !ids_.count(output))
          ids_[output] = add_value(graph_.value(output).name, output);
      auto tile = covering.tiles.find(id);
      write_node(node, tile != covering.tiles.end() ? &tile->second : nullptr);
    } catch (Error& error) {
      file_.problems.push_back(error.at(layer_text(node)));
    }
    for (ValueId output : node.outputs)
      if (output != absent && ids_.count(output)) sizes_.note(graph_.value(output).type, ids_[output]);
  }
  node_name_.clear();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const ValueId value = outputs[i].value;
    if (!file_.problems.empty()) break;
    Id id = id_of(value);
    const bool kept = inner && !graph_.value(value).constant;
    if (!direct[i] && !kept) {
      const Type& type = graph_.value(value).type;
      Node none;
      WriteNode(*this, graph_, none).reshape_to(copies[i], id, type.dims.value_or(Dims{}));
      id = copies[i];
    }
    to_.outputs.push_back(id);
  }
  if (file_.problems.empty()) assign_states();
  return std::move(to_);
}

void GraphWriter::write_node(const Node& node, const TileMatch* tile) {
  WriteNode writing(*this, graph_, node);
  if (tile) return all_rows().tile(*tile).write(writing, tile->inner);
  std::string why;
  const Row* row = all_rows().find_writer(writing, 1, &why);
  if (!row)
    throw Error(why.empty() ? fmt::format("'{}' has no form in TensorFlow Lite", node.op.name()) : why);
  if (row->write)
    row->write(writing);
  else
    write_by_row(writing, *row);
}

std::string GraphWriter::trial(const Graph& graph, const WriteTarget& target,
                               const std::function<void(GraphWriter&)>& write) {
  std::vector<Error> problems;
  const std::vector<StateSlot> none;
  FileWriter file(target, none, problems);
  GraphWriter writer(file, graph, true);
  try {
    write(writer);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) throw;
    return error.what();
  }
  return "";
}

std::string cannot_write(const Graph& graph, const Node& node, const WriteTarget& target) {
  return GraphWriter::trial(graph, target, [&](GraphWriter& writer) {
    for (ValueId output : node.outputs)
      if (output != absent) writer.id_of(output);
    writer.write_node(node, nullptr);
  });
}

// The file's own, or what one calls the only one.
std::string signature_key(const Model& model, size_t i) {
  const std::string& name = model.graphs[i]->name;
  const bool own = model.format == "tflite" || model.graphs.size() > 1;
  return own && !name.empty() && name != "main" ? name : "serving_default";
}

File build_file(const Model& model, const WriteTarget& target, std::vector<Error>& problems) {
  FileWriter file(target, model.states, problems);
  file.file.description = model.doc.empty() ? "Made by Remodel." : model.doc;
  file.file.graphs.resize(model.graphs.size());
  for (size_t i = 0; i < model.graphs.size(); ++i) {
    SubGraph written = GraphWriter(file, *model.graphs[i], false).write(false);
    Signature signature;
    signature.key = signature_key(model, i);
    signature.graph = static_cast<int32_t>(i);
    const auto list = [](const std::vector<Port>& ports, const std::vector<int32_t>& tensors, auto& to) {
      for (const Port& port : ports)
        if (port.state == absent)
          to.emplace_back(port.key.empty() ? port.name : port.key, tensors[to.size()]);
    };
    // What could not be written has no ports.
    if (problems.empty()) {
      list(model.graphs[i]->inputs, written.inputs, signature.inputs);
      list(model.graphs[i]->outputs, written.outputs, signature.outputs);
    }
    file.file.graphs[i] = std::move(written);
    file.file.signatures.push_back(std::move(signature));
  }
  write_metadata(model, file.file);
  return std::move(file.file);
}

}  // namespace remodel::tflite
