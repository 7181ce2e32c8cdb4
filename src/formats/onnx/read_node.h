// What a row's function sees of one ONNX node while a file is read.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/onnx/proto.h"
#include "formats/read_node.h"

namespace remodel::onnx {

class GraphReader;

class ReadNode : public remodel::ReadNode {
 public:
  ReadNode(GraphReader& reader, Graph& graph, const NodeProto& proto, int64_t version);

  int64_t version() const { return version_; }  // of the operator set that the node's domain is in
  const NodeProto& proto() const { return proto_; }

  bool has(std::string_view name) override;
  int64_t integer(std::string_view name) override;
  int64_t integer(std::string_view name, int64_t otherwise);
  double real(std::string_view name) override;
  double real(std::string_view name, double otherwise);
  std::string text(std::string_view name) override;
  std::string text(std::string_view name, std::string_view otherwise);
  std::string word(std::string_view name) override;
  DType dtype_named(std::string_view name) override;
  std::vector<int64_t> integers(std::string_view name) override { return integers(name, {}); }
  std::vector<int64_t> integers(std::string_view name, std::vector<int64_t> otherwise);
  std::vector<double> reals(std::string_view name) override { return reals(name, {}); }
  std::vector<double> reals(std::string_view name, std::vector<double> otherwise);
  std::vector<std::string> texts(std::string_view name) override;
  ConstantPtr tensor(std::string_view name) override;
  std::shared_ptr<GraphProto> body(std::string_view name);  // required
  const Attribute* attribute(std::string_view name);        // marks it as understood; null where absent
  void ignore(std::string_view name) override { understood_.insert(std::string(name)); }
  void check_attributes_known() const override;

  // A tensor that an attribute names.
  ValueId named(const std::string& tensor);

  // Reads the node as one that is not known: it is only ever written back as it is.
  void keep();

  size_t outputs() const override { return proto_.outputs.size(); }
  bool wants(size_t k) const override { return k < proto_.outputs.size() && !proto_.outputs[k].empty(); }
  void result(size_t k, ValueId value) override;

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
  // Refuses attributes that nobody asked for, and results that the row's function did not give.
  void check_complete() const;

 private:
  friend class GraphReader;
  std::string input_name(size_t i) const override { return proto_.inputs[i]; }

  GraphReader& reader_;
  const NodeProto& proto_;
  int64_t version_;
  std::set<std::string, std::less<>> understood_;
  std::vector<ValueId> results_;
};

}  // namespace remodel::onnx
