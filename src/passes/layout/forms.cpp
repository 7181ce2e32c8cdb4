#include "passes/layout/forms.h"

#include <algorithm>
#include <numeric>

#include "ir/layer.h"
#include "ops/shape.h"
#include "passes/layout/cause.h"

namespace remodel::layout {
namespace {

Atoms flat(const Shaped& axes) {
  Atoms atoms;
  for (const Atoms& axis : axes) atoms.insert(atoms.end(), axis.begin(), axis.end());
  return atoms;
}

// Whether each axis stands together in the order.
bool together(const Shaped& axes, const Atoms& order) {
  for (const Atoms& axis : axes) {
    if (axis.empty()) continue;
    auto place = std::find(order.begin(), order.end(), axis[0]);
    if (order.end() - place < static_cast<std::ptrdiff_t>(axis.size()) ||
        !std::equal(axis.begin(), axis.end(), place))
      return false;
  }
  return true;
}

// The axes as the order has them; those of size 1 stay after what they follow.
Shaped in_order(const Shaped& axes, const Atoms& order) {
  Shaped result;
  std::vector<const Atoms*> named;
  for (const Atoms& axis : axes)
    if (!axis.empty()) named.push_back(&axis);
  std::sort(named.begin(), named.end(), [&](const Atoms* a, const Atoms* b) {
    return std::find(order.begin(), order.end(), (*a)[0]) < std::find(order.begin(), order.end(), (*b)[0]);
  });
  size_t leading = 0;
  while (leading < axes.size() && axes[leading].empty()) ++leading;
  for (size_t i = 0; i < leading; ++i) result.emplace_back();
  for (const Atoms* axis : named) {
    result.push_back(*axis);
    auto place = std::find(axes.begin(), axes.end(), *axis) + 1;
    for (; place != axes.end() && place->empty(); ++place) result.emplace_back();
  }
  return result;
}

bool same_but_ones(const Shaped& a, const Shaped& b) {
  Shaped left = a, right = b;
  auto by_value = [](Shaped& axes) { std::erase_if(axes, [](const Atoms& axis) { return axis.empty(); }); };
  if (left.size() != right.size()) return false;
  by_value(left), by_value(right);
  return left == right;
}

// Where each axis of `to` comes from; those of size 1 in order.
std::vector<int64_t> perm_of(const Shaped& from, const Shaped& to) {
  std::vector<int64_t> perm;
  std::vector<bool> used(from.size(), false);
  for (const Atoms& axis : to)
    for (size_t i = 0; i < from.size(); ++i)
      if (!used[i] && from[i] == axis) {
        used[i] = true;
        perm.push_back(static_cast<int64_t>(i));
        break;
      }
  return perm;
}

}  // namespace

Dims Forms::sizes(const Shaped& axes) {
  Dims result;
  for (const Atoms& axis : axes) {
    Dim size(1);
    for (Atom atom : axis) size = size * problem_.views().cuts.size(atom);
    result.push_back(std::move(size));
  }
  return result;
}

Shaped Forms::source(ValueId value) {
  Shaped axes;
  for (const Atoms& axis : problem_.views().axes(value)) axes.push_back(problem_.views().cuts.leaves(axis));
  return axes;
}

void Forms::add(int group, ValueId value, Shaped axes) {
  OrderId order = problem_.order(group, flat(axes));
  forms_[{group, order}].push_back({value, std::move(axes)});
}

bool Forms::has(int group, OrderId order, const Shaped& axes) const {
  auto place = forms_.find({group, order});
  return place != forms_.end() && std::any_of(place->second.begin(), place->second.end(),
                                              [&](const Form& form) { return form.axes == axes; });
}

const Shaped* Forms::first(int group, OrderId order) const {
  auto place = forms_.find({group, order});
  return place == forms_.end() ? nullptr : &place->second.front().axes;
}

ValueId Forms::reshaped(const Form& form, const Shaped& axes, const Origin& origin) {
  if (form.axes == axes) return form.value;
  Graph& graph = problem_.graph();
  NodeId id = graph.add_node(Reshape{sizes(axes), false}, {form.value}, {""}, origin);
  return graph.node(id).outputs[0];
}

Forms::Form Forms::transposed(const Form& form, const Atoms& to, const Shaped* wanted, const Origin& origin) {
  const size_t limit = problem_.target().transpose_rank;
  const Atoms from = flat(form.axes);
  Shaped start, end;
  if (form.axes.size() <= limit && together(form.axes, to)) {
    start = form.axes, end = in_order(form.axes, to);
    if (wanted && same_but_ones(*wanted, end)) end = *wanted;
  }
  if (wanted && end != *wanted && wanted->size() <= limit && together(*wanted, from))
    start = in_order(*wanted, from), end = *wanted;
  if (start.empty()) start = runs(from, to), end = in_order(start, to);
  ValueId value = reshaped(form, start, origin);
  Graph& graph = problem_.graph();
  NodeId id = graph.add_node(Transpose{perm_of(start, end)}, {value}, {""}, origin);
  return {graph.node(id).outputs[0], end};
}

ValueId Forms::get(const Place& reader, OrderId order, const Shaped& axes) {
  const Unit& unit = problem_.units[reader.node];
  const PortUse& use = unit.ports[reader.port];
  Graph& graph = problem_.graph();
  const Node* producer = graph.producer(use.value);
  const bool is_view = producer && problem_.views().is_view(*producer);
  Origin origin;
  if (producer && (is_view || unit.id == absent))
    origin = producer->origin;
  else if (unit.id != absent)
    origin = graph.node(unit.id).origin;

  std::vector<Form>& forms = forms_[{use.group, order}];
  for (const Form& form : forms)
    if (form.axes == axes) return form.value;
  if (forms.empty()) {
    const OrderId has = problem_.given(problem_.groups[use.group]);
    Form form = forms_.at({use.group, has}).front();
    const std::vector<Atoms> way =
        steps(flat(form.axes), problem_.groups[use.group].orders[order], problem_.target().transpose_rank);
    for (const Atoms& step : way) {
      form = transposed(form, step, &step == &way.back() ? &axes : nullptr, origin);
      note(reader, has, order, form.value);
    }
    forms_[{use.group, order}].push_back(std::move(form));
  }
  std::vector<Form>& all = forms_[{use.group, order}];
  ValueId value = reshaped(all.front(), axes, origin);
  if (value != all.front().value) all.push_back({value, axes});
  // It takes the name of the source's view, which goes.
  if (graph.value(value).name.empty() && is_view && axes == source(use.value))
    graph.value(value).name = graph.value(use.value).name;
  return value;
}

std::string Forms::text(int group, OrderId order) {
  Shaped axes;
  for (Atom atom : problem_.groups[group].orders[order]) axes.push_back({atom});
  return text_of(sizes(axes));
}

void Forms::note(const Place& reader, OrderId from, OrderId to, ValueId value) {
  const Unit& unit = problem_.units[reader.node];
  const PortUse& use = unit.ports[reader.port];
  const Place producer = problem_.groups[use.group].producer;
  const Unit& giver = problem_.units[producer.node];
  const Graph& graph = problem_.graph();
  auto name = [&](const Unit& one, bool output) {
    if (one.id != absent) return layer_text(graph.node(one.id));
    const auto& ports = output ? graph.outputs : graph.inputs;
    return fmt::format("{} '{}'", output ? "output" : "input", ports[one.at].name);
  };
  LayoutReport::Transpose one;
  one.cause = cause_of(problem_, reader);
  one.from = name(giver, false), one.to = name(unit, true);
  one.why =
      fmt::format("{} comes as {} and is needed as {}", graph.value(problem_.groups[use.group].tensor).name,
                  text(use.group, from), text(use.group, to));
  one.value = value;
  report_.transposes.push_back(std::move(one));
}

}  // namespace remodel::layout
