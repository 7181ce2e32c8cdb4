// What a row's function sees of one node while a file is read: the node's parts, and the graph to emit into.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formats/onnx/proto.h"
#include "ir/graph.h"

namespace remodel::onnx {

class GraphReader;

class ReadNode {
 public:
  ReadNode(GraphReader& reader, Graph& graph, const NodeProto& proto, int64_t version);

  int64_t version() const { return version_; }  // of the operator set that the node's domain is in
  const NodeProto& proto() const { return proto_; }
  Graph& graph() { return graph_; }

  // Attributes. What is never asked for is refused after the row's function returns.
  bool has(std::string_view name);
  int64_t integer(std::string_view name);  // required
  int64_t integer(std::string_view name, int64_t otherwise);
  double real(std::string_view name, double otherwise);
  std::string text(std::string_view name, std::string_view otherwise);
  std::vector<int64_t> integers(std::string_view name, std::vector<int64_t> otherwise = {});
  std::vector<double> reals(std::string_view name, std::vector<double> otherwise = {});
  std::vector<std::string> texts(std::string_view name);
  ConstantPtr tensor(std::string_view name);                // null where absent
  std::shared_ptr<GraphProto> body(std::string_view name);  // required
  const Attribute* attribute(std::string_view name);        // marks it as understood; null where absent
  void ignore(std::string_view name) { understood_.insert(std::string(name)); }

  // Operands.
  size_t inputs() const { return operands_.size(); }
  bool has_input(size_t i) const { return i < operands_.size() && operands_[i] != absent; }
  ValueId input(size_t i) const;  // refuses a missing one
  ValueId input_or_absent(size_t i) const { return i < operands_.size() ? operands_[i] : absent; }
  const std::vector<ValueId>& operands() const { return operands_; }
  const Type& type(size_t i) const { return graph_.value(input(i)).type; }
  int64_t rank(size_t i) const;  // refuses an unknown rank
  // What is known of a small integer operand's contents.
  std::optional<Dims> sizes(size_t i);
  std::optional<std::vector<int64_t>> known_integers(size_t i);
  std::optional<bool> known_truth(size_t i);
  ConstantPtr constant(size_t i) const;  // null where it is none
  // A tensor that an attribute names.
  ValueId named(const std::string& tensor);
  const Origin& origin() const { return origin_; }

  // Reads the node as one that is not known: it is only ever written back as it is.
  void keep();

  // Emits an op; intermediate values have no names of the user's.
  ValueId emit(Op op, std::vector<ValueId> operands);
  std::vector<ValueId> emit(Op op, std::vector<ValueId> operands, size_t results);
  ValueId add_constant(ConstantPtr constant) { return graph_.add_constant(std::move(constant)); }
  ValueId add_scalar(DType dtype, double value) { return add_constant(constant_splat(dtype, {}, value)); }

  // Binds result k of the node.
  size_t outputs() const { return proto_.outputs.size(); }
  bool wants(size_t k) const { return k < proto_.outputs.size() && !proto_.outputs[k].empty(); }
  void result(size_t k, ValueId value);
  // Emits the op whose results are this node's results.
  void emit_results(Op op, std::vector<ValueId> operands);

  // Bodies.
  struct Body {
    GraphPtr graph;                 // its inputs: those that it declares, then one a capture
    std::vector<ValueId> captures;  // values of this graph that the body refers to, constants excepted
  };
  // Reads a sub-graph whose declared inputs have these types.
  Body read_body(const GraphProto& proto, const std::vector<Type>& types);
  // Reads the body of a loop. `types` are those of its declared inputs at the first step; `carried` of them,
  // and of its outputs, are carried from step to step. Their types hold for every step in what is given back.
  Body read_loop_body(const GraphProto& proto, std::vector<Type> types, size_t first_input,
                      size_t first_output, size_t carried);
  // Reads a sub-graph without inputs in place of this node; gives its outputs.
  std::vector<ValueId> inline_body(const GraphProto& proto);
  // An operand of which nothing is known takes the dtype or kind that a body declares for it.
  void adopt(size_t i, const Type& declared);
  // Refuses attributes that nobody asked for.
  void check_attributes_known() const;
  // The same, and results that the row's function did not give.
  void check_complete() const;

 private:
  friend class GraphReader;
  GraphReader& reader_;
  Graph& graph_;
  const NodeProto& proto_;
  int64_t version_;
  std::vector<ValueId> operands_;
  std::set<std::string, std::less<>> understood_;
  std::vector<ValueId> results_;
  Origin origin_;
};

}  // namespace remodel::onnx
