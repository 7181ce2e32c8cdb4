// What a row's function sees of one node while a file is written, and the ONNX nodes to emit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/onnx/proto.h"
#include "formats/write_node.h"

namespace remodel::onnx {

class GraphWriter;
using Attributes = std::vector<Attribute>;

class WriteNode : public remodel::WriteNode {
 public:
  WriteNode(GraphWriter& writer, const Graph& graph, const Node& node)
      : remodel::WriteNode(graph, node), writer_(writer) {}

  // Another node of the same tile.
  WriteNode at(NodeId id) const { return {writer_, graph_, graph_.node(id)}; }
  int64_t opset() const;
  // Of another domain's operator set, as the file will declare it; and at least this one.
  int64_t version(const std::string& domain) const;
  void need(const std::string& domain, int64_t version);

  // Names in the file. An absent operand or result is "".
  std::string in(size_t i);
  std::string out(size_t k = 0);
  std::vector<std::string> ins(size_t first = 0);  // all operands from `first` on
  std::vector<std::string> outs();
  std::string name_of(ValueId value);  // of any value that is computed before

  // New initializers; equal ones are shared.
  using remodel::WriteNode::constant;
  std::string constant(ConstantPtr constant);
  std::string integers(const std::vector<int64_t>& values);  // i64[n]
  std::string scalar(DType dtype, double value);
  // An i64[n] tensor with these sizes, in the shortest form: an initializer, or Shape, Gather, Concat.
  std::string sizes(const Dims& dims);
  int nodes_for(const Dims& dims) const;    // about how many nodes `sizes` would emit
  std::string scalar_size(const Dim& dim);  // i64[]

  // Emits a node; gives the name of its first result.
  std::string emit(std::string type, std::vector<std::string> inputs, Attributes attributes = {},
                   std::string domain = "");
  void emit_to(std::vector<std::string> results, std::string type, std::vector<std::string> inputs,
               Attributes attributes = {}, std::string domain = "");
  std::string fresh_name(std::string_view hint);
  std::string cast(const std::string& name, DType to);

  // A sub-graph whose captured values are written by the names that they have outside. `parameters` says, for
  // each input of the body, its outside name, or "" where it is a declared input of the sub-graph.
  std::shared_ptr<GraphProto> write_body(const Graph& body, const std::vector<std::string>& parameters);

 private:
  GraphWriter& writer_;
};

}  // namespace remodel::onnx
