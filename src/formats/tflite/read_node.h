// What a row sees of one TensorFlow Lite operator while a file is read.
//
// Quantized tensors reach most rows as real numbers: operands are dequantized, and a result of real numbers
// is quantized to the grid that the file gives its tensor. The rows of operators that only move elements get
// the integers as they are where operands and results lie on one grid.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/read_node.h"
#include "formats/tflite/file.h"

namespace remodel::tflite {

class GraphReader;
struct Scope;
struct Reading;
struct Cell;

class ReadNode : public remodel::ReadNode {
 public:
  ReadNode(GraphReader& reader, const Operator& proto);

  int64_t version() const { return proto_.version; }
  const Operator& proto() const { return proto_; }

  // Attributes that the file leaves out have the schema's default.
  bool has(std::string_view name) override;
  int64_t integer(std::string_view name) override;
  double real(std::string_view name) override;
  std::string text(std::string_view name) override;
  std::string word(std::string_view name) override;
  DType dtype_named(std::string_view name) override;
  std::vector<int64_t> integers(std::string_view name) override;
  std::vector<double> reals(std::string_view name) override;
  std::vector<std::string> texts(std::string_view name) override;
  ConstantPtr tensor(std::string_view name) override;
  Bytes bytes(std::string_view name);
  void ignore(std::string_view name) override { understood_.insert(std::string(name)); }
  void check_attributes_known() const override;

  // The file's tensors.
  const Tensor& input_tensor(size_t i) const;
  const Tensor& output_tensor(size_t k) const;
  bool quantized_input(size_t i) const {
    return i < inputs() && raw_[i] != absent && raw_[i] != operands_[i];
  }
  // The sizes of operand i, which has this many axes at least.
  Dims dims_of(size_t i, size_t least) const;
  // What is known of a small integer operand's elements, whatever its rank.
  std::optional<Dims> elements(size_t i);
  // Operand i as the file has it.
  ValueId raw(size_t i) const;

  // Operand i, a convolution's or product's weights, as real numbers with the axes in this order.
  ValueId weights(size_t i, const std::vector<int64_t>& perm);
  // Weights are integers but what they meet are real numbers.
  bool hybrid(size_t x, size_t weights) const;
  // Operand i as a hybrid kernel sees it: rounded to 8 bits, with a scale for each index of the first axis.
  ValueId rounded_rows(size_t i, bool asymmetric);
  ValueId rounded_rows_of(ValueId x, bool asymmetric);
  // Operand i, the biases of a product of operands x and w: integers on the product of their scales.
  ValueId bias(size_t i, size_t x, size_t w);
  // The value after the activation that attribute `fused_activation_function` names.
  ValueId activated(ValueId value);
  ValueId activated(ValueId value, std::string_view activation);

  size_t outputs() const override { return proto_.outputs.size(); }
  bool wants(size_t k) const override { return k < outputs() && proto_.outputs[k] >= 0; }
  // Binds result k. Real numbers are quantized where the file's tensor is.
  void result(size_t k, ValueId value) override;
  // Gives `value` the type and grid of a tensor of the file, which is quantized or not.
  ValueId to_tensor(ValueId value, const Tensor& tensor);
  // Real numbers as integers of a grid.
  ValueId quantize(ValueId value, DType to, const Grid& grid);

  // Sub-graphs, by attribute.
  size_t graph_named(std::string_view name);
  GraphReader& reader() { return reader_; }
  Scope& scope();
  Reading& reading();
  // Operand i may be a resource.
  const Cell& operand_cell(size_t i);
  void result_cell(size_t k, Cell cell);

  // Keeps the operator as it is, for the same format.
  void keep();
  void check_complete() const;

 private:
  friend class GraphReader;
  std::string input_name(size_t i) const override { return input_tensor(i).name; }
  const Attribute* attribute(std::string_view name);
  const Field& field(std::string_view name) const;

  GraphReader& reader_;
  const Operator& proto_;
  std::vector<ValueId> raw_;
  std::vector<bool> bound_;
  std::set<std::string, std::less<>> understood_;
};

// (x - zero) * scale of an integer tensor's grid.
ValueId dequantize(Graph& graph, ValueId value, const Grid& grid, const Origin& origin);

}  // namespace remodel::tflite
