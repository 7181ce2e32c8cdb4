#include "passes/layout/access_build.h"

#include <algorithm>

namespace remodel::layout {

std::vector<int> Build::axes(size_t count) {
  std::vector<int> result;
  for (size_t i = 0; i < count; ++i) result.push_back(axis());
  return result;
}

const Dims* Build::dims_of(ValueId value) const {
  if (value == absent) return nullptr;
  const Type& type = site.graph.value(value).type;
  return type.is_tensor() && type.dims ? &*type.dims : nullptr;
}

Port* Build::port(bool result, size_t index, const std::vector<int>& axes) {
  const auto& values = result ? site.node.outputs : site.node.inputs;
  if (index >= values.size() || values[index] == absent) return nullptr;
  Port& port = made.ports.emplace_back();
  port.result = result, port.index = index, port.value = values[index];
  port.constant = site.graph.constant(port.value) != nullptr;
  const Dims* dims = dims_of(port.value);
  if (!dims || dims->size() != axes.size() || (!port.constant && !site.views.tracked(port.value)) ||
      (port.constant && site.graph.value(port.value).type.dtype == DType::string)) {
    failed_ = true;
    return &port;
  }
  for (size_t i = 0; i < axes.size(); ++i)
    port.axes.push_back({axes[i], port.constant ? Atoms{} : site.views.axes(port.value)[i], (*dims)[i]});
  return &port;
}

void Build::cut_port(bool result, size_t index, std::vector<PortAxis> axes) {
  Port& port = made.ports.emplace_back();
  port.result = result, port.index = index;
  port.value = result ? site.node.outputs[index] : site.node.inputs[index];
  port.axes = std::move(axes);
}

void Build::follow(std::vector<Follower> followers) {
  bool all = std::all_of(followers.begin(), followers.end(), [&](const Follower& one) {
    return !site.node.has(one.operand) || constant(one.operand);
  });
  for (const Follower& one : followers)
    if (!all)
      made.axes[one.of].whole = true;
    else if (site.node.has(one.operand))
      made.followers.push_back(one);
}

std::vector<Access> Build::done() {
  if (failed_) return {};
  if (made.slots.empty()) {
    Slot& slot = made.slots.emplace_back();
    for (size_t i = 0; i < made.axes.size(); ++i) slot.axes.push_back(static_cast<int>(i));
  }
  std::vector<int> all;
  for (size_t i = 0; i < made.slots.size(); ++i) all.push_back(static_cast<int>(i));
  for (Port& port : made.ports)
    if (port.arrangements.empty()) port.arrangements = {all};
  for (const Slot& slot : made.slots)
    for (int axis : slot.axes) {
      const Atoms* first = nullptr;
      for (const Port& port : made.ports)
        for (const PortAxis& one : port.axes) {
          if (one.axis != axis || one.atoms.empty()) continue;
          if (first && !made.axes[axis].whole) site.views.cuts.tie(*first, one.atoms);
          if (!first) first = &one.atoms;
        }
      // Nothing shows where an axis of size 1 stands.
      if (!first && made.axes[axis].named && !slot.joined) return {};
    }
  return {std::move(made)};
}

}  // namespace remodel::layout
