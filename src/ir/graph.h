// A graph in static single assignment form: nodes have no order but that of their values.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ir/constant.h"
#include "ir/op.h"
#include "ir/type.h"

namespace remodel {

using ValueId = int32_t;
using NodeId = int32_t;
inline constexpr int32_t absent = -1;  // an optional operand that is not given

// An exact fraction of sizes: what shape arithmetic on small integer (or float) tensors computes.
struct Quantity {
  Dim over;
  Dim under = 1;
};
// The contents of a small tensor in row-major order, as far as inference knows them.
using Content = std::vector<Quantity>;

// The names of the source nodes or layers that a node stands for.
using Origin = std::vector<std::string>;

struct Value {
  std::string name;
  Type type;
  NodeId producer = absent;   // absent for inputs and constants
  ConstantPtr constant;       // null unless it is one
  std::vector<NodeId> users;  // a node stands here once for each operand
  std::shared_ptr<const Content> content;
};

struct Node {
  Op op;
  std::vector<ValueId> inputs;   // absent where an optional operand is not given
  std::vector<ValueId> outputs;  // absent where nobody asked for it
  Origin origin;
  bool live = true;

  bool has(size_t input) const { return input < inputs.size() && inputs[input] != absent; }
};

// The outside name of a value at the graph's interface.
struct Port {
  std::string name;
  ValueId value;
  int32_t state = absent;  // the slot of the model that comes in or goes out here
  std::string key = {};    // what the format's signature calls it, where that is another name
};

class Graph {
 public:
  std::string name, doc;
  std::vector<Port> inputs, outputs;

  ValueId add_input(std::string name, Type type);  // also in `inputs`
  ValueId add_value(std::string name, Type type);  // without a producer
  ValueId add_constant(ConstantPtr constant, std::string name = "");
  // Infers the types of `outputs` new values; a name "" is replaced on writing. Throws what inference throws.
  NodeId add_node(Op op, std::vector<ValueId> inputs, std::vector<std::string> output_names,
                  Origin origin = {});
  void remove_node(NodeId node);  // its outputs have no users left
  void set_input(NodeId node, size_t index, ValueId value);
  void insert_operand(NodeId node, size_t index, ValueId value);
  void remove_operand(NodeId node, size_t index);
  ValueId insert_result(NodeId node, size_t index, std::string name);  // without a type yet
  void remove_result(NodeId node, size_t index);                       // nobody uses it
  // An input that nobody uses is one no more.
  void remove_input(size_t index) { inputs.erase(inputs.begin() + static_cast<std::ptrdiff_t>(index)); }
  void set_op(NodeId node, Op op) { nodes_[node].op = std::move(op); }
  // All users and outputs of `from` take `to` instead; the port keeps its outside name.
  void replace_uses(ValueId from, ValueId to);
  // Turns a value with a producer into a constant.
  void make_constant(ValueId value, ConstantPtr constant);

  const Node& node(NodeId id) const { return nodes_[id]; }
  Node& node(NodeId id) { return nodes_[id]; }
  const Value& value(ValueId id) const { return values_[id]; }
  Value& value(ValueId id) { return values_[id]; }
  size_t node_count() const { return nodes_.size(); }
  size_t value_count() const { return values_.size(); }
  bool is_output(ValueId value) const;
  const Node* producer(ValueId value) const {
    return value == absent || values_[value].producer == absent ? nullptr : &nodes_[values_[value].producer];
  }
  const Constant* constant(ValueId value) const {
    return value == absent ? nullptr : values_[value].constant.get();
  }

  // Live nodes, each after the producers of its operands, otherwise in order of number. Refuses cycles.
  std::vector<NodeId> order() const;
  // Drops nodes without effect whose values nobody uses, bodies included, and renumbers nothing.
  size_t drop_dead();

  GraphPtr copy() const;  // bodies are copied, constants shared
  // A new name for a size that only running the graph finds out.
  std::string fresh_symbol() { return "_" + std::to_string(++*symbols_); }
  // Bodies draw their names from the same source as the graph around them.
  void share_symbols(const Graph& with) { symbols_ = with.symbols_; }

 private:
  void remove_user(ValueId value, NodeId node);
  std::vector<Node> nodes_;
  std::vector<Value> values_;
  std::shared_ptr<int64_t> symbols_ = std::make_shared<int64_t>(0);
};

// Why the graph breaks a rule of the IR (types, users, arity, cycles); empty where it breaks none.
std::vector<std::string> verify(const Graph& graph);
struct Model;
// The same of all its graphs and of what they do with its states.
std::vector<std::string> verify(const Model& model);

// What persists between calls, shared by the graphs of a model. It comes in at one input of a graph that
// reads it, and what a call leaves in it goes out at one output; without one it stays as it is.
struct StateSlot {
  std::string name;
  Type type;
  ConstantPtr initial;
};

// What an integer cluster computes to the last bit: the rounding of its real numbers, or what TensorFlow
// Lite's kernels make of it.
enum class Arithmetic : uint8_t { real, litert };

struct Model {
  std::vector<GraphPtr> graphs;  // one an entry point; the first is the main one
  std::vector<StateSlot> states;
  std::string format, producer, producer_version, domain, doc;
  int64_t version = 0;
  Arithmetic arithmetic = Arithmetic::real;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::map<std::string, int64_t> opsets;  // as read: domain to version
  // What the file brings along for others to read: named blobs, and files such as lists of labels.
  std::vector<std::pair<std::string, Bytes>> blobs, assets;

  Graph& main() { return *graphs.front(); }
  const Graph& main() const { return *graphs.front(); }
  Model copy() const;
};

}  // namespace remodel
