#include "ops/hybrid.h"

#include "ops/quantize.h"
#include "ops/shape.h"

namespace remodel {
namespace {

constexpr size_t most_steps = 16;  // from a product to the dynamic_quantize

bool is_reshape(const Op& op) { return op.is<Reshape>() || op.is<Squeeze>() || op.is<Unsqueeze>(); }

// Before reshapes.
ValueId unshaped(const Graph& graph, ValueId value) {
  const Node* from = graph.producer(value);
  for (size_t steps = 0; from && is_reshape(from->op) && steps < most_steps; ++steps) {
    value = from->inputs[0];
    from = graph.producer(value);
  }
  return value;
}

// One scale serves one of `rows` that lie one after another.
bool is_by_rows(const Graph& graph, const Node& dequantize, const Dim& rows) {
  if (has_one_element(graph.value(dequantize.inputs[1]).type)) return rows.is_number(1);
  const auto& dims = graph.value(dequantize.inputs[0]).type.dims;
  if (!dims) return false;
  const size_t axis = static_cast<size_t>(resolve_axis(dequantize.op.as<Dequantize>()->axis, dims->size()));
  for (size_t i = 0; i < axis; ++i)
    if (!(*dims)[i].is_number(1)) return false;
  return (*dims)[axis] == rows;
}

}  // namespace

std::optional<RoundedRows> rounded_rows(const Graph& graph, ValueId value) {
  const Node* dequantize = graph.producer(unshaped(graph, value));
  const Dequantize* op = dequantize ? dequantize->op.as<Dequantize>() : nullptr;
  if (!op || op->block != 0 || op->to != DType::f32) return std::nullopt;
  const ValueId codes = unshaped(graph, dequantize->inputs[0]);
  const Node* from = graph.producer(codes);
  const DynamicQuantize* rounding = from ? from->op.as<DynamicQuantize>() : nullptr;
  if (!rounding || codes != from->outputs[0]) return std::nullopt;
  const auto is_result = [&](size_t i, size_t k) {
    return unshaped(graph, dequantize->inputs[i]) == from->outputs[k];
  };
  if (!is_result(1, 1) || (dequantize->has(2) ? !is_result(2, 2) : !rounding->symmetric)) return std::nullopt;
  RoundedRows found{from->inputs[0], 1, rounding->symmetric};
  const Type& x = graph.value(found.x).type;
  if (x.dtype != DType::f32 || !x.dims || x.dims->empty()) return std::nullopt;
  if (rounding->rows) found.rows = product(Dims(x.dims->begin(), x.dims->end() - 1));
  if (!is_by_rows(graph, *dequantize, found.rows)) return std::nullopt;
  return found;
}

NodeId rounding_of(const Graph& graph, ValueId value) {
  for (size_t steps = 0; steps < 2 * most_steps; ++steps) {
    const Node* from = graph.producer(value);
    if (!from) return absent;
    if (from->op.is<DynamicQuantize>()) return graph.value(value).producer;
    if (!is_reshape(from->op) && !from->op.is<Dequantize>()) return absent;
    value = from->inputs[0];
  }
  return absent;
}

}  // namespace remodel
