#include "formats/tflite/reader.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "base/nearest.h"
#include "formats/row_engine.h"
#include "formats/tflite/metadata.h"
#include "formats/tflite/read_node.h"
#include "formats/tflite/rows.h"
#include "formats/tflite/runtime.h"
#include "ops/cast.h"
#include "ops/shape.h"

namespace remodel::tflite {
namespace {

constexpr size_t deepest_nesting = 64;

int64_t most_operators(const File& file) {
  int64_t count = 0;
  for (const SubGraph& graph : file.graphs) count += std::ssize(graph.operators);
  return 100'000 + 100 * count;
}

bool is_resource(const Tensor& tensor) {
  return tensor.type == TensorType::RESOURCE || tensor.type == TensorType::VARIANT;
}

}  // namespace

Reading::Reading(const File& file, Model& model, std::vector<Error>& problems)
    : file(file), model(model), problems(problems), operators_left(most_operators(file)) {
  for (const SubGraph& graph : file.graphs) {
    std::map<int32_t, std::string> keys;
    const auto tensor = [&](int32_t index) {
      return index < 0 ? nullptr : &graph.tensors[static_cast<size_t>(index)];
    };
    for (const Operator& one : graph.operators) {
      if (one.type == "VAR_HANDLE" && !one.outputs.empty()) keys[one.outputs[0]] = resource_key(one);
      const Tensor* value = nullptr;
      if (one.type == "READ_VARIABLE" && !one.outputs.empty()) value = tensor(one.outputs[0]);
      if (one.type == "ASSIGN_VARIABLE" && one.inputs.size() > 1) value = tensor(one.inputs[1]);
      if (!value || one.inputs.empty()) continue;
      if (const auto key = keys.find(one.inputs[0]); key != keys.end()) variables.emplace(key->second, value);
    }
  }
}

int32_t Reading::slot_of(const std::string& key, const Type& type) {
  const auto [place, is_new] = slots.emplace(key, static_cast<int32_t>(model.states.size()));
  if (is_new) {
    StateSlot slot;
    slot.name = key;
    slot.type = type;
    const auto sizes = type.dims ? numbers(*type.dims) : std::nullopt;
    if (!sizes) fail("the size of variable '{}' is not known", key);
    slot.initial = constant_splat(type.dtype, *sizes, 0);
    model.states.push_back(std::move(slot));
  }
  return place->second;
}

int32_t Reading::slot_of_handle(const std::string& key) {
  const auto place = variables.find(key);
  if (place == variables.end()) fail("the type of variable '{}' is not known", key);
  const Tensor& tensor = *place->second;
  Type type =
      declared_type(tensor, [&](size_t) -> Dim { fail("the size of variable '{}' may change", key); });
  type.grid = grid_of(tensor);
  return slot_of(key, type);
}

int32_t Reading::slot_of_tensor(size_t graph, int32_t index) {
  const Tensor& tensor = file.graphs[graph].tensors[static_cast<size_t>(index)];
  Type type = declared_type(
      tensor, [&](size_t) -> Dim { fail("the size of variable '{}' may change", tensor.name); });
  type.grid = grid_of(tensor);
  // Each sub-graph has variables of its own, and names may occur twice.
  std::string key = tensor.name.empty() ? fmt::format("variable_{}", index) : tensor.name;
  const auto [place, is_new] = tensor_keys.emplace(std::pair(graph, index), key);
  if (is_new)
    for (int copy = 1; slots.count(place->second); ++copy) place->second = fmt::format("{}_{}", key, copy);
  return slot_of(place->second, type);
}

std::set<int32_t> Reading::slots_in(size_t graph) {
  std::set<int32_t> found;
  std::set<size_t> seen;
  std::vector<size_t> open_graphs{graph};
  while (!open_graphs.empty()) {
    const size_t at = open_graphs.back();
    open_graphs.pop_back();
    if (at >= file.graphs.size() || !seen.insert(at).second) continue;
    const SubGraph& sub = file.graphs[at];
    for (size_t i = 0; i < sub.tensors.size(); ++i)
      if (sub.tensors[i].variable) found.insert(slot_of_tensor(at, static_cast<int32_t>(i)));
    for (const Operator& one : sub.operators) {
      if (one.type == "VAR_HANDLE") found.insert(slot_of_handle(resource_key(one)));
      for (const Attribute& attribute : one.attributes)
        if (attribute.name.ends_with("subgraph_index"))
          open_graphs.push_back(static_cast<size_t>(attribute.integer));
    }
  }
  return found;
}

ValueId Scope::get(const Reading& reading, int32_t slot) {
  const auto place = state.find(slot);
  if (place != state.end()) return place->second;
  const StateSlot& it = reading.model.states[static_cast<size_t>(slot)];
  if (!main) fail("variable '{}' was not foreseen in an inner graph", it.name);
  const ValueId value = graph.add_input(it.name, it.type);
  graph.inputs.back().state = slot;
  return state[slot] = value;
}

void Scope::set(const Reading& reading, int32_t slot, ValueId value) {
  const StateSlot& it = reading.model.states[static_cast<size_t>(slot)];
  const Type given = graph.value(value).type;
  if (!same_shape_and_dtype(given, it.type)) {
    const bool open = given.is_tensor() && (!given.dims || !numbers(*given.dims));
    if (given.dtype != it.type.dtype || !open)
      fail("variable '{}' is {}, but is given {}", it.name, it.type.text(), given.text());
    // The sizes that only running tells have to be those of the variable.
    value = graph.node(graph.add_node(Reshape{*it.type.dims, true}, {value}, {""})).outputs[0];
  }
  state[slot] = value;
  assigned.insert(slot);
}

std::string resource_key(const Operator& handle) {
  if (handle.type == "HASHTABLE") {
    const Attribute* id = handle.find("table_id");
    return fmt::format("table {}", id ? id->integer : 0);
  }
  const Attribute *container = handle.find("container"), *name = handle.find("shared_name");
  const std::string where = container && !container->text.empty() ? container->text + "/" : "";
  return where + (name ? name->text : "");
}

Type declared_type(const Tensor& tensor, const std::function<Dim(size_t axis)>& made) {
  const std::optional<DType> dtype = dtype_of(tensor.type);
  if (!dtype) fail("tensor '{}' is {}, which is no tensor", tensor.name, name_of(tensor.type));
  Dims dims;
  for (size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    const bool open = tensor.shape[axis] < 0 || (!tensor.signature.empty() && tensor.signature[axis] < 0);
    dims.push_back(open ? made(axis) : Dim(tensor.shape[axis]));
  }
  return Type(*dtype, dims);
}

namespace {

// A scale for each block along the last axis.
std::shared_ptr<const Grid> blocks_of(const Tensor& tensor, DType dtype) {
  const Quantization& given = tensor.quantization;
  Shape shape(tensor.shape.begin(), tensor.shape.end());
  if (bits_of(dtype) > 4)
    fail("tensor '{}' is {}, which no kernel takes in blocks", tensor.name, name_of(dtype));
  if (!given.block_scale) fail("the scales of tensor '{}' are not in the file", tensor.name);
  if (shape.empty() || shape.back() % given.block != 0)
    fail("tensor '{}' is no whole number of blocks of {}", tensor.name, given.block);
  shape.back() /= given.block;
  auto grid = std::make_shared<Grid>();
  grid->axis = static_cast<int64_t>(shape.size()) - 1;
  grid->block = given.block;
  const auto fitting = [&](const ConstantPtr& constant, DType to) {
    if (constant->count() != count_of(shape))
      fail("tensor '{}' has {} scales or zero points, but {} blocks", tensor.name, constant->count(),
           count_of(shape));
    return constant_cast(constant, to)->reshaped(shape);
  };
  grid->scale = fitting(given.block_scale, DType::f32);
  if (given.block_zero) grid->zero = fitting(given.block_zero, dtype);
  return grid;
}

}  // namespace

std::shared_ptr<const Grid> grid_of(const Tensor& tensor) {
  const std::optional<DType> dtype = dtype_of(tensor.type);
  return dtype && bits_of(*dtype) <= 16 ? any_grid_of(tensor) : nullptr;
}

std::shared_ptr<const Grid> any_grid_of(const Tensor& tensor) {
  const std::optional<DType> dtype = dtype_of(tensor.type);
  const Quantization& given = tensor.quantization;
  if (!dtype || !is_integer(*dtype)) return nullptr;
  if (given.block > 0) return blocks_of(tensor, *dtype);
  if (given.scale.empty()) return nullptr;
  const auto bad_scale = std::find_if(given.scale.begin(), given.scale.end(),
                                      [](float scale) { return !(scale >= 0 && std::isfinite(scale)); });
  if (bad_scale != given.scale.end()) fail("tensor '{}' has the scale {}", tensor.name, *bad_scale);
  const double span = std::ldexp(1.0, bits_of(*dtype)), low = is_signed(*dtype) ? -span / 2 : 0;
  const auto bad_zero = std::find_if(given.zero.begin(), given.zero.end(), [&](int64_t zero) {
    return static_cast<double>(zero) < low || static_cast<double>(zero) >= low + span;
  });
  if (bad_zero != given.zero.end())
    fail("tensor '{}' has the zero point {}, which {} does not hold", tensor.name, *bad_zero,
         name_of(*dtype));
  auto grid = std::make_shared<Grid>();
  const bool single = given.scale.size() == 1;
  const auto count = static_cast<int64_t>(given.scale.size());
  grid->scale =
      constant_tensor(remodel::Tensor::of(DType::f32, single ? Shape{} : Shape{count}, given.scale));
  if (!single) {
    const auto rank = static_cast<int64_t>(tensor.shape.size());
    if (given.axis < 0 || given.axis >= rank || tensor.shape[static_cast<size_t>(given.axis)] != count)
      fail("tensor '{}' has {} scales for axis {} of {} axes", tensor.name, count, given.axis, rank);
    grid->axis = given.axis;
  }
  if (std::any_of(given.zero.begin(), given.zero.end(), [](int64_t zero) { return zero != 0; })) {
    const ConstantPtr wide =
        constant_tensor(remodel::Tensor::of(DType::i64, grid->scale->shape(), given.zero));
    // As it is, it stays in memory; the cast is small.
    grid->zero = constant_tensor(constant_cast(wide, *dtype)->tensor());
  }
  return grid;
}

GraphReader::GraphReader(Reading& reading, Scope& scope, size_t graph, std::string path)
    : reading_(reading),
      scope_(scope),
      sub_(reading.file.graphs[graph]),
      cells_(sub_.tensors.size()),
      path_(std::move(path)) {}

std::string GraphReader::place_of(const Operator& one) const {
  std::string name;
  for (const int32_t output : one.outputs)
    if (output >= 0 && name.empty()) name = sub_.tensors[static_cast<size_t>(output)].name;
  return fmt::format("node '{}' ({})", path_ + name, one.type);
}

const Cell& GraphReader::find(int32_t tensor) {
  Cell& found = cell(tensor);
  if (found.poisoned) throw Silenced();
  if (found.value != absent || !found.resource.empty()) return found;
  const Tensor& it = sub_.tensors[static_cast<size_t>(tensor)];
  if (it.variable) {
    found.value = scope_.get(reading_, reading_.slot_of_tensor(index(), tensor));
    return found;
  }
  ConstantPtr data = it.data;
  if (!data && std::find(it.shape.begin(), it.shape.end(), 0) != it.shape.end() && dtype_of(it.type))
    data = it.type == TensorType::STRING
               ? constant_strings(Shape(it.shape.begin(), it.shape.end()), {})
               : constant_splat(*dtype_of(it.type), Shape(it.shape.begin(), it.shape.end()), 0);
  if (!data) fail("tensor '{}', which it reads, is never computed", it.name);
  found.value = scope_.graph.add_constant(data, it.name);
  scope_.graph.value(found.value).type.grid = grid_of(it);
  return found;
}

Cell GraphReader::output(int32_t tensor) { return find(tensor); }

std::vector<Cell> GraphReader::read(const std::vector<Cell>& inputs) {
  const size_t index = this->index();
  std::vector<size_t>& open = reading_.open;
  if (std::find(open.begin(), open.end(), index) != open.end()) fail("sub-graph {} calls itself", index);
  if (open.size() >= deepest_nesting) fail("sub-graphs are nested too deeply");
  if (inputs.size() != sub_.inputs.size())
    fail("sub-graph '{}' has {} inputs, but {} are given", sub_.name, sub_.inputs.size(), inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) define(sub_.inputs[i], inputs[i]);
  struct Opened {
    std::vector<size_t>& open;
    Opened(std::vector<size_t>& open, size_t index) : open(open) { open.push_back(index); }
    ~Opened() { open.pop_back(); }
  };
  const Opened opened(open, index);
  read_operators();
  std::vector<Cell> results;
  for (const int32_t tensor : sub_.outputs) results.push_back(output(tensor));
  return results;
}

void GraphReader::read_operators() {
  for (const Operator& one : sub_.operators) read_operator(one);
}

void GraphReader::read_operator(const Operator& one) {
  const size_t before = reading_.problems.size();
  const auto poison = [&] {
    for (const int32_t output : one.outputs)
      if (output >= 0) cell(output) = {absent, "", true};
  };
  try {
    if (--reading_.operators_left < 0) fail("its sub-graphs stand for more operators than can be read");
    check_known(one);
    const Row* row = all_rows().find_reader(one.custom ? "custom" : "", one.type, one.version);
    if (one.outputs.empty() && !one.custom && !is_statement(one.type)) fail("it has no outputs");
    ReadNode node(*this, one);
    if (one.custom && !row) {
      node.keep();
    } else if (!row) {
      fail("the operator is not supported");
    } else if (!row->refusal.empty()) {
      fail("{}", row->refusal);
    } else if (row->read) {
      row->read(node);
    } else {
      read_by_row(node, *row);
    }
    node.check_complete();
    if (reading_.problems.size() != before) poison();
  } catch (const Silenced&) {
    poison();
  } catch (Error& error) {
    reading_.problems.push_back(error.at(place_of(one)));
    poison();
  }
}

namespace {

// The main graph or another entry point.
class EntryReader {
 public:
  EntryReader(Reading& reading, size_t index, const ReadRequest& request, const Signature* signature)
      : reading_(reading),
        request_(request),
        signature_(signature),
        sub_(reading.file.graphs[index]),
        index_(index) {}

  GraphPtr read() {
    auto graph = std::make_shared<Graph>();
    graph->name = signature_ && !signature_->key.empty() ? signature_->key : sub_.name;
    Scope scope{*graph, true, {}, {}};
    GraphReader reader(reading_, scope, index_, "");
    reading_.open = {index_};
    if (!choose()) return graph;
    for (const int32_t tensor : inputs_)
      if (!is_cut(tensor)) add_input(reader, *graph, tensor);
    for (const Operator& one : sub_.operators) {
      const bool needed = needed_.count(&one) > 0;
      const size_t before = reading_.problems.size();
      if (needed || typed_.count(&one)) reader.read_operator(one);
      // What only tells the type of a tensor that is cut at may fail.
      if (!needed)
        reading_.problems.erase(reading_.problems.begin() + static_cast<std::ptrdiff_t>(before),
                                reading_.problems.end());
      for (const int32_t output : one.outputs)
        if (output >= 0 && is_cut(output)) add_input(reader, *graph, output);
    }
    std::vector<Port> ports;
    for (const int32_t tensor : inputs_)
      if (const auto place = ports_.find(tensor); place != ports_.end()) ports.push_back(place->second);
    for (const Port& port : graph->inputs)
      if (port.state != absent) ports.push_back(port);
    graph->inputs = std::move(ports);
    for (const int32_t tensor : outputs_) add_output(reader, *graph, tensor);
    // Where a target has no states, what comes in and what goes out need names of their own.
    for (const int32_t slot : scope.assigned)
      graph->outputs.push_back(
          {reading_.model.states[static_cast<size_t>(slot)].name + "_next", scope.state.at(slot), slot});
    return graph;
  }

 private:
  const Tensor& tensor_at(int32_t index) const { return sub_.tensors[static_cast<size_t>(index)]; }
  // What the signature calls the tensor, where that is another name.
  std::string key_of(std::vector<std::pair<std::string, int32_t>> Signature::*ports, int32_t tensor,
                     const std::string& name) const {
    if (signature_)
      for (const auto& [key, index] : signature_->*ports)
        if (index == tensor && key != name) return key;
    return "";
  }
  bool is_cut(int32_t tensor) const { return cut_.count(tensor) > 0; }

  // Each tensor gets a name of its own; inputs and outputs come first to theirs.
  void give_names() {
    names_.resize(sub_.tensors.size());
    const auto give = [&](int32_t index, std::string_view otherwise) {
      std::string& name = names_[static_cast<size_t>(index)];
      if (!name.empty()) return;
      const std::string& plain = tensor_at(index).name;
      name = free_name(plain.empty() ? fmt::format("{}_{}", otherwise, index) : plain);
      numbers_[name] = index;
    };
    for (const int32_t tensor : sub_.inputs) give(tensor, "input");
    for (const int32_t tensor : sub_.outputs) give(tensor, "output");
    for (size_t i = 0; i < sub_.tensors.size(); ++i) give(static_cast<int32_t>(i), "tensor");
  }
  std::string free_name(const std::string& plain) {
    std::string name = plain;
    for (int64_t& copy = copies_[plain]; !taken_.insert(name).second;)
      name = fmt::format("{}_{}", plain, ++copy);
    return name;
  }
  const std::string& name_at(int32_t index) const { return names_[static_cast<size_t>(index)]; }

  // The operators that the tensors are computed by, without what lies before the inputs asked for.
  std::set<const Operator*> upstream(std::vector<int32_t> wanted, const std::set<int32_t>& stop) const {
    std::map<int32_t, const Operator*> producers;
    for (const Operator& one : sub_.operators)
      for (const int32_t output : one.outputs)
        if (output >= 0) producers.emplace(output, &one);
    std::set<const Operator*> found;
    while (!wanted.empty()) {
      const int32_t tensor = wanted.back();
      wanted.pop_back();
      const auto place = producers.find(tensor);
      if (stop.count(tensor) || place == producers.end() || !found.insert(place->second).second) continue;
      for (const int32_t input : place->second->inputs)
        if (input >= 0) wanted.push_back(input);
    }
    // What has an effect, and what has no result, stays where nothing is cut.
    if (stop.empty() && request_.outputs.empty())
      for (const Operator& one : sub_.operators) found.insert(&one);
    return found;
  }

  // False where it is not possible to do as asked.
  bool choose() {
    const size_t before = reading_.problems.size();
    give_names();
    const TensorNames names(names_);
    outputs_ = sub_.outputs;
    if (!request_.outputs.empty()) outputs_.clear();
    for (const std::string& asked : request_.outputs)
      follow(reading_.problems, [&] {
        const int32_t tensor = numbers_.at(names.find(asked, "tensor"));
        if (std::count(outputs_.begin(), outputs_.end(), tensor))
          fail("output '{}' is asked for twice", asked);
        outputs_.push_back(tensor);
      });
    inputs_ = sub_.inputs;
    if (!request_.inputs.empty()) inputs_.clear();
    std::vector<std::string> order;
    for (const std::string& asked : request_.inputs) {
      order.push_back(asked);
      follow(reading_.problems, [&] {
        const int32_t tensor = numbers_.at(order.back() = names.find(asked, "tensor"));
        if (std::count(inputs_.begin(), inputs_.end(), tensor)) fail("input '{}' is asked for twice", asked);
        inputs_.push_back(tensor);
        if (!std::count(sub_.inputs.begin(), sub_.inputs.end(), tensor)) cut_.insert(tensor);
      });
    }
    if (order.empty())
      for (const int32_t tensor : inputs_) order.push_back(name_at(tensor));
    for (const InputShape& shape : named_shapes(request_.shapes, order, reading_.problems))
      if (shape.dims) shapes_[shape.name] = *shape.dims;
    for (const InputType& type : named_types(request_.types, order, reading_.problems))
      types_[type.name] = type.dtype;
    if (reading_.problems.size() != before) return false;
    const std::set<int32_t> stop =
        request_.inputs.empty() ? std::set<int32_t>() : std::set<int32_t>(inputs_.begin(), inputs_.end());
    needed_ = upstream(outputs_, stop);
    if (!cut_.empty()) typed_ = upstream({cut_.begin(), cut_.end()}, {});
    // A constant or an operator's result that is cut at is added where it would be computed; the rest first.
    std::set<int32_t> computed;
    for (const Operator& one : sub_.operators) computed.insert(one.outputs.begin(), one.outputs.end());
    std::erase_if(cut_, [&](int32_t tensor) { return !computed.count(tensor); });
    return true;
  }

  void add_input(GraphReader& reader, Graph& graph, int32_t index) {
    const Tensor& tensor = tensor_at(index);
    try {
      if (is_resource(tensor)) fail("it is {}, which cannot be given", name_of(tensor.type));
      const std::string& name = name_at(index);
      const auto symbol = [&](size_t axis) { return Dim::symbol(fmt::format("_{}.{}", name, axis)); };
      Type type = declared_type(tensor, symbol);
      type.grid = grid_of(tensor);
      if (const auto shape = shapes_.find(name); shape != shapes_.end()) {
        if (shape->second.size() != type.dims->size())
          fail("it is {}, so it cannot be given the shape {}", type.text(), text_of(shape->second));
        for (size_t axis = 0; axis < shape->second.size(); ++axis) {
          const Dim& asked = shape->second[axis];
          if (!asked.is_number(-1)) (*type.dims)[axis] = asked;
          const Dim& size = (*type.dims)[axis];
          if (!size.is_number() && size.symbol_name().empty()) (*type.dims)[axis] = symbol(axis);
        }
      }
      const DType inside = type.dtype;
      if (const auto dtype = types_.find(name); dtype != types_.end() && dtype->second != inside) {
        type.dtype = dtype->second;
        type.grid = nullptr;
      }
      ValueId value = graph.add_input(name, type);
      graph.inputs.back().key = key_of(&Signature::inputs, index, name);
      ports_[index] = graph.inputs.back();
      if (type.dtype != inside)
        value = graph.node(graph.add_node(cast_to(inside), {value}, {""}, {name})).outputs[0];
      reader.define(index, {value, "", false});
    } catch (Error& error) {
      reader.define(index, {absent, "", true});
      reading_.problems.push_back(error.at(fmt::format("input '{}'", tensor.name)));
    }
  }

  void add_output(GraphReader& reader, Graph& graph, int32_t index) {
    const Tensor& tensor = tensor_at(index);
    try {
      if (is_resource(tensor)) fail("it is {}, which cannot be given", name_of(tensor.type));
      // One tensor may be two outputs.
      const bool again = !named_outputs_.insert(index).second;
      const std::string name = again ? free_name(name_at(index)) : name_at(index);
      graph.outputs.push_back({name, reader.output(index).value});
      graph.outputs.back().key = key_of(&Signature::outputs, index, name);
    } catch (const Silenced&) {
    } catch (Error& error) {
      reading_.problems.push_back(error.at(fmt::format("output '{}'", tensor.name)));
    }
  }

  Reading& reading_;
  const ReadRequest& request_;
  const Signature* signature_;  // null where it has none
  const SubGraph& sub_;
  size_t index_;
  std::vector<std::string> names_;  // of tensors
  std::unordered_map<std::string, int32_t> numbers_;
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, int64_t> copies_;  // that each name had
  std::vector<int32_t> inputs_, outputs_;
  std::set<int32_t> named_outputs_;
  std::set<int32_t> cut_;  // results of operators that become inputs
  std::set<const Operator*> needed_, typed_;
  std::map<std::string, Dims> shapes_;
  std::map<std::string, DType> types_;
  std::map<int32_t, Port> ports_;
};

// Variables that nobody looks at.
void drop_idle_states(Model& model) {
  std::vector<bool> used(model.states.size(), false);
  for (const GraphPtr& graph : model.graphs) {
    for (const Port& port : graph->outputs)
      if (port.state != absent) used[static_cast<size_t>(port.state)] = true;
    for (const Port& port : graph->inputs)
      if (port.state != absent && (!graph->value(port.value).users.empty() || graph->is_output(port.value)))
        used[static_cast<size_t>(port.state)] = true;
  }
  std::vector<int32_t> number(used.size());
  std::vector<StateSlot> kept;
  for (size_t slot = 0; slot < used.size(); ++slot) {
    number[slot] = static_cast<int32_t>(kept.size());
    if (used[slot]) kept.push_back(std::move(model.states[slot]));
  }
  model.states = std::move(kept);
  for (const GraphPtr& graph : model.graphs) {
    std::erase_if(graph->inputs, [&](const Port& port) {
      return port.state != absent && !used[static_cast<size_t>(port.state)];
    });
    for (auto* ports : {&graph->inputs, &graph->outputs})
      for (Port& port : *ports)
        if (port.state != absent) port.state = number[static_cast<size_t>(port.state)];
  }
}

}  // namespace

ReadResult read_model(const Bytes& bytes, const OpenExternal& open_external, const ReadRequest& request) {
  const File file = parse_file(bytes, open_external);
  ReadResult result;
  Model& model = result.model;
  model.format = "tflite";
  model.doc = file.description;
  model.arithmetic = Arithmetic::litert;
  for (const SubGraph& graph : file.graphs)
    for (const Operator& one : graph.operators) ++result.operators[one.type];
  read_metadata(file, model);
  Reading reading(file, model, result.problems);
  // The first sub-graph is the main entry point; each signature but its first is one more.
  const auto main_signature =
      std::find_if(file.signatures.begin(), file.signatures.end(), [&](const Signature& one) {
        return request.signature.empty() ? one.graph == 0 : one.key == request.signature;
      });
  const bool has_one = main_signature != file.signatures.end();
  if (!has_one && !request.signature.empty()) {
    std::vector<std::string> known;
    for (const Signature& one : file.signatures) known.push_back(one.key);
    Error error(fmt::format("there is no signature '{}'", request.signature));
    if (!known.empty()) error.hint("it has " + quoted_list(known, "and"));
    throw error;
  }
  const size_t main = has_one ? static_cast<size_t>(main_signature->graph) : 0;
  model.graphs.push_back(EntryReader(reading, main, request, has_one ? &*main_signature : nullptr).read());
  for (auto one = file.signatures.begin(); one != file.signatures.end() && request.empty(); ++one)
    if (one != main_signature)
      model.graphs.push_back(EntryReader(reading, static_cast<size_t>(one->graph), request, &*one).read());
  drop_idle_states(model);
  return result;
}

}  // namespace remodel::tflite
