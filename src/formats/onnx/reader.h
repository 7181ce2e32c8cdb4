// Reads an ONNX model into the IR.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "formats/format.h"
#include "formats/onnx/prepare.h"
#include "formats/onnx/proto.h"
#include "formats/onnx/read_node.h"
#include "ir/graph.h"

namespace remodel::onnx {

ReadResult read_model(const Bytes& file, const OpenExternal& open_external, const ReadRequest& request = {});

// Counts how deep something is nested, for as long as it lives.
struct Deeper {
  explicit Deeper(int& depth) : depth(++depth) {}
  ~Deeper() { --depth; }
  int& depth;
};

// The functions of a file, and how far its graphs have come in reading them. All readers of a file share it.
struct Functions {
  explicit Functions(const ModelProto& model);
  const FunctionProto* find(const NodeProto& node) const;

  std::unordered_map<std::string, const FunctionProto*> by_name;
  std::vector<const FunctionProto*> open;  // those being inlined, the innermost last
  int64_t nodes_left;                      // that may still be inlined
  int depth = 0;                           // nodes being read within one another
};

// The names of one graph or inlined function.
struct Scope {
  std::unordered_map<std::string, ValueId> values;
  std::unordered_set<std::string> poisoned;               // results of nodes that could not be read
  std::unordered_map<std::string, const Type*> declared;  // what the file says of inner values
};

// One graph or sub-graph being read: its names, and the scopes around it.
class GraphReader {
 public:
  GraphReader(const ModelProto& model, const std::map<std::string, int64_t>& opsets, GraphReader* outer,
              std::vector<Error>& problems);

  // Before read(), for the main graph.
  void follow(const Plan& plan) { plan_ = &plan; }
  // `input_types`, of a sub-graph's declared inputs, stand for what the file says of them.
  void read(const GraphProto& proto, const std::vector<Type>& input_types = {});
  GraphPtr graph() { return graph_; }
  const std::vector<ValueId>& captures() const { return captures_; }  // values of the outer graph, in order

  // The value of a name here or in a scope around; absent where there is none.
  ValueId find(const std::string& name);
  void define(const std::string& name, ValueId value);
  void forget(const std::string& name) { scope_.values.erase(name); }

 private:
  friend class ReadNode;
  void read_nodes(const std::vector<NodeProto>& nodes);
  void read_node(const NodeProto& proto);
  // In inline.cpp. Reads the function that the node calls in its place; false where it calls none.
  bool inline_function(const NodeProto& proto);
  // Reads a sub-graph without inputs in place; gives its outputs.
  std::vector<ValueId> inline_graph(const GraphProto& proto);
  void read_foreign(ReadNode& node);
  Type declared_type(const std::string& name) const;
  // Makes the input as the plan changes it, and binds its name to what stands for it inside.
  void add_input(const std::string& name, Type type);
  void read_main(const NodeProto& proto);
  bool poisoned(const std::string& name) const;
  void poison(const NodeProto& proto);

  const ModelProto& model_;
  std::map<std::string, int64_t> opsets_;
  GraphReader* outer_;
  const Plan* plan_ = nullptr;
  std::vector<Error>& problems_;
  GraphPtr graph_ = std::make_shared<Graph>();
  Scope scope_;
  std::vector<ValueId> captures_;
  std::unordered_map<ValueId, ValueId> captured_;  // to their inputs here
  std::string path_;                               // of the inlined functions around, "encoder/"
  int loop_depth_ = 0;
  std::shared_ptr<Functions> functions_;
};

}  // namespace remodel::onnx
