#include "ops/control.h"

#include <set>

#include "ir/infer.h"
#include "ir/symbols.h"

namespace remodel {
namespace {

bool same_content(const std::shared_ptr<const Content>& a, const std::optional<Content>& b) {
  if (!a || !b) return !a && !b;
  if (a->size() != b->size()) return false;
  for (size_t i = 0; i < a->size(); ++i)
    if (!((*a)[i].over == (*b)[i].over) || !((*a)[i].under == (*b)[i].under)) return false;
  return true;
}

// Gives a body's input a type and contents; true where they differ from what was there.
bool set_input(Graph& body, size_t i, const Type& type, const std::optional<Content>& content) {
  Value& value = body.value(body.inputs[i].value);
  if (same_shape_and_dtype(value.type, type) && same_grid(value.type, type) &&
      same_content(value.content, content))
    return false;
  value.type = type;
  value.content = content ? std::make_shared<const Content>(*content) : nullptr;
  return true;
}

bool set_captured(Infer& in, size_t operand, Graph& body, size_t i) {
  return set_input(body, i, in.in(operand), in.content(operand));
}

// Symbols that mean something only inside a body: born there, and different at each step.
class InnerSymbols {
 public:
  explicit InnerSymbols(Infer& in) : in_(in) {}

  bool in_dim(const Dim& dim) {
    for (const std::string& symbol : dim.symbols())
      if (is_inner(symbol)) return true;
    return false;
  }

 private:
  bool is_inner(const std::string& symbol) {
    if (symbol[0] != '_') return false;
    if (!known_) {
      known_.emplace();
      auto note = [&](const std::string& name) { known_->insert(name); };
      for (size_t i = 0; i < in_.count(); ++i) {
        if (!in_.has(i)) continue;
        for_each_symbol(in_.in(i), note);
        if (auto content = in_.content(i)) for_each_symbol(*content, note);
      }
    }
    if (known_->count(symbol)) return false;
    // A size of the graph around may stand in an attribute inside without any operand that has it.
    if (!outside_) {
      outside_.emplace();
      const Graph& graph = in_.graph();
      std::set<ValueId> own(in_.node().outputs.begin(), in_.node().outputs.end());
      for (ValueId id = 0; id < static_cast<ValueId>(graph.value_count()); ++id)
        if (!own.count(id))
          for_each_symbol(graph.value(id).type, [&](const std::string& s) { outside_->insert(s); });
    }
    return !outside_->count(symbol);
  }

  Infer& in_;
  std::optional<std::set<std::string>> known_, outside_;
};

// The type of a body's result as it is outside: inner symbols become sizes that only running finds out.
Type outside(Infer& in, InnerSymbols& inner, Type type, size_t k) {
  if (!type.is_tensor()) {
    if (!type.element) return type;
    Type element = *type.element;
    if (element.dims)
      for (Dim& dim : *element.dims)
        if (inner.in_dim(dim)) dim = any_size();
    type.element = std::make_shared<const Type>(element);
    return type;
  }
  if (type.dims)
    for (size_t axis = 0; axis < type.dims->size(); ++axis)
      if (inner.in_dim((*type.dims)[axis])) (*type.dims)[axis] = in.fresh(k, axis);
  return type;
}

// Rows of `type` along the axis are as many as there are lengths.
void check_rows(const Infer& in, const Type& type, int64_t axis) {
  if (axis < 0) return;
  if (!type.is_tensor()) fail("{} has no rows", type.text());
  if (!type.dims) return;
  const Dim& rows = (*type.dims)[static_cast<size_t>(resolve_axis(axis, type.dims->size()))];
  const Dims* lengths = in.dims(Loop::lengths);
  if (lengths && rows.is_number() && (*lengths)[0].is_number() && !(rows == (*lengths)[0]))
    fail("{} lengths for the rows of {}", (*lengths)[0].text(), type.text());
}

const Type& output_type(const Graph& body, size_t k) { return body.value(body.outputs[k].value).type; }

void need_condition(const Type& type, const char* what) {
  if (!type.is_tensor() || (type.dtype != DType::boolean && type.dtype != DType::unknown))
    fail("{} must be a bool, but is {}", what, type.text());
  auto known = type.dims ? numbers(*type.dims) : std::nullopt;
  if (known && count_of(*known) != 1) fail("{} must be one bool, but is {}", what, type.text());
}

}  // namespace

void Foreign::infer(Infer& in) const {
  for (size_t k = 0; k < in.outputs(); ++k) {
    ValueId output = in.node().outputs[k];
    // What the file declares of it stays.
    if (output != absent) in.out(k, in.graph().value(output).type);
  }
}

void If::infer(Infer& in) const {
  need_condition(in.in(0), "the condition");
  if (!then_body || !else_body) fail("a body is missing");
  std::vector<Type> results(in.outputs());
  for (size_t side = 0; side < 2; ++side) {
    Graph& body = side == 0 ? *then_body : *else_body;
    if (body.inputs.size() + 1 != in.count())
      fail("the bodies take {} values, but {} are given", body.inputs.size(), in.count() - 1);
    if (body.outputs.size() < in.outputs())
      fail("a body has {} results, but {} are asked for", body.outputs.size(), in.outputs());
    bool changed = false;
    for (size_t i = 0; i < body.inputs.size(); ++i) changed = set_captured(in, i + 1, body, i) || changed;
    if (changed) infer_graph(body);
    InnerSymbols inner(in);
    for (size_t k = 0; k < results.size(); ++k) {
      const Type& type = output_type(body, k);
      if (side == 0)
        results[k] = outside(in, inner, type, k);
      else
        results[k] =
            join(results[k], outside(in, inner, type, k), [&](size_t axis) { return in.fresh(k, axis); });
    }
  }
  for (size_t k = 0; k < results.size(); ++k) in.out(k, results[k]);
}

void Loop::infer(Infer& in) const {
  if (!body) fail("the body is missing");
  Graph& inner = *body;
  size_t stacked = stack_axes.size(), steps = step_axes.size();
  if (carried < 0 || in.count() < first_invariant()) fail("operands are missing");
  if (step_reversed.size() != steps || stack_reversed.size() != stacked)
    fail("axes and directions differ in number");
  if (inner.inputs.size() != body_invariant() + in.count() - first_invariant())
    fail("the body takes {} values, but {} are given", inner.inputs.size(),
         body_invariant() + in.count() - first_invariant());
  if (inner.outputs.size() != body_stacked() + stacked)
    fail("the body gives {} values, but {} are asked for", inner.outputs.size(), body_stacked() + stacked);
  if (in.has(0) && in.in(0).dtype != DType::unknown && !is_integer(in.in(0).dtype))
    fail("the count must be an integer, but is {}", in.in(0).text());
  if (in.has(1)) need_condition(in.in(1), "the condition");
  if (in.has(lengths)) {
    in.need_rank(lengths, 1);
    in.need_dtype(lengths, is_integer, "integers");
  }
  if (carried_rows.size() != (in.has(lengths) ? static_cast<size_t>(carried) : 0) ||
      stack_rows.size() != (in.has(lengths) ? stacked : 0))
    fail("rows are named for {} carried values and {} stacked results", carried_rows.size(),
         stack_rows.size());

  bool changed = false;
  if (takes_step) changed = set_input(inner, 0, Type(DType::i64, Dims{}), std::nullopt);
  std::optional<Dim> length;
  for (size_t j = 0; j < steps; ++j) {
    Type type = in.in(first_step() + j);
    if (!type.is_tensor()) fail("step input {} is not a tensor", j);
    if (type.dims) {
      int64_t axis = resolve_axis(step_axes[j], type.dims->size());
      const Dim& size = (*type.dims)[axis];
      if (length && length->is_number() && size.is_number() && !(*length == size))
        fail("step inputs have {} and {} steps", length->text(), size.text());
      if (!length || size.is_number()) length = size;
      type.dims->erase(type.dims->begin() + axis);
    }
    if (type.grid && type.grid->axis >= 0) type.grid = nullptr;
    changed = set_input(inner, body_step() + j, type, std::nullopt) || changed;
  }
  for (size_t i = first_invariant(); i < in.count(); ++i)
    changed = set_captured(in, i, inner, body_invariant() + i - first_invariant()) || changed;

  // A carried type holds the first value and what the body gives. Each size changes at most once, to a symbol
  // of the body's own, so this ends.
  std::vector<Type> first(carried);
  for (size_t j = 0; j < first.size(); ++j) first[j] = in.in(first_carried + j);
  auto widen = [&](size_t j, const Type& with) {
    Value& value = inner.value(inner.inputs[body_carried() + j].value);
    const Type& start = first[j];
    Type wider = join(value.type, with, [&](size_t axis) -> Dim {
      const Dim& present = (*value.type.dims)[axis];
      std::string_view symbol = present.symbol_name();
      bool own = !symbol.empty() && symbol[0] == '_' && start.dims && start.dims->size() > axis &&
                 !((*start.dims)[axis] == present);
      return own ? present : Dim::symbol(inner.fresh_symbol());
    });
    // Contents of carried values change.
    bool differs = !same_shape_and_dtype(value.type, wider) || !same_grid(value.type, wider) || value.content;
    value.type = wider;
    value.content = nullptr;
    return differs;
  };
  for (size_t j = 0; j < first.size(); ++j) changed = widen(j, first[j]) || changed;
  for (;;) {
    if (changed) infer_graph(inner);
    changed = false;
    for (size_t j = 0; j < first.size(); ++j)
      changed = widen(j, output_type(inner, body_next() + j)) || changed;
    if (!changed) break;
  }
  if (gives_condition) need_condition(output_type(inner, 0), "the body's condition");
  for (size_t j = 0; j < carried_rows.size(); ++j)
    check_rows(in, output_type(inner, body_next() + j), carried_rows[j]);
  for (size_t j = 0; j < stack_rows.size(); ++j)
    check_rows(in, output_type(inner, body_stacked() + j), stack_rows[j]);

  InnerSymbols symbols(in);
  for (size_t j = 0; j < first.size(); ++j) {
    Type type = inner.value(inner.inputs[body_carried() + j].value).type;
    // A value that may be missing at first is there after the steps.
    const Type& last = output_type(inner, body_next() + j);
    if (type.kind == Type::optional && last.kind != Type::optional) type = last;
    if (type.is_tensor() && type.dims && first[j].has_rank(type.dims->size()))
      for (size_t axis = 0; axis < type.dims->size(); ++axis)
        if (!((*type.dims)[axis] == (*first[j].dims)[axis])) (*type.dims)[axis] = in.fresh(j, axis);
    in.out(j, outside(in, symbols, type, j));
  }
  if (!stacked) return;
  std::optional<Dim> trips = length;
  auto limit = in.has(0) ? in.sizes(0) : std::optional(Dims{count});
  if (limit && limit->size() == 1 && !(*limit)[0].is_number(-1)) {
    Dim most = (*limit)[0].at_least(0) ? (*limit)[0] : max((*limit)[0], 0);
    trips = trips ? min(*trips, most) : most;
  } else if (in.has(0)) {
    trips = std::nullopt;
  }
  if (in.has(1) || gives_condition) trips = std::nullopt;
  for (size_t j = 0; j < stacked; ++j) {
    size_t k = first_stacked() + j;
    Type type = output_type(inner, body_stacked() + j);
    if (!type.is_tensor()) fail("result {} is stacked, but is no tensor", k);
    if (type.grid && type.grid->axis >= 0) type.grid = nullptr;
    if (type.dims) {
      int64_t axis = resolve_axis(stack_axes[j], type.dims->size() + 1);
      for (size_t a = 0; a < type.dims->size(); ++a)
        if (symbols.in_dim((*type.dims)[a]))
          (*type.dims)[a] = in.fresh(k, a + (a >= static_cast<size_t>(axis)));
      type.dims->insert(type.dims->begin() + axis, trips ? *trips : in.fresh(k, axis));
    }
    in.out(k, type);
  }
}

}  // namespace remodel
