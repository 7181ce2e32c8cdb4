#include "ir/infer.h"

namespace remodel {
namespace {

// b is a, or a number above 1 where that is less: then the two only go together where they are equal.
bool is_capped(const Dim& b, const Dim& a) {
  if (b.is_number() || b.rest() != 0 || b.terms().size() != 1) return false;
  const Dim::Term& term = b.terms()[0];
  if (term.factor != 1 || term.atoms.size() != 1 || term.atoms[0]->kind != Dim::Atom::min) return false;
  const std::vector<Dim>& of = term.atoms[0]->arguments;
  return (of[0] == a && of[1].at_least(2)) || (of[1] == a && of[0].at_least(2));
}

}  // namespace

void Elementwise::infer(Infer& in) const { in.broadcast(in.dtype(0)); }

const Type& Infer::in(size_t i) const {
  if (!has(i)) fail("operand {} is missing", i);
  return graph_.value(node_.inputs[i]).type;
}

std::optional<Content> Infer::content(size_t i, size_t most_rank) const {
  if (!has(i)) return std::nullopt;
  const Value& value = graph_.value(node_.inputs[i]);
  if (!value.type.dims || value.type.dims->size() > most_rank) return std::nullopt;
  if (value.content) return *value.content;
  if (!value.constant) return std::nullopt;
  const Constant& constant = *value.constant;
  if (constant.count() > 1024) return std::nullopt;
  bool whole = is_integer(constant.dtype()) || constant.dtype() == DType::boolean;
  if (!whole && constant.dtype() != DType::f32 && constant.dtype() != DType::f64) return std::nullopt;
  Content result;
  if (whole) {
    for (int64_t element : constant.tensor().ints()) result.push_back({element});
    return result;
  }
  for (double element : constant.tensor().doubles()) {
    // Floats that shape arithmetic uses are whole or simple binary fractions.
    double scaled = element * 4096;
    if (!(scaled > -9e15 && scaled < 9e15) || scaled != static_cast<double>(static_cast<int64_t>(scaled)))
      return std::nullopt;
    int64_t over = static_cast<int64_t>(scaled), under = 4096;
    while (under > 1 && over % 2 == 0) over /= 2, under /= 2;
    result.push_back({over, under});
  }
  return result;
}

std::optional<Dims> Infer::sizes(size_t i) const {
  auto known = content(i);
  if (!known) return std::nullopt;
  Dims result;
  for (const Quantity& quantity : *known) {
    auto whole = exact_div(quantity.over, quantity.under);
    if (!whole) return std::nullopt;
    result.push_back(*whole);
  }
  return result;
}

void Infer::need_count(size_t least, size_t most) const {
  if (count() >= least && count() <= most) return;
  if (least == most)
    fail("expected {} operands, found {}", least, count());
  else
    fail("expected {} to {} operands, found {}", least, most, count());
}

void Infer::need_rank(size_t i, int64_t rank) const {
  if (this->rank(i) >= 0 && this->rank(i) != rank)
    fail("operand {} must have rank {}, but is {}", i, rank, in(i).text());
}

void Infer::need_dtype(size_t i, bool (*is)(DType), const char* what) const {
  if (dtype(i) != DType::unknown && !is(dtype(i)))
    fail("operand {} must be {}, but is {}", i, what, in(i).text());
}

void Infer::need_same_dtype(size_t i, size_t j) const {
  if (dtype(i) != dtype(j) && dtype(i) != DType::unknown && dtype(j) != DType::unknown)
    fail("operands {} and {} must have one type, but are {} and {}", i, j, in(i).text(), in(j).text());
}

int64_t Infer::axis(size_t i, int64_t axis) const { return rank(i) < 0 ? axis : resolve_axis(axis, rank(i)); }

void Infer::out(size_t k, Type type) {
  if (type.is_tensor() && type.dims)
    if (const auto sizes = numbers(*type.dims)) count_of(*sizes);  // refuses what no memory could hold
  if (k < node_.outputs.size() && node_.outputs[k] != absent)
    graph_.value(node_.outputs[k]).type = std::move(type);
}

void Infer::out(size_t k, DType dtype, std::optional<Dims> dims) {
  Type type(dtype);
  type.dims = std::move(dims);
  out(k, std::move(type));
}

void Infer::content_out(Content content, size_t k) {
  if (content.size() > 1024 || k >= node_.outputs.size() || node_.outputs[k] == absent) return;
  graph_.value(node_.outputs[k]).content = std::make_shared<const Content>(std::move(content));
}

void Infer::keep_grid(size_t k, size_t i, const MovedAxis& moved) {
  const auto& grid = in(i).grid;
  if (!grid || k >= node_.outputs.size() || node_.outputs[k] == absent) return;
  Type& type = graph_.value(node_.outputs[k]).type;
  if (grid->axis < 0) {
    type.grid = grid;
    return;
  }
  auto axis = moved(grid->axis);
  if (!axis || grid->block) return;
  Grid there = *grid;
  there.axis = *axis;
  type.grid = std::make_shared<const Grid>(std::move(there));
}

Dim Infer::fresh(size_t k, size_t axis) {
  if (k < node_.outputs.size() && node_.outputs[k] != absent) {
    const Type& present = graph_.value(node_.outputs[k]).type;
    if (present.dims && axis < present.dims->size()) {
      std::string_view name = (*present.dims)[axis].symbol_name();
      if (!name.empty() && name[0] == '_') return (*present.dims)[axis];
    }
  }
  return Dim::symbol(graph_.fresh_symbol());
}

Dims Infer::fresh_dims(size_t k, size_t rank) {
  if (rank > 64) fail("a tensor cannot have {} axes", rank);
  Dims dims;
  for (size_t axis = 0; axis < rank; ++axis) dims.push_back(fresh(k, axis));
  return dims;
}

Dim Infer::broadcast(const Dim& a, const Dim& b, size_t k, size_t axis) {
  if (a == b || b.is_number(1)) return a;
  if (a.is_number(1)) return b;
  if (a.is_number() && b.is_number()) fail("sizes {} and {} do not broadcast", a.text(), b.text());
  if (a.is_number()) return a;
  if (b.is_number()) return b;
  if (is_capped(b, a)) return a;
  if (is_capped(a, b)) return b;
  return fresh(k, axis);
}

std::optional<Dims> Infer::broadcast_dims(size_t first, size_t last, size_t k) {
  size_t rank = 0;
  for (size_t i = first; i < last; ++i) {
    if (!has(i)) continue;
    if (!dims(i)) return std::nullopt;
    rank = std::max(rank, dims(i)->size());
  }
  Dims result(rank, Dim(1));
  for (size_t i = first; i < last; ++i) {
    if (!has(i)) continue;
    size_t shift = rank - dims(i)->size();
    for (size_t axis = 0; axis < dims(i)->size(); ++axis)
      result[shift + axis] = broadcast(result[shift + axis], (*dims(i))[axis], k, shift + axis);
  }
  return result;
}

void Infer::broadcast(DType dtype) { out(0, dtype, broadcast_dims(0, count())); }

void infer_node(Graph& graph, NodeId id) {
  Node& node = graph.node(id);
  for (ValueId output : node.outputs)
    if (output != absent) graph.value(output).content = nullptr;
  Infer in(graph, node);
  node.op.info().infer(node.op.data(), in);
}

void infer_graph(Graph& graph) {
  for (NodeId node : graph.order()) infer_node(graph, node);
}

}  // namespace remodel
