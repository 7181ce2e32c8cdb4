// What the functions of access.cpp share.
#pragma once

#include <utility>

#include "passes/layout/access.h"

namespace remodel::layout {

// Collects the access of one node.
class Build {
 public:
  explicit Build(const Site& site) : site(site) {}

  int axis() {
    made.axes.emplace_back();
    return static_cast<int>(made.axes.size()) - 1;
  }
  std::vector<int> axes(size_t count);
  // Kept together, in order; the op's fields speak of it.
  void cut(int axis) { made.axes[axis] = {true, true}; }
  void name(int axis) { made.axes[axis].named = true; }
  void slot(std::vector<int> axes, bool joined) { made.slots.push_back({std::move(axes), joined}); }
  // The axes of the op that the operand's or result's axes are. An absent one is no port.
  Port* operand(size_t i, const std::vector<int>& axes) { return port(false, i, axes); }
  Port* result(size_t k, const std::vector<int>& axes) { return port(true, k, axes); }
  // The same where axes of the value are joined or cut for the op.
  void cut_port(bool result, size_t index, std::vector<PortAxis> axes);
  // The op's axes follow what is constant; otherwise they stay whole.
  void follow(std::vector<Follower> followers);

  // Null where the rank is not known.
  const Dims* dims(size_t i) const {
    return dims_of(i < site.node.inputs.size() ? site.node.inputs[i] : absent);
  }
  const Dims* result_dims(size_t k = 0) const { return dims_of(site.node.outputs[k]); }
  bool constant(size_t i) const { return site.node.has(i) && site.graph.constant(site.node.inputs[i]); }
  template <class T>
  const T& op() const {
    return *site.node.op.as<T>();
  }

  // With slots where none were given, and with ties; nothing where some port cannot be followed.
  std::vector<Access> done();

  const Site& site;
  Access made;

 private:
  const Dims* dims_of(ValueId value) const;
  Port* port(bool result, size_t index, const std::vector<int>& axes);
  bool failed_ = false;
};

}  // namespace remodel::layout
