// Steps that the decompositions of ops over images share.
#pragma once

#include "ops/spatial.h"
#include "passes/decompose.h"

namespace remodel {

// x with its channels first, which has them last, and the other way round.
ValueId channels_first(Decompose& d, ValueId x, size_t rank);
ValueId channels_last(Decompose& d, ValueId x, size_t rank);

bool no_pads(const Sliding& sliding);
void drop_pads(Sliding& sliding);
// x with its pads as elements of this value; absent: zero.
ValueId padded(Decompose& d, ValueId x, const Sliding& sliding, ValueId value = absent);

// A vector [channels] in front of so many axes of size 1.
ValueId along_channels(Decompose& d, ValueId vector, size_t trailing);

// x with another spatial axis, of size 1, in front of its one; weights alike. And without it again.
ValueId with_row(Decompose& d, ValueId x, Channels channels);
ValueId without_row(Decompose& d, ValueId y, Channels channels);
void add_row(Sliding& sliding);

// Replaces the node, which has one spatial axis, by the same op with two.
template <class T>
void with_two_axes(Decompose& d, T op) {
  add_row(op);
  if constexpr (requires { op.window; }) op.window.insert(op.window.begin(), 1);
  std::vector<ValueId> operands = d.node().inputs;
  operands[0] = with_row(d, operands[0], op.channels);
  if constexpr (requires { op.groups; }) operands[1] = with_row(d, operands[1], Channels::first);
  d.result(0, without_row(d, d.emit(op, operands), op.channels));
}

// Replaces the node by the same op with its channels first, between transposes.
template <class T>
void with_channels_first(Decompose& d, T op) {
  const size_t rank = op.strides.size() + 2;
  op.channels = Channels::first;
  std::vector<ValueId> operands = d.node().inputs;
  operands[0] = channels_first(d, operands[0], rank);
  d.result(0, channels_last(d, d.emit(op, operands), rank));
}

}  // namespace remodel
