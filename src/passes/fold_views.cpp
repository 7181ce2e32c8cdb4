#include <algorithm>

#include "ir/graph.h"
#include "ops/cast.h"
#include "ops/quantize.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel {

// A dequantize holds the quantization of a weight, which targets keep.
bool stays(const Node& node) { return node.op.is<Dequantize>() || node.op.is<Quantize>(); }

ConstantPtr fold_view(const Graph& graph, const Node& node) {
  if (node.outputs.size() != 1 || node.inputs.empty() || node.inputs[0] == absent) return nullptr;
  const Value& first = graph.value(node.inputs[0]);
  const Type& type = graph.value(node.outputs[0]).type;
  auto shape = numbers(*type.dims);
  if (!first.constant || !shape) return nullptr;
  const ConstantPtr& x = first.constant;
  if (node.op.is<Reshape>() || node.op.is<Squeeze>() || node.op.is<Unsqueeze>()) return x->reshaped(*shape);
  // Targets may keep the narrow one.
  if (node.op.is<Cast>() && x->dtype() == DType::f16 && type.dtype == DType::f32)
    return constant_cast(x, DType::f32);
  if (node.op.is<Expand>()) return x->expanded(*shape);
  if (auto op = node.op.as<Transpose>()) {
    std::vector<int64_t> perm = op->perm;
    for (size_t i = x->shape().size(); perm.size() < x->shape().size();)
      perm.push_back(static_cast<int64_t>(--i));
    return x->permuted(perm);
  }
  if (auto op = node.op.as<Slice>()) {
    auto starts = numbers(op->starts), sizes = numbers(op->sizes);
    if (!starts || !sizes) return nullptr;
    ConstantPtr result = x;
    for (size_t i = 0; i < op->axes.size(); ++i)
      result = result->sliced(resolve_axis(op->axes[i], x->shape().size()), (*starts)[i], (*sizes)[i],
                              op->steps[i]);
    return result;
  }
  if (auto op = node.op.as<Concat>(); op && x->dtype() != DType::string) {
    std::vector<ConstantPtr> parts;
    for (ValueId input : node.inputs) parts.push_back(graph.value(input).constant);
    return constant_concat(parts, resolve_axis(op->axis, x->shape().size()));
  }
  return nullptr;
}

}  // namespace remodel
