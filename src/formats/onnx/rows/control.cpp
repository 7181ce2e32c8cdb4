#include "ops/control.h"

#include <algorithm>

#include "formats/onnx/names.h"
#include "formats/onnx/rows.h"
#include "formats/onnx/schema.h"
#include "ops/list.h"
#include "ops/shape.h"

namespace remodel::onnx {
namespace {

using Body = ReadNode::Body;

ConstantPtr truth(bool value, const Dims& dims = {}) {
  return constant_splat(DType::boolean, *numbers(dims), value);
}

bool is_true(const ConstantPtr& constant) {
  return constant && constant->dtype() == DType::boolean && constant->count() == 1 &&
         splat_value(*constant) == 1.0;
}

// The body takes exactly the captured values, in their order, after what it declares.
void align_captures(Body& body, size_t declared, const Graph& around, const std::vector<ValueId>& captured) {
  Graph& graph = *body.graph;
  std::vector<Port> inputs(graph.inputs.begin(),
                           graph.inputs.begin() + static_cast<std::ptrdiff_t>(declared));
  for (ValueId value : captured) {
    auto place = std::find(body.captures.begin(), body.captures.end(), value);
    if (place != body.captures.end()) {
      inputs.push_back(graph.inputs[declared + static_cast<size_t>(place - body.captures.begin())]);
      continue;
    }
    const Value& outside = around.value(value);
    ValueId inside = graph.add_input(outside.name, outside.type);
    graph.value(inside).content = outside.content;
    inputs.push_back(graph.inputs.back());
  }
  graph.inputs = std::move(inputs);
  body.captures = captured;
}

void read_if(ReadNode& node) {
  if (auto known = node.known_truth(0)) {
    auto branch = node.body(*known ? "then_branch" : "else_branch");
    node.ignore(*known ? "else_branch" : "then_branch");
    std::vector<ValueId> results = node.inline_body(*branch);
    if (results.size() != node.outputs())
      fail("its branch has {} outputs, but the node has {}", results.size(), node.outputs());
    for (size_t k = 0; k < results.size(); ++k) node.result(k, results[k]);
    return;
  }
  Body then_body = node.read_body(*node.body("then_branch"), {});
  Body else_body = node.read_body(*node.body("else_branch"), {});
  std::vector<ValueId> captured = then_body.captures;
  for (ValueId value : else_body.captures)
    if (std::find(captured.begin(), captured.end(), value) == captured.end()) captured.push_back(value);
  align_captures(then_body, 0, node.graph(), captured);
  align_captures(else_body, 0, node.graph(), captured);
  if (then_body.graph->outputs.size() != node.outputs() || else_body.graph->outputs.size() != node.outputs())
    fail("its branches have {} and {} outputs, but the node has {}", then_body.graph->outputs.size(),
         else_body.graph->outputs.size(), node.outputs());
  std::vector<ValueId> operands{node.input(0)};
  operands.insert(operands.end(), captured.begin(), captured.end());
  node.emit_results(If{then_body.graph, else_body.graph}, operands);
}

bool is_used(const Graph& graph, ValueId value) {
  return !graph.value(value).users.empty() || graph.is_output(value);
}

// The number of the step is a scalar; a body may declare it as a tensor of one element.
void take_step(Graph& body, const Type& declared) {
  ValueId old = body.inputs[0].value;
  if (!declared.has_rank(1)) return;
  ValueId scalar = body.add_input(body.inputs[0].name, Type(DType::i64, Dims{}));
  NodeId reshape = body.add_node(Reshape{{1}, false}, {scalar}, {""});
  body.replace_uses(old, body.node(reshape).outputs[0]);
  body.inputs[0] = body.inputs.back();
  body.inputs.pop_back();
}

void read_loop(ReadNode& node) {
  auto proto = node.body("body");
  size_t carried = node.inputs() > 2 ? node.inputs() - 2 : 0;
  if (proto->inputs.size() != carried + 2)
    fail("its body has {} inputs, but {} values are carried", proto->inputs.size(), carried);
  if (proto->outputs.size() < carried + 1)
    fail("its body has {} outputs, but {} values are carried", proto->outputs.size(), carried);
  bool step_has_rank_1 = proto->inputs[0].type.has_rank(1),
       condition_has_rank_1 = proto->inputs[1].type.has_rank(1);
  std::vector<Type> types{Type(DType::i64, step_has_rank_1 ? Dims{1} : Dims{}),
                          Type(DType::boolean, condition_has_rank_1 ? Dims{1} : Dims{})};
  for (size_t j = 0; j < carried; ++j) {
    node.adopt(2 + j, proto->inputs[2 + j].type);
    types.push_back(node.type(2 + j));
  }
  Body body = node.read_loop_body(*proto, types, 2, 1, carried);
  Graph& graph = *body.graph;

  Loop op;
  op.body = body.graph;
  op.carried = static_cast<int64_t>(carried);
  // Where the body runs, the condition holds.
  ValueId holds = graph.add_constant(truth(true, *types[1].dims));
  graph.replace_uses(graph.inputs[1].value, holds);
  graph.remove_input(1);
  op.takes_step = is_used(graph, graph.inputs[0].value);
  if (op.takes_step)
    take_step(graph, proto->inputs[0].type);
  else
    graph.remove_input(0);
  op.gives_condition = !is_true(graph.value(graph.outputs[0].value).constant);
  if (!op.gives_condition) graph.outputs.erase(graph.outputs.begin());
  size_t stacked = proto->outputs.size() - 1 - carried;
  op.stack_axes.assign(stacked, 0);
  op.stack_reversed.assign(stacked, 0);

  std::vector<ValueId> operands{node.input_or_absent(0), node.input_or_absent(1), absent};
  auto count = node.has_input(0) ? node.sizes(0) : std::nullopt;
  if (count && count->size() == 1) {
    const Dim& limit = (*count)[0];
    op.count = limit.is_number(INT64_MAX) ? Dim(-1) : limit.at_least(0) ? limit : max(limit, 0);
    operands[0] = absent;
  }
  if (node.has_input(1) && is_true(node.constant(1))) operands[1] = absent;
  for (size_t j = 0; j < carried; ++j) operands.push_back(node.input(2 + j));
  operands.insert(operands.end(), body.captures.begin(), body.captures.end());
  node.emit_results(op, operands);
}

Type slice_type(const Type& type, int64_t axis) {
  Type slice(type.dtype);
  if (!type.dims) return slice;
  slice.dims = type.dims;
  slice.dims->erase(slice.dims->begin() + resolve_axis(axis, type.dims->size()));
  return slice;
}

struct ScanParts {
  size_t states, steps, stacked;
  std::vector<int64_t> directions, out_directions;
};

ScanParts scan_parts(ReadNode& node, const GraphProto& proto, size_t given, std::string_view directions) {
  int64_t steps = node.integer("num_scan_inputs");
  if (steps < 1 || static_cast<uint64_t>(steps) > given) fail("num_scan_inputs is {}", steps);
  ScanParts parts{given - static_cast<size_t>(steps), static_cast<size_t>(steps), 0, {}, {}};
  if (proto.inputs.size() != given)
    fail("its body has {} inputs, but {} are given", proto.inputs.size(), given);
  if (proto.outputs.size() < parts.states)
    fail("its body has {} outputs, but {} states", proto.outputs.size(), parts.states);
  parts.stacked = proto.outputs.size() - parts.states;
  parts.directions = node.integers(directions, std::vector<int64_t>(parts.steps, 0));
  parts.out_directions.assign(parts.stacked, 0);
  return parts;
}

void check_count(const std::vector<int64_t>& list, size_t count, const char* name) {
  if (list.size() != count) fail("attribute '{}' has {} entries, but needs {}", name, list.size(), count);
}

void read_scan(ReadNode& node) {
  auto proto = node.body("body");
  ScanParts parts = scan_parts(node, *proto, node.inputs(), "scan_input_directions");
  Loop op;
  op.carried = static_cast<int64_t>(parts.states);
  op.step_reversed = parts.directions;
  op.stack_reversed = node.integers("scan_output_directions", parts.out_directions);
  op.step_axes = node.integers("scan_input_axes", std::vector<int64_t>(parts.steps, 0));
  op.stack_axes = node.integers("scan_output_axes", std::vector<int64_t>(parts.stacked, 0));
  check_count(op.step_reversed, parts.steps, "scan_input_directions");
  check_count(op.step_axes, parts.steps, "scan_input_axes");
  check_count(op.stack_reversed, parts.stacked, "scan_output_directions");
  check_count(op.stack_axes, parts.stacked, "scan_output_axes");

  std::vector<Type> types;
  for (size_t i = 0; i < node.inputs(); ++i) {
    bool step = i >= parts.states;
    node.adopt(i, step ? Type(proto->inputs[i].type.dtype) : proto->inputs[i].type);
    if (!step) {
      types.push_back(node.type(i));
      continue;
    }
    int64_t& axis = op.step_axes[i - parts.states];
    if (node.type(i).dims) axis = resolve_axis(axis, node.type(i).dims->size());
    types.push_back(slice_type(node.type(i), axis));
  }
  Body body = node.read_loop_body(*proto, types, 0, 0, parts.states);
  op.body = body.graph;
  for (size_t j = 0; j < parts.stacked; ++j) {
    const Type& type = body.graph->value(body.graph->outputs[parts.states + j].value).type;
    if (type.dims) op.stack_axes[j] = resolve_axis(op.stack_axes[j], type.dims->size() + 1);
  }
  std::vector<ValueId> operands{absent, absent, absent};
  for (size_t i = 0; i < node.inputs(); ++i) operands.push_back(node.input(i));
  operands.insert(operands.end(), body.captures.begin(), body.captures.end());
  node.emit_results(op, operands);
}

// Opset 8 scans each element of a batch by itself: a loop over the batch around one over time.
void read_scan_8(ReadNode& node) {
  auto proto = node.body("body");
  if (node.has_input(0))
    throw Error("a scan with sequence_lens is not supported").hint("opset 9 took sequence_lens away");
  size_t given = node.inputs() > 0 ? node.inputs() - 1 : 0;
  ScanParts parts = scan_parts(node, *proto, given, "directions");
  check_count(parts.directions, parts.steps, "directions");
  std::vector<Type> slices, types;  // without the batch, and for the steps without time too
  for (size_t i = 0; i < given; ++i) {
    node.adopt(i + 1, Type(proto->inputs[i].type.dtype));
    slices.push_back(slice_type(node.type(i + 1), 0));
    types.push_back(i < parts.states ? slices.back() : slice_type(slices.back(), 0));
  }
  Body body = node.read_loop_body(*proto, types, 0, 0, parts.states);

  Loop over_time;
  over_time.body = body.graph;
  over_time.carried = static_cast<int64_t>(parts.states);
  over_time.step_axes.assign(parts.steps, 0);
  over_time.step_reversed = parts.directions;
  over_time.stack_axes.assign(parts.stacked, 0);
  over_time.stack_reversed.assign(parts.stacked, 0);

  auto outer = std::make_shared<Graph>();
  outer->share_symbols(node.graph());
  outer->name = "batch";
  std::vector<ValueId> operands{absent, absent, absent};
  for (size_t i = 0; i < given; ++i) operands.push_back(outer->add_input(proto->inputs[i].name, slices[i]));
  for (ValueId captured : body.captures) {
    const Value& value = node.graph().value(captured);
    operands.push_back(outer->add_input(value.name, value.type));
    outer->value(operands.back()).content = value.content;
  }
  size_t results = parts.states + parts.stacked;
  NodeId inner = outer->add_node(over_time, operands, std::vector<std::string>(results));
  for (size_t k = 0; k < results; ++k)
    outer->outputs.push_back({proto->outputs[k].name, outer->node(inner).outputs[k]});

  Loop over_batch;
  over_batch.body = outer;
  over_batch.step_axes.assign(given, 0);
  over_batch.step_reversed.assign(given, 0);
  over_batch.stack_axes.assign(results, 0);
  over_batch.stack_reversed.assign(results, 0);
  operands = {absent, absent, absent};
  for (size_t i = 0; i < given; ++i) operands.push_back(node.input(i + 1));
  operands.insert(operands.end(), body.captures.begin(), body.captures.end());
  node.emit_results(over_batch, operands);
}

// A loop over the index that takes an element of each list and appends to each result.
void read_sequence_map(ReadNode& node) {
  auto proto = node.body("body");
  if (proto->inputs.size() != node.inputs())
    fail("its body has {} inputs, but {} are given", proto->inputs.size(), node.inputs());
  if (proto->outputs.size() != node.outputs())
    fail("its body has {} outputs, but the node has {}", proto->outputs.size(), node.outputs());
  std::vector<Type> types;
  for (size_t i = 0; i < node.inputs(); ++i) {
    const Type& type = node.type(i);
    types.push_back(type.kind == Type::list
                        ? element_of(type, [&](size_t) { return Dim::symbol(node.graph().fresh_symbol()); })
                        : type);
  }
  Body body = node.read_body(*proto, types);
  Graph& graph = *body.graph;
  size_t results = graph.outputs.size();

  Loop op;
  op.body = body.graph;
  op.carried = static_cast<int64_t>(results);
  op.takes_step = true;
  std::vector<Port> given(graph.inputs);
  graph.inputs.clear();
  ValueId step = graph.add_input("step", Type(DType::i64, Dims{}));
  std::vector<ValueId> operands{node.emit(ListSize{}, {node.input(0)}), absent, absent};
  for (size_t k = 0; k < results; ++k) {
    Port& port = graph.outputs[k];
    const Type& item = graph.value(port.value).type;
    ValueId empty = node.emit(ListNew{item.dtype}, {});
    operands.push_back(empty);
    ValueId list = graph.add_input(port.name + "/list", node.graph().value(empty).type);
    NodeId push = graph.add_node(ListInsert{}, {list, port.value}, {""});
    port.value = graph.node(push).outputs[0];
  }
  for (size_t i = 0; i < given.size(); ++i) {
    bool declared = i < node.inputs();
    operands.push_back(declared ? node.input(i) : body.captures[i - node.inputs()]);
    if (!declared || node.type(i).kind != Type::list) {
      graph.inputs.push_back(given[i]);
      continue;
    }
    ValueId list = graph.add_input(given[i].name + "/list", node.type(i));
    NodeId get = graph.add_node(ListGet{}, {list, step}, {given[i].name});
    ValueId item = graph.node(get).outputs[0];
    graph.value(item).type = graph.value(given[i].value).type;
    graph.replace_uses(given[i].value, item);
  }
  node.emit_results(op, operands);
}

// Results that nobody asked for need names all the same, where a body has an output for them.
std::vector<std::string> all_results(WriteNode& node, size_t count) {
  std::vector<std::string> names;
  for (size_t k = 0; k < count; ++k) names.push_back(node.wants(k) ? node.out(k) : node.fresh_name("unused"));
  return names;
}

// Reshapes result k of a body to its own shape, in a way that no shape inference follows: all sizes are
// picked from the shape, by numbers that depend on the condition.
void hide_shape(WriteNode& node, GraphProto& body, size_t k) {
  auto add = [&](std::string type, std::vector<std::string> inputs, Attributes attributes = {}) {
    NodeProto proto;
    proto.outputs = {node.fresh_name(type)};
    proto.type = std::move(type);
    proto.inputs = std::move(inputs);
    proto.attributes = std::move(attributes);
    body.nodes.push_back(proto);
    return proto.outputs[0];
  };
  ValueInfo& result = body.outputs[k];
  std::string shape = add("Shape", {result.name});
  std::string chosen = add("Cast", {node.in(0)}, {Attribute::of("to", code_of_dtype(DType::i64))});
  std::string kept = add("Greater", {add("Mul", {shape, chosen}), node.scalar(DType::i64, -1)});
  result.name = add("Reshape", {result.name, add("Compress", {shape, kept})});
  result.type.dims.reset();
}

void write_if(WriteNode& node) {
  const auto& op = node.op<If>();
  std::vector<std::string> captured = node.ins(1);
  size_t results = op.then_body->outputs.size();
  auto then_branch = node.write_body(*op.then_body, captured);
  auto else_branch = node.write_body(*op.else_body, captured);
  // Below opset 11 the results of both bodies must have one shape, as far as it is known.
  for (size_t k = 0; node.opset() < 11 && k < results; ++k) {
    const Type &a = then_branch->outputs[k].type, &b = else_branch->outputs[k].type;
    if (!a.is_tensor() || !b.is_tensor() || (a.dims && a.dims == b.dims)) continue;
    hide_shape(node, *then_branch, k);
    hide_shape(node, *else_branch, k);
  }
  node.emit_to(all_results(node, results), "If", {node.in(0)},
               {Attribute::of("then_branch", then_branch), Attribute::of("else_branch", else_branch)});
}

// A scan's states keep their sizes.
std::string scan_form(const WriteNode& node) {
  const auto& op = node.op<Loop>();
  if (op.step_axes.empty()) return "the loop has no per-step inputs";
  if (node.has(Loop::lengths)) return "a scan has no lengths";
  if (node.has(0) || node.has(1) || !op.count.is_number(-1) || op.gives_condition || op.takes_step)
    return "a scan has no count, condition or step number";
  if (op.carried + static_cast<int64_t>(op.stack_axes.size()) == 0) return "a scan needs a result";
  for (int64_t j = 0; j < op.carried; ++j) {
    const Type& first = node.type(Loop::first_carried + static_cast<size_t>(j));
    const Type& inside =
        op.body->value(op.body->inputs[op.body_carried() + static_cast<size_t>(j)].value).type;
    if (!first.is_tensor() || !first.dims || !same_shape_and_dtype(first, inside))
      return "the size of a carried value changes";
  }
  if (node.opset() < 11)
    for (const auto* axes : {&op.step_axes, &op.stack_axes})
      for (int64_t axis : *axes)
        if (axis < 0) return "an axis is counted from the end of an unknown rank";
  return "";
}

void write_scan(WriteNode& node) {
  const auto& op = node.op<Loop>();
  std::vector<std::string> inputs, parameters(op.body_invariant());
  for (size_t i = Loop::first_carried; i < op.first_invariant(); ++i) inputs.push_back(node.in(i));
  for (size_t i = op.first_invariant(); i < node.inputs(); ++i) parameters.push_back(node.in(i));
  Attributes attributes{Attribute::of("body", node.write_body(*op.body, parameters)),
                        Attribute::of("num_scan_inputs", static_cast<int64_t>(op.step_axes.size()))};
  auto list = [&](const char* name, const std::vector<int64_t>& values) {
    if (std::any_of(values.begin(), values.end(), [](int64_t value) { return value != 0; }))
      attributes.push_back(Attribute::of(name, values));
  };
  list("scan_input_axes", op.step_axes);
  list("scan_input_directions", op.step_reversed);
  list("scan_output_axes", op.stack_axes);
  list("scan_output_directions", op.stack_reversed);
  node.emit_to(all_results(node, op.body->outputs.size()), "Scan", inputs, attributes);
}

std::string loop_form(const WriteNode& node) {
  const auto& op = node.op<Loop>();
  if (node.has(Loop::lengths)) return "a loop has no lengths";
  if (!op.step_axes.empty()) return "a loop has no per-step inputs";
  for (size_t j = 0; j < op.stack_axes.size(); ++j)
    if (op.stack_axes[j] != 0 || op.stack_reversed[j] != 0) return "a loop stacks along its first axis";
  return "";
}

NodeProto identity(const std::string& from, const std::string& to) {
  NodeProto node;
  node.type = "Identity";
  node.inputs = {from};
  node.outputs = {to};
  return node;
}

void write_loop(WriteNode& node) {
  const auto& op = node.op<Loop>();
  std::string count, condition = node.has(1) ? node.in(1) : node.constant(truth(true));
  if (node.has(0))
    count = node.in(0);
  else if (!op.count.is_number(-1))
    count = node.scalar_size(op.count);
  std::vector<std::string> inputs{count, condition}, parameters(op.body_invariant());
  for (size_t i = Loop::first_carried; i < op.first_step(); ++i) inputs.push_back(node.in(i));
  for (size_t i = op.first_invariant(); i < node.inputs(); ++i) parameters.push_back(node.in(i));
  auto body = node.write_body(*op.body, parameters);
  std::vector<std::string> results = all_results(node, op.first_stacked() + op.stack_axes.size());

  // The body declares the step and the condition always.
  ValueInfo step, go_on, gives;
  step.type = Type(DType::i64, Dims{});
  go_on.type = gives.type = Type(DType::boolean, Dims{});
  go_on.name = node.fresh_name("condition");
  if (!op.takes_step) {
    step.name = node.fresh_name("step");
    body->inputs.insert(body->inputs.begin(), step);
  }
  body->inputs.insert(body->inputs.begin() + 1, go_on);
  if (!op.gives_condition) {
    gives.name = node.fresh_name("next_condition");
    body->outputs.insert(body->outputs.begin(), gives);
    body->nodes.push_back(identity(go_on.name, gives.name));
  }
  // Below opset 11 a loop carries one value at least.
  if (node.opset() < 11 && op.carried == 0) {
    ValueInfo carried = go_on, next = gives;
    carried.name = node.fresh_name("carried");
    next.name = node.fresh_name("next_carried");
    next.type = carried.type;
    body->inputs.push_back(carried);
    body->outputs.insert(body->outputs.begin() + 1, next);
    body->nodes.push_back(identity(carried.name, next.name));
    inputs.push_back(node.constant(truth(true)));
    results.insert(results.begin(), node.fresh_name("unused"));
  }
  node.emit_to(results, "Loop", inputs, {Attribute::of("body", body)});
}

void write_foreign(WriteNode& node) {
  const auto& op = node.op<Foreign>();
  const auto& raw = *static_cast<const NodeProto*>(op.raw.get());
  std::map<std::string, std::string> renamed;
  std::vector<std::string> captured = free_names(raw);
  for (size_t i = 0; i < captured.size(); ++i) renamed[captured[i]] = node.in(raw.inputs.size() + i);
  NodeProto copy = with_names(raw, renamed, [&](const std::string& name) { return node.fresh_name(name); });
  std::vector<std::string> inputs;
  for (size_t i = 0; i < raw.inputs.size(); ++i) inputs.push_back(node.in(i));
  std::vector<std::string> results;
  for (size_t k = 0; k < raw.outputs.size(); ++k) results.push_back(node.out(k));
  node.emit_to(results, copy.type, inputs, copy.attributes, copy.domain);
}

// The first of ONNX's operators in the bodies of a node that two opsets have in different forms; "" where
// there is none.
std::string differing_form(const NodeProto& node, int from, int to) {
  for (const Attribute& attribute : node.attributes)
    for (const auto& graph : attribute.graphs)
      for (const NodeProto& inner : graph->nodes) {
        if (inner.domain.empty() && find_schema("", inner.type, from) != find_schema("", inner.type, to))
          return inner.type;
        if (std::string deeper = differing_form(inner, from, to); !deeper.empty()) return deeper;
      }
  return "";
}

// An operator of ONNX is kept where a type that it reads is not known; another opset may have another form of
// it.
std::string cannot_write_foreign(const WriteNode& node) {
  const auto& op = node.op<Foreign>();
  if (op.format != "onnx" || !op.raw) return fmt::format("{} is an operator of {}", op.type, op.format);
  const auto& raw = *static_cast<const NodeProto*>(op.raw.get());
  const int from = static_cast<int>(op.version), to = static_cast<int>(node.opset());
  if (std::string type = differing_form(raw, from, to); !type.empty())
    return fmt::format("its body holds {}, so it can only be written as it is: in opset {}", type, from);
  if (!raw.domain.empty() || find_schema("", raw.type, from) == find_schema("", raw.type, to)) return "";
  return fmt::format(
      "the types that it reads are not known, so it can only be written as it is: in opset {} (let the model "
      "declare the types of its inner values)",
      op.version);
}

}  // namespace

void control_rows(Rows& rows) {
  rows.read("If", since(1), read_if);
  rows.write<If>(since(1), write_if);
  rows.read("Loop", since(1), read_loop);
  rows.read("Scan", range(8, 8), read_scan_8);
  rows.read("Scan", since(9), read_scan);
  rows.write<Loop>(since(9), write_scan, scan_form);
  rows.write<Loop>(since(1), write_loop, loop_form);
  rows.read("SequenceMap", since(17), read_sequence_map);
  rows.write<Foreign>(since(1), write_foreign, cannot_write_foreign);
}

}  // namespace remodel::onnx
