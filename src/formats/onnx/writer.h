// Writes the IR as ONNX: first the file's parts, then the bytes.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/unique_names.h"
#include "formats/cover.h"
#include "formats/onnx/proto.h"
#include "formats/onnx/write_node.h"
#include "formats/size_writer.h"
#include "ir/graph.h"

namespace remodel::onnx {

// The parts of the file. Problems, one a node that cannot be said, are added to `problems`.
ModelProto build_model(const Model& model, int64_t opset, std::vector<Error>& problems);

// Why the target's table has no row for the node, as it stands; empty where it has one.
std::string cannot_write(const Graph& graph, const Node& node, int64_t opset);

// What all graphs of one file share.
struct FileWriter {
  FileWriter(int64_t opset, std::vector<Error>& problems) : opset(opset), problems(problems) {}

  const int64_t opset;
  std::vector<Error>& problems;
  ModelProto model;
  std::set<std::string> domains;            // in use
  std::map<std::string, int64_t> versions;  // of other domains' operator sets
  UniqueNames node_names{"/"};

  // A name for a value; bodies share them with the graphs around.
  std::string unique_name(std::string_view wish);
  // The initializer that holds the constant; equal constants are one.
  std::string initializer(const ConstantPtr& constant, std::string_view wish);
  // A number for a name, as SizeOperators wants it.
  int number_of(const std::string& name);
  const std::string& numbered(int number) const { return numbered_[static_cast<size_t>(number)]; }

 private:
  UniqueNames names_{"_"};
  std::vector<std::string> numbered_;
  std::unordered_map<std::string, int> numbers_;
  // Keeps what it has seen alive, so that no address comes again.
  std::unordered_map<ConstantPtr, std::string> by_pointer_;
  std::unordered_multimap<size_t, std::pair<ConstantPtr, std::string>> by_content_;
};

// One graph or body being written.
class GraphWriter : private SizeOperators {
 public:
  GraphWriter(FileWriter& file, const Graph& graph, GraphWriter* outer)
      : file_(file), graph_(graph), outer_(outer), sizes_(*this, outer ? &outer->sizes_ : nullptr) {}

  // `parameters`: for each input its name outside, or "" for one that this graph declares.
  void write(GraphProto& to, const std::vector<std::string>& parameters);

 private:
  friend class WriteNode;
  std::string name_of(ValueId value);
  void define(ValueId value, const std::string& name);
  DType dtype_of(const std::string& name) const;
  const Type* container_of(const std::string& name) const;  // null for a tensor
  std::string emit(NodeProto node);
  void write_node(const Node& node, const TileMatch* tile);
  void pass_on(ValueId value, const std::string& output);
  // Casts around operands of a type that this version of the operator does not take.
  void emit_legal(NodeProto node);
  void note_result_types(const NodeProto& node);
  const OpSchema* schema_of(const NodeProto& node) const;
  ValueInfo value_info(const std::string& name, const Type& type) const;
  // In sizes.cpp.
  Tensor constant(const std::vector<int64_t>& numbers) override;
  bool has_parts() const override;
  Tensor shape(Tensor value, int64_t first, int64_t end, int64_t rank) override;
  Tensor part(Tensor sizes, int64_t first, int64_t end) override;
  Tensor join(const std::vector<Tensor>& lists) override;
  Tensor compute(Arithmetic what, Tensor a, Tensor b) override;
  bool can_be_asked(DType dtype) const override;
  void note_sizes(const Type& type, const std::string& name) { sizes_.note(type, file_.number_of(name)); }

  FileWriter& file_;
  const Graph& graph_;
  GraphWriter* outer_;
  GraphProto* to_ = nullptr;
  std::unordered_map<ValueId, std::string> names_;
  std::unordered_map<std::string, DType> dtypes_;
  std::unordered_map<std::string, Type> containers_;  // of names that are no tensors
  SizeWriter sizes_;
  std::string node_name_;
};

}  // namespace remodel::onnx
