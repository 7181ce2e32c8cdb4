#include "run/runner.h"

#include "base/limits.h"
#include "ir/convert.h"
#include "ir/infer.h"

namespace remodel {

const Datum& Call::datum(size_t i) const {
  if (!has(i)) fail("operand {} is missing", i);
  return operands_[i];
}

const Tensor& Call::in(size_t i) const {
  const Datum& operand = datum(i);
  if (!operand.is_tensor()) fail("operand {} is not a tensor", i);
  return operand.tensor;
}

Tensor& Call::out(size_t k, DType dtype, Shape shape) {
  if (k >= results_.size()) results_.resize(k + 1);
  results_[k] = Datum(Tensor(dtype, std::move(shape)));
  return results_[k].tensor;
}

int64_t Call::size(const Dim& dim) const {
  auto value = dim.evaluate(lookup_);
  if (!value) fail("the size {} is not known", dim.text());
  return *value;
}

Shape Call::sizes(const Dims& dims) const {
  Shape result;
  for (const Dim& dim : dims) result.push_back(size(dim));
  return result;
}

namespace {

Tensor converted(const Tensor& tensor, DType to) {
  Tensor result(to, tensor.shape());
  convert_elements(tensor.dtype(), tensor.raw(), to, result.raw(), tensor.count());
  return result;
}

std::string describe(const Node& node) {
  std::string text(node.op.name());
  return node.origin.empty() ? text : "'" + node.origin[0] + "' (" + text + ")";
}

// Symbols are bound by the first axis that is nothing but them; every other axis must agree.
using Sizes = std::map<std::string, int64_t, std::less<>>;
void bind_sizes(const Type& type, const Datum& datum, Sizes& bindings, const std::string& what) {
  if (!datum.is_tensor() || !type.is_tensor() || !type.dims) return;
  const Shape& shape = datum.tensor.shape();
  if (shape.size() != type.dims->size())
    fail("{} should have shape {}, but is {}", what, text_of(*type.dims), text_of(shape));
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const Dim& dim = (*type.dims)[axis];
    std::string_view symbol = dim.symbol_name();
    if (!symbol.empty() && !bindings.count(symbol)) {
      bindings.emplace(symbol, shape[axis]);
      continue;
    }
    auto expected = dim.evaluate([&](std::string_view name) -> std::optional<int64_t> {
      auto place = bindings.find(name);
      return place == bindings.end() ? std::nullopt : std::optional(place->second);
    });
    if (expected && *expected != shape[axis])
      fail("{} should have shape {}, but is {}", what, text_of(*type.dims), text_of(shape));
  }
}

bool has_elements(const Tensor& tensor, DType dtype, bool wide) {
  return dtype == DType::unknown || tensor.dtype() == dtype ||
         (wide && is_float(dtype) && is_float(tensor.dtype()));
}

void bind_input(const Graph& graph, size_t i, const Datum& input, Sizes& bindings, bool wide = false) {
  const Port& port = graph.inputs[i];
  const Type& type = graph.value(port.value).type;
  if (input.is_tensor() && type.is_tensor() && !has_elements(input.tensor, type.dtype, wide))
    fail("input '{}' should be {}, but is {}", port.name, type.text(), name_of(input.tensor.dtype()));
  bind_sizes(type, input, bindings, "input '" + port.name + "'");
}

void need_count(const Graph& graph, const std::vector<Datum>& inputs) {
  if (inputs.size() != graph.inputs.size())
    fail("expected {} inputs, found {}", graph.inputs.size(), inputs.size());
}

}  // namespace

void need_inputs(const Graph& graph, const std::vector<Datum>& inputs) {
  need_count(graph, inputs);
  Sizes bindings;
  for (size_t i = 0; i < inputs.size(); ++i) bind_input(graph, i, inputs[i], bindings);
}

std::vector<Datum> Runner::run(const Graph& graph, std::vector<Datum> inputs) {
  return run(graph, std::move(inputs), {}, 0);
}

std::vector<Datum> Runner::run(const Graph& graph, std::vector<Datum> inputs, Bindings bindings, int depth) {
  if (depth > 64) fail("bodies are nested too deeply");
  need_time();
  need_count(graph, inputs);

  std::vector<NodeId> order = graph.order();
  std::vector<int32_t> uses(graph.value_count(), 0);
  for (NodeId id : order)
    for (ValueId input : graph.node(id).inputs)
      if (input != absent) ++uses[input];
  for (const Port& port : graph.outputs) ++uses[port.value];

  std::vector<Datum> values(graph.value_count());
  for (size_t i = 0; i < inputs.size(); ++i) {
    ValueId id = graph.inputs[i].value;
    bind_input(graph, i, inputs[i], bindings, options_.wide);
    if (options_.observe) options_.observe(graph, id, inputs[i]);
    values[id] = std::move(inputs[i]);
  }

  Dim::Lookup lookup = [&](std::string_view name) -> std::optional<int64_t> {
    auto place = bindings.find(name);
    return place == bindings.end() ? std::nullopt : std::optional(place->second);
  };
  Call::RunBody run_body = [&](const Graph& body, std::vector<Datum> arguments) {
    return run(body, std::move(arguments), bindings, depth + 1);
  };
  auto fetch = [&](ValueId id) -> const Datum& {
    const Value& value = graph.value(id);
    if (value.constant && !values[id].is_tensor()) values[id] = value.constant->tensor();
    return values[id];
  };

  for (NodeId id : order) {
    const Node& node = graph.node(id);
    try {
      need_time();
      const Kernels::Kernel* kernel = all_kernels().find(node.op.info());
      if (!kernel) fail("the operator '{}' cannot be run", node.op.name());
      std::vector<Datum> operands(node.inputs.size());
      DType small = DType::unknown;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.inputs[i] == absent) continue;
        operands[i] = fetch(node.inputs[i]);
        if (!operands[i].is_tensor()) continue;
        DType own = operands[i].tensor.dtype();
        if (options_.wide && is_float(own) && own != DType::f64) {
          operands[i] = converted(operands[i].tensor, DType::f64);
        } else if (kernel->halves == Halves::widen && is_small_float(own)) {
          if (small == DType::unknown) small = own;
          operands[i] = converted(operands[i].tensor, DType::f32);
        }
      }
      Call call(node, std::move(operands), lookup, run_body, pool_);
      call.portable = options_.portable;
      call.arithmetic = options_.arithmetic;
      kernel->run(call);
      for (size_t k = 0; k < node.outputs.size(); ++k) {
        ValueId output = node.outputs[k];
        if (output == absent) continue;
        Datum result = k < call.results().size() ? std::move(call.results()[k]) : Datum();
        const Type& type = graph.value(output).type;
        if (kernel->halves == Halves::widen && !options_.wide && result.is_tensor() &&
            result.tensor.dtype() == DType::f32) {
          DType wanted = type.dtype == DType::unknown && small != DType::unknown ? small : type.dtype;
          if (is_small_float(wanted)) result = converted(result.tensor, wanted);
        }
        if (result.is_tensor() && type.is_tensor() && !has_elements(result.tensor, type.dtype, options_.wide))
          throw Error(fmt::format("result {} should be {}, but is {}", k, name_of(type.dtype),
                                  name_of(result.tensor.dtype())),
                      ErrorKind::internal);
        if (options_.observe) options_.observe(graph, output, result);
        bind_sizes(type, result, bindings, fmt::format("result {}", k));
        values[output] = std::move(result);
      }
    } catch (Error& error) {
      throw error.at(describe(node));
    }
    for (ValueId input : node.inputs)
      if (input != absent && --uses[input] == 0) values[input] = Datum();
    for (ValueId output : node.outputs)
      if (output != absent && uses[output] == 0) values[output] = Datum();
  }
  std::vector<Datum> results;
  for (const Port& port : graph.outputs) results.push_back(fetch(port.value));
  return results;
}

std::vector<Datum> run_op(const Op& op, std::vector<Datum> operands, size_t outputs, Pool& pool) {
  Graph graph;
  std::vector<ValueId> ids;
  std::vector<Datum> given;
  for (Datum& operand : operands) {
    if (operand.kind == Datum::none_kind) {
      ids.push_back(absent);
      continue;
    }
    Type type = operand.is_tensor() ? Type(operand.tensor.dtype(), to_dims(operand.tensor.shape())) : Type();
    if (!operand.is_tensor()) type.kind = Type::list;
    ids.push_back(graph.add_input("", type));
    given.push_back(std::move(operand));
  }
  NodeId node = graph.add_node(op, ids, std::vector<std::string>(outputs));
  for (ValueId output : graph.node(node).outputs) graph.outputs.push_back({"", output});
  return Runner(pool, {.observe = {}, .portable = true, .arithmetic = Arithmetic::real})
      .run(graph, std::move(given));
}

}  // namespace remodel
