#include "formats/onnx/count.h"

#include "formats/onnx/proto.h"

namespace remodel::onnx {

void count_operators(const GraphProto& graph, OperatorCounts& to) {
  std::vector<const GraphProto*> pending{&graph};
  while (!pending.empty()) {
    const GraphProto* one = pending.back();
    pending.pop_back();
    for (const NodeProto& node : one->nodes) {
      ++to[node.domain.empty() ? node.type : node.domain + "." + node.type];
      for (const Attribute& attribute : node.attributes)
        for (const auto& body : attribute.graphs) pending.push_back(body.get());
    }
  }
}

}  // namespace remodel::onnx
