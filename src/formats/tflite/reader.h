// From a TensorFlow Lite file to the IR.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "formats/format.h"
#include "formats/tflite/file.h"

namespace remodel::tflite {

ReadResult read_model(const Bytes& bytes, const OpenExternal& open_external, const ReadRequest& request);

// A table that the file fills when it starts: what HASHTABLE_FIND looks up.
struct LookupTable {
  ConstantPtr keys, values;
};

// What all readers of a file share.
struct Reading {
  explicit Reading(const File& file, Model& model, std::vector<Error>& problems);

  // The slot of a variable, made where it is new.
  int32_t slot_of(const std::string& key, const Type& type);
  // That of the variable of handles with this key, whose type the operators that use it tell.
  int32_t slot_of_handle(const std::string& key);
  // That of a tensor that keeps its elements.
  int32_t slot_of_tensor(size_t graph, int32_t tensor);
  // All slots that a sub-graph may touch, those of the sub-graphs that it calls included.
  std::set<int32_t> slots_in(size_t graph);

  const File& file;
  Model& model;
  std::vector<Error>& problems;
  std::map<std::string, int32_t> slots;
  std::map<std::pair<size_t, int32_t>, std::string> tensor_keys;  // of tensors that are variables
  std::map<std::string, LookupTable> tables;
  std::map<std::string, const Tensor*> variables;  // a tensor of the type of each
  std::set<size_t> initialized;                    // the sub-graphs that CALL_ONCE has run
  std::vector<size_t> open;                        // sub-graphs being read within one another
  int64_t operators_left;  // that may still be read; sub-graphs can be called any number of times
};

// One graph of the IR that operators are read into: what its variables hold as reading goes on.
struct Scope {
  Graph& graph;
  bool main = true;                  // a slot that it does not know comes in as an input
  std::map<int32_t, ValueId> state;  // what each slot holds now
  std::set<int32_t> assigned;

  ValueId get(const Reading& reading, int32_t slot);
  // Refuses a value of another type than the slot's.
  void set(const Reading& reading, int32_t slot, ValueId value);
};

// A tensor of a sub-graph while it is read: a value, or what resources stand for.
struct Cell {
  ValueId value = absent;
  std::string resource;  // the variable or table that a handle stands for
  bool poisoned = false;
};

// Reads one sub-graph into a graph, in the place of a call to it.
class GraphReader {
 public:
  GraphReader(Reading& reading, Scope& scope, size_t graph, std::string path);

  // `inputs` are what its inputs stand for; gives the same of its outputs. Throws Silenced where an output
  // could not be computed.
  std::vector<Cell> read(const std::vector<Cell>& inputs);

  // The parts of read(), for the main graph.
  void define(int32_t tensor, Cell cell) { cells_[static_cast<size_t>(tensor)] = std::move(cell); }
  void read_operators();
  void read_operator(const Operator& one);
  Cell output(int32_t tensor);

  size_t index() const { return static_cast<size_t>(&sub_ - reading_.file.graphs.data()); }
  // The tensor has changed: its real numbers are to be made anew.
  void forget_reals(int32_t tensor) { dequantized_.erase(tensor); }

 private:
  friend class ReadNode;
  Cell& cell(int32_t tensor) { return cells_[static_cast<size_t>(tensor)]; }
  // The value of a tensor that an operator reads; a constant is added to the graph when it is first read.
  const Cell& find(int32_t tensor);
  std::string place_of(const Operator& one) const;

  Reading& reading_;
  Scope& scope_;
  const SubGraph& sub_;
  std::vector<Cell> cells_;
  std::map<int32_t, ValueId> dequantized_;  // tensors as real numbers
  std::string path_;                        // of the calls around, "while_1/"
};

// The key of the variable or table that a handle operator names.
std::string resource_key(const Operator& handle);
// The type that a tensor has in the file. A size that may change is a symbol `made` from the tensor and axis.
Type declared_type(const Tensor& tensor, const std::function<Dim(size_t axis)>& made);
// The grid of a quantized tensor of integers; null where it has none. Integers of more than 16 bits have one
// for the operators that go between grids alone: to all others they are numbers.
std::shared_ptr<const Grid> grid_of(const Tensor& tensor);
std::shared_ptr<const Grid> any_grid_of(const Tensor& tensor);

}  // namespace remodel::tflite
