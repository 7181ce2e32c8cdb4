// What a row sees of one node while a TensorFlow Lite file is written, and the operators to emit.
//
// Operators may be emitted with any element types: where LiteRT's kernel lacks one, it computes in a wider
// one between casts. What no kernel takes is refused.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "formats/format.h"
#include "formats/tflite/file.h"
#include "formats/write_node.h"

namespace remodel::tflite {

class GraphWriter;
using Id = int32_t;  // a tensor of the sub-graph; -1: an optional one that is not given
using Ids = std::vector<Id>;
using Attributes = std::vector<Attribute>;

// The word of an enumeration, "SAME".
Attribute word(std::string name, std::string_view text);

class WriteNode : public remodel::WriteNode {
 public:
  WriteNode(GraphWriter& writer, const Graph& graph, const Node& node)
      : remodel::WriteNode(graph, node), writer_(writer) {}

  // Another node of the same tile.
  WriteNode at(NodeId id) const { return {writer_, graph_, graph_.node(id)}; }

  Dims dims(size_t i) const;  // refuses an unknown rank
  Dims result_dims(size_t k = 0) const;

  Id in(size_t i);
  Ids ins(size_t first = 0);
  Id out(size_t k = 0);  // one that nobody asked for is a tensor, too
  Ids outs();
  Id value(ValueId value);  // any that is computed before
  // With its axes in another order. That of a constant, and of one that is dequantized, is no operator.
  Id turned(size_t i, const std::vector<int64_t>& perm);
  bool is_weights(size_t i) const;  // such a one
  const Type& type_of(Id tensor) const;
  Id tensor(Type type);    // a result to be
  Id variable(Type type);  // keeps its elements from call to call, zeros at first

  using remodel::WriteNode::constant;
  Id constant(ConstantPtr constant);
  Id integers(const std::vector<int64_t>& values);  // i32[n]
  Id scalar(DType dtype, double value);
  // i32[n], in the shortest form: a constant, or SHAPE and arithmetic.
  Id sizes(const Dims& dims);

  Id emit(std::string type, Ids inputs, Type result, Attributes attributes = {});
  void emit_to(Ids results, std::string type, Ids inputs, Attributes attributes = {});
  // An operator beyond the builtin ones, as it is.
  void emit_custom(Operator made);
  const WriteTarget& target() const;
  Id cast(Id tensor, DType to);
  Id reshape(Id tensor, const Dims& dims);
  void reshape_to(Id result, Id tensor, const Dims& dims);
  Id transpose(Id tensor, const std::vector<int64_t>& perm);

  // A sub-graph of its own; gives its number. Constants that it takes are its own. Its last inputs, i32[1],
  // are the sizes with these names.
  int64_t body(const Graph& graph, const std::vector<std::string>& sizes = {});
  GraphWriter& writer() const { return writer_; }

 private:
  GraphWriter& writer_;
};

// [a, b, c] -> what dims stand at the places of perm.
Dims permuted(const Dims& dims, const std::vector<int64_t>& perm);

}  // namespace remodel::tflite
