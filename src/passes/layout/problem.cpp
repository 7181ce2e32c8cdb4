#include "passes/layout/problem.h"

#include <algorithm>
#include <numeric>

namespace remodel::layout {
namespace {

// What a transpose costs beside the bytes that it moves, in bytes: an op is never free.
constexpr int64_t op_cost = 1 << 20;
// Of two transposes the one that moves fewer axes is cheaper by this part of the whole for each.
constexpr int64_t axis_share = 64;
// A transpose before an activation is dearer by this part: it keeps the two from being one op.
constexpr int64_t apart_share = 256;
constexpr size_t most_candidates = 12;
// What a size counts for that only running finds out.
constexpr int64_t usual_size = 8;

int64_t bytes_of(const Type& type) {
  double bytes = static_cast<double>(std::max<size_t>(size_of(type.dtype), 1));
  for (const Dim& size : *type.dims) {
    std::optional<int64_t> number;
    try {
      number = size.evaluate([](std::string_view) { return usual_size; });
    } catch (const Error&) {
    }
    bytes *= static_cast<double>(std::max<int64_t>(number.value_or(usual_size), 1));
  }
  return static_cast<int64_t>(std::min(bytes, 1e12));
}

bool cut_alike(Cuts& cuts, const std::vector<Atoms>& in) {
  const Atoms* first = nullptr;
  for (const Atoms& atoms : in) {
    if (atoms.empty()) continue;
    if (!first) {
      first = &atoms;
      continue;
    }
    if (atoms.size() != first->size()) return false;
    for (size_t i = 0; i < atoms.size(); ++i)
      if (!(cuts.size(atoms[i]) == cuts.size((*first)[i]))) return false;
  }
  return true;
}

// Whether a constant's axis of that size can follow the cuts.
bool fits_constant(Cuts& cuts, const std::vector<Atoms>& in, const Dim& size) {
  Dim whole(1);
  for (const Atoms& atoms : in) {
    if (atoms.empty()) continue;
    for (Atom atom : atoms) whole = whole * cuts.size(atom);
    break;
  }
  return size.is_number(1) || whole == size;
}

Mode make_mode(Access access, const Site& site) {
  Views& views = site.views;
  Mode mode;
  mode.access = std::move(access);
  mode.source.resize(mode.access.slots.size());
  const auto& ports = mode.access.ports;
  for (size_t slot = 0; slot < mode.access.slots.size(); ++slot)
    for (int axis : mode.access.slots[slot].axes) {
      std::vector<Atoms> in(ports.size());
      size_t count = 0;
      for (size_t p = 0; p < ports.size(); ++p)
        for (const PortAxis& one : ports[p].axes)
          if (one.axis == axis) {
            in[p] = views.cuts.leaves(one.atoms);
            count = std::max(count, in[p].size());
          }
      if (count == 0) continue;
      Axis& own = mode.access.axes[axis];
      own.whole = own.whole || !cut_alike(views.cuts, in);
      for (const Port& port : ports)
        for (const PortAxis& one : port.axes)
          if (port.constant && one.axis == axis && !fits_constant(views.cuts, in, one.size)) own.whole = true;
      for (const Follower& one : mode.access.followers)
        if (one.of == axis) {
          const Type& type = site.graph.value(site.node.inputs[one.operand]).type;
          if (!fits_constant(views.cuts, in, (*type.dims)[one.axis])) own.whole = true;
        }
      for (size_t i = 0; i < (own.whole ? 1 : count); ++i) {
        Piece piece{axis, static_cast<int>(slot), {}};
        for (const Atoms& atoms : in)
          piece.in.push_back(atoms.empty() || own.whole ? atoms : Atoms{atoms[i]});
        mode.source[slot].push_back(static_cast<int>(mode.pieces.size()));
        mode.pieces.push_back(std::move(piece));
      }
    }
  return mode;
}

bool has_piece(const Mode& mode, size_t port, int piece) {
  const Port& one = mode.access.ports[port];
  if (!one.constant) return !mode.pieces[piece].in[port].empty();
  for (const PortAxis& axis : one.axes)
    if (axis.axis == mode.pieces[piece].axis) return !axis.size.is_number(1);
  return false;
}

}  // namespace

bool can_join(const Mode& mode, int a, int b) {
  int first = mode.pieces[a].axis, second = mode.pieces[b].axis;
  if (first != second && (mode.access.axes[first].named || mode.access.axes[second].named)) return false;
  for (size_t port = 0; port < mode.access.ports.size(); ++port)
    if (has_piece(mode, port, a) != has_piece(mode, port, b)) return false;
  return true;
}

std::vector<RunAxis> run_axes(const Mode& mode, int slot, const std::vector<int>& pieces, size_t most) {
  std::vector<RunAxis> axes;
  for (int piece : pieces) {
    // Pieces of one axis are numbered one after another.
    bool next = !axes.empty() && axes.back().pieces.back() + 1 == piece &&
                mode.pieces[piece].axis == axes.back().axes.back();
    if (next) {
      axes.back().pieces.push_back(piece);
    } else {
      axes.push_back({slot, {piece}, {mode.pieces[piece].axis}});
    }
  }
  for (size_t i = 0; axes.size() > most && i + 1 < axes.size();) {
    if (!can_join(mode, axes[i].pieces.back(), axes[i + 1].pieces.front())) {
      ++i;
      continue;
    }
    RunAxis& one = axes[i];
    const RunAxis& other = axes[i + 1];
    one.pieces.insert(one.pieces.end(), other.pieces.begin(), other.pieces.end());
    for (int axis : other.axes)
      if (std::find(one.axes.begin(), one.axes.end(), axis) == one.axes.end()) one.axes.push_back(axis);
    axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  return axes;
}

std::vector<Atoms> runs(const Atoms& from, const Atoms& to) {
  std::map<Atom, Atom> after;
  for (size_t i = 0; i + 1 < to.size(); ++i) after[to[i]] = to[i + 1];
  std::vector<Atoms> result;
  for (Atom atom : from) {
    auto next = result.empty() ? after.end() : after.find(result.back().back());
    if (next != after.end() && next->second == atom)
      result.back().push_back(atom);
    else
      result.push_back({atom});
  }
  return result;
}

std::vector<Atoms> steps(const Atoms& from, const Atoms& to, size_t rank) {
  std::vector<Atoms> result;
  Atoms now = from;
  while (now != to) {
    std::vector<Atoms> parts = runs(now, to);
    if (parts.size() <= std::max<size_t>(rank, 3)) {
      result.push_back(to);
      return result;
    }
    // As many of the first axes as a transpose can move find their place, what is between them stays.
    std::vector<Atoms> wanted;
    for (size_t i = 0; i < to.size();)
      for (const Atoms& part : parts)
        if (part[0] == to[i]) {
          wanted.push_back(part);
          i += part.size();
          break;
        }
    Atoms best;
    for (size_t count = wanted.size() - 1; count > 0 && best.empty(); --count) {
      Atoms next;
      for (size_t i = 0; i < count; ++i) next.insert(next.end(), wanted[i].begin(), wanted[i].end());
      for (const Atoms& part : parts)
        if (std::find(next.begin(), next.end(), part[0]) == next.end())
          next.insert(next.end(), part.begin(), part.end());
      if (next != now && runs(now, next).size() <= rank) best = std::move(next);
    }
    if (best.empty()) {
      // Moving one axis to its place takes at most four.
      size_t i = 0;
      while (parts[i] == wanted[i]) ++i;
      for (size_t k = 0; k < i; ++k) best.insert(best.end(), wanted[k].begin(), wanted[k].end());
      best.insert(best.end(), wanted[i].begin(), wanted[i].end());
      for (size_t k = i; k < parts.size(); ++k)
        if (parts[k] != wanted[i]) best.insert(best.end(), parts[k].begin(), parts[k].end());
    }
    result.push_back(best);
    now = std::move(best);
  }
  return result;
}

Problem::Problem(Graph& graph, const LayoutTarget& target, Turns turns)
    : turned(std::move(turns)),
      graph_(graph),
      target_(target),
      views_(graph),
      group_of_(graph.value_count(), -1) {
  const std::vector<NodeId> order = graph.order();
  for (const remodel::Port& port : graph.inputs) views_.add_root(port.value);
  std::map<NodeId, std::vector<Access>> found;
  for (NodeId id : order) {
    const Node& node = graph.node(id);
    views_.add(node);
    if (!views_.is_view(node)) found[id] = accesses({graph, node, target, views_});
  }
  // A stack's parts may be stacks themselves, so cuts go back some steps.
  for (bool changed = true; changed;) {
    changed = false;
    for (auto place = order.rbegin(); place != order.rend(); ++place)
      if (found.count(*place) && tie_stacks({graph, graph.node(*place), target, views_})) changed = true;
  }
  for (size_t i = 0; i < graph.inputs.size(); ++i) add_interface(false, i);
  for (NodeId id : order) {
    if (!found.count(id)) continue;
    Unit unit;
    unit.id = id;
    std::vector<Access>& all = found[id];
    const Site site{graph, graph.node(id), target, views_};
    add_stacks(site, all);
    for (Access& access : all) unit.modes.push_back(make_mode(std::move(access), site));
    units.push_back(std::move(unit));
    add_unit(id);
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) add_interface(true, i);
  for (Group& group : groups)
    if (group.readers.size() == 1 && is_activation(units[group.readers[0].node]))
      group.weight += group.weight / apart_share;
}

bool Problem::is_activation(const Unit& unit) const {
  if (unit.id == absent || !graph_.node(unit.id).op.info().elementwise) return false;
  return std::count_if(unit.ports.begin(), unit.ports.end(),
                       [](const PortUse& use) { return use.group >= 0 && !use.result; }) == 1;
}

int Problem::need_group(ValueId value) {
  if (!views_.tracked(value)) return -1;
  ValueId tensor = views_.tensor(value);
  if (group_of_[tensor] < 0) {
    group_of_[tensor] = static_cast<int>(groups.size());
    Group& group = groups.emplace_back();
    group.tensor = tensor;
    group.weight = bytes_of(graph_.value(tensor).type) + op_cost;
  }
  return group_of_[tensor];
}

OrderId Problem::order(int group, const Atoms& atoms) {
  Group& one = groups[group];
  auto [place, fresh] = one.numbers.try_emplace(atoms, static_cast<OrderId>(one.orders.size()));
  if (fresh) one.orders.push_back(atoms);
  return place->second;
}

void Problem::add_unit(NodeId id) {
  const int number = static_cast<int>(units.size()) - 1;
  Unit& unit = units.back();
  const Node& node = graph_.node(id);
  auto add_port = [&](bool result, size_t index, ValueId value) {
    int group = need_group(value);
    PortUse use{value, group, result, index, -1};
    if (group >= 0) {
      use.source = order(group, views_.order(value));
      Place place{number, static_cast<int>(unit.ports.size())};
      if (result)
        groups[group].producer = place;
      else
        groups[group].readers.push_back(place);
    }
    unit.ports.push_back(use);
  };
  auto listed = [&](bool result, size_t index) {
    if (!unit.modes.empty())
      for (const Port& port : unit.modes[0].access.ports)
        if (port.result == result && port.index == index) return true;
    return false;
  };
  if (!unit.modes.empty())
    for (const Port& port : unit.modes[0].access.ports) add_port(port.result, port.index, port.value);
  // What the access does not list stays in the source's order.
  for (bool result : {false, true}) {
    const auto& values = result ? node.outputs : node.inputs;
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] == absent || listed(result, i)) continue;
      add_port(result, i, values[i]);
      for (Mode& mode : unit.modes) {
        Port port;
        port.result = result, port.index = i, port.value = values[i], port.fixed = true;
        port.constant = unit.ports.back().group < 0;
        mode.access.ports.push_back(port);
        for (Piece& piece : mode.pieces) piece.in.emplace_back();
      }
    }
  }
  if (unit.modes.empty()) {
    for (const PortUse& use : unit.ports)
      unit.candidate.orders.push_back(use.group < 0 ? std::vector<OrderId>{} : std::vector{use.source});
    return;
  }
  auto first = natural(unit, 0);
  // An op that cannot run in the source's order for its number of axes alone is left as it is.
  if (first) {
    unit.candidate = std::move(*first);
  } else {
    unit.modes.clear();
    for (const PortUse& use : unit.ports)
      unit.candidate.orders.push_back(use.group < 0 ? std::vector<OrderId>{} : std::vector{use.source});
  }
}

void Problem::add_interface(bool output, size_t index) {
  const remodel::Port& port = output ? graph_.outputs[index] : graph_.inputs[index];
  int group = need_group(port.value);
  Unit unit;
  unit.at = index;
  PortUse use{port.value, group, !output, index, -1};
  if (group < 0) return;
  Atoms atoms = views_.order(port.value);
  const auto& axes = views_.axes(port.value);
  if (auto turn = turned.find({output, index}); turn != turned.end()) {
    atoms.clear();
    for (int64_t axis : turn->second)
      for (Atom atom : axes[static_cast<size_t>(axis)]) views_.cuts.leaves(atom, atoms);
  }
  use.source = order(group, views_.order(port.value));
  unit.ports.push_back(use);
  unit.candidate.orders = {{order(group, atoms)}};
  Place place{static_cast<int>(units.size()), 0};
  if (output)
    groups[group].readers.push_back(place);
  else
    groups[group].producer = place;
  units.push_back(std::move(unit));
}

size_t Problem::most_axes(const Mode& mode, int slot) const {
  size_t most = target_.op_rank;
  // Those of operand 0 that are no matter of choice.
  size_t joined = 0;
  for (const Port& port : mode.access.ports)
    if (!port.result && port.index == 0 && !port.fixed)
      for (int other : port.arrangements[0]) {
        const Slot& one = mode.access.slots[other];
        joined += one.joined && std::any_of(port.axes.begin(), port.axes.end(), [&](const PortAxis& axis) {
                    return std::find(one.axes.begin(), one.axes.end(), axis.axis) != one.axes.end();
                  });
      }
  most -= std::min(most, joined);
  return std::max(most, mode.access.slots[slot].axes.size());
}

bool Problem::complete(const Unit& unit, Candidate& candidate) {
  const Mode& mode = unit.modes[candidate.mode];
  for (size_t slot = 0; slot < candidate.slots.size(); ++slot) {
    if (mode.access.slots[slot].joined) continue;
    if (candidate.slots[slot] == mode.source[slot]) continue;
    const int number = static_cast<int>(slot);
    if (run_axes(mode, number, candidate.slots[slot], 0).size() > most_axes(mode, number)) return false;
  }
  candidate.orders.clear();
  for (size_t p = 0; p < unit.ports.size(); ++p) {
    std::vector<OrderId>& orders = candidate.orders.emplace_back();
    const Port& port = mode.access.ports[p];
    const PortUse& use = unit.ports[p];
    if (use.group < 0) continue;
    if (port.fixed) {
      orders.push_back(use.source);
      continue;
    }
    for (const auto& arrangement : port.arrangements) {
      Atoms atoms;
      for (int slot : arrangement)
        for (int piece : candidate.slots[slot])
          atoms.insert(atoms.end(), mode.pieces[piece].in[p].begin(), mode.pieces[piece].in[p].end());
      orders.push_back(order(use.group, atoms));
    }
  }
  return true;
}

std::optional<Candidate> Problem::natural(const Unit& unit, int mode) {
  Candidate candidate;
  candidate.mode = mode;
  candidate.slots = unit.modes[mode].source;
  return complete(unit, candidate) ? std::optional(candidate) : std::nullopt;
}

namespace {

// The pieces that the port has, in the order's sequence; nullopt where it cuts a piece.
std::optional<std::vector<int>> pieces_of(const Mode& mode, size_t port, const Atoms& order) {
  std::vector<int> result;
  size_t at = 0;
  while (at < order.size()) {
    int found = -1;
    for (size_t i = 0; i < mode.pieces.size() && found < 0; ++i) {
      const Atoms& atoms = mode.pieces[i].in[port];
      if (!atoms.empty() && atoms[0] == order[at]) found = static_cast<int>(i);
    }
    if (found < 0) return std::nullopt;
    const Atoms& atoms = mode.pieces[found].in[port];
    if (at + atoms.size() > order.size() ||
        !std::equal(atoms.begin(), atoms.end(), order.begin() + static_cast<std::ptrdiff_t>(at)))
      return std::nullopt;
    result.push_back(found);
    at += atoms.size();
  }
  return result;
}

using Sequence = std::vector<int>;

// Where pieces that the port lacks may stand: beside what they follow in the source or now; one alone at
// every place.
std::vector<Sequence> completed(const Sequence& present, const Sequence& source, const Sequence& now) {
  Sequence missing;
  for (int piece : source)
    if (std::find(present.begin(), present.end(), piece) == present.end()) missing.push_back(piece);
  if (missing.empty()) return {present};
  std::vector<Sequence> result;
  auto add = [&](Sequence one) {
    if (std::find(result.begin(), result.end(), one) == result.end()) result.push_back(std::move(one));
  };
  for (const Sequence* model : {&now, &source}) {
    Sequence one = present;
    for (size_t i = 0; i < model->size(); ++i) {
      int piece = (*model)[i];
      if (std::find(one.begin(), one.end(), piece) != one.end()) continue;
      auto place = i == 0 ? one.begin() : std::find(one.begin(), one.end(), (*model)[i - 1]) + 1;
      one.insert(place, piece);
    }
    add(one);
  }
  for (size_t i = 0; i <= present.size(); ++i) {
    if (missing.size() > 1 && i != 0 && i != present.size()) continue;
    Sequence one = present;
    one.insert(one.begin() + static_cast<std::ptrdiff_t>(i), missing.begin(), missing.end());
    add(one);
  }
  return result;
}

}  // namespace

std::vector<Candidate> Problem::fit(int number, int port, OrderId wanted) {
  const Unit& unit = units[number];
  std::vector<Candidate> result;
  if (unit.modes.empty() || unit.ports[port].group < 0) return result;
  const Atoms atoms = groups[unit.ports[port].group].orders[wanted];
  for (size_t m = 0; m < unit.modes.size(); ++m) {
    const Mode& mode = unit.modes[m];
    const Port& own = mode.access.ports[port];
    if (own.fixed) return result;
    auto pieces = pieces_of(mode, static_cast<size_t>(port), atoms);
    if (!pieces) continue;
    const auto& now = unit.candidate.mode == static_cast<int>(m) ? unit.candidate.slots : mode.source;
    for (const auto& arrangement : own.arrangements) {
      std::vector<Sequence> present(mode.source.size());
      size_t at = 0;
      for (int slot : arrangement)
        while (at < pieces->size() && mode.pieces[(*pieces)[at]].slot == slot)
          present[slot].push_back((*pieces)[at++]);
      if (at != pieces->size()) continue;
      std::vector<std::vector<Sequence>> choices{{}};
      for (size_t slot = 0; slot < present.size(); ++slot) {
        std::vector<Sequence> options = present[slot].empty()
                                            ? std::vector<Sequence>{now[slot]}
                                            : completed(present[slot], mode.source[slot], now[slot]);
        std::vector<std::vector<Sequence>> longer;
        for (const auto& choice : choices)
          for (const Sequence& option : options) {
            if (longer.size() >= most_candidates) break;
            longer.push_back(choice);
            longer.back().push_back(option);
          }
        choices = std::move(longer);
      }
      for (auto& choice : choices) {
        if (result.size() >= most_candidates) return result;
        Candidate candidate;
        candidate.mode = static_cast<int>(m);
        candidate.slots = std::move(choice);
        if (complete(unit, candidate)) result.push_back(std::move(candidate));
      }
    }
  }
  return result;
}

std::vector<OrderId> Problem::needed(const Group& group) const {
  const OrderId has = given(group);
  std::vector<OrderId> result;
  auto served = [&](const std::vector<OrderId>& accepted) {
    return std::any_of(accepted.begin(), accepted.end(), [&](OrderId order) {
      return order == has || std::find(result.begin(), result.end(), order) != result.end();
    });
  };
  // Readers that take one order only come first: others may share it.
  for (bool several : {false, true})
    for (const Place& reader : group.readers) {
      const auto& accepted = units[reader.node].candidate.orders[reader.port];
      if ((accepted.size() > 1) == several && !served(accepted)) result.push_back(accepted[0]);
    }
  return result;
}

int64_t Problem::transpose_cost(Group& group, OrderId from, OrderId to) {
  auto [place, fresh] = group.costs.try_emplace({from, to}, 0);
  if (!fresh) return place->second;
  const Atoms* now = &group.orders[from];
  const std::vector<Atoms> way = steps(*now, group.orders[to], target_.transpose_rank);
  for (const Atoms& next : way) {
    place->second += group.weight + group.weight / axis_share * static_cast<int64_t>(runs(*now, next).size());
    now = &next;
  }
  return place->second;
}

int64_t Problem::cost(int number) {
  Group& group = groups[number];
  int64_t sum = 0;
  const OrderId has = given(group);
  for (OrderId order : needed(group)) sum += transpose_cost(group, has, order);
  return sum;
}

}  // namespace remodel::layout
