#include "run/traits.h"

#include <algorithm>

namespace remodel {

double unit_roundoff(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 0x1p-53;
    case DType::f32:
      return 0x1p-24;
    case DType::f16:
      return 0x1p-11;
    case DType::bf16:
      return 0x1p-8;
    case DType::f8e4m3fn:
    case DType::f8e4m3fnuz:
      return 0x1p-4;
    case DType::f8e5m2:
    case DType::f8e5m2fnuz:
      return 0x1p-3;
    case DType::f8e8m0:
      return 0x1p-1;
    case DType::f4e2m1:
      return 0x1p-2;
    default:
      return 0;
  }
}

const std::vector<std::string_view>& decision_ops() {
  static const std::vector<std::string_view> names{
      "arg_max",
      "arg_min",
      "top_k",
      "unique",
      "nonzero",
      "compress",
      "non_max_suppression",
      "hardmax",
      "one_hot",
      "max_pool_index",
      "round",
      "floor",
      "ceil",
      "sign",
      "mod",
      "equal",
      "less",
      "less_equal",
      "greater",
      "greater_equal",
      "cast",
      "quantize",
      "dynamic_quantize",
      "if",
      "loop",
  };
  return names;
}

bool is_decision(std::string_view op) {
  const auto& names = decision_ops();
  return std::find(names.begin(), names.end(), op) != names.end();
}

void Dependence::join(const Dependence& other) {
  inputs = inputs || other.inputs;
  random = random || other.random;
  decision = decision || other.decision;
  if (unit_roundoff(other.narrowest) > unit_roundoff(narrowest)) narrowest = other.narrowest;
}

namespace {

class Walk {
 public:
  explicit Walk(const Graph& graph) : graph_(graph), found_(graph.value_count()) {
    for (const Port& port : graph.inputs) found_[port.value].inputs = true;
    for (NodeId id : graph.order()) visit(graph.node(id));
  }
  const Dependence& of(ValueId value) const { return found_[value]; }

 private:
  void visit(const Node& node) {
    Dependence all;
    bool on_floats = false;
    for (ValueId input : node.inputs) {
      if (input == absent) continue;
      all.join(found_[input]);
      const Type& type = graph_.value(input).type;
      on_floats = on_floats || !type.is_tensor() || is_float(type.dtype) || type.dtype == DType::unknown;
    }
    all.random = all.random || node.op.info().effect;
    for (const GraphPtr& body : node.op.graphs()) {
      Walk inside(*body);
      for (const Port& port : body->outputs) {
        Dependence found = inside.of(port.value);
        found.inputs = all.inputs;
        all.join(found);
      }
    }
    if (is_decision(node.op.name())) {
      bool casts_to_float = node.op.name() == "cast" && !node.outputs.empty() && node.outputs[0] != absent &&
                            is_float(graph_.value(node.outputs[0]).type.dtype);
      all.decision = all.decision || (on_floats && !casts_to_float);
    }
    for (ValueId output : node.outputs) {
      if (output == absent) continue;
      found_[output] = all;
      Dependence own;
      own.narrowest = graph_.value(output).type.dtype;
      found_[output].join(own);
    }
  }

  const Graph& graph_;
  std::vector<Dependence> found_;
};

}  // namespace

std::vector<Dependence> dependences(const Graph& graph) {
  Walk walk(graph);
  std::vector<Dependence> found;
  for (const Port& port : graph.outputs) found.push_back(walk.of(port.value));
  return found;
}

}  // namespace remodel
