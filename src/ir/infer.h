// What an op's infer() sees: the types and known contents of its operands, and where its results' types go.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace remodel {

class Infer {
 public:
  Infer(Graph& graph, Node& node) : graph_(graph), node_(node) {}

  // Operands.
  size_t count() const { return node_.inputs.size(); }
  bool has(size_t i) const { return node_.has(i); }
  const Type& in(size_t i) const;  // refuses an absent operand
  DType dtype(size_t i) const { return in(i).dtype; }
  // Null where the rank is not known.
  const Dims* dims(size_t i) const { return in(i).dims ? &*in(i).dims : nullptr; }
  // -1 where it is not known.
  int64_t rank(size_t i) const { return in(i).dims ? static_cast<int64_t>(in(i).dims->size()) : -1; }
  const Constant* constant(size_t i) const { return has(i) ? graph_.constant(node_.inputs[i]) : nullptr; }
  // What is known of a small integer (or float) operand's elements, in row-major order; nothing where its
  // rank may be over `most_rank`.
  std::optional<Content> content(size_t i, size_t most_rank = 1) const;
  // The same as whole sizes.
  std::optional<Dims> sizes(size_t i) const;
  // The attribute, or what is known of the operand where one is given.
  std::optional<Dims> sizes_or(size_t i, const Dims& field) const { return has(i) ? sizes(i) : field; }

  // Refusals. `need_*` throw a message that names the operand.
  void need_count(size_t least, size_t most) const;
  void need_rank(size_t i, int64_t rank) const;  // where the rank is known
  void need_dtype(size_t i, bool (*is)(DType), const char* what) const;
  void need_same_dtype(size_t i, size_t j) const;
  int64_t axis(size_t i,
               int64_t axis) const;  // counted from the front where the rank is known, else as it is

  // Results.
  size_t outputs() const { return node_.outputs.size(); }
  void out(size_t k, Type type);
  void out(size_t k, DType dtype, std::optional<Dims> dims);
  void content_out(Content content, size_t k = 0);  // of result k, whose sizes are numbers
  void same_as(size_t i) { out(0, in(i).dtype, in(i).dims); }
  // Result k consists of operand i's elements, so it lies on the same grid. Where that has an axis, `moved`
  // says which axis of the result it is; nullopt: none, and the result has no grid.
  using MovedAxis = std::function<std::optional<int64_t>(int64_t axis)>;
  void keep_grid(size_t k, size_t i, const MovedAxis& moved);
  // Result 0 has the operands' broadcast dims.
  void broadcast(DType dtype);
  std::optional<Dims> broadcast_dims(size_t first, size_t last, size_t k = 0);
  Dim broadcast(const Dim& a, const Dim& b, size_t k, size_t axis);
  // A size that only running the node finds out: axis `axis` of result k.
  Dim fresh(size_t k, size_t axis);
  Dims fresh_dims(size_t k, size_t rank);

  Graph& graph() { return graph_; }
  const Node& node() const { return node_; }

 private:
  Graph& graph_;
  Node& node_;
};

// Infers one node's results again; the values' types are replaced.
void infer_node(Graph& graph, NodeId node);
// All nodes in order; bodies are inferred by the ops that hold them.
void infer_graph(Graph& graph);

}  // namespace remodel
