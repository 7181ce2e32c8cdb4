// Equal parts of an axis: the axis is two, which part and inside of it, and the first may stand anywhere.
#include <algorithm>

#include "ops/slice.h"
#include "passes/layout/access_build.h"

namespace remodel::layout {
namespace {

struct Stacked {
  ValueId whole;
  std::vector<ValueId> parts;  // of a slice: the only one that it takes
  size_t axis;
  int64_t count;       // of parts in the whole
  int64_t taken = 0;   // by a slice
  Dim size;            // of each part
  Atoms outer, inner;  // of the whole's axis: which part, and inside of it; none where it is not cut so
};

// Which of how many equal parts a slice takes.
bool takes_part(const Slice& slice, const Dim& whole, Stacked& found) {
  auto count = exact_div(whole, slice.sizes[0]), taken = exact_div(slice.starts[0], slice.sizes[0]);
  if (!count || !taken || !count->is_number() || !taken->is_number() || slice.steps[0] != 1) return false;
  found.count = count->number(), found.taken = taken->number();
  return true;
}

std::optional<Stacked> stacked(const Site& site) {
  const Node& node = site.node;
  const Concat* join = node.op.as<Concat>();
  const Split* cut = node.op.as<Split>();
  const Slice* slice = node.op.as<Slice>();
  if ((!join && !cut && !slice) || (cut && node.has(1)) || (slice && slice->axes.size() != 1))
    return std::nullopt;
  Stacked found;
  found.whole = join ? node.outputs[0] : node.inputs[0];
  found.parts = join ? node.inputs : node.outputs;
  found.count = static_cast<int64_t>(found.parts.size());
  Views& views = site.views;
  if (!views.tracked(found.whole)) return std::nullopt;
  const size_t rank = views.axes(found.whole).size();
  found.axis = static_cast<size_t>(resolve_axis(join ? join->axis : cut ? cut->axis : slice->axes[0], rank));
  const Dims& dims = *site.graph.value(found.whole).type.dims;
  if (slice && !takes_part(*slice, dims[found.axis], found)) return std::nullopt;
  if (found.count < 2) return std::nullopt;
  for (ValueId part : found.parts) {
    if (!views.tracked(part) || views.axes(part).size() != rank) return std::nullopt;
    const Dim& own = (*site.graph.value(part).type.dims)[found.axis];
    if (own.is_number(1) || (part != found.parts[0] && !(found.size == own))) return std::nullopt;
    found.size = own;
  }
  Dim left(found.count);
  for (Atom atom : views.cuts.leaves(views.axes(found.whole)[found.axis])) {
    if (left.is_number(1)) {
      found.inner.push_back(atom);
      continue;
    }
    auto rest = exact_div(left, views.cuts.size(atom));
    if (!rest) break;
    left = *rest;
    found.outer.push_back(atom);
  }
  if (!left.is_number(1)) found.outer.clear(), found.inner.clear();
  return found;
}

}  // namespace

bool tie_stacks(const Site& site) {
  auto found = stacked(site);
  if (!found) return false;
  Cuts& cuts = site.views.cuts;
  bool changed = false;
  if (found->inner.empty()) {
    // Where a part is cut inside, it is worth to cut the whole into parts.
    bool cut = std::any_of(found->parts.begin(), found->parts.end(), [&](ValueId part) {
      return cuts.leaves(site.views.axes(part)[found->axis]).size() > 1;
    });
    if (!cut || !cuts.cut(site.views.axes(found->whole)[found->axis], {Dim(found->count), found->size}))
      return false;
    found = stacked(site);
    if (!found || found->inner.empty()) return false;
    changed = true;
  }
  size_t before = cuts.leaves(found->inner).size();
  for (ValueId part : found->parts) {
    const Atoms& own = site.views.axes(part)[found->axis];
    size_t had = cuts.leaves(own).size();
    cuts.tie(found->inner, own);
    changed = changed || cuts.leaves(own).size() != had;
  }
  return changed || cuts.leaves(found->inner).size() != before;
}

void add_stacks(const Site& site, std::vector<Access>& accesses) {
  if (!site.target.packs || accesses.empty()) return;
  auto found = stacked(site);
  if (!found || found->inner.empty()) return;
  const bool joins = site.node.op.is<Concat>();
  Build build(site);
  std::vector<int> axes = build.axes(site.views.axes(found->whole).size());
  int part = build.axis();
  build.cut(part);
  auto whole = [&](Port* port) {
    auto place = port->axes.begin() + static_cast<std::ptrdiff_t>(found->axis);
    place->atoms = found->inner, place->size = found->size;
    port->axes.insert(place, {part, found->outer, Dim(found->count)});
  };
  if (!joins) whole(build.operand(0, axes));
  for (size_t i = 0; i < found->parts.size(); ++i) joins ? build.operand(i, axes) : build.result(i, axes);
  if (joins) whole(build.result(0, axes));
  build.made.kind = joins ? Access::Kind::stack : Access::Kind::unstack;
  build.made.rewrite = [taken = found->taken](const Op& op, const Placement& placement) -> Op {
    if (op.is<Concat>()) return Concat{placement.part};
    if (op.is<Slice>()) return Slice{{placement.part}, {taken}, {1}, {1}};
    return Split{placement.part, Dims(placement.results.size(), Dim(1))};
  };
  for (Access& one : build.done()) accesses.push_back(std::move(one));
}

}  // namespace remodel::layout
