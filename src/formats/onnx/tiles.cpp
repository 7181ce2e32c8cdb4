#include "formats/onnx/tiles.h"

#include "ops/binary.h"
#include "ops/matmul.h"

namespace remodel::onnx {
namespace {

// Gemm multiplies two matrices of floats and adds what broadcasts to their product.
bool is_gemm(const Graph& graph, const Node& product, const Type& sum, const Type& addend) {
  const MatMul* op = product.op.as<MatMul>();
  if (!op || op->out != DType::unknown || product.inputs.size() != 2) return false;
  for (ValueId input : product.inputs)
    if (!graph.value(input).type.has_rank(2)) return false;
  const Value& result = graph.value(product.outputs[0]);
  if (result.users.size() != 1 || graph.is_output(product.outputs[0])) return false;
  bool floats = sum.dtype == DType::f16 || sum.dtype == DType::f32 || sum.dtype == DType::f64;
  return floats && addend.dims && addend.dims->size() <= 2 && sum.dims == result.type.dims;
}

}  // namespace

Tiles find_tiles(const Graph& graph) {
  Tiles tiles;
  for (NodeId id : graph.order()) {
    const Node& sum = graph.node(id);
    if (!sum.op.is<Add>()) continue;
    for (size_t i : {0, 1}) {
      const Node* product = graph.producer(sum.inputs[i]);
      if (!product ||
          !is_gemm(graph, *product, graph.value(sum.outputs[0]).type, graph.value(sum.inputs[1 - i]).type))
        continue;
      NodeId covered = graph.value(sum.inputs[i]).producer;
      tiles.products[id] = covered;
      tiles.covered.insert(covered);
      break;
    }
  }
  return tiles;
}

}  // namespace remodel::onnx
