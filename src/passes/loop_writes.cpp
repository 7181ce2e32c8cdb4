// Carried tensors that each step writes a slice of, and those that only repeat what another one holds.
#include <algorithm>

#include "ir/infer.h"
#include "ir/symbols.h"
#include "ops/gather.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "passes/loop_edit.h"
#include "passes/loop_rules.h"

namespace remodel {
namespace {

// A carried tensor that each step puts one slice into.
struct Written {
  ValueId item = absent;  // with the axis
  size_t axis = 0;
  StepNumber at;
};

// Elements start .. end of one axis of a tensor, the others whole; no end: all that follow.
struct Range {
  size_t axis = 0;
  StepNumber start;
  std::optional<StepNumber> end;
};

// `dims`: the sizes of the whole.
std::optional<Range> range_of(const LoopEdit& loop, ValueId value, ValueId whole, const Dims& dims) {
  const Node* node = loop.body.producer(value);
  if (!node || node->inputs[0] != whole) return std::nullopt;
  struct Cut {
    size_t axis;
    StepNumber start, end;
  };
  std::vector<Cut> cuts;
  if (const auto* slice = node->op.as<Slice>()) {
    for (size_t k = 0; k < slice->axes.size(); ++k) {
      if (slice->steps[k] != 1) return std::nullopt;
      cuts.push_back({static_cast<size_t>(resolve_axis(slice->axes[k], dims.size())),
                      {0, slice->starts[k]},
                      {0, slice->starts[k] + slice->sizes[k]}});
    }
  } else if (node->op.is<DynamicSlice>()) {
    const auto& count = loop.body.value(node->inputs[1]).type.dims;
    if (node->has(3) || node->has(4) || !count || count->size() != 1 || !(*count)[0].is_number())
      return std::nullopt;
    for (size_t k = 0; k < static_cast<size_t>((*count)[0].number()); ++k) {
      const auto start = step_number(loop, node->inputs[1], k), end = step_number(loop, node->inputs[2], k);
      if (!start || !end || start->steps < 0 || !start->rest.at_least(0) || end->steps < 0 ||
          !end->rest.at_least(0))
        return std::nullopt;  // they count from the end
      cuts.push_back({k, *start, *end});
    }
  } else {
    return std::nullopt;
  }
  std::optional<Range> found;
  for (const Cut& cut : cuts) {
    const bool to_end = cut.end.steps == 0 &&
                        ((cut.end.rest - dims[cut.axis]).at_least(0) || cut.end.rest.at_least(INT32_MAX));
    if (to_end && cut.start == StepNumber{0, 0}) continue;
    if (found) return std::nullopt;
    found = Range{cut.axis, cut.start, to_end ? std::nullopt : std::optional(cut.end)};
  }
  return found;
}

// What stands before the place, the item, what stands behind it.
Written written_between(const LoopEdit& loop, const Node& concat, ValueId list, const Dims& dims) {
  const auto before = range_of(loop, concat.inputs[0], list, dims),
             behind = range_of(loop, concat.inputs[2], list, dims);
  if (!before || !behind || before->axis != behind->axis || !before->end || behind->end) return {};
  const StepNumber at = *before->end;
  const size_t axis = before->axis;
  if (before->start != StepNumber{0, 0} || behind->start != StepNumber{at.steps, at.rest + 1}) return {};
  if (resolve_axis(concat.op.as<Concat>()->axis, dims.size()) != static_cast<int64_t>(axis)) return {};
  return {concat.inputs[1], axis, at};
}

// update_cache(list, item, place), which may see both with one axis more in front.
Written written_over(const LoopEdit& loop, const Node& update, bool lifted) {
  const Graph& body = loop.body;
  const auto& dims = body.value(update.inputs[0]).type.dims;
  const auto& item = body.value(update.inputs[1]).type.dims;
  const auto& op = *update.op.as<UpdateCache>();
  if (!dims || !item || !update.has(2) || op.mode != CacheMode::linear || !(*dims)[0].is_number(1)) return {};
  const auto axis = static_cast<size_t>(resolve_axis(op.axis, dims->size()));
  const auto at = step_number(loop, update.inputs[2]);
  if (!at || !(*item)[axis].is_number(1)) return {};
  ValueId put = update.inputs[1];
  if (lifted) {
    const Node* lift = body.producer(put);
    if (!lift || body.value(update.inputs[0]).users.size() != 1) return {};
    const Type& type = body.value(lift->inputs[0]).type;
    const bool same = (lift->op.is<Unsqueeze>() || lift->op.is<Reshape>()) && type.dims &&
                      *type.dims == Dims(item->begin() + 1, item->end());
    if (!same) return {};
    put = lift->inputs[0];
  }
  return {put, axis - lifted, *at};
}

// The node is a view of the value that only has one axis more in front.
bool is_lifted(const Graph& body, const Node& node, ValueId value) {
  const auto& inner = body.value(value).type.dims;
  if (!(node.op.is<Unsqueeze>() || node.op.is<Reshape>()) || node.inputs[0] != value || !inner) return false;
  const auto& outer = body.value(node.outputs[0]).type.dims;
  return outer && outer->size() == inner->size() + 1 && (*outer)[0].is_number(1) &&
         std::equal(inner->begin(), inner->end(), outer->begin() + 1);
}

Written written_of(const LoopEdit& loop, size_t j) {
  const Graph& body = loop.body;
  const ValueId in = loop.carried_in(j), out = loop.carried_out(j);
  const Node* last = body.producer(out);
  if (!last || body.is_output(in)) return {};
  const auto& users = body.value(in).users;
  if (last->op.is<Concat>() && last->inputs.size() == 3) {
    const auto& dims = loop.graph.value(loop.initial(j)).type.dims;
    if (!dims) return {};
    Written found = written_between(loop, *last, in, *dims);
    const bool alone = std::all_of(users.begin(), users.end(), [&](NodeId user) {
      const ValueId part = body.node(user).outputs[0];
      return (part == last->inputs[0] || part == last->inputs[2]) && body.value(part).users.size() == 1;
    });
    return alone ? found : Written{};
  }
  if (users.size() != 1) return {};
  if (last->op.is<UpdateCache>() && last->inputs[0] == in) return written_over(loop, *last, false);
  const Node* update =
      last->op.is<Squeeze>() || last->op.is<Reshape>() ? body.producer(last->inputs[0]) : nullptr;
  if (!update || !update->op.is<UpdateCache>() || body.value(last->inputs[0]).users.size() != 1) return {};
  const Node* lifted = body.producer(update->inputs[0]);
  if (!lifted || !is_lifted(body, *lifted, in)) return {};
  if (body.value(out).type.dims != body.value(in).type.dims) return {};
  return written_over(loop, *update, true);
}

// The item without its axes of size 1, where all axes before the one that is written are such.
ValueId bare_item(const Graph& body, ValueId item, size_t axis) {
  const Dims dims = *body.value(item).type.dims;
  for (size_t k = 0; k <= axis; ++k)
    if (!dims[k].is_number(1)) return absent;
  const auto long_axes = [](const Dims& all) {
    Dims found;
    for (const Dim& dim : all)
      if (!dim.is_number(1)) found.push_back(dim);
    return found;
  };
  const Dims wished = long_axes(dims);
  for (const Node* node = body.producer(item); node; node = body.producer(item)) {
    const auto& from = (node->op.is<Unsqueeze>() || node->op.is<Reshape>())
                           ? body.value(node->inputs[0]).type.dims
                           : std::nullopt;
    if (!from || long_axes(*from) != wished) break;
    item = node->inputs[0];
  }
  return body.value(item).type.dims->size() < dims.size() ? item : absent;
}

}  // namespace

size_t writes_into_stacked(Graph& graph, NodeId id) {
  LoopEdit loop(graph, id);
  const auto steps = steps_of(loop);
  if (!steps || loop.has_lengths()) return 0;
  size_t count = 0;
  for (size_t j = 0; j < static_cast<size_t>(loop.op.carried); ++j) {
    const ValueId list = loop.result(j);
    if (list == absent || !LoopEdit::is_used(graph, list)) continue;
    const Written written = written_of(loop, j);
    const auto& dims = graph.value(loop.initial(j)).type.dims;
    if (written.item == absent || !dims || !((*dims)[written.axis] == *steps)) continue;
    const bool mirrored = written.at == StepNumber{-1, *steps - 1};
    if (!mirrored && written.at != StepNumber{1, 0}) continue;
    const Dims whole = *dims;
    const std::string name = graph.value(list).name;
    const ValueId bare = bare_item(loop.body, written.item, written.axis);
    const auto axis = static_cast<int64_t>(written.axis);
    ValueId stacked;
    if (bare != absent) {
      stacked = loop.add_stacked(bare, 0, mirrored, name);
      loop.commit();
      stacked = loop.emit(Reshape{whole, false}, {stacked});
      graph.value(stacked).name = name;
    } else {
      const ValueId item = loop.emit_inside(Squeeze{{axis}}, {written.item});
      stacked = loop.add_stacked(item, axis, mirrored, name);
      loop.commit();
    }
    if (replace_value(graph, list, stacked)) infer_graph(graph);
    ++count;
  }
  return count;
}

// A carried value that no step reads is another one's view, if a step is made or both begin alike.
size_t views_of_carried(Graph& graph, NodeId id) {
  LoopEdit loop(graph, id);
  if (loop.has_lengths()) return 0;
  const bool runs = runs_once_at_least(graph, graph.node(id));
  for (size_t j = 0; j < static_cast<size_t>(loop.op.carried); ++j) {
    if (!loop.result_used(j) || LoopEdit::is_used(loop.body, loop.carried_in(j))) continue;
    const auto& dims = graph.value(loop.result(j)).type.dims;
    if (!dims) continue;
    ValueId from = loop.carried_out(j);
    for (const Node* node = loop.body.producer(from); node; node = loop.body.producer(from)) {
      if (!node->op.is<Unsqueeze>() && !node->op.is<Squeeze>() && !node->op.is<Reshape>()) break;
      from = node->inputs[0];
    }
    for (size_t k = 0; k < static_cast<size_t>(loop.op.carried); ++k) {
      if (k == j || loop.carried_out(k) != from || loop.result(k) == absent) continue;
      const Constant *a = graph.constant(loop.initial(j)), *b = graph.constant(loop.initial(k));
      const bool alike = a && b && a->dtype() == b->dtype() && splat_value(*a) &&
                         splat_value(*a) == splat_value(*b) && std::abs(*splat_value(*a)) < 0x1p53;
      if (!runs && !alike) continue;
      const ValueId view = loop.emit(Reshape{*dims, false}, {loop.result(k)});
      graph.value(view).name = graph.value(loop.result(j)).name;
      if (replace_value(graph, loop.result(j), view)) infer_graph(graph);
      return 1;
    }
  }
  return 0;
}

}  // namespace remodel
