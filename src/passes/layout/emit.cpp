#include "passes/layout/emit.h"

#include <algorithm>

#include "ir/infer.h"
#include "ops/shape.h"
#include "passes/layout/forms.h"

namespace remodel::layout {
namespace {

class Emission {
 public:
  Emission(Problem& problem, LayoutReport& report)
      : problem_(problem), graph_(problem.graph()), forms_(problem, report) {}

  void run() {
    // What readers need is asked before anything changes.
    for (const Group& group : problem_.groups) {
      std::vector<OrderId>& orders = wanted_.emplace_back(problem_.needed(group));
      orders.insert(orders.begin(), problem_.given(group));
    }
    for (size_t i = 0; i < problem_.units.size(); ++i) {
      const Unit& unit = problem_.units[i];
      if (unit.id == absent)
        unit.ports[0].result ? input(unit) : output(static_cast<int>(i));
      else if (unit.modes.empty())
        unchanged(static_cast<int>(i));
      else
        node(static_cast<int>(i));
    }
  }

 private:
  Shaped turned(const Unit& unit, bool output) {
    Shaped axes = forms_.source(unit.ports[0].value);
    auto place = problem_.turned.find({output, unit.at});
    if (place == problem_.turned.end()) return axes;
    Shaped result;
    for (int64_t axis : place->second) result.push_back(axes[static_cast<size_t>(axis)]);
    return result;
  }

  void input(const Unit& unit) {
    Shaped axes = turned(unit, false);
    Type& type = graph_.value(unit.ports[0].value).type;
    type.dims = forms_.sizes(axes);
    auto place = problem_.turned.find({false, unit.at});
    if (place != problem_.turned.end() && type.grid && type.grid->axis >= 0) {
      auto grid = std::make_shared<Grid>(*type.grid);
      grid->axis = std::find(place->second.begin(), place->second.end(), grid->axis) - place->second.begin();
      type.grid = std::move(grid);
    }
    forms_.add(unit.ports[0].group, unit.ports[0].value, axes);
  }

  void output(int number) {
    const Unit& unit = problem_.units[number];
    ValueId value = forms_.get({number, 0}, unit.candidate.orders[0][0], turned(unit, true));
    graph_.outputs[unit.at].value = value;
  }

  void set_input(NodeId id, size_t index, ValueId value) {
    if (graph_.node(id).inputs[index] != value) graph_.set_input(id, index, value);
  }

  void unchanged(int number) {
    const Unit& unit = problem_.units[number];
    for (size_t p = 0; p < unit.ports.size(); ++p) {
      const PortUse& use = unit.ports[p];
      if (use.group < 0) continue;
      if (use.result)
        forms_.add(use.group, use.value, forms_.source(use.value));
      else
        set_input(unit.id, use.index,
                  forms_.get({number, static_cast<int>(p)}, use.source, forms_.source(use.value)));
    }
  }

  // The arrangement that a port comes in: one that is there anyway.
  size_t arrangement(const Unit& unit, const Mode& mode, size_t p) {
    const Port& port = mode.access.ports[p];
    if (port.fixed) return 0;
    const auto& accepted = unit.candidate.orders[p];
    if (!port.constant) {
      for (OrderId order : wanted_[unit.ports[p].group]) {
        auto place = std::find(accepted.begin(), accepted.end(), order);
        if (place != accepted.end()) return static_cast<size_t>(place - accepted.begin());
      }
      return 0;
    }
    for (size_t i = 0; i < port.arrangements.size(); ++i)
      if (in_source_order(mode, port, port.arrangements[i])) return i;
    return 0;
  }

  static bool in_source_order(const Mode& mode, const Port& port, const std::vector<int>& arrangement) {
    std::vector<int> source, now;
    for (const PortAxis& axis : port.axes)
      if (source.empty() || source.back() != axis.axis) source.push_back(axis.axis);
    for (int slot : arrangement)
      for (int axis : mode.access.slots[slot].axes)
        if (std::find(source.begin(), source.end(), axis) != source.end()) now.push_back(axis);
    return source == now;
  }

  // Whether the op can run as the source has it.
  bool as_in_source(const Unit& unit, const Mode& mode, const std::vector<size_t>& arrangements) const {
    if (mode.access.kind != Access::Kind::plain || unit.candidate.slots != mode.source) return false;
    for (size_t p = 0; p < unit.ports.size(); ++p) {
      const Port& port = mode.access.ports[p];
      if (port.fixed) continue;
      if (!in_source_order(mode, port, port.arrangements[arrangements[p]])) return false;
      if (!port.constant && unit.candidate.orders[p][arrangements[p]] != unit.ports[p].source) return false;
    }
    return true;
  }

  using Axes = std::vector<RunAxis>;

  // The axes of all slots, slot by slot.
  struct Layout {
    std::vector<Axes> slots;
    bool source = false;  // just as the source has it
  };

  static bool takes(const Port& port, const RunAxis& axis, bool flexible) {
    if (flexible && (port.broadcasts || axis.axes.empty())) return true;
    return std::any_of(port.axes.begin(), port.axes.end(), [&](const PortAxis& one) {
      return std::find(axis.axes.begin(), axis.axes.end(), one.axis) != axis.axes.end();
    });
  }

  // The op's axes that the port has, in its arrangement.
  static Axes port_axes(const Mode& mode, const Layout& layout, size_t p, size_t arrangement) {
    const Port& port = mode.access.ports[p];
    Axes result;
    for (int slot : port.arrangements[arrangement])
      for (const RunAxis& axis : layout.slots[slot])
        if (takes(port, axis, !mode.access.slots[slot].joined)) result.push_back(axis);
    return result;
  }

  Shaped shaped(const Mode& mode, const Axes& axes, size_t p) const {
    Shaped result;
    for (const RunAxis& axis : axes) {
      Atoms& atoms = result.emplace_back();
      for (int piece : axis.pieces)
        atoms.insert(atoms.end(), mode.pieces[piece].in[p].begin(), mode.pieces[piece].in[p].end());
    }
    return result;
  }

  // The axes as the op has them, as far as the order allows; those of size 1 stay after what they follow.
  Axes usual_axes(const Mode& mode, int slot, const std::vector<int>& pieces) const {
    const Slot& own = mode.access.slots[slot];
    if (own.joined) {
      // Ports with one of several axes each share the place.
      return {{slot, pieces, own.axes}};
    }
    Axes axes = run_axes(mode, slot, pieces, problem_.most_axes(mode, slot));
    int before = -1;
    for (int axis : own.axes) {
      bool there = std::any_of(axes.begin(), axes.end(), [&](const RunAxis& one) {
        return std::find(one.axes.begin(), one.axes.end(), axis) != one.axes.end();
      });
      if (!there) {
        auto place = axes.begin();
        if (before >= 0)
          for (auto at = axes.begin(); at != axes.end(); ++at)
            if (std::find(at->axes.begin(), at->axes.end(), before) != at->axes.end()) place = at + 1;
        axes.insert(place, {slot, {}, {axis}});
      }
      before = axis;
    }
    return axes;
  }

  // The axes of the flexible slot as a form has them that an operand comes in; none where the op cannot run
  // so.
  std::optional<Axes> adopted(const Unit& unit, const Mode& mode, size_t p, size_t arrangement,
                              const Shaped& form) const {
    const Port& port = mode.access.ports[p];
    const auto& slots = port.arrangements[arrangement];
    int flexible = -1;
    size_t joined = 0;
    for (int slot : slots)
      if (!mode.access.slots[slot].joined)
        flexible = slot;
      else if (takes(port, {slot, {}, mode.access.slots[slot].axes}, false))
        ++joined;
    if (flexible < 0 || slots[0] != flexible || form.size() < joined) return std::nullopt;
    const std::vector<int>& pieces = unit.candidate.slots[flexible];
    Axes axes;
    size_t next = 0;
    for (size_t i = 0; i + joined < form.size(); ++i) {
      RunAxis axis{flexible, {}, {}};
      for (size_t at = 0; at < form[i].size();) {
        // Pieces that the port lacks stand for themselves.
        while (next < pieces.size() && mode.pieces[pieces[next]].in[p].empty()) {
          if (!axis.pieces.empty()) return std::nullopt;
          axes.push_back({flexible, {pieces[next]}, {mode.pieces[pieces[next]].axis}});
          ++next;
        }
        if (next == pieces.size()) return std::nullopt;
        const int piece = pieces[next++];
        const Atoms& atoms = mode.pieces[piece].in[p];
        if (at + atoms.size() > form[i].size() ||
            !std::equal(atoms.begin(), atoms.end(), form[i].begin() + static_cast<std::ptrdiff_t>(at)))
          return std::nullopt;
        at += atoms.size();
        if (!axis.pieces.empty() && !can_join(mode, axis.pieces.back(), piece)) return std::nullopt;
        axis.pieces.push_back(piece);
        const int of = mode.pieces[piece].axis;
        if (axis.axes.empty() || axis.axes.back() != of) axis.axes.push_back(of);
      }
      axes.push_back(std::move(axis));
    }
    for (; next < pieces.size(); ++next) {
      if (!mode.pieces[pieces[next]].in[p].empty()) return std::nullopt;
      axes.push_back({flexible, {pieces[next]}, {mode.pieces[pieces[next]].axis}});
    }
    // Neighbours of a joined axis are one axis for the op's fields as well.
    for (const RunAxis& axis : axes)
      if (axis.axes.size() > 1)
        for (int one : axis.axes)
          if (mode.access.axes[one].named) return std::nullopt;
    if (axes.size() > problem_.most_axes(mode, flexible)) return std::nullopt;
    return axes;
  }

  // How many operands come in another form.
  int misfits(const Unit& unit, const Mode& mode, const Layout& layout,
              const std::vector<size_t>& arrangements) {
    int count = 0;
    for (size_t p = 0; p < unit.ports.size(); ++p) {
      const PortUse& use = unit.ports[p];
      const Port& port = mode.access.ports[p];
      if (use.group < 0 || use.result || port.fixed) continue;
      OrderId order = unit.candidate.orders[p][arrangements[p]];
      if (!forms_.first(use.group, order)) continue;
      if (!forms_.has(use.group, order, axes_of(use, mode, layout, p, arrangements[p]))) ++count;
    }
    return count;
  }

  Shaped axes_of(const PortUse& use, const Mode& mode, const Layout& layout, size_t p, size_t arrangement) {
    if (layout.source) return forms_.source(use.value);
    return shaped(mode, port_axes(mode, layout, p, arrangement), p);
  }

  Layout choose(const Unit& unit, const Mode& mode, const std::vector<size_t>& arrangements) {
    std::vector<Layout> options;
    Layout usual;
    usual.source = as_in_source(unit, mode, arrangements);
    int flexible = -1;
    for (size_t slot = 0; slot < mode.source.size(); ++slot) {
      usual.slots.push_back(usual_axes(mode, static_cast<int>(slot), unit.candidate.slots[slot]));
      if (!mode.access.slots[slot].joined) flexible = static_cast<int>(slot);
    }
    options.push_back(usual);
    for (size_t p = 0; flexible >= 0 && p < unit.ports.size(); ++p) {
      const PortUse& use = unit.ports[p];
      if (use.group < 0 || use.result || mode.access.ports[p].fixed) continue;
      const Shaped* form = forms_.first(use.group, unit.candidate.orders[p][arrangements[p]]);
      if (!form) continue;
      auto axes = adopted(unit, mode, p, arrangements[p], *form);
      if (!axes) continue;
      Layout option = usual;
      option.source = false;
      option.slots[flexible] = std::move(*axes);
      options.push_back(std::move(option));
    }
    size_t best = 0;
    int least = misfits(unit, mode, options[0], arrangements);
    for (size_t i = 1; i < options.size() && least > 0; ++i)
      if (int count = misfits(unit, mode, options[i], arrangements); count < least) best = i, least = count;
    return options[best];
  }

  // Of pieces that are together an axis of a constant.
  std::vector<int64_t> piece_sizes(const Mode& mode, const std::vector<int>& pieces, const Dim& all) {
    if (pieces.size() <= 1) return {all.number()};
    std::vector<int64_t> sizes;
    for (int piece : pieces)
      for (const Atoms& atoms : mode.pieces[piece].in)
        if (!atoms.empty()) {
          sizes.push_back(problem_.views().cuts.size(atoms[0]).number());
          break;
        }
    return sizes;
  }

  std::vector<int> own_pieces(const Mode& mode, int axis, const std::vector<int>& order) const {
    std::vector<int> result;
    for (int piece : order)
      if (mode.pieces[piece].axis == axis) result.push_back(piece);
    return result;
  }

  // A constant with its axes where the op has them.
  ValueId constant(const Mode& mode, const Port& port, const Axes& axes) {
    const ConstantPtr from = graph_.value(port.value).constant;
    Shape apart;
    std::vector<int> pieces;
    for (const PortAxis& one : port.axes) {
      if (one.size.is_number(1)) continue;
      std::vector<int> own;
      for (const auto& slot : mode.source)
        for (int piece : slot)
          if (mode.pieces[piece].axis == one.axis) own.push_back(piece);
      for (int64_t size : piece_sizes(mode, own, one.size)) apart.push_back(size);
      pieces.insert(pieces.end(), own.begin(), own.end());
    }
    std::vector<int64_t> perm;
    Shape shape;
    for (const RunAxis& axis : axes) {
      int64_t size = 1;
      for (int piece : axis.pieces) {
        auto place = std::find(pieces.begin(), pieces.end(), piece);
        if (place == pieces.end()) continue;
        perm.push_back(place - pieces.begin());
        size *= apart[static_cast<size_t>(perm.back())];
      }
      shape.push_back(size);
    }
    // Broadcasting needs no axes of size 1 in front.
    for (const RunAxis& axis : axes) {
      if (!port.broadcasts || mode.access.slots[axis.slot].joined || shape.front() != 1) break;
      shape.erase(shape.begin());
    }
    if (std::is_sorted(perm.begin(), perm.end()) && shape == from->shape()) return port.value;
    return graph_.add_constant(from->reshaped(apart)->permuted(perm)->reshaped(shape),
                               graph_.value(port.value).name);
  }

  // A constant whose axis follows the order of the op's axis.
  void follow(const Unit& unit, const Mode& mode, const Follower& one) {
    const int slot = [&] {
      for (size_t i = 0; i < mode.access.slots.size(); ++i)
        if (std::count(mode.access.slots[i].axes.begin(), mode.access.slots[i].axes.end(), one.of))
          return static_cast<int>(i);
      return 0;
    }();
    std::vector<int> now = own_pieces(mode, one.of, unit.candidate.slots[slot]);
    std::vector<int> source = own_pieces(mode, one.of, mode.source[slot]);
    if (now == source) return;
    const ValueId value = graph_.node(unit.id).inputs[one.operand];
    const ConstantPtr from = graph_.value(value).constant;
    Shape apart;
    std::vector<int64_t> perm;
    for (size_t axis = 0; axis < from->shape().size(); ++axis) {
      const auto first = static_cast<int64_t>(apart.size());
      if (axis != one.axis) {
        perm.push_back(first);
        apart.push_back(from->shape()[axis]);
        continue;
      }
      for (int64_t size : piece_sizes(mode, source, Dim(from->shape()[axis]))) apart.push_back(size);
      for (int piece : now)
        perm.push_back(first + (std::find(source.begin(), source.end(), piece) - source.begin()));
    }
    set_input(unit.id, one.operand,
              graph_.add_constant(from->reshaped(apart)->permuted(perm)->reshaped(from->shape()),
                                  graph_.value(value).name));
  }

  ValueId emit(Op op, ValueId operand, const Origin& origin) {
    NodeId id = graph_.add_node(std::move(op), {operand}, {""}, origin);
    return graph_.node(id).outputs[0];
  }

  void node(int number) {
    const Unit& unit = problem_.units[number];
    const Mode& mode = unit.modes[unit.candidate.mode];
    const Access& access = mode.access;
    std::vector<size_t> arrangements;
    for (size_t p = 0; p < unit.ports.size(); ++p) arrangements.push_back(arrangement(unit, mode, p));
    const Layout layout = choose(unit, mode, arrangements);

    Placement placement;
    placement.at.resize(access.axes.size());
    placement.arrangement = arrangements;
    placement.rank = 0;
    std::vector<Shaped> results(unit.ports.size());
    int64_t& part = placement.part;
    for (size_t p = 0; p < unit.ports.size(); ++p) {
      const PortUse& use = unit.ports[p];
      const Port& port = access.ports[p];
      if (port.fixed) {
        if (use.group < 0) continue;
        if (use.result)
          results[p] = forms_.source(use.value);
        else
          set_input(unit.id, use.index,
                    forms_.get({number, static_cast<int>(p)}, use.source, forms_.source(use.value)));
        continue;
      }
      const Axes axes = port_axes(mode, layout, p, arrangements[p]);
      if (use.result) {
        results[p] = axes_of(use, mode, layout, p, arrangements[p]);
        placement.results.push_back(forms_.sizes(results[p]));
      } else if (port.constant) {
        if (!layout.source) set_input(unit.id, use.index, constant(mode, port, axes));
      } else {
        set_input(unit.id, use.index,
                  forms_.get({number, static_cast<int>(p)}, unit.candidate.orders[p][arrangements[p]],
                             axes_of(use, mode, layout, p, arrangements[p])));
      }
      if (!use.result && use.index == 0) {
        placement.rank = axes.size();
        for (size_t i = 0; i < axes.size(); ++i)
          for (int axis : axes[i].axes) placement.at[axis].push_back(static_cast<int64_t>(i));
      }
    }
    for (const Follower& one : access.followers) follow(unit, mode, one);
    if (access.kind == Access::Kind::stack || access.kind == Access::Kind::unstack) {
      const Axes& axes = layout.slots[0];
      const int of_part = static_cast<int>(access.axes.size()) - 1;
      while (std::find(axes[part].axes.begin(), axes[part].axes.end(), of_part) == axes[part].axes.end())
        ++part;
    }
    if (!layout.source) rewrite(unit, mode, placement);
    const bool unstacks = access.kind == Access::Kind::unstack;
    for (size_t p = 0; unstacks && p < unit.ports.size(); ++p)
      if (unit.ports[p].result) results[p].insert(results[p].begin() + part, Atoms{});
    infer(unit, results);
    const Origin origin = graph_.node(unit.id).origin;
    for (size_t p = 0; p < unit.ports.size(); ++p) {
      const PortUse& use = unit.ports[p];
      if (!use.result || use.group < 0) continue;
      if (unstacks) {
        Shaped without = results[p];
        without.erase(without.begin() + part);
        forms_.add(use.group, emit(Squeeze{{part}}, use.value, origin), without);
      }
      forms_.add(use.group, use.value, results[p]);
    }
  }

  void rewrite(const Unit& unit, const Mode& mode, const Placement& placement) {
    const Op op = graph_.node(unit.id).op;
    const Access& access = mode.access;
    if (access.kind == Access::Kind::stack) {
      const Origin origin = graph_.node(unit.id).origin;
      for (size_t i = 0; i < graph_.node(unit.id).inputs.size(); ++i)
        set_input(unit.id, i, emit(Unsqueeze{{placement.part}}, graph_.node(unit.id).inputs[i], origin));
    }
    if (access.kind == Access::Kind::swapped) {
      const ValueId left = graph_.node(unit.id).inputs[0], right = graph_.node(unit.id).inputs[1];
      set_input(unit.id, 0, right);
      set_input(unit.id, 1, left);
    }
    size_t rank = 0;
    for (const Port& port : access.ports)
      if (!port.result && port.index == 0) rank = port.axes.size();
    graph_.set_op(unit.id, access.rewrite ? access.rewrite(op, placement) : move_axes(op, placement, rank));
  }

  // The sizes are those that the source's types say, its symbols included.
  void infer(const Unit& unit, const std::vector<Shaped>& results) {
    infer_node(graph_, unit.id);
    for (size_t p = 0; p < unit.ports.size(); ++p)
      if (unit.ports[p].result && unit.ports[p].group >= 0)
        graph_.value(unit.ports[p].value).type.dims = forms_.sizes(results[p]);
  }

  Problem& problem_;
  Graph& graph_;
  Forms forms_;
  std::vector<std::vector<OrderId>> wanted_;  // of each group: what is given, then what is needed
};

}  // namespace

void emit(Problem& problem, LayoutReport& report) { Emission(problem, report).run(); }

}  // namespace remodel::layout
