#include "passes/layout/interface.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel::layout {
namespace {

// Looks no further than so many values away.
constexpr size_t farthest = 256;

// A value, and for each of its axes the one of the port that it is.
struct Seen {
  ValueId value;
  std::vector<int64_t> axes;
};

// Where an image comes and goes with the same axes.
bool keeps_axes(const Op& op) {
  return op.info().elementwise || op.is<Pad>() || op.is<Concat>() || op.is<Slice>();
}

std::optional<Channels> channels_of(const Op& op) {
  const Field* field = op.info().find("channels");
  if (!field || field->kind != FieldKind::choice) return std::nullopt;
  return field_as<Channels>(op.data(), *field);
}

class Search {
 public:
  Search(const Graph& graph, bool output) : graph_(graph), output_(output) {}

  // Where the port has its channels, as the nearest op over images has it.
  std::optional<Channels> from(ValueId port) {
    const auto& dims = graph_.value(port).type.dims;
    if (!dims) return std::nullopt;
    std::vector<int64_t> axes(dims->size());
    std::iota(axes.begin(), axes.end(), 0);
    add({port, axes});
    for (size_t i = 0; i < queue_.size() && i < farthest && !found_; ++i) {
      const Seen seen = queue_[i];
      if (output_) {
        if (const Node* node = graph_.producer(seen.value)) step(*node, node->inputs, seen);
      } else {
        for (NodeId user : graph_.value(seen.value).users)
          if (!found_) step(graph_.node(user), graph_.node(user).outputs, seen);
      }
    }
    return found_;
  }

 private:
  void add(Seen seen) {
    if (met_.insert(seen.value).second) queue_.push_back(std::move(seen));
  }

  void step(const Node& node, const std::vector<ValueId>& next, const Seen& seen) {
    const size_t rank = seen.axes.size();
    if (const auto channels = channels_of(node.op)) {
      if (rank < 3 || (!output_ && node.inputs[0] != seen.value)) return;
      const int64_t axis = seen.axes[channel_axis(*channels, rank)];
      if (axis == 1) found_ = Channels::first;
      if (axis == static_cast<int64_t>(rank) - 1) found_ = Channels::last;
      return;
    }
    const Transpose* transpose = node.op.as<Transpose>();
    if (!transpose && !keeps_axes(node.op)) return;
    for (ValueId value : next) {
      if (value == absent || graph_.constant(value)) continue;
      const auto& dims = graph_.value(value).type.dims;
      if (!dims || dims->size() != rank) continue;
      std::vector<int64_t> axes = seen.axes;
      for (size_t i = 0; transpose && i < rank; ++i) {
        const size_t from = transpose->perm.empty() ? rank - 1 - i : static_cast<size_t>(transpose->perm[i]);
        (output_ ? axes[from] : axes[i]) = output_ ? seen.axes[i] : seen.axes[from];
      }
      add({value, std::move(axes)});
    }
  }

  const Graph& graph_;
  bool output_;
  std::vector<Seen> queue_;
  std::set<ValueId> met_;
  std::optional<Channels> found_;
};

std::vector<int64_t> turn(Channels to, size_t rank) {
  std::vector<int64_t> perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  if (to == Channels::last)
    std::rotate(perm.begin() + 1, perm.begin() + 2, perm.end());
  else
    std::rotate(perm.begin() + 1, perm.end() - 1, perm.end());
  return perm;
}

}  // namespace

Turns turned_ports(const Graph& graph, const LayoutWishes& wishes) {
  Turns turns;
  for (const bool output : {false, true}) {
    const auto& ports = output ? graph.outputs : graph.inputs;
    const PortWishes& own = output ? wishes.outputs : wishes.inputs;
    for (size_t i = 0; i < ports.size() && !own.empty(); ++i) {
      const Type& type = graph.value(ports[i].value).type;
      if (!type.is_tensor() || !type.dims || ports[i].state != absent || graph.constant(ports[i].value))
        continue;
      const size_t rank = type.dims->size();
      const auto named = own.named.find(ports[i].name);
      std::optional<Channels> wish = rank >= 4 ? own.all : std::nullopt;
      if (named != own.named.end() && rank >= 3) wish = named->second;
      if (!wish || Search(graph, output).from(ports[i].value).value_or(wishes.usual) == *wish) continue;
      turns[{output, i}] = turn(*wish, rank);
    }
  }
  return turns;
}

}  // namespace remodel::layout
