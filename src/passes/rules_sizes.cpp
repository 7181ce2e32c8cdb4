// Operands whose contents inference knows become attributes, so that shape arithmetic leaves the graph. Each
// takes an operand from a node and none gives one back.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "ir/infer.h"
#include "ir/symbols.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "passes/optimise.h"

namespace remodel {
namespace {

// What the operand holds, where every size that only running finds out is one of x's own: then x brings it.
std::optional<Dims> known(Match& match, Expr x, ValueId operand) {
  if (operand == absent) return std::nullopt;
  Node probe;
  probe.inputs = {operand};
  auto sizes = Infer(match.graph(), probe).sizes(0);
  if (!sizes) return std::nullopt;
  std::set<std::string> brought;
  for_each_symbol(match.type(x), [&](const std::string& symbol) { brought.insert(symbol); });
  for (const Dim& size : *sizes)
    for (const std::string& symbol : size.symbols())
      if (symbol[0] == '_' && !brought.count(symbol)) return std::nullopt;
  return sizes;
}

template <class T>
void sizes_of(Rules& rules, Dims T::*field) {
  Expr x = rules.any(), sizes = rules.any();
  Expr root = rules.some<T>({x, sizes});
  rules.add("size into attribute", Effect::exact, root, [=](Match& match) -> ValueId {
    T op = match.op<T>(root);
    auto found = known(match, x, match[sizes]);
    if (!found || !match.type(x).dims) return absent;
    op.*field = *found;
    return match.emit(op, {match[x]});
  });
}

template <class T>
void axes_of(Rules& rules) {
  Expr x = rules.any(), axes = rules.any();
  Expr root = rules.some<T>({x, axes});
  rules.add("axes into attribute", Effect::exact, root, [=](Match& match) -> ValueId {
    auto found = known(match, x, match[axes]);
    auto fixed = found ? numbers(*found) : std::nullopt;
    if (!fixed || !match.type(root).dims) return absent;
    return match.emit(T{*fixed}, {match[x]});
  });
}

void slices(Rules& rules) {
  Expr x = rules.any(), starts = rules.any(), ends = rules.any(), axes = rules.optional(rules.any()),
       steps = rules.optional(rules.any());
  Expr root = rules.some<DynamicSlice>({x, starts, ends, axes, steps});
  rules.add("slice into attributes", Effect::exact, root, [=](Match& match) -> ValueId {
    const auto& dims = match.type(x).dims;
    auto from = known(match, x, match[starts]), to = known(match, x, match[ends]);
    if (!dims || !from || !to || from->size() != to->size()) return absent;
    auto all = [&](Expr operand, auto usual) -> std::optional<std::vector<int64_t>> {
      if (match.has(operand)) {
        auto found = known(match, x, match[operand]);
        return found ? numbers(*found) : std::nullopt;
      }
      std::vector<int64_t> made;
      for (size_t i = 0; i < from->size(); ++i) made.push_back(usual(i));
      return made;
    };
    auto at = all(axes, [](size_t i) { return static_cast<int64_t>(i); });
    auto by = all(steps, [](size_t) { return int64_t{1}; });
    if (!at || !by || at->size() != from->size() || by->size() != from->size()) return absent;
    Slice slice;
    for (size_t i = 0; i < from->size(); ++i) {
      int64_t axis = resolve_axis((*at)[i], dims->size());
      auto span = resolve_slice((*dims)[static_cast<size_t>(axis)], (*from)[i], (*to)[i], (*by)[i]);
      if (!span) return absent;
      slice.axes.push_back(axis);
      slice.starts.push_back(span->start);
      slice.sizes.push_back(span->size);
      slice.steps.push_back((*by)[i]);
    }
    return match.emit(slice, {match[x]});
  });
}

}  // namespace

void size_rules(Rules& rules) {
  {
    Expr x = rules.any(), shape = rules.any();
    Expr root = rules.some<Reshape>({x, shape});
    rules.add("size into attribute", Effect::exact, root, [=](Match& match) -> ValueId {
      auto found = known(match, x, match[shape]);
      auto to = found ? resolve_reshape(match.type(x).dims, *found, match.op<Reshape>(root).allow_zero)
                      : std::nullopt;
      return to ? match.emit(Reshape{*to, false}, {match[x]}) : absent;
    });
  }
  sizes_of(rules, &Tile::repeats);
  {
    // The operand may have a size of 1 where x has another, the attribute may not.
    Expr x = rules.any(), shape = rules.any();
    Expr root = rules.some<Expand>({x, shape});
    rules.add("size into attribute", Effect::exact, root, [=](Match& match) -> ValueId {
      const auto& to = match.type(root).dims;
      if (!to || !known(match, x, match[shape])) return absent;
      auto of_x = [&](const Dim& size) {
        auto symbols = size.symbols();
        return std::none_of(symbols.begin(), symbols.end(), [](const auto& name) { return name[0] == '_'; });
      };
      return std::all_of(to->begin(), to->end(), of_x) ? match.emit(Expand{*to}, {match[x]}) : absent;
    });
  }
  axes_of<Squeeze>(rules);
  axes_of<Unsqueeze>(rules);
  slices(rules);
}

}  // namespace remodel
