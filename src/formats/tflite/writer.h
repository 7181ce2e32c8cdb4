// From the IR to the parts of a TensorFlow Lite file.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/unique_names.h"
#include "formats/cover.h"
#include "formats/size_writer.h"
#include "formats/tflite/file.h"
#include "formats/tflite/kernels.h"
#include "formats/tflite/write_node.h"

namespace remodel::tflite {

// The parts of the file. Problems, one a node that cannot be said, are added to `problems`.
File build_file(const Model& model, const WriteTarget& target, std::vector<Error>& problems);

// Why the target has no form for the node, as it stands; empty where it has one.
std::string cannot_write(const Graph& graph, const Node& node, const WriteTarget& target);

// The grid as a file says it; nothing where a tensor of that type cannot stand on it.
std::optional<Quantization> said(const Grid& grid, DType dtype);

// Further than this nothing is looked for behind ops that move elements.
constexpr size_t most_moves = 256;

// What all sub-graphs of one file share.
struct FileWriter {
  FileWriter(const WriteTarget& target, const std::vector<StateSlot>& states, std::vector<Error>& problems)
      : target(target), states(states), problems(problems) {}
  const WriteTarget& target;
  const std::vector<StateSlot>& states;
  std::vector<Error>& problems;
  File file;
  // The sub-graph that gives all variables their first contents; 0 where there is none yet.
  size_t initializer = 0;
};

// One sub-graph being written.
class GraphWriter : private SizeOperators {
 public:
  // `trial`: only to find out what can be said; operands and sizes need not be computed before.
  GraphWriter(FileWriter& file, const Graph& graph, bool trial)
      : file_(file), graph_(graph), trial_(trial), sizes_(*this, nullptr) {}

  // An `inner` one's outputs have no names, and may be its inputs.
  SubGraph write(bool inner, const std::vector<std::string>& sizes = {});
  void write_node(const Node& node, const TileMatch* tile);

  Id id_of(ValueId value);
  Id add_tensor(const std::string& name, Type type, Quantization grid = {});
  void make_variable(Id tensor) { to_.tensors[static_cast<size_t>(tensor)].variable = true; }
  Id add_constant(ConstantPtr constant, const std::string& name, const Quantization& grid = {});
  // The constant; reals that are 16-bit ones stay so in the file, and are dequantized.
  Id add_reals(ConstantPtr constant, const std::string& name);
  Id integers(const std::vector<int64_t>& values);
  const Type& type_of(Id tensor) const { return types_[static_cast<size_t>(tensor)]; }
  const ConstantPtr& constant_of(Id tensor) const { return to_.tensors[static_cast<size_t>(tensor)].data; }
  const Quantization& grid_of(Id tensor) const {
    return to_.tensors[static_cast<size_t>(tensor)].quantization;
  }
  Id sizes(const Dims& dims);
  // Of a reshape: one size that is not known becomes -1 where that says the same.
  Id reshape_sizes(Id tensor, const Dims& dims);
  Id cast(Id tensor, DType to);
  void emit(Operator made);
  // What is only written where it is asked for: constants that are dequantized, and roundings that hybrid
  // operators do by themselves.
  bool waits(const Node& node);
  // In quantized.cpp. The integers that a dequantize reads, on its grid; their axes in another order where
  // `perm` is not empty, which only constants can have.
  Id codes_of(const Node& dequantize, const std::vector<int64_t>& perm = {});
  // The same, bytes as i8.
  Id signed_codes_of(const Node& dequantize, const std::vector<int64_t>& perm = {});
  // The operators that `write` emits compute on integers: what is dequantized is taken as the integers, and
  // the last one's result, `value`, is `result` after an activation ("": none). Refuses what has no kernel.
  // `saturates`: numbers below the grid's count as its lowest.
  void write_quantized(ValueId value, Id result, std::string_view activation, bool saturates,
                       const std::function<void()>& write);
  bool is_quantized() const { return quantized_.has_value(); }
  // What it would refuse; empty where nothing.
  static std::string trial(const Graph& graph, const WriteTarget& target,
                           const std::function<void(GraphWriter&)>& write);
  const WriteTarget& target() const { return file_.target; }

  int64_t write_body(const Graph& graph, const std::vector<std::string>& sizes);
  // The last operator gives `result` after an activation ("RELU"): by its own option where it has that,
  // otherwise by another operator.
  void activate(Id result, std::string_view activation);
  void define(ValueId value, Id id) { ids_[value] = id; }

 private:
  struct Described {
    Type type;
    Quantization grid;
  };
  Described describe(ValueId value) const;
  bool has_signed_bytes(ValueId value) const;
  // A quantize to the grid that its operand was dequantized from.
  bool is_same_codes(const Node& quantize) const;
  Id add_value(const std::string& name, ValueId value);
  // In states.cpp. The handle of the variable that the slot is.
  Id handle_of(int32_t slot);
  void assign_state(int32_t slot, Id value);
  // Begins with what the slots hold, and sees to it that they hold something.
  void read_states();
  // Ends with what they hold then.
  void assign_states();
  SubGraph write_initializer();
  Id requantized(Id tensor, DType dtype, const Quantization& grid);
  Id bias_on(Id bias, const Quantization& grid, DType dtype);
  Id number_on(Id number, DType dtype, const Quantization& grid);
  void put_products_on_grids(Operator& made, DType dtype);
  Quantization put_on_grids(Operator& made, const std::vector<size_t>& places, DType dtype,
                            const QuantizedKernel& kernel, const Quantization& wished);
  void emit_quantized(Operator made);
  void emit_raw(Operator made);
  // Real numbers meet constants on a grid.
  bool is_hybrid(const Operator& made) const;
  void put(Operator made);
  void put_ungridded(const Kernel& kernel, Operator made);
  void cast_to(Id result, Id tensor);
  // SizeOperators, in sizes.cpp; a tensor's number is its Id.
  Tensor constant(const std::vector<int64_t>& numbers) override { return integers(numbers); }
  bool has_parts() const override { return false; }
  Tensor shape(Tensor value, int64_t first, int64_t end, int64_t rank) override;
  Tensor part(Tensor sizes, int64_t first, int64_t end) override;
  Tensor join(const std::vector<Tensor>& lists) override;
  Tensor compute(Arithmetic what, Tensor a, Tensor b) override;
  bool can_be_asked(DType) const override { return true; }

  FileWriter& file_;
  const Graph& graph_;
  const bool trial_;
  SubGraph to_;
  std::vector<Type> types_;  // of to_.tensors
  std::unordered_map<ValueId, Id> ids_;
  std::unordered_map<Id, Id> signed_;  // the same bytes with a sign
  std::unordered_map<Id, Id> wide_;    // constants of f16 as f32
  std::map<int32_t, Id> handles_;      // of slots
  std::unordered_map<ConstantPtr, Id> by_pointer_;
  std::unordered_multimap<size_t, Id> by_content_;
  UniqueNames names_{"_"};
  std::string node_name_;
  SizeWriter sizes_;
  struct Quantized {
    Id result;
    std::string_view activation;
    bool saturates;
    std::unordered_map<ValueId, Id> ids;  // of what is written on integers
  };
  std::optional<Quantized> quantized_;  // while operators on integers are written
};

}  // namespace remodel::tflite
