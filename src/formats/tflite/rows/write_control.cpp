// Branches and loops, whose bodies are sub-graphs of the file.
#include <set>

#include "formats/tflite/rows.h"
#include "ops/binary.h"
#include "ops/control.h"

namespace remodel::tflite {
namespace {

void collect_sizes(const Graph& graph, std::set<std::string>& names) {
  for (NodeId id : graph.order()) {
    const Op& op = graph.node(id).op;
    for (const GraphPtr& body : op.graphs()) collect_sizes(*body, names);
    for (const remodel::Field& field : op.info().fields) {
      Dims dims;
      if (field.kind == remodel::FieldKind::dim) dims = {field_as<Dim>(op.data(), field)};
      if (field.kind == remodel::FieldKind::dims) dims = field_as<Dims>(op.data(), field);
      for (const Dim& dim : dims)
        for (std::string& name : dim.symbols()) names.insert(std::move(name));
    }
  }
}

// Sizes that the bodies speak of and this graph can say: a sub-graph sees nothing but its inputs.
struct OuterSizes {
  std::vector<std::string> names;
  Ids ids;
};
OuterSizes outer_sizes(WriteNode& node, const std::vector<const Graph*>& bodies) {
  std::set<std::string> names;
  for (const Graph* body : bodies) collect_sizes(*body, names);
  OuterSizes result;
  for (const std::string& name : names) {
    try {
      result.ids.push_back(node.sizes({Dim::symbol(name)}));
      result.names.push_back(name);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::internal) throw;  // others are sizes of the body's own
    }
  }
  return result;
}

GraphPtr with_sizes(const Graph& body, const OuterSizes& sizes) {
  GraphPtr result = body.copy();
  for (const std::string& name : sizes.names) result->add_input(name, Type(DType::i32, {Dim(1)}));
  return result;
}

void write_if(WriteNode& node) {
  const auto& op = node.op<If>();
  Ids inputs = node.ins(1);
  Id condition = node.in(0);
  if (!node.type(0).dims || !node.type(0).dims->empty()) condition = node.reshape(condition, {});
  inputs.insert(inputs.begin(), condition);
  const Ids outputs = node.outs();
  const OuterSizes sizes = outer_sizes(node, {op.then_body.get(), op.else_body.get()});
  inputs.insert(inputs.end(), sizes.ids.begin(), sizes.ids.end());
  const int64_t then = node.body(*with_sizes(*op.then_body, sizes), sizes.names),
                otherwise = node.body(*with_sizes(*op.else_body, sizes), sizes.names);
  node.emit_to(outputs, "IF", inputs,
               {Attribute::of("then_subgraph_index", then), Attribute::of("else_subgraph_index", otherwise)});
}

// The loop's values, in order: (step, count?, condition?, carried..., invariants...). The condition and the
// body take and give them all.
void write_loop(WriteNode& node) {
  const auto& op = node.op<Loop>();
  if (!op.step_axes.empty() || node.has(Loop::lengths)) fail("a loop has inputs for each step");
  if (!op.stack_axes.empty()) fail("a loop has stacked results");
  const Type number(DType::i64, Dims{}), truth(DType::boolean, Dims{});
  const bool counts = node.has(0) || !op.count.is_number(-1), asks = op.gives_condition || node.has(1);

  const OuterSizes sizes = outer_sizes(node, {op.body.get()});
  const GraphPtr body = with_sizes(*op.body, sizes);
  Graph condition;
  condition.name = "condition";
  condition.share_symbols(*body);
  if (body->name.empty()) body->name = "body";

  Ids operands;
  std::vector<Port> inputs, outputs;
  const auto extra = [&](const char* name, const Type& type) {
    const ValueId value = body->add_input(name, type);
    inputs.push_back(body->inputs.back());
    body->inputs.pop_back();
    condition.add_input(name, type);
    return value;
  };
  ValueId step;
  if (op.takes_step) {
    step = body->inputs[0].value;
    inputs.push_back(body->inputs[0]);
    condition.add_input("step", number);
  } else {
    step = extra("step", number);
  }
  operands.push_back(node.scalar(DType::i64, 0));
  const ValueId one = body->add_constant(constant_splat(DType::i64, {}, 1));
  const NodeId next = body->add_node(Add{}, {step, one}, {"next"});
  outputs.push_back({"next", body->node(next).outputs[0]});
  ValueId asked = absent;
  if (counts) {
    const ValueId count = extra("count", number);
    outputs.push_back({"count", count});
    if (node.has(0))
      operands.push_back(node.reshape(node.cast(node.in(0), DType::i64), {}));
    else if (op.count.is_number())
      operands.push_back(
          node.constant(constant_tensor(remodel::Tensor::of<int64_t>(DType::i64, {}, {op.count.number()}))));
    else
      operands.push_back(node.cast(node.reshape(node.sizes({op.count}), {}), DType::i64));
    const NodeId less =
        condition.add_node(Less{}, {condition.inputs[0].value, condition.inputs[1].value}, {""});
    asked = condition.node(less).outputs[0];
  }
  if (asks) {
    const ValueId before = extra("condition", truth);
    outputs.push_back({"condition", op.gives_condition ? body->outputs[0].value : before});
    operands.push_back(node.has(1) ? node.reshape(node.in(1), {}) : node.scalar(DType::boolean, 1));
    const ValueId goes_on = condition.inputs.back().value;
    if (asked == absent) {
      asked = goes_on;
    } else {
      const NodeId both = condition.add_node(And{}, {asked, goes_on}, {""});
      asked = condition.node(both).outputs[0];
    }
  }
  if (asked == absent) fail("a loop without an end");
  condition.outputs.push_back({"goes_on", asked});

  for (size_t i = op.body_carried(); i < body->inputs.size(); ++i) {
    inputs.push_back(body->inputs[i]);
    condition.add_input(body->inputs[i].name, body->value(body->inputs[i].value).type);
  }
  for (size_t j = 0; j < static_cast<size_t>(op.carried); ++j)
    outputs.push_back(body->outputs[op.body_next() + j]);
  for (size_t i = op.body_invariant(); i < body->inputs.size(); ++i) outputs.push_back(body->inputs[i]);
  for (size_t i = Loop::first_carried; i < node.inputs(); ++i) operands.push_back(node.in(i));
  operands.insert(operands.end(), sizes.ids.begin(), sizes.ids.end());
  body->inputs = inputs;
  body->outputs = outputs;

  Ids results;
  const size_t first = 1 + counts + asks;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const bool carried = i >= first && i < first + static_cast<size_t>(op.carried);
    results.push_back(carried && node.wants(i - first) ? node.out(i - first)
                                                       : node.tensor(body->value(outputs[i].value).type));
  }
  const int64_t test = node.body(condition), steps = node.body(*body, sizes.names);
  node.emit_to(results, "WHILE", operands,
               {Attribute::of("cond_subgraph_index", test), Attribute::of("body_subgraph_index", steps)});
}

}  // namespace

void write_control_rows(Rows& rows) {
  rows.write<If>(since(1), write_if);
  rows.write<Loop>(since(1), write_loop);
}

}  // namespace remodel::tflite
