#include "passes/layout/access.h"

#include <algorithm>

#include "ops/activation.h"
#include "ops/conv.h"
#include "ops/gather.h"
#include "ops/matmul.h"
#include "ops/normalize.h"
#include "ops/pool.h"
#include "ops/quantize.h"
#include "ops/reduce.h"
#include "ops/resize.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/sort.h"
#include "passes/layout/access_build.h"
#include "passes/op_table.h"

namespace remodel::layout {
namespace {

using Accesses = std::vector<Access>;

std::vector<int64_t> resolved(const std::vector<int64_t>& axes, size_t rank) {
  std::vector<int64_t> result;
  for (int64_t axis : axes) result.push_back(resolve_axis(axis, rank));
  return result;
}

Accesses elementwise(const Site& site) {
  Build build(site);
  const Dims* to = build.result_dims();
  if (!to) return {};
  std::vector<int> axes = build.axes(to->size());
  for (size_t i = 0; i < site.node.inputs.size(); ++i) {
    if (!site.node.has(i)) continue;
    const Dims* dims = build.dims(i);
    if (!dims || dims->size() > axes.size()) return {};
    if (Port* port = build.operand(i, {axes.end() - static_cast<std::ptrdiff_t>(dims->size()), axes.end()}))
      port->broadcasts = true;
  }
  build.result(0, axes);
  return build.done();
}

// Operand 0 and all results over the same axes.
struct Same : Build {
  explicit Same(const Site& site) : Build(site) {
    if (const Dims* dims = this->dims(0)) {
      axes = Build::axes(dims->size());
      operand(0, axes);
    } else {
      known = false;
    }
  }
  Accesses same(size_t results = 1) {
    if (!known) return {};
    for (size_t k = 0; k < std::min(results, site.node.outputs.size()); ++k) result(k, axes);
    return done();
  }
  int at(int64_t axis) const { return axes[static_cast<size_t>(resolve_axis(axis, axes.size()))]; }
  // All but one stand before it.
  void last(int axis) {
    std::vector<int> others;
    for (int one : axes)
      if (one != axis) others.push_back(one);
    slot(others, false);
    slot({axis}, true);
  }
  std::vector<int> axes;
  bool known = true;
};

Accesses unchanged(const Site& site) { return Same(site).same(); }

template <class T>
Accesses softmax(const Site& site) {
  Same build(site);
  if (!build.known) return {};
  int axis = build.at(build.op<T>().axis);
  build.name(axis);
  if (!site.target.softmax_last || std::is_same_v<T, Hardmax>) build.cut(axis);
  if (site.target.softmax_last) build.last(axis);
  return build.same();
}

template <class T>
Accesses along_axis(const Site& site) {
  Same build(site);
  if (!build.known) return {};
  build.cut(build.at(build.op<T>().axis));
  return build.same(2);
}

Accesses lp_norm(const Site& site) {
  Same build(site);
  const auto& axes = build.op<LpNorm>().axes;
  if (!build.known || axes.size() != 1) return {};
  build.cut(build.at(axes[0]));
  if (site.target.softmax_last) build.last(build.at(axes[0]));
  return build.same();
}

// The statistics of layer norms run over the last axes.
template <class T>
Accesses layer_norm(const Site& site) {
  Same build(site);
  if (!build.known) return {};
  std::vector<int> normal;
  for (int64_t axis : build.op<T>().axes) normal.push_back(build.at(axis));
  std::vector<int> others;
  for (int axis : build.axes)
    if (std::find(normal.begin(), normal.end(), axis) == normal.end()) others.push_back(axis);
  build.slot(others, false);
  for (int axis : normal) build.cut(axis), build.slot({axis}, true);
  return build.same(3);
}

Accesses batch_norm(const Site& site) {
  Same build(site);
  if (!build.known) return {};
  build.cut(build.at(build.op<BatchNorm>().axis));
  return build.same();
}

// Ops that take operand 0 over some axes, which go from the result or stay as size 1.
Accesses reducing(const Site& site, const std::vector<int64_t>& over, bool keep, bool whole) {
  Same build(site);
  if (!build.known || over.empty()) return {};
  std::vector<int> gone;
  for (int64_t axis : over) {
    int one = build.at(axis);
    gone.push_back(one);
    if (!(*build.dims(0))[static_cast<size_t>(resolve_axis(axis, build.axes.size()))].is_number(1))
      whole ? build.cut(one) : build.name(one);
  }
  if (std::none_of(gone.begin(), gone.end(), [&](int axis) { return build.made.axes[axis].named; }))
    return {};
  std::vector<int> left;
  for (int axis : build.axes)
    if (keep || std::find(gone.begin(), gone.end(), axis) == gone.end()) left.push_back(axis);
  build.result(0, left);
  return build.done();
}

Accesses reduce(const Site& site) {
  const auto& op = *site.node.op.as<Reduce>();
  return site.node.has(1) ? Accesses{} : reducing(site, op.axes, op.keep, false);
}

template <class T>
Accesses arg(const Site& site) {
  const auto& op = *site.node.op.as<T>();
  return reducing(site, {op.axis}, op.keep, true);
}

Accesses cumulate(const Site& site) { return site.node.has(1) ? Accesses{} : along_axis<Cumulate>(site); }

Accesses concat(const Site& site) {
  Build build(site);
  const Dims* to = build.result_dims();
  if (!to) return {};
  std::vector<int> axes = build.axes(to->size());
  build.cut(axes[static_cast<size_t>(resolve_axis(build.op<Concat>().axis, axes.size()))]);
  for (size_t i = 0; i < site.node.inputs.size(); ++i) build.operand(i, axes);
  build.result(0, axes);
  return build.done();
}

Accesses split(const Site& site) {
  Same build(site);
  if (!build.known || site.node.has(1)) return {};
  build.cut(build.at(build.op<Split>().axis));
  return build.same(site.node.outputs.size());
}

Accesses slice(const Site& site) {
  Same build(site);
  if (!build.known) return {};
  for (int64_t axis : build.op<Slice>().axes) build.cut(build.at(axis));
  return build.same();
}

// A size for each axis: those of the source, where they now stand; `otherwise` for new axes of size 1.
Dims moved(const Dims& sizes, const Placement& placement, const Dim& otherwise) {
  Dims result(placement.rank, otherwise);
  for (size_t axis = 0; axis < sizes.size(); ++axis)
    for (int64_t place : placement.at[axis]) result[static_cast<size_t>(place)] = sizes[axis];
  return result;
}

Accesses pad(const Site& site) {
  Same build(site);
  if (!build.known || site.node.has(2) || site.node.has(3)) return {};
  const auto& op = build.op<Pad>();
  for (size_t axis = 0; axis < build.axes.size(); ++axis)
    if (!op.low[axis].is_number(0) || !op.high[axis].is_number(0)) build.cut(build.axes[axis]);
  build.made.rewrite = [](const Op& op, const Placement& placement) -> Op {
    Pad pad = *op.as<Pad>();
    pad.low = moved(pad.low, placement, 0), pad.high = moved(pad.high, placement, 0);
    return pad;
  };
  return build.same();
}

Accesses tile(const Site& site) {
  Same build(site);
  if (!build.known || site.node.has(1)) return {};
  const auto& repeats = build.op<Tile>().repeats;
  for (size_t axis = 0; axis < build.axes.size(); ++axis)
    if (!repeats[axis].is_number(1)) build.cut(build.axes[axis]);
  build.made.rewrite = [](const Op& op, const Placement& placement) -> Op {
    return Tile{moved(op.as<Tile>()->repeats, placement, 1)};
  };
  return build.same();
}

Accesses expand(const Site& site) {
  if (site.node.has(1)) return {};
  Accesses made = elementwise(site);
  for (Access& access : made)
    access.rewrite = [](const Op&, const Placement& placement) -> Op { return Expand{placement.results[0]}; };
  return made;
}

// Batch, channels and images in the target's order.
struct Image : Build {
  Image(const Site& site, Channels from, size_t rank) : Build(site), from(from), rank(rank) {
    batch = axis(), in = axis(), out = axis();
    spatial = axes(rank - 2);
    for (int one : spatial) cut(one);
    slot({batch}, true);
    if (site.target.channels == Channels::first) slot({in, out}, true);
    for (int one : spatial) slot({one}, true);
    if (site.target.channels == Channels::last) slot({in, out}, true);
  }
  std::vector<int> image(int channel) const {
    std::vector<int> all{batch};
    all.insert(all.end(), spatial.begin(), spatial.end());
    all.insert(from == Channels::first ? all.begin() + 1 : all.end(), channel);
    return all;
  }
  template <class T>
  void turn() {
    made.rewrite = [to = site.target.channels](const Op& op, const Placement&) -> Op {
      T turned = *op.as<T>();
      turned.channels = to;
      return turned;
    };
  }
  const Channels from;
  const size_t rank;
  int batch, in, out;
  std::vector<int> spatial;
};

template <class T>
Accesses conv(const Site& site) {
  const T& op = *site.node.op.as<T>();
  Image build(site, op.channels, op.strides.size() + 2);
  build.operand(0, build.image(build.in));
  build.result(0, build.image(build.out));
  if (op.groups == 1 && !site.node.has(3) && !site.node.has(4)) {
    build.follow({{1, 1, build.in}});
    build.follow({{1, 0, build.out}, {2, 0, build.out}});
  } else {
    build.made.axes[build.in].whole = build.made.axes[build.out].whole = true;
  }
  build.turn<T>();
  return build.done();
}

// Each channel for itself.
template <class T>
Accesses pool(const Site& site) {
  const T& op = *site.node.op.as<T>();
  Image build(site, op.channels, op.strides.size() + 2);
  build.operand(0, build.image(build.in));
  for (size_t k = 0; k < site.node.outputs.size(); ++k) build.result(k, build.image(build.in));
  build.turn<T>();
  return build.done();
}

Accesses max_pool_index(const Site& site) {
  // Indices over the whole tensor tell how it lies.
  if (site.node.op.as<MaxPoolIndex>()->span == IndexSpan::tensor) return {};
  return pool<MaxPoolIndex>(site);
}

// Over channels as they are numbered.
template <class T>
Accesses channelwise(const Site& site) {
  const T& op = *site.node.op.as<T>();
  const Type& type = site.graph.value(site.node.inputs[0]).type;
  if (!type.dims || type.dims->size() < 2) return {};
  Image build(site, op.channels, type.dims->size());
  build.cut(build.in);
  build.operand(0, build.image(build.in));
  build.result(0, build.image(build.in));
  build.turn<T>();
  return build.done();
}

Accesses resize(const Site& site) {
  Same build(site);
  if (!build.known) return {};
  const auto resized = resolved(build.op<Resize>().axes, build.axes.size());
  std::vector<int> others, images;
  for (size_t axis = 0; axis < build.axes.size(); ++axis) {
    bool gets = std::find(resized.begin(), resized.end(), static_cast<int64_t>(axis)) != resized.end();
    (gets ? images : others).push_back(build.axes[axis]);
  }
  for (int axis : images) build.cut(axis);
  if (others.size() != 2) return build.same();
  build.slot({others[0]}, true);
  if (site.target.channels == Channels::first) build.slot({others[1]}, true);
  for (int axis : images) build.slot({axis}, true);
  if (site.target.channels == Channels::last) build.slot({others[1]}, true);
  return build.same();
}

Accesses gather(const Site& site) {
  Same build(site);
  const auto& op = build.op<Gather>();
  const Dims* indices = build.dims(1);
  if (!build.known || !indices || indices->size() > 1 || op.batch != 0 || build.constant(0)) return {};
  int axis = build.at(op.axis);
  build.cut(axis);
  std::vector<int> left;
  for (int one : build.axes)
    if (one != axis || indices->size() == 1) left.push_back(one);
  build.result(0, left);
  return build.done();
}

template <class T>
Accesses quantization(const Site& site) {
  Same build(site);
  const T& op = build.op<T>();
  if (!build.known || op.block != 0) return {};
  if (!has_one_element(site.graph.value(site.node.inputs[1]).type)) build.cut(build.at(op.axis));
  return build.same();
}

Accesses dynamic_quantize(const Site& site) {
  return site.node.op.as<DynamicQuantize>()->rows ? Accesses{} : unchanged(site);
}

Accesses reverse_sequence(const Site& site) {
  Same build(site);
  if (!build.known) return {};
  build.cut(build.at(build.op<ReverseSequence>().time_axis));
  build.cut(build.at(build.op<ReverseSequence>().batch_axis));
  return build.same();
}

// Where a reshape's sizes have no common cuts in places: these are one axis.
Accesses reshape(const Site& site) {
  Build build(site);
  const ValueId from = site.node.inputs[0], to = site.node.outputs[0];
  if (site.node.has(1) || !site.views.tracked(from) || !site.views.tracked(to)) return {};
  Cuts& cuts = site.views.cuts;
  const Atoms atoms = site.views.order(from);
  const Dims& sizes = *build.result_dims();
  std::vector<PortAxis> x, y;
  size_t i = 0, k = 0;
  while (i < atoms.size() || k < sizes.size()) {
    if (k < sizes.size() && sizes[k].is_number(1)) {
      ++k;
      continue;
    }
    if (i == atoms.size() || k == sizes.size()) return {};
    // The next atoms and sizes that hold as many elements; where that cannot be told, all that are left.
    const size_t first = i, start = k;
    Dim has = cuts.size(atoms[i++]), wants = sizes[k++];
    while (!(has == wants)) {
      bool less = exact_div(wants, has).has_value(), more = !less && exact_div(has, wants);
      if (!less && !more && has.is_number() && wants.is_number())
        (has.number() < wants.number() ? less : more) = true;
      if ((less && i == atoms.size()) || (more && k == sizes.size())) return {};
      if (less) {
        has = has * cuts.size(atoms[i++]);
      } else if (more) {
        wants = wants * sizes[k++];
      } else {
        i = atoms.size(), k = sizes.size();
        break;
      }
    }
    const Atoms own(atoms.begin() + static_cast<std::ptrdiff_t>(first),
                    atoms.begin() + static_cast<std::ptrdiff_t>(i));
    const Dims parts(sizes.begin() + static_cast<std::ptrdiff_t>(start),
                     sizes.begin() + static_cast<std::ptrdiff_t>(k));
    if (own.empty()) continue;
    const auto& axes = site.views.axes(to);
    if (auto cut = cuts.cut(own, parts)) {
      for (size_t j = 0; j < parts.size(); ++j) {
        if ((*cut)[j].empty()) continue;
        int axis = build.axis();
        x.push_back({axis, (*cut)[j], parts[j]});
        y.push_back({axis, axes[start + j], parts[j]});
      }
      continue;
    }
    int axis = build.axis();
    build.made.axes[axis].whole = true;
    Atoms all;
    for (size_t j = start; j < k; ++j) all.insert(all.end(), axes[j].begin(), axes[j].end());
    x.push_back({axis, own, has});
    y.push_back({axis, std::move(all), has});
  }
  build.cut_port(false, 0, std::move(x));
  build.cut_port(true, 0, std::move(y));
  build.made.rewrite = [](const Op&, const Placement& placement) -> Op {
    return Reshape{placement.results[0], false};
  };
  return build.done();
}

// Weights that are quantized are no constants, but stay what they are all the same.
bool is_weight(const Graph& graph, ValueId value) {
  if (graph.constant(value)) return true;
  const Node* producer = graph.producer(value);
  return producer && producer->op.is<Dequantize>() && graph.constant(producer->inputs[0]);
}

// Rows in any order, then the axis that is summed over.
Accesses dense(const Site& site) {
  Build build(site);
  const auto& op = build.op<MatMul>();
  const Dims& x = *build.dims(0);
  std::vector<int> rows = build.axes(x.size() - 1);
  int k = build.axis(), n = build.axis();
  build.slot(rows, false), build.slot({k}, true), build.slot({n}, true);
  std::vector<int> from = rows, to = rows;
  from.insert(op.transpose_a ? from.end() - 1 : from.end(), k);
  to.push_back(n);
  build.operand(0, from);
  build.result(0, to);
  build.follow({{1, op.transpose_b ? size_t{1} : 0, k}});
  build.follow({{1, op.transpose_b ? size_t{0} : 1, n}});
  build.made.rewrite = [](const Op& op, const Placement&) -> Op {
    MatMul product = *op.as<MatMul>();
    product.transpose_a = false;
    return product;
  };
  return build.done();
}

Access product(const Site& site, bool swapped) {
  Build build(site);
  const auto& op = build.op<MatMul>();
  const size_t rank = build.result_dims()->size();
  std::vector<int> batch = build.axes(rank - 2);
  int m = build.axis(), k = build.axis(), n = build.axis();
  build.slot(batch, false), build.slot({m}, true), build.slot({k}, true), build.slot({n}, true);
  auto operand = [&](size_t i, int first, int second, bool turned) {
    const size_t own = build.dims(i)->size() - 2;
    std::vector<int> axes(batch.end() - static_cast<std::ptrdiff_t>(own), batch.end());
    if (turned) std::swap(first, second);
    axes.insert(axes.end(), {first, second});
    return build.operand(i, axes);
  };
  constexpr int of_m = 1, of_k = 2, of_n = 3;
  bool left = site.target.swapped_left, right = site.target.swapped_right;
  auto arrange = [&](Port* port, int first, int second, bool both) {
    port->broadcasts = true;
    port->arrangements = {{0, first, second}};
    if (both) port->arrangements.push_back({0, second, first});
  };
  Port* a = operand(0, m, k, op.transpose_a);
  swapped ? arrange(a, of_k, of_m, right) : arrange(a, of_m, of_k, left);
  Port* b = operand(1, k, n, op.transpose_b);
  swapped ? arrange(b, of_n, of_k, left) : arrange(b, of_k, of_n, right);
  std::vector<int> to = batch;
  to.insert(to.end(), {m, n});
  Port* y = build.result(0, to);
  y->arrangements = {swapped ? std::vector<int>{0, of_n, of_m} : std::vector<int>{0, of_m, of_n}};
  if (swapped) build.made.kind = Access::Kind::swapped;
  build.made.rewrite = [swapped](const Op& op, const Placement& placement) -> Op {
    MatMul product = *op.as<MatMul>();
    product.transpose_a = placement.arrangement[swapped ? 1 : 0] == 1;
    product.transpose_b = placement.arrangement[swapped ? 0 : 1] == 1;
    return product;
  };
  std::vector<Access> made = build.done();
  return made.empty() ? Access{} : std::move(made[0]);
}

Accesses matmul(const Site& site) {
  Build build(site);
  const Dims *a = build.dims(0), *b = build.dims(1);
  if (!a || !b || !build.result_dims() || a->size() < 2 || b->size() < 2) return {};
  // Zero points of rows or columns would have to follow.
  for (size_t i : {2, 3}) {
    if (!site.node.has(i)) continue;
    const Type& zero = site.graph.value(site.node.inputs[i]).type;
    if (!has_one_element(zero) || zero.dims->size() > 1) return {};
  }
  if (b->size() == 2 && !build.constant(0) && is_weight(site.graph, site.node.inputs[1])) return dense(site);
  Accesses made;
  for (bool swapped : {false, true}) {
    auto dtype = [&](size_t i) { return site.graph.value(site.node.inputs[i]).type.dtype; };
    if (swapped && (dtype(0) != dtype(1) || site.node.has(2) || site.node.has(3))) break;
    Access one = product(site, swapped);
    if (!one.ports.empty()) made.push_back(std::move(one));
  }
  return made;
}

using AccessFn = Accesses (*)(const Site&);

const OpTable<AccessFn>& table() {
  static const OpTable<AccessFn> table = [] {
    OpTable<AccessFn> made;
    made.add<Softmax>(softmax<Softmax>);
    made.add<LogSoftmax>(softmax<LogSoftmax>);
    made.add<Hardmax>(softmax<Hardmax>);
    made.add<TopK>(along_axis<TopK>);
    made.add<Cumulate>(cumulate);
    made.add<LpNorm>(lp_norm);
    made.add<LayerNorm>(layer_norm<LayerNorm>);
    made.add<RmsNorm>(layer_norm<RmsNorm>);
    made.add<BatchNorm>(batch_norm);
    made.add<InstanceNorm>(channelwise<InstanceNorm>);
    made.add<GroupNorm>(channelwise<GroupNorm>);
    made.add<Lrn>(channelwise<Lrn>);
    made.add<SpaceToDepth>(channelwise<SpaceToDepth>);
    made.add<DepthToSpace>(channelwise<DepthToSpace>);
    made.add<Reduce>(reduce);
    made.add<ArgMax>(arg<ArgMax>);
    made.add<ArgMin>(arg<ArgMin>);
    made.add<Concat>(concat);
    made.add<Split>(split);
    made.add<Slice>(slice);
    made.add<Pad>(pad);
    made.add<Tile>(tile);
    made.add<Expand>(expand);
    made.add<Reshape>(reshape);
    made.add<Conv>(conv<Conv>);
    made.add<ConvTranspose>(conv<ConvTranspose>);
    made.add<MaxPool>(pool<MaxPool>);
    made.add<MaxPoolIndex>(max_pool_index);
    made.add<AvgPool>(pool<AvgPool>);
    made.add<LpPool>(pool<LpPool>);
    made.add<Resize>(resize);
    made.add<Gather>(gather);
    made.add<Quantize>(quantization<Quantize>);
    made.add<Dequantize>(quantization<Dequantize>);
    made.add<DynamicQuantize>(dynamic_quantize);
    made.add<ReverseSequence>(reverse_sequence);
    made.add<MatMul>(matmul);
    return made;
  }();
  return table;
}

}  // namespace

std::vector<Access> accesses(const Site& site) {
  if (AccessFn fn = table().find(site.node.op.info())) return fn(site);
  if (site.node.op.info().elementwise && !site.node.op.info().effect) return elementwise(site);
  return {};
}

Op move_axes(const Op& op, const Placement& placement, size_t source_rank) {
  std::shared_ptr<void> made = op.info().make(op.data());
  for (const Field& field : op.info().fields) {
    if (field.kind == FieldKind::axis) {
      auto& axis = field_as<int64_t>(made.get(), field);
      if (axis < -static_cast<int64_t>(source_rank) || axis >= static_cast<int64_t>(source_rank)) continue;
      const auto& to = placement.at[static_cast<size_t>(resolve_axis(axis, source_rank))];
      if (!to.empty()) axis = to[0];
    } else if (field.kind == FieldKind::axes) {
      auto& axes = field_as<std::vector<int64_t>>(made.get(), field);
      std::vector<int64_t> to;
      for (int64_t axis : resolved(axes, source_rank))
        for (int64_t place : placement.at[static_cast<size_t>(axis)]) to.push_back(place);
      axes = std::move(to);
    }
  }
  return Op(op.info(), std::move(made));
}

}  // namespace remodel::layout
