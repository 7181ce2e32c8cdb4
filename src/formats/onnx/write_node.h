// What a row's function sees of one node while a file is written: the node's parts, and the ONNX nodes to
// emit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formats/onnx/proto.h"
#include "ir/graph.h"

namespace remodel::onnx {

class GraphWriter;
using Attributes = std::vector<Attribute>;

class WriteNode {
 public:
  WriteNode(GraphWriter& writer, const Graph& graph, const Node& node);

  template <class T>
  const T& op() const {
    return *node_.op.as<T>();
  }
  const Node& node() const { return node_; }
  const Graph& graph() const { return graph_; }
  // Another node of the same tile.
  WriteNode at(NodeId id) const { return {writer_, graph_, graph_.node(id)}; }
  int64_t opset() const;
  // Of another domain's operator set, as the file will declare it; and at least this one.
  int64_t version(const std::string& domain) const;
  void need(const std::string& domain, int64_t version);

  // Operands and results of the IR node.
  size_t inputs() const { return node_.inputs.size(); }
  bool has(size_t i) const { return node_.has(i); }
  const Type& type(size_t i) const;
  DType dtype(size_t i) const { return type(i).dtype; }
  int64_t rank(size_t i) const;  // -1 where it is not known
  const Type& result_type(size_t k = 0) const;
  const Constant* constant(size_t i) const { return has(i) ? graph_.constant(node_.inputs[i]) : nullptr; }
  size_t outputs() const { return node_.outputs.size(); }
  bool wants(size_t k) const { return k < node_.outputs.size() && node_.outputs[k] != absent; }

  // Names in the file. An absent operand or result is "".
  std::string in(size_t i);
  std::string out(size_t k = 0);
  std::vector<std::string> ins(size_t first = 0);  // all operands from `first` on
  std::vector<std::string> outs();
  std::string name_of(ValueId value);  // of any value that is computed before

  // New initializers; equal ones are shared.
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
  const Graph& graph_;
  const Node& node_;
};

}  // namespace remodel::onnx
