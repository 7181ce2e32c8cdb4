#include "ops/control.h"

#include <algorithm>

#include "formats/loop_types.h"
#include "formats/tflite/reader.h"
#include "formats/tflite/rows.h"
#include "ops/shape.h"

namespace remodel::tflite {
namespace {

constexpr size_t careful_depth = 3;

std::vector<Cell> operand_cells(ReadNode& node, size_t first) {
  std::vector<Cell> cells;
  for (size_t i = first; i < node.proto().inputs.size(); ++i) cells.push_back(node.operand_cell(i));
  return cells;
}

std::vector<Cell> call(ReadNode& node, Scope& scope, size_t graph, const std::string& path,
                       const std::vector<Cell>& cells) {
  return GraphReader(node.reading(), scope, graph, path).read(cells);
}

ValueId scalar(Graph& graph, ValueId value) {
  return graph.node(graph.add_node(Reshape{{}, false}, {value}, {""})).outputs[0];
}

// A body that takes the values of these cells and slots, constants excepted where it can hold them itself.
struct Body {
  Body(ReadNode& node, const std::vector<Cell>& cells, const std::set<int32_t>& slots, bool holds_constants,
       const std::vector<Type>* types)
      : scope{*graph, false, {}, {}} {
    Graph& around = node.graph();
    graph->share_symbols(around);
    size_t at = 0;
    const auto take = [&](ValueId value) {
      const Value& outside = around.value(value);
      if (outside.constant && holds_constants) {
        const ValueId inside = graph->add_constant(outside.constant, outside.name);
        graph->value(inside).type.grid = outside.type.grid;
        return inside;
      }
      const Type type = types ? (*types)[at++] : outside.type;
      const ValueId inside = graph->add_input(outside.name, type);
      if (!types) graph->value(inside).content = outside.content;
      return inside;
    };
    for (const Cell& cell : cells)
      inside.push_back(cell.resource.empty() ? Cell{take(cell.value), "", false} : cell);
    for (const int32_t slot : slots) scope.state[slot] = take(node.scope().get(node.reading(), slot));
  }

  GraphPtr graph = std::make_shared<Graph>();
  Scope scope;
  std::vector<Cell> inside;
};

void add_outputs(Body& body, const std::vector<Cell>& results, const std::set<int32_t>& slots) {
  for (const Cell& cell : results)
    if (cell.resource.empty())
      body.graph->outputs.push_back({body.graph->value(cell.value).name, cell.value});
  for (const int32_t slot : slots) body.graph->outputs.push_back({"", body.scope.state.at(slot)});
}

// What the node's operands and the slots are outside.
std::vector<ValueId> values_of(ReadNode& node, const std::vector<Cell>& cells, const std::set<int32_t>& slots,
                               bool skip_constants) {
  std::vector<ValueId> values;
  for (const Cell& cell : cells)
    if (cell.resource.empty() && !(skip_constants && node.graph().value(cell.value).constant))
      values.push_back(cell.value);
  for (const int32_t slot : slots)
    if (const ValueId value = node.scope().get(node.reading(), slot);
        !(skip_constants && node.graph().value(value).constant))
      values.push_back(value);
  return values;
}

// Results that are resources are those of operand cells; the others come in order, then the slots.
void bind_results(ReadNode& node, const std::vector<Cell>& inside, const std::vector<ValueId>& results,
                  const std::set<int32_t>& slots) {
  size_t at = 0;
  for (size_t k = 0; k < inside.size(); ++k) {
    if (!inside[k].resource.empty()) {
      if (node.wants(k)) node.result_cell(k, inside[k]);
      continue;
    }
    node.result(k, results[at++]);
  }
  for (const int32_t slot : slots) node.scope().set(node.reading(), slot, results[at++]);
}

std::string path_of(ReadNode& node) { return node.origin().empty() ? "" : node.origin()[0] + "/"; }

void add_handles(ReadNode& node, const std::vector<Cell>& cells, std::set<int32_t>& slots) {
  for (const Cell& cell : cells)
    if (!cell.resource.empty() && node.reading().variables.count(cell.resource))
      slots.insert(node.reading().slot_of_handle(cell.resource));
}

void read_if(ReadNode& node) {
  const size_t then_graph = node.graph_named("then_subgraph_index"),
               else_graph = node.graph_named("else_subgraph_index");
  const std::vector<Cell> cells = operand_cells(node, 1);
  if (const auto known = node.known_truth(0)) {
    const std::vector<Cell> results =
        call(node, node.scope(), *known ? then_graph : else_graph, path_of(node), cells);
    if (results.size() != node.outputs())
      fail("its branch has {} outputs, but it has {}", results.size(), node.outputs());
    for (size_t k = 0; k < results.size(); ++k)
      if (results[k].resource.empty())
        node.result(k, results[k].value);
      else if (node.wants(k))
        node.result_cell(k, results[k]);
    return;
  }
  std::set<int32_t> slots = node.reading().slots_in(then_graph);
  slots.merge(node.reading().slots_in(else_graph));
  add_handles(node, cells, slots);
  std::vector<Cell> shape;
  const auto branch = [&](size_t graph) {
    Body body(node, cells, slots, true, nullptr);
    shape = call(node, body.scope, graph, path_of(node), body.inside);
    if (shape.size() != node.outputs())
      fail("its branch has {} outputs, but it has {}", shape.size(), node.outputs());
    add_outputs(body, shape, slots);
    return body.graph;
  };
  If op;
  op.then_body = branch(then_graph);
  op.else_body = branch(else_graph);
  std::vector<ValueId> operands{node.input(0)};
  for (const ValueId value : values_of(node, cells, slots, true)) operands.push_back(value);
  const std::vector<ValueId> results = node.emit(op, operands, op.then_body->outputs.size());
  bind_results(node, shape, results, slots);
}

// The condition is asked before each step: once outside, then at the end of the body.
void read_while(ReadNode& node) {
  const size_t condition = node.graph_named("cond_subgraph_index"),
               body_graph = node.graph_named("body_subgraph_index");
  const std::vector<Cell> cells = operand_cells(node, 0);
  if (cells.size() != node.outputs()) fail("it has {} inputs, but {} outputs", cells.size(), node.outputs());
  std::set<int32_t> slots = node.reading().slots_in(body_graph);
  slots.merge(node.reading().slots_in(condition));
  add_handles(node, cells, slots);
  const std::string path = path_of(node);
  const std::vector<Cell> first = call(node, node.scope(), condition, path, cells);
  if (first.size() != 1 || first[0].value == absent) fail("its condition has {} outputs", first.size());

  const std::vector<ValueId> carried = values_of(node, cells, slots, false);
  std::vector<Type> types;
  for (const ValueId value : carried) types.push_back(node.graph().value(value).type);
  std::vector<Cell> shape;
  std::vector<Error>& problems = node.reading().problems;
  const auto read_body = [&](const std::vector<Type>& wanted) -> GraphPtr {
    try {
      Body body(node, cells, slots, false, &wanted);
      shape = call(node, body.scope, body_graph, path, body.inside);
      if (shape.size() != cells.size())
        fail("its body has {} outputs, but takes {}", shape.size(), cells.size());
      const std::vector<Cell> next = call(node, body.scope, condition, path, shape);
      ValueId holds = next.at(0).value;
      if (!body.graph->value(holds).type.has_rank(0)) holds = scalar(*body.graph, holds);
      body.graph->outputs.push_back({"", holds});
      add_outputs(body, shape, slots);
      return body.graph;
    } catch (const Silenced&) {
      return nullptr;
    }
  };
  Loop op;
  op.body = read_loop_body(types, 0, 1, carried.size(), node.reading().open.size() > careful_depth,
                           node.graph(), problems, read_body);
  if (!op.body) throw Silenced();
  op.carried = static_cast<int64_t>(carried.size());
  op.gives_condition = true;
  ValueId holds = first[0].value;
  if (!node.graph().value(holds).type.has_rank(0)) holds = scalar(node.graph(), holds);
  std::vector<ValueId> operands{absent, holds, absent};
  operands.insert(operands.end(), carried.begin(), carried.end());
  bind_results(node, shape, node.emit(op, operands, carried.size()), slots);
}

}  // namespace

void control_rows(Rows& rows) {
  rows.read("IF", since(1), read_if);
  rows.read("WHILE", since(1), read_while);
}

}  // namespace remodel::tflite
