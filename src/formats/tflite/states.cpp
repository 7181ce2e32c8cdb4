// States as variables: handles that every call makes anew, and a sub-graph that runs once.
#include <algorithm>

#include "formats/tflite/writer.h"

namespace remodel::tflite {

Id GraphWriter::handle_of(int32_t slot) {
  if (auto place = handles_.find(slot); place != handles_.end()) return place->second;
  const std::string& name = file_.states[static_cast<size_t>(slot)].name;
  tflite::Tensor tensor;
  tensor.name = names_.take(name + "_handle");
  tensor.type = TensorType::RESOURCE;
  to_.tensors.push_back(std::move(tensor));
  types_.emplace_back();
  Operator made;
  made.type = "VAR_HANDLE";
  made.attributes = {Attribute::of("container", std::string()), Attribute::of("shared_name", name)};
  made.outputs = {static_cast<Id>(to_.tensors.size()) - 1};
  const Id id = handles_[slot] = made.outputs[0];
  put(std::move(made));
  return id;
}

void GraphWriter::assign_state(int32_t slot, Id value) {
  Operator made;
  made.type = "ASSIGN_VARIABLE";
  made.inputs = {handle_of(slot), value};
  put(std::move(made));
}

SubGraph GraphWriter::write_initializer() {
  to_.name = "initialize";
  for (size_t i = 0; i < file_.states.size(); ++i) {
    const StateSlot& state = file_.states[i];
    if (state.type.dtype == DType::string)
      fail("variable '{}' is of strings, which LiteRT does not keep", state.name);
    const auto grid = state.type.grid ? said(*state.type.grid, state.type.dtype) : std::nullopt;
    assign_state(static_cast<int32_t>(i),
                 add_constant(state.initial, state.name, grid.value_or(Quantization())));
  }
  return std::move(to_);
}

void GraphWriter::read_states() {
  const auto is_state = [](const Port& port) { return port.state != absent; };
  if (std::none_of(graph_.inputs.begin(), graph_.inputs.end(), is_state) &&
      std::none_of(graph_.outputs.begin(), graph_.outputs.end(), is_state))
    return;
  if (file_.initializer == 0) {
    file_.initializer = file_.file.graphs.size();
    file_.file.graphs.emplace_back();
    SubGraph made = GraphWriter(file_, Graph(), false).write_initializer();
    file_.file.graphs[file_.initializer] = std::move(made);
  }
  Operator once;
  once.type = "CALL_ONCE";
  once.attributes = {Attribute::of("init_subgraph_index", static_cast<int64_t>(file_.initializer))};
  put(std::move(once));
  for (const Port& port : graph_.inputs) {
    if (!is_state(port)) continue;
    Operator read;
    read.type = "READ_VARIABLE";
    read.inputs = {handle_of(port.state)};
    read.outputs = {ids_[port.value] = add_value(port.name, port.value)};
    put(std::move(read));
  }
}

void GraphWriter::assign_states() {
  for (const Port& port : graph_.outputs)
    if (port.state != absent) assign_state(port.state, id_of(port.value));
}

}  // namespace remodel::tflite
