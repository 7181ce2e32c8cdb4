// Rules that take away what has no effect and join neighbours of one kind. Each lowers the number of nodes.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"
#include "passes/loop_edit.h"
#include "passes/optimise.h"

namespace remodel {
namespace {

std::vector<int64_t> full_perm(const Transpose& op, size_t rank) {
  std::vector<int64_t> perm = op.perm;
  for (size_t i = rank; perm.size() < rank;) perm.push_back(static_cast<int64_t>(--i));
  return perm;
}

bool same_type(Match& match, Expr a, Expr b) { return same_shape_and_dtype(match.type(a), match.type(b)); }

// Whether two constants, of which one may be a single number, may act together: no factor is so large or
// small that what it gives could leave the range of numbers, and no sum is far smaller than what it is the
// sum of.
bool may_be_joined(const Constant& a, const Constant& b, bool factors) {
  constexpr int64_t most = 1 << 16;
  if (!is_float(a.dtype())) return true;
  const int64_t count = std::max(a.count(), b.count());
  if (count > most || (a.count() != count && a.count() != 1) || (b.count() != count && b.count() != 1))
    return false;
  const std::vector<double> left = a.tensor().doubles(), right = b.tensor().doubles();
  const double largest = a.dtype() == DType::f16 ? 0x1p8 : 0x1p40;
  const auto moderate = [&](double factor) {
    return factor == 0 || (std::abs(factor) <= largest && std::abs(factor) >= 1 / largest);
  };
  for (int64_t i = 0; i < count; ++i) {
    const double x = left[a.count() == 1 ? 0 : i], y = right[b.count() == 1 ? 0 : i];
    if (factors ? !moderate(x) || !moderate(y) : !(std::abs(x + y) >= std::max(std::abs(x), std::abs(y)) / 2))
      return false;
  }
  return true;
}

// Drops the root where its result has the type of x and the op says no more than x.
void drop_where_equal(Rules& rules, std::string name, Expr x, Expr root) {
  rules.add(
      "drop " + name, Effect::exact, root,
      [=](Match& match) { return match.type(root).dims && same_type(match, root, x); },
      [=](Match& match) { return match[x]; });
}

// A squeeze whose axes only running finds out: nothing else says what its result's sizes are.
bool names_sizes(Match& match, Expr expr) {
  const Squeeze* squeeze = match.node(expr).op.as<Squeeze>();
  return squeeze && squeeze->axes.empty() && !numbers(*match.type(expr).dims);
}

template <class T>
void reshape_of(Rules& rules, Expr x, Expr inner) {
  Expr root = rules.some<T>({inner});
  rules.add("join reshapes", Effect::exact, root, [=](Match& match) -> ValueId {
    if (!match.type(root).dims || !match.type(inner).dims) return absent;
    if (names_sizes(match, root) || names_sizes(match, inner)) return absent;
    return match.emit(Reshape{*match.type(root).dims, false}, {match[x]});
  });
}

template <class Inner>
void reshapes_of(Rules& rules) {
  Expr x = rules.any();
  Expr inner = rules.some<Inner>({x});
  reshape_of<Reshape>(rules, x, inner);
  reshape_of<Squeeze>(rules, x, inner);
  reshape_of<Unsqueeze>(rules, x, inner);
}

bool all_numbers(const Dims& dims, int64_t value) {
  return std::all_of(dims.begin(), dims.end(), [&](const Dim& dim) { return dim.is_number(value); });
}

// Once its users are joined with it, nobody needs the value.
bool only_sliced(const Graph& graph, ValueId value) {
  const std::vector<NodeId>& users = graph.value(value).users;
  return !graph.is_output(value) &&
         std::all_of(users.begin(), users.end(), [&](NodeId id) { return graph.node(id).op.is<Slice>(); });
}

// What broadcasts to the same result needs no copies.
template <class T>
void expand_into(Rules& rules, size_t operands) {
  for (size_t i = 0; i < operands; ++i) {
    Expr x = rules.any(), wide = rules.shared(rules.some<Expand>({x}));
    std::vector<Expr> all(operands);
    for (size_t k = 0; k < operands; ++k) all[k] = k == i ? wide : rules.any();
    Expr root = rules.some<T>(all);
    rules.add("drop expand before broadcasting", Effect::exact, root, [=](Match& match) -> ValueId {
      // In which place the expansion stands depends on the order that matched.
      std::vector<ValueId> inputs = match.node(root).inputs;
      *std::find(inputs.begin(), inputs.end(), match[wide]) = match[x];
      return match.emit(match.op<T>(root), inputs);
    });
  }
}

// A concat that only other concats along its axis read is a part of each of them, if they stay short: their
// lengths could double with each that follows.
bool joins_all_users(const Graph& graph, ValueId inner, int64_t axis, size_t rank) {
  constexpr size_t most_parts = 64;
  const std::vector<NodeId>& users = graph.value(inner).users;
  return std::all_of(users.begin(), users.end(), [&](NodeId id) {
    const Node& user = graph.node(id);
    const auto* concat = user.op.as<Concat>();
    return concat && resolve_axis(concat->axis, rank) == axis &&
           (users.size() == 1 || user.inputs.size() + graph.producer(inner)->inputs.size() <= most_parts);
  });
}

void concat_rules(Rules& rules) {
  Expr root = rules.every<Concat>();
  rules.add("drop empty parts", Effect::exact, root, [=](Match& match) -> ValueId {
    if (!match.type(root).dims) return absent;
    const Concat op = match.op<Concat>(root);
    size_t axis = static_cast<size_t>(resolve_axis(op.axis, match.type(root).dims->size()));
    std::vector<ValueId> all = match.node(root).inputs, kept;
    for (ValueId part : all) {
      const auto& dims = match.graph().value(part).type.dims;
      if (!dims || !(*dims)[axis].is_number(0)) kept.push_back(part);
    }
    return kept.empty() || kept.size() == all.size() ? absent : match.emit(op, kept);
  });
  rules.add("join concats", Effect::exact, root, [=](Match& match) -> ValueId {
    if (!match.type(root).dims) return absent;
    const Graph& graph = match.graph();
    const size_t rank = match.type(root).dims->size();
    const Concat op = match.op<Concat>(root);
    const std::vector<ValueId> all = match.node(root).inputs;
    std::vector<ValueId> parts;
    for (ValueId part : all) {
      const Node* inner = graph.producer(part);
      const Concat* same = inner ? inner->op.as<Concat>() : nullptr;
      if (!same || graph.is_output(part) ||
          !joins_all_users(graph, part, resolve_axis(same->axis, rank), rank)) {
        parts.push_back(part);
        continue;
      }
      match.stand_for(*inner);
      parts.insert(parts.end(), inner->inputs.begin(), inner->inputs.end());
    }
    return parts.size() == all.size() ? absent : match.emit(op, parts);
  });
}

}  // namespace

void cleanup_rules(Rules& rules) {
  Expr x = rules.any(), a = rules.constant(), b = rules.constant();

  drop_where_equal(rules, "reshape", x, rules.some<Reshape>({x}));
  drop_where_equal(rules, "expand", x, rules.some<Expand>({x}));
  drop_where_equal(rules, "cast", x, rules.some<Cast>({x}));
  drop_where_equal(rules, "concat", x, rules.some<Concat>({x}));
  reshapes_of<Reshape>(rules);
  reshapes_of<Squeeze>(rules);
  reshapes_of<Unsqueeze>(rules);

  {
    Expr inner = rules.some<Transpose>({x}), root = rules.some<Transpose>({rules.shared(inner)});
    rules.add("join transposes", Effect::exact, root, [=](Match& match) -> ValueId {
      if (!match.type(x).dims) return absent;
      size_t rank = match.type(x).dims->size();
      auto first = full_perm(match.op<Transpose>(inner), rank),
           second = full_perm(match.op<Transpose>(root), rank);
      std::vector<int64_t> perm;
      for (int64_t axis : second) perm.push_back(first[axis]);
      return match.emit(Transpose{perm}, {match[x]});
    });
  }
  {
    Expr root = rules.some<Transpose>({x});
    rules.add(
        "drop transpose", Effect::exact, root,
        [=](Match& match) {
          if (!match.type(x).dims) return false;
          auto perm = full_perm(match.op<Transpose>(root), match.type(x).dims->size());
          return std::is_sorted(perm.begin(), perm.end());
        },
        [=](Match& match) { return match[x]; });
    // Moving axes of size 1 alone moves no element.
    rules.add("transpose as reshape", Effect::exact, root, [=](Match& match) -> ValueId {
      if (!match.type(x).dims) return absent;
      const Dims& dims = *match.type(x).dims;
      std::vector<int64_t> moved;
      for (int64_t axis : full_perm(match.op<Transpose>(root), dims.size()))
        if (!dims[axis].is_number(1)) moved.push_back(axis);
      if (!std::is_sorted(moved.begin(), moved.end())) return absent;
      return match.emit(Reshape{*match.type(root).dims, false}, {match[x]});
    });
  }
  {
    Expr root = rules.some<Slice>({x});
    rules.add(
        "drop slice", Effect::exact, root,
        [=](Match& match) {
          const auto& op = match.op<Slice>(root);
          return same_type(match, root, x) && all_numbers(op.starts, 0) &&
                 std::all_of(op.steps.begin(), op.steps.end(), [](int64_t step) { return step == 1; });
        },
        [=](Match& match) { return match[x]; });
  }
  {
    Expr inner = rules.some<Slice>({x}), root = rules.some<Slice>({rules.shared(inner)});
    rules.add("join slices", Effect::exact, root, [=](Match& match) -> ValueId {
      if (!match.type(x).dims || !only_sliced(match.graph(), match[inner])) return absent;
      size_t rank = match.type(x).dims->size();
      const auto &first = match.op<Slice>(inner), &second = match.op<Slice>(root);
      Slice joined = first;
      for (int64_t& axis : joined.axes) axis = resolve_axis(axis, rank);
      for (size_t i = 0; i < second.axes.size(); ++i) {
        int64_t axis = resolve_axis(second.axes[i], rank);
        auto place = std::find(joined.axes.begin(), joined.axes.end(), axis);
        if (place == joined.axes.end()) {
          joined.axes.push_back(axis);
          joined.starts.push_back(second.starts[i]);
          joined.sizes.push_back(second.sizes[i]);
          joined.steps.push_back(second.steps[i]);
          continue;
        }
        size_t at = place - joined.axes.begin();
        joined.starts[at] = joined.starts[at] + second.starts[i] * Dim(joined.steps[at]);
        // Where nothing is left, a start of less than 0 may come out, which formats count from the end.
        if (!joined.starts[at].at_least(0)) return absent;
        joined.sizes[at] = second.sizes[i];
        joined.steps[at] *= second.steps[i];
      }
      return match.emit(joined, {match[x]});
    });
  }
  {
    Expr root = rules.some<Pad>({x, rules.optional(rules.any())});
    rules.add(
        "drop pad", Effect::exact, root,
        [=](Match& match) {
          const auto& op = match.op<Pad>(root);
          return all_numbers(op.low, 0) && all_numbers(op.high, 0);
        },
        [=](Match& match) { return match[x]; });
  }
  {
    Expr pad = rules.some<Pad>({x, rules.optional(rules.any())}), root = rules.some<Slice>({pad});
    rules.add("slice of what is inside a pad", Effect::exact, root, [=](Match& match) -> ValueId {
      const auto& around = match.op<Pad>(pad);
      Slice op = match.op<Slice>(root);
      if (!match.type(x).dims || around.low.size() != match.type(x).dims->size()) return absent;
      const Dims& dims = *match.type(x).dims;
      for (size_t axis = 0; axis < dims.size(); ++axis) {
        if (around.low[axis].is_number(0) && around.high[axis].is_number(0)) continue;
        size_t k = 0;
        while (k < op.axes.size() && resolve_axis(op.axes[k], dims.size()) != static_cast<int64_t>(axis)) ++k;
        if (k == op.axes.size() || op.steps[k] != 1) return absent;
        op.starts[k] = op.starts[k] - around.low[axis];
        if (!op.starts[k].at_least(0) || !(dims[axis] - op.starts[k] - op.sizes[k]).at_least(0))
          return absent;
      }
      return match.emit(op, {match[x]});
    });
  }
  {
    Expr lengths = rules.any(), root = rules.some<ReverseSequence>({x, lengths});
    rules.add("reverse of whole sequences", Effect::exact, root, [=](Match& match) -> ValueId {
      const auto& dims = match.type(x).dims;
      if (!dims) return absent;
      const int64_t axis = resolve_axis(match.op<ReverseSequence>(root).time_axis, dims->size());
      const Dim& steps = (*dims)[static_cast<size_t>(axis)];
      ValueId one = match[lengths];
      while (const Node* node = match.graph().producer(one)) {
        if (!node->op.is<Expand>() && !node->op.is<Reshape>() && !node->op.is<Cast>()) break;
        one = node->inputs[0];
      }
      const Constant* constant = match.graph().constant(one);
      const auto number = constant ? splat_value(*constant) : std::nullopt;
      const bool all = number ? steps.is_number() && *number == static_cast<double>(steps.number())
                              : known_number(match.graph(), one) == steps;
      return all ? match.emit(Slice{{axis}, {steps - 1}, {steps}, {-1}}, {match[x]}) : absent;
    });
  }
  {
    Expr root = rules.some<Tile>({x});
    rules.add(
        "drop tile", Effect::exact, root,
        [=](Match& match) { return all_numbers(match.op<Tile>(root).repeats, 1); },
        [=](Match& match) { return match[x]; });
  }

  expand_into<Add>(rules, 2);
  expand_into<Sub>(rules, 2);
  expand_into<Mul>(rules, 2);
  expand_into<Div>(rules, 2);
  expand_into<Max>(rules, 2);
  expand_into<Min>(rules, 2);
  expand_into<Pow>(rules, 2);
  expand_into<And>(rules, 2);
  expand_into<Or>(rules, 2);
  expand_into<Equal>(rules, 2);
  expand_into<Less>(rules, 2);
  expand_into<LessEqual>(rules, 2);
  expand_into<Greater>(rules, 2);
  expand_into<GreaterEqual>(rules, 2);
  expand_into<Select>(rules, 3);
  concat_rules(rules);
  {
    Expr c = rules.any(), p = rules.any(), q = rules.any();
    rules.add("drop not of a condition", Effect::exact,
              rules.op(Select{}, {rules.shared(rules.op(Not{}, {c})), p, q}), rules.op(Select{}, {c, q, p}));
  }

  // The neutral element has the type of x, and does not broadcast it.
  for (Expr root : {x * 1.0, x + 0.0, x - 0.0, x / 1.0})
    drop_where_equal(rules, "neutral arithmetic", x, root);

  auto associate = [&](const char* name, Expr root, auto op) {
    const bool factors = std::is_same_v<decltype(op), Mul>;
    auto safe = [=](Match& match) { return may_be_joined(*match.constant(a), *match.constant(b), factors); };
    rules.add(name, Effect::rounding, root, safe, [=](Match& match) {
      return match.emit(op, {match[x], match.emit(op, {match[a], match[b]})});
    });
  };
  associate("join constant additions", (x + a) + b, Add{});
  associate("join constant factors", (x * a) * b, Mul{});
}

}  // namespace remodel
