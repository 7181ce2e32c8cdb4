#include "ops/slice.h"

#include <algorithm>
#include <bit>

#include "formats/tflite/rows.h"
#include "ops/binary.h"
#include "ops/shape.h"

namespace remodel::tflite {
namespace {

void read_concat(ReadNode& node) {
  const int64_t axis = resolve_axis(node.integer("axis"), static_cast<size_t>(node.rank(0)));
  node.result(0, node.activated(node.emit(Concat{axis}, node.operands())));
}

int64_t known_axis(ReadNode& node, size_t i, size_t x) {
  const auto axis = node.known_integers(i);
  if (!axis || axis->size() != 1) fail("the axis is only known when it runs");
  return resolve_axis((*axis)[0], static_cast<size_t>(node.rank(x)));
}

void read_split(ReadNode& node) {
  node.ignore("num_splits");
  Split op;
  op.axis = known_axis(node, 0, 1);
  const auto parts = static_cast<int64_t>(node.outputs());
  op.sizes = Dims(node.outputs(), floor_div((*node.type(1).dims)[static_cast<size_t>(op.axis)], parts));
  node.emit_results(op, {node.input(1)});
}

// One of the sizes may be -1: what the others leave.
void read_split_v(ReadNode& node) {
  node.ignore("num_splits");
  Split op;
  op.axis = known_axis(node, 2, 0);
  auto sizes = node.sizes(1);
  if (!sizes) return node.emit_results(op, {node.input(0), node.input(1)});
  Dim rest = (*node.type(0).dims)[static_cast<size_t>(op.axis)];
  for (const Dim& size : *sizes)
    if (!size.is_number(-1)) rest = rest - size;
  for (Dim& size : *sizes)
    if (size.is_number(-1)) size = rest;
  op.sizes = *sizes;
  node.emit_results(op, {node.input(0)});
}

void read_slice(ReadNode& node) {
  const auto begins = node.sizes(1);
  auto sizes = node.sizes(2);
  const auto rank = static_cast<size_t>(node.rank(0));
  if (begins && sizes && begins->size() == rank && sizes->size() == rank) {
    Slice op;
    for (size_t axis = 0; axis < rank; ++axis) {
      const Dim& length = (*node.type(0).dims)[axis];
      if ((*sizes)[axis].is_number(-1)) (*sizes)[axis] = length - (*begins)[axis];
      if ((*begins)[axis].is_number(0) && (*sizes)[axis] == length) continue;
      op.axes.push_back(static_cast<int64_t>(axis));
      op.starts.push_back((*begins)[axis]);
      op.sizes.push_back((*sizes)[axis]);
      op.steps.push_back(1);
    }
    if (op.axes.empty()) return node.result(0, node.input(0));
    return node.emit_results(op, {node.input(0)});
  }
  // A size of -1 reaches to the end, which is what an end of the largest number does.
  const DType dtype = node.type(1).dtype;
  const ValueId end = node.emit(Add{}, {node.input(1), node.input(2)});
  const ValueId to_end = node.emit(Less{}, {node.input(2), node.add_scalar(dtype, 0)});
  const ValueId ends = node.emit(Select{}, {to_end, node.add_scalar(dtype, INT32_MAX), end});
  node.emit_results(DynamicSlice{}, {node.input(0), node.input(1), ends});
}

// Begins, ends and strides with masks; a bit of a mask is an entry of these.
struct Entry {
  Dim begin, end;
  int64_t step = 1;
  bool from_start = false, to_end = false, shrink = false, fresh = false, all = false;
};

void read_strided_slice(ReadNode& node) {
  const int64_t begin_mask = node.integer("begin_mask"), end_mask = node.integer("end_mask"),
                ellipsis_mask = node.integer("ellipsis_mask"), new_axis_mask = node.integer("new_axis_mask"),
                shrink_mask = node.integer("shrink_axis_mask");
  const bool offset = node.truth("offset");
  const auto begins = node.sizes(1), ends = node.sizes(2);
  const auto steps = node.known_integers(3);
  const auto& dims = node.type(0).dims;
  if (!dims) fail("the rank of its operand is not known");
  if (!steps) fail("the strides are only known when it runs");
  if (std::popcount(static_cast<uint64_t>(ellipsis_mask)) > 1) fail("it has several ellipses");
  const size_t count = steps->size(), rank = dims->size();
  if ((begins && begins->size() != count) || (ends && ends->size() != count) || count > 32)
    fail("{} strides have other numbers of begins and ends", count);
  const auto bit = [](int64_t mask, size_t i) { return (mask >> i & 1) != 0; };

  // For each entry what it does, the ellipsis as many times as axes are left.
  std::vector<Entry> entries;
  std::vector<size_t> places;  // of each entry among begins
  size_t consumed = 0;
  for (size_t i = 0; i < count; ++i)
    if (!bit(ellipsis_mask, i) && !bit(new_axis_mask, i)) ++consumed;
  if (consumed > rank) fail("it has {} ranges for {} axes", consumed, rank);
  const auto whole = [&] {
    Entry entry;
    entry.all = true;
    entries.push_back(entry), places.push_back(count);
  };
  for (size_t i = 0; i < count; ++i) {
    if (bit(ellipsis_mask, i)) {
      for (size_t k = consumed; k < rank; ++k) whole();
      consumed = rank;
      continue;
    }
    Entry entry;
    entry.fresh = bit(new_axis_mask, i);
    entry.shrink = !entry.fresh && bit(shrink_mask, i);
    entry.from_start = bit(begin_mask, i), entry.to_end = bit(end_mask, i);
    entry.step = (*steps)[i];
    if (entry.step == 0) fail("a stride is 0");
    if (begins) entry.begin = (*begins)[i];
    if (ends) entry.end = offset && begins ? (*begins)[i] + (*ends)[i] : (*ends)[i];
    entries.push_back(entry), places.push_back(i);
  }
  for (; consumed < rank; ++consumed) whole();

  Slice op;
  std::vector<int64_t> fresh, shrunk;
  bool dynamic = false;
  size_t axis = 0;                                 // of the operand
  int64_t kept = 0;                                // of the result
  std::vector<std::pair<size_t, size_t>> running;  // axis and entry that only running tells
  for (size_t e = 0; e < entries.size(); ++e) {
    const Entry& entry = entries[e];
    if (entry.fresh) {
      fresh.push_back(kept++);
      continue;
    }
    const Dim& length = (*dims)[axis];
    if (entry.shrink) {
      shrunk.push_back(static_cast<int64_t>(axis));
    } else {
      ++kept;
    }
    if (!entry.all) {
      std::optional<Span> span;
      const bool known = (begins || entry.from_start) && (ends || entry.to_end || entry.shrink);
      if (entry.shrink && begins) {
        // One element, counted from the end where negative.
        const Dim at = entry.from_start ? Dim(0) : entry.begin;
        if (at.is_number() && at.number() < 0)
          span = Span{length + at, 1};
        else if (at.is_number() || at.at_least(0))
          span = Span{at, 1};
      } else if (known) {
        const bool forward = entry.step > 0;
        const Dim begin = entry.from_start ? (forward ? Dim(0) : Dim(INT64_MAX)) : entry.begin;
        const Dim end = entry.to_end ? (forward ? Dim(INT64_MAX) : Dim(INT64_MIN + 1)) : entry.end;
        span = resolve_slice(length, begin, end, entry.step);
      }
      if (!span) {
        dynamic = true;
        running.emplace_back(axis, places[e]);
      } else if (!(span->start.is_number(0) && span->size == length && entry.step == 1)) {
        op.axes.push_back(static_cast<int64_t>(axis));
        op.starts.push_back(span->start);
        op.sizes.push_back(span->size);
        op.steps.push_back(entry.shrink ? 1 : entry.step);
      }
    }
    ++axis;
  }
  ValueId x = node.input(0);
  if (!op.axes.empty()) x = node.emit(op, {x});
  if (dynamic) {
    // One axis after the other, with numbers out of the inputs.
    for (const auto& [at, entry] : running) {
      const auto number = [&](size_t i) {
        Slice one{{0}, {static_cast<int64_t>(entry)}, {1}, {1}};
        return node.emit(one, {node.input(i)});
      };
      const auto constant = [&](double value) {
        return node.add_constant(constant_splat(node.type(1).dtype, {1}, value));
      };
      const bool shrink = bit(shrink_mask, entry);
      const int64_t step = shrink ? 1 : (*steps)[entry];
      const ValueId begin = bit(begin_mask, entry) ? constant(step > 0 ? 0 : INT32_MAX) : number(1);
      ValueId end;
      if (shrink) {
        // From -1 on, the end is that of the axis.
        const ValueId next = node.emit(Add{}, {begin, constant(1)});
        end = node.emit(Select{}, {node.emit(Equal{}, {next, constant(0)}), constant(INT32_MAX), next});
      } else if (bit(end_mask, entry)) {
        end = constant(step > 0 ? INT32_MAX : INT32_MIN);
      } else {
        end = offset ? node.emit(Add{}, {begin, number(2)}) : number(2);
      }
      const ValueId axes = node.add_constant(constant_ints({static_cast<int64_t>(at)}));
      const ValueId by = node.add_constant(constant_ints({step}));
      x = node.emit(DynamicSlice{}, {x, begin, end, axes, by});
      if (shrink) {
        Type& type = node.graph().value(x).type;
        if (type.dims) (*type.dims)[at] = 1;
      }
    }
  }
  if (!shrunk.empty()) x = node.emit(Squeeze{shrunk}, {x});
  if (!fresh.empty()) x = node.emit(Unsqueeze{fresh}, {x});
  node.result(0, x);
}

// Pads are pairs of numbers for each axis.
void read_pad_with(ReadNode& node, PadMode mode, ValueId value) {
  const auto rank = static_cast<size_t>(node.rank(0));
  Pad op;
  op.mode = mode;
  const auto pads = node.elements(1);
  if (!pads) {
    // Pairs become all low ones, then all high ones.
    const ValueId turned = node.emit(Transpose{{1, 0}}, {node.input(1)});
    const ValueId flat = node.emit(Reshape{{static_cast<int64_t>(2 * rank)}, false}, {turned});
    return node.emit_results(op, {node.input(0), value, flat});
  }
  if (pads->size() != 2 * rank) fail("{} pads for {} axes", pads->size(), rank);
  for (size_t axis = 0; axis < rank; ++axis) {
    op.low.push_back((*pads)[2 * axis]);
    op.high.push_back((*pads)[2 * axis + 1]);
  }
  node.emit_results(op, {node.input(0), value});
}

// The zero of a tensor of integers is where its grid has it.
ValueId zero_of(ReadNode& node, size_t i) {
  const auto& grid = node.type(i).grid;
  if (grid && is_integer(node.type(i).dtype) && grid->zero && grid->zero->count() == 1)
    return node.add_constant(grid->zero->reshaped({}));
  return absent;
}

void read_pad(ReadNode& node) { read_pad_with(node, PadMode::constant, zero_of(node, 0)); }

void read_pad_v2(ReadNode& node) {
  ValueId value = node.input(2);
  if (!node.type(2).has_rank(0)) value = node.emit(Reshape{{}, false}, {value});
  read_pad_with(node, PadMode::constant, value);
}

void read_mirror_pad(ReadNode& node) {
  read_pad_with(node, node.word("mode") == "REFLECT" ? PadMode::reflect : PadMode::symmetric, absent);
}

void read_reverse(ReadNode& node) {
  const auto axes = node.known_integers(1);
  if (!axes) fail("the axes are only known when it runs");
  Slice op;
  for (const int64_t one : *axes) {
    const int64_t axis = resolve_axis(one, static_cast<size_t>(node.rank(0)));
    const Dim length = (*node.type(0).dims)[static_cast<size_t>(axis)];
    op.axes.push_back(axis);
    op.starts.push_back(length - 1);
    op.sizes.push_back(length);
    op.steps.push_back(-1);
  }
  node.emit_results(op, {node.input(0)});
}

void read_reverse_sequence(ReadNode& node) {
  node.emit_results(ReverseSequence{node.integer("seq_dim"), node.integer("batch_dim")},
                    {node.input(0), node.input(1)});
}

template <class T>
void read_depth(ReadNode& node) {
  T op;
  op.block = node.integer("block_size");
  op.channels = Channels::last;
  node.emit_results(op, {node.input(0)});
}

// [batch, spatial..., rest]: the pads go around the spatial axes, whose blocks then go to the batch.
void read_space_to_batch(ReadNode& node) {
  const auto block = node.known_integers(1);
  const auto pads = node.elements(2);
  if (!block || !pads) fail("the blocks or pads are only known when it runs");
  const size_t spatial = block->size();
  const auto rank = static_cast<size_t>(node.rank(0));
  if (rank < spatial + 1 || pads->size() != 2 * spatial)
    fail("{} blocks, {} pads for {} axes", spatial, pads->size(), rank);
  Pad pad;
  pad.low.assign(rank, 0), pad.high.assign(rank, 0);
  for (size_t i = 0; i < spatial; ++i) pad.low[i + 1] = (*pads)[2 * i], pad.high[i + 1] = (*pads)[2 * i + 1];
  std::vector<ValueId> operands{node.input(0)};
  if (const ValueId zero = zero_of(node, 0); zero != absent) operands.push_back(zero);
  const ValueId padded = node.emit(pad, operands);
  const Dims from = *node.graph().value(padded).type.dims;
  // [batch, s0 / b0, b0, s1 / b1, b1, ..., rest] -> [b0, b1, ..., batch, s0 / b0, ..., rest]
  Dims apart{from[0]}, to;
  std::vector<int64_t> perm;
  Dim batch = from[0];
  for (size_t i = 0; i < spatial; ++i) {
    if ((*block)[i] <= 0) fail("a block of {}", (*block)[i]);
    apart.push_back(floor_div(from[i + 1], (*block)[i]));
    apart.push_back((*block)[i]);
    perm.push_back(static_cast<int64_t>(2 * i + 2));
    batch = batch * Dim((*block)[i]);
  }
  to.push_back(batch), perm.push_back(0);
  for (size_t i = 0; i < spatial; ++i)
    to.push_back(apart[2 * i + 1]), perm.push_back(static_cast<int64_t>(2 * i + 1));
  for (size_t axis = spatial + 1; axis < rank; ++axis) {
    perm.push_back(static_cast<int64_t>(apart.size()));
    apart.push_back(from[axis]);
    to.push_back(from[axis]);
  }
  const ValueId cut = node.emit(Reshape{apart, true}, {padded});
  node.emit_results(Reshape{to, true}, {node.emit(Transpose{perm}, {cut})});
}

void read_batch_to_space(ReadNode& node) {
  const auto block = node.known_integers(1);
  const auto crops = node.elements(2);
  if (!block || !crops) fail("the blocks or crops are only known when it runs");
  const size_t spatial = block->size();
  const auto rank = static_cast<size_t>(node.rank(0));
  if (rank < spatial + 1 || crops->size() != 2 * spatial)
    fail("{} blocks, {} crops for {} axes", spatial, crops->size(), rank);
  const Dims from = *node.type(0).dims;
  // [b0, b1, ..., batch, s0, s1, ..., rest] -> [batch, s0, b0, s1, b1, ..., rest]
  int64_t blocks = 1;
  for (const int64_t one : *block) {
    if (one <= 0 || one > (int64_t{1} << 31)) fail("a block of {}", one);
    blocks *= one;
    if (blocks > (int64_t{1} << 31)) fail("blocks of {} elements", blocks);
  }
  Dims apart = to_dims(*block), whole{floor_div(from[0], blocks)};
  apart.push_back(whole[0]);
  std::vector<int64_t> perm{static_cast<int64_t>(spatial)};
  for (size_t axis = 1; axis < rank; ++axis) {
    apart.push_back(from[axis]);
    perm.push_back(static_cast<int64_t>(spatial + axis));
    if (axis > spatial) {
      whole.push_back(from[axis]);
      continue;
    }
    perm.push_back(static_cast<int64_t>(axis - 1));
    whole.push_back(from[axis] * Dim((*block)[axis - 1]));
  }
  Pad crop;
  crop.low.assign(rank, 0), crop.high.assign(rank, 0);
  for (size_t i = 0; i < spatial; ++i)
    crop.low[i + 1] = Dim(0) - (*crops)[2 * i], crop.high[i + 1] = Dim(0) - (*crops)[2 * i + 1];
  const ValueId cut = node.emit(Reshape{apart, true}, {node.input(0)});
  const ValueId joined = node.emit(Reshape{whole, true}, {node.emit(Transpose{perm}, {cut})});
  node.emit_results(crop, {joined});
}

// Places between the elements, which hold the value.
void read_dilate(ReadNode& node) {
  const auto factors = node.known_integers(1);
  if (!factors || static_cast<int64_t>(factors->size()) != node.rank(0))
    fail("the dilations are only known when it runs");
  ValueId x = node.input(0), value = node.input(2);
  Dims dims = *node.type(0).dims;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    const int64_t factor = (*factors)[axis];
    if (factor <= 0) fail("a dilation of {}", factor);
    if (factor == 1) continue;
    const auto at = static_cast<int64_t>(axis);
    Pad pad;
    pad.low.assign(dims.size() + 1, 0), pad.high.assign(dims.size() + 1, 0);
    pad.high[axis + 1] = factor - 1;
    x = node.emit(pad, {node.emit(Unsqueeze{{at + 1}}, {x}), value});
    const Dim size = dims[axis];
    dims[axis] = size * Dim(factor);
    x = node.emit(Reshape{dims, true}, {x});
    dims[axis] = max(Dim(0), (size - 1) * Dim(factor) + 1);
    x = node.emit(Slice{{at}, {0}, {dims[axis]}, {1}}, {x});
  }
  node.result(0, x);
}

}  // namespace

void slice_rows(Rows& rows) {
  rows.read("CONCATENATION", since(1), read_concat);
  rows.read("SPLIT", since(1), read_split);
  rows.read("SPLIT_V", since(1), read_split_v);
  rows.read("SLICE", since(1), read_slice);
  rows.read("STRIDED_SLICE", since(1), read_strided_slice);
  rows.read("PAD", since(1), read_pad);
  rows.read("PADV2", since(1), read_pad_v2);
  rows.read("MIRROR_PAD", since(1), read_mirror_pad);
  rows.read("REVERSE_V2", since(1), read_reverse);
  rows.read("REVERSE_SEQUENCE", since(1), read_reverse_sequence);
  rows.read("DILATE", since(1), read_dilate);
  rows.read("SPACE_TO_DEPTH", since(1), read_depth<SpaceToDepth>);
  rows.read("DEPTH_TO_SPACE", since(1), read_depth<DepthToSpace>);
  rows.read("SPACE_TO_BATCH_ND", since(1), read_space_to_batch);
  rows.read("BATCH_TO_SPACE_ND", since(1), read_batch_to_space);
}

}  // namespace remodel::tflite
