// Variables and tables: what a file keeps besides its tensors, and fills by a sub-graph that runs once.
#include "formats/tflite/reader.h"
#include "formats/tflite/rows.h"
#include "ops/gather.h"
#include "run/runner.h"

namespace remodel::tflite {
namespace {

void read_handle(ReadNode& node) {
  for (const Attribute& attribute : node.proto().attributes) node.ignore(attribute.name);
  node.result_cell(0, {absent, resource_key(node.proto()), false});
}

const std::string& key_of(ReadNode& node) {
  const Cell& cell = node.operand_cell(0);
  if (cell.resource.empty()) fail("its first input is no handle");
  return cell.resource;
}

void read_read_variable(ReadNode& node) {
  node.result(0, node.scope().get(node.reading(), node.reading().slot_of_handle(key_of(node))));
}

void read_assign_variable(ReadNode& node) {
  const int32_t slot = node.reading().slot_of_handle(key_of(node));
  node.scope().set(node.reading(), slot, node.raw(1));
}

// Runs the sub-graph now: what it puts into variables and tables is what they begin with.
void read_call_once(ReadNode& node) {
  const size_t index = node.graph_named("init_subgraph_index");
  Reading& reading = node.reading();
  if (!reading.initialized.insert(index).second) return;
  Graph graph;
  Scope scope{graph, false, {}, {}};
  GraphReader(reading, scope, index, "").read({});
  for (const int32_t slot : scope.assigned) graph.outputs.push_back({"", scope.state.at(slot)});
  Pool pool(1);
  const std::vector<Datum> values =
      Runner(pool, {.observe = {}, .portable = true, .arithmetic = Arithmetic::litert}).run(graph, {});
  size_t at = 0;
  for (const int32_t slot : scope.assigned) {
    const ValueId value = graph.outputs[at].value;
    const Datum& datum = values[at++];
    StateSlot& state = reading.model.states[static_cast<size_t>(slot)];
    if (!datum.is_tensor()) fail("variable '{}' begins with no tensor", state.name);
    state.initial = graph.value(value).constant ? graph.value(value).constant : constant_tensor(datum.tensor);
    const auto sizes = state.type.dims ? numbers(*state.type.dims) : std::nullopt;
    if (!sizes || *sizes != state.initial->shape() || state.initial->dtype() != state.type.dtype)
      fail("variable '{}' is {}, but begins with {}{}", state.name, state.type.text(),
           name_of(state.initial->dtype()), text_of(state.initial->shape()));
  }
}

void read_import(ReadNode& node) {
  const ConstantPtr keys = node.constant(1), values = node.constant(2);
  if (!keys || !values) fail("what it puts into a table is no constant");
  node.reading().tables[key_of(node)] = {keys, values};
}

const LookupTable& table_of(ReadNode& node) {
  const auto place = node.reading().tables.find(key_of(node));
  if (place == node.reading().tables.end()) fail("the table is never filled");
  return place->second;
}

void read_find(ReadNode& node) {
  const LookupTable& table = table_of(node);
  node.emit_results(Lookup{}, {node.input(1), node.add_constant(table.keys), node.add_constant(table.values),
                               node.input(2)});
}

void read_size(ReadNode& node) {
  node.result(0, node.add_constant(
                     constant_splat(DType::i64, {1}, static_cast<double>(table_of(node).keys->count()))));
}

}  // namespace

void variable_rows(Rows& rows) {
  rows.read("VAR_HANDLE", since(1), read_handle);
  rows.read("READ_VARIABLE", since(1), read_read_variable);
  rows.read("ASSIGN_VARIABLE", since(1), read_assign_variable);
  rows.read("CALL_ONCE", since(1), read_call_once);
  rows.read("HASHTABLE", since(1), read_handle);
  rows.read("HASHTABLE_IMPORT", since(1), read_import);
  rows.read("HASHTABLE_FIND", since(1), read_find);
  rows.read("HASHTABLE_SIZE", since(1), read_size);
}

}  // namespace remodel::tflite
