// What a row sees of one operator of a file while it is read: its attributes by name, its operands, and the
// graph to emit into. Each format derives its own from this.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace remodel {

// Thrown where a node reads what could not be read: it has been reported already.
struct Silenced {};

class ReadNode {
 public:
  explicit ReadNode(Graph& graph) : graph_(graph) {}
  virtual ~ReadNode() = default;
  ReadNode(const ReadNode&) = delete;

  Graph& graph() { return graph_; }
  const Origin& origin() const { return origin_; }

  // Attributes. What is never asked for is refused after the row's function returns. Those without a default
  // are required.
  virtual bool has(std::string_view name) = 0;
  virtual int64_t integer(std::string_view name) = 0;
  virtual double real(std::string_view name) = 0;
  virtual bool truth(std::string_view name) { return integer(name) != 0; }
  virtual std::string text(std::string_view name) = 0;
  virtual std::string word(std::string_view name) = 0;  // of an enumeration; a number by its digits
  virtual DType dtype_named(std::string_view name) = 0;
  virtual std::vector<int64_t> integers(std::string_view name) = 0;
  virtual std::vector<double> reals(std::string_view name) = 0;
  virtual std::vector<std::string> texts(std::string_view name) = 0;
  virtual ConstantPtr tensor(std::string_view name) = 0;  // null where absent
  virtual void ignore(std::string_view name) = 0;
  // Refuses attributes that nobody asked for.
  virtual void check_attributes_known() const = 0;

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

  // Emits an op; intermediate values have no names of the user's.
  ValueId emit(Op op, std::vector<ValueId> operands);
  std::vector<ValueId> emit(Op op, std::vector<ValueId> operands, size_t results);
  ValueId add_constant(ConstantPtr constant) { return graph_.add_constant(std::move(constant)); }
  ValueId add_scalar(DType dtype, double value) { return add_constant(constant_splat(dtype, {}, value)); }

  // Results of the operator.
  virtual size_t outputs() const = 0;
  virtual bool wants(size_t k) const = 0;
  // Binds result k.
  virtual void result(size_t k, ValueId value) = 0;
  // Emits the op whose results are the operator's.
  void emit_results(Op op, std::vector<ValueId> operands);

 protected:
  virtual std::string input_name(size_t i) const { return graph_.value(input(i)).name; }

  Graph& graph_;
  std::vector<ValueId> operands_;
  Origin origin_;
};

}  // namespace remodel
