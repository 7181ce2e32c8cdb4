#include "passes/lower_einsum.h"

#include <algorithm>

#include "ops/binary.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel {
namespace {

using Labels = std::vector<int>;

bool contains(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

bool has_repeats(Labels labels) {
  std::sort(labels.begin(), labels.end());
  return std::adjacent_find(labels.begin(), labels.end()) != labels.end();
}

Labels joined(const Labels& a, const Labels& b) {
  Labels result = a;
  result.insert(result.end(), b.begin(), b.end());
  return result;
}

// An operand on the way: its value, and the label of each axis.
struct Operand {
  ValueId value;
  Labels labels;
  Dims dims;
};

class Lowering {
 public:
  explicit Lowering(const EmitOp& emit) : emit_(emit) {}

  void order(Operand& x, const Labels& labels) {
    if (x.labels == labels) return;
    std::vector<int64_t> perm;
    Dims dims;
    for (int label : labels) {
      perm.push_back(std::find(x.labels.begin(), x.labels.end(), label) - x.labels.begin());
      dims.push_back(x.dims[perm.back()]);
    }
    x = {emit_(Transpose{perm}, {x.value}), labels, dims};
  }

  // Gives x, which has these labels in this order but lacks some, an axis of size 1 for each; leading ones
  // are left out.
  void align(Operand& x, const Labels& labels, size_t kept) {
    std::vector<int64_t> axes;
    size_t first = 0;
    while (first < kept && !contains(x.labels, labels[first])) ++first;
    for (size_t i = first; i < labels.size(); ++i)
      if (!contains(x.labels, labels[i])) axes.push_back(static_cast<int64_t>(i - first));
    if (!axes.empty()) x.value = emit_(Unsqueeze{axes}, {x.value});
  }

  const EmitOp& emit_;
};

Dim product_of(const Operand& x, const Labels& labels) {
  Dim result = 1;
  for (int label : labels)
    result = result * x.dims[std::find(x.labels.begin(), x.labels.end(), label) - x.labels.begin()];
  return result;
}

// Two operands without repeated labels, whose labels are `wanted` or in both. `merge` allows reshapes that
// make one axis of several.
std::optional<Operand> product(const Graph& graph, Operand a, Operand b, const Labels& wanted, bool merge,
                               const EmitOp& emit) {
  Labels left, right, summed;
  for (int label : wanted) {
    bool in_a = contains(a.labels, label), in_b = contains(b.labels, label);
    if (in_a != in_b) (in_a ? left : right).push_back(label);
  }
  for (const Operand* x : {&a, &b})
    for (size_t axis = 0; axis < x->labels.size(); ++axis) {
      int label = x->labels[axis];
      if (contains(wanted, label)) continue;
      const Labels& other = x == &a ? b.labels : a.labels;
      if (!contains(other, label)) return std::nullopt;
      if (x == &a) summed.push_back(label);
    }
  // A summed axis of size 1 that stands for a longer one has no place in a product.
  for (int label : summed) {
    Dim in_a = product_of(a, {label}), in_b = product_of(b, {label});
    if (in_a != in_b && (in_a.is_number(1) || in_b.is_number(1))) return std::nullopt;
  }

  Lowering lower(emit);
  if (summed.empty()) {
    for (Operand* x : {&a, &b}) {
      Labels mine;
      for (int label : wanted)
        if (contains(x->labels, label)) mine.push_back(label);
      lower.order(*x, mine);
      lower.align(*x, wanted, wanted.size());
    }
    ValueId y = emit(Mul{}, {a.value, b.value});
    return Operand{y, wanted, *graph.value(y).type.dims};
  }
  // One axis of each side is the matrix's; others are batch axes that the other operand repeats along.
  if (summed.size() > 1 && !merge) return std::nullopt;
  Labels row, column;
  if (!left.empty()) row = {left.back()};
  if (!right.empty()) column = {right.back()};
  Labels outer;
  for (int label : wanted)
    if (!contains(row, label) && !contains(column, label)) outer.push_back(label);
  auto outer_of = [&](const Operand& x) {
    Labels mine;
    for (int label : outer)
      if (contains(x.labels, label)) mine.push_back(label);
    return mine;
  };
  Labels outer_a = outer_of(a), outer_b = outer_of(b);
  MatMul product;
  if (summed.size() == 1 && row.size() == 1 && a.labels == joined(outer_a, joined(summed, row)))
    product.transpose_a = true;
  else
    lower.order(a, joined(outer_a, joined(row, summed)));
  if (summed.size() == 1 && column.size() == 1 && b.labels == joined(outer_b, joined(column, summed)))
    product.transpose_b = true;
  else
    lower.order(b, joined(outer_b, joined(summed, column)));
  if (summed.size() > 1) {
    Dim inner = product_of(a, summed);
    auto merged = [&](Operand& x, const Labels& mine, bool summed_last) {
      Dims dims(x.dims.begin(), x.dims.begin() + static_cast<int64_t>(mine.size()));
      Labels kept = mine;
      const Labels& own = summed_last ? row : column;
      if (!summed_last) dims.push_back(inner), kept.push_back(summed[0]);
      for (int label : own) dims.push_back(product_of(x, {label})), kept.push_back(label);
      if (summed_last) dims.push_back(inner), kept.push_back(summed[0]);
      x = {emit(Reshape{dims, false}, {x.value}), kept, dims};
    };
    merged(a, outer_a, true);
    merged(b, outer_b, false);
  }
  // A vector is a matrix of one row or column.
  Labels matrix_a =
      product.transpose_a ? Labels{summed[0], row[0]} : joined(row.empty() ? Labels{-1} : row, {summed[0]});
  Labels matrix_b = product.transpose_b ? Labels{column[0], summed[0]}
                                        : joined({summed[0]}, column.empty() ? Labels{-1} : column);
  lower.align(a, joined(outer, matrix_a), outer.size());
  lower.align(b, joined(outer, matrix_b), outer.size());
  ValueId result = emit(product, {a.value, b.value});
  int64_t rank = static_cast<int64_t>(outer.size()) + 2;
  std::vector<int64_t> dropped;
  if (row.empty()) dropped.push_back(rank - 2);
  if (column.empty()) dropped.push_back(rank - 1);
  if (!dropped.empty()) result = emit(Squeeze{dropped}, {result});
  Operand y{result, joined(outer, joined(row, column)), {}};
  y.dims = *graph.value(result).type.dims;
  lower.order(y, wanted);
  return y;
}

std::vector<Operand> operands_of(const Graph& graph, const EinsumLabels& labels,
                                 const std::vector<ValueId>& values) {
  std::vector<Operand> operands;
  for (size_t i = 0; i < values.size(); ++i)
    operands.push_back({values[i], labels.operands[i], *graph.value(values[i]).type.dims});
  return operands;
}

std::optional<std::vector<int64_t>> ranks_of(const Graph& graph, const std::vector<ValueId>& values) {
  std::vector<int64_t> ranks;
  for (ValueId value : values) {
    const Type& type = graph.value(value).type;
    if (!type.dims) return std::nullopt;
    ranks.push_back(static_cast<int64_t>(type.dims->size()));
  }
  return ranks;
}

// Each label once: the elements of a square's diagonal lie evenly in its rows.
void take_diagonals(const Graph& graph, Operand& x, const EmitOp& emit) {
  while (has_repeats(x.labels)) {
    size_t first = 0, second = 0;
    for (first = 0; first < x.labels.size(); ++first) {
      second =
          std::find(x.labels.begin() + static_cast<int64_t>(first) + 1, x.labels.end(), x.labels[first]) -
          x.labels.begin();
      if (second < x.labels.size()) break;
    }
    Dim size = x.dims[first];
    if (!size.is_number()) fail("a diagonal of unknown size cannot be taken apart");
    std::vector<int64_t> perm;
    Labels labels;
    Dims dims;
    for (size_t axis = 0; axis < x.labels.size(); ++axis)
      if (axis != first && axis != second) {
        perm.push_back(static_cast<int64_t>(axis));
        labels.push_back(x.labels[axis]);
        dims.push_back(x.dims[axis]);
      }
    perm.push_back(static_cast<int64_t>(first));
    perm.push_back(static_cast<int64_t>(second));
    labels.push_back(x.labels[first]);
    dims.push_back(size * size);
    ValueId flat = emit(Reshape{dims, false}, {emit(Transpose{perm}, {x.value})});
    Slice diagonal;
    diagonal.axes = {static_cast<int64_t>(labels.size()) - 1};
    diagonal.starts = {0}, diagonal.sizes = {size}, diagonal.steps = {size.number() + 1};
    x.value = emit(diagonal, {flat});
    x.labels = labels;
    x.dims = *graph.value(x.value).type.dims;
  }
}

// Sums over the labels that are not kept.
void sum_out(const Graph& graph, Operand& x, const Labels& kept, const EmitOp& emit) {
  Reduce sum;
  sum.keep = false;
  Labels labels;
  for (size_t axis = 0; axis < x.labels.size(); ++axis) {
    if (contains(kept, x.labels[axis]))
      labels.push_back(x.labels[axis]);
    else
      sum.axes.push_back(static_cast<int64_t>(axis));
  }
  if (sum.axes.empty()) return;
  x.value = emit(sum, {x.value});
  x.labels = labels;
  x.dims = *graph.value(x.value).type.dims;
}

}  // namespace

std::optional<ValueId> einsum_as_product(const Graph& graph, const std::string& equation,
                                         const std::vector<ValueId>& values, const EmitOp& emit) {
  auto ranks = ranks_of(graph, values);
  if (values.size() != 2 || !ranks) return std::nullopt;
  EinsumLabels labels = parse_einsum(equation, *ranks);
  std::vector<Operand> operands = operands_of(graph, labels, values);
  if (has_repeats(operands[0].labels) || has_repeats(operands[1].labels)) return std::nullopt;
  auto result = product(graph, operands[0], operands[1], labels.result, false, emit);
  return result ? std::optional(result->value) : std::nullopt;
}

ValueId lower_einsum(const Graph& graph, const std::string& equation, const std::vector<ValueId>& values,
                     const EmitOp& emit) {
  auto ranks = ranks_of(graph, values);
  if (!ranks) fail_untyped("the rank of an operand is not known");
  EinsumLabels labels = parse_einsum(equation, *ranks);
  std::vector<Operand> operands = operands_of(graph, labels, values);
  for (Operand& x : operands) take_diagonals(graph, x, emit);
  // The labels that the result or an operand from i on still needs.
  auto needed_from = [&](size_t i) {
    Labels needed = labels.result;
    for (; i < operands.size(); ++i) needed = joined(needed, operands[i].labels);
    return needed;
  };
  Operand all = operands[0];
  sum_out(graph, all, needed_from(1), emit);
  for (size_t i = 1; i < operands.size(); ++i) {
    Operand& next = operands[i];
    Labels needed = needed_from(i + 1);
    sum_out(graph, next, joined(needed, all.labels), emit);
    sum_out(graph, all, joined(needed, next.labels), emit);
    Labels wanted;
    for (int label : joined(all.labels, next.labels))
      if (contains(needed, label) && !contains(wanted, label)) wanted.push_back(label);
    if (i + 1 == operands.size()) wanted = labels.result;
    auto result = product(graph, all, next, wanted, true, emit);
    if (!result) fail("equation '{}': a sum over an axis of size 1 that stands for more", equation);
    all = *result;
  }
  Lowering(emit).order(all, labels.result);
  return all.value;
}

}  // namespace remodel
