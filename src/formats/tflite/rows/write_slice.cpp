#include <algorithm>

#include "formats/tflite/rows.h"
#include "formats/tflite/writer.h"
#include "ops/slice.h"

namespace remodel::tflite {
namespace {

void write_concat(WriteNode& node) {
  const int64_t axis = resolve_axis(node.op<Concat>().axis, node.dims(0).size());
  node.emit_to(node.outs(), "CONCATENATION", node.ins(), {Attribute::of("axis", axis)});
}

void write_split(WriteNode& node) {
  const auto& op = node.op<Split>();
  const Dims dims = node.dims(0);
  const int64_t axis = resolve_axis(op.axis, dims.size());
  const auto parts = static_cast<int64_t>(node.outputs());
  const Id place = node.scalar(DType::i32, static_cast<double>(axis));
  const Attributes count{Attribute::of("num_splits", parts)};
  if (node.has(1)) return node.emit_to(node.outs(), "SPLIT_V", {node.in(0), node.in(1), place}, count);
  const Dims sizes =
      op.sizes.empty() ? equal_parts(dims[static_cast<size_t>(axis)], node.outputs()) : op.sizes;
  if (std::all_of(sizes.begin(), sizes.end(), [&](const Dim& size) { return size == sizes[0]; }))
    return node.emit_to(node.outs(), "SPLIT", {place, node.in(0)}, count);
  node.emit_to(node.outs(), "SPLIT_V", {node.in(0), node.sizes(sizes), place}, count);
}

void write_slice(WriteNode& node) {
  const auto& op = node.op<Slice>();
  const Dims dims = node.dims(0);
  Dims begin(dims.size(), Dim(0)), size = dims;
  std::vector<int64_t> steps(dims.size(), 1), reversed;
  bool strided = false;
  for (size_t i = 0; i < op.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(resolve_axis(op.axes[i], dims.size()));
    begin[axis] = op.starts[i], size[axis] = op.sizes[i], steps[axis] = op.steps[i];
    strided = strided || op.steps[i] != 1;
    if (op.sizes[i].is_number(0)) begin[axis] = Dim(0), steps[axis] = 1;
    if (op.steps[i] == -1 && op.sizes[i] == dims[axis]) reversed.push_back(static_cast<int64_t>(axis));
  }
  if (dims.size() > 5) {
    // Axes of which all is taken are one with their neighbours.
    Dims merged, starts, sizes;
    bool joins = false;
    for (size_t i = 0; i < dims.size(); ++i) {
      const bool whole = begin[i].is_number(0) && size[i] == dims[i] && steps[i] == 1;
      if (whole && joins) {
        merged.back() = merged.back() * dims[i], sizes.back() = sizes.back() * dims[i];
      } else {
        merged.push_back(dims[i]), starts.push_back(begin[i]), sizes.push_back(size[i]);
      }
      joins = whole;
    }
    if (strided || merged.size() > 5) fail("a slice of {} axes", dims.size());
    const Id flat = node.reshape(node.in(0), merged);
    const Id part =
        node.emit("SLICE", {flat, node.sizes(starts), node.sizes(sizes)}, Type(node.dtype(0), sizes));
    return node.reshape_to(node.out(), part, node.result_dims());
  }
  if (!strided) {
    // LiteRT refuses to begin behind the end, where nothing is left of an axis.
    for (size_t i = 0; i < begin.size(); ++i)
      if (!dims[i].is_number() && begin[i].is_number() && begin[i].number() > 1)
        begin[i] = min(begin[i], dims[i]);
    // -1: all from there on.
    for (size_t i = 0; i < size.size(); ++i)
      if (!size[i].is_number() && size[i] + begin[i] == dims[i]) size[i] = Dim(-1);
    return node.emit_to(node.outs(), "SLICE", {node.in(0), node.sizes(begin), node.sizes(size)});
  }
  if (reversed.size() == 1 && op.axes.size() == 1)
    return node.emit_to(node.outs(), "REVERSE_V2", {node.in(0), node.integers(reversed)});
  Dims end;
  int64_t mask = 0;
  for (size_t i = 0; i < dims.size(); ++i) {
    end.push_back(begin[i] + size[i] * Dim(steps[i]));
    if (steps[i] > 0 && size[i].is_number() && size[i].number() > 0) end[i] = end[i] - Dim(steps[i] - 1);
    if (steps[i] > 0 && size[i] == dims[i]) mask |= int64_t{1} << i, end[i] = Dim(0);
    if (steps[i] >= 0) continue;
    // An end before the first element cannot be said by its number.
    if (!end[i].is_number()) fail("where a slice ends depends on the input's size");
    if (end[i].number() < 0) mask |= int64_t{1} << i, end[i] = Dim(0);
  }
  node.emit_to(node.outs(), "STRIDED_SLICE",
               {node.in(0), node.sizes(begin), node.sizes(end), node.integers(steps)},
               {Attribute::of("end_mask", mask)});
}

void write_pad(WriteNode& node) {
  const auto& op = node.op<Pad>();
  if (node.has(2)) fail("pads that are only known when the model runs");
  const Dims dims = node.dims(0);
  Dims pads;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (!op.low[i].at_least(0) || !op.high[i].at_least(0)) fail("pads that may be negative");
    pads.push_back(op.low[i]), pads.push_back(op.high[i]);
  }
  const auto rank = static_cast<int64_t>(dims.size());
  const auto list = [&] {
    if (const auto known = numbers(pads))
      return node.constant(constant_tensor(
          remodel::Tensor::of<int32_t>(DType::i32, {rank, 2}, {known->begin(), known->end()})));
    return node.reshape(node.sizes(pads), {Dim(rank), Dim(2)});
  };
  if (op.mode == PadMode::constant) {
    const Constant* value = node.constant(1);
    double number = 0;
    bool known = !node.has(1);
    if (value && value->dtype() != DType::string)
      if (const auto splat = splat_value(*value)) number = *splat, known = true;
    GraphWriter& writer = node.writer();
    if (const Quantization grid = writer.grid_of(node.in(0)); !grid.empty() && !writer.is_quantized()) {
      // PAD fills with the grid's zero point.
      if (!known) fail("a number to fill with that is only known when the model runs");
      const bool alike = writer.grid_of(node.out()) == grid;
      if (alike && number == static_cast<double>(grid.zero[0]))
        return node.emit_to(node.outs(), "PAD", {node.in(0), list()});
      const ConstantPtr fill = constant_splat(writer.type_of(node.in(0)).dtype, {}, number);
      const Id filled = writer.add_constant(fill, "", alike ? grid : Quantization());
      return node.emit_to(node.outs(), "PADV2", {node.in(0), list(), filled});
    }
    if (known && number == 0) return node.emit_to(node.outs(), "PAD", {node.in(0), list()});
    return node.emit_to(node.outs(), "PADV2", {node.in(0), list(), node.reshape(node.in(1), {})});
  }
  if (op.mode != PadMode::reflect && op.mode != PadMode::symmetric) fail("this padding has no operator");
  for (size_t i = 0; i < dims.size(); ++i) {
    if (op.low[i].is_number(0) && op.high[i].is_number(0)) continue;
    const Dim room = op.mode == PadMode::reflect ? dims[i] - 1 : dims[i];
    if (!(room - op.low[i]).at_least(0) || !(room - op.high[i]).at_least(0))
      fail("a reflection may go back and forth");
  }
  node.emit_to(node.outs(), "MIRROR_PAD", {node.in(0), list()},
               {word("mode", op.mode == PadMode::reflect ? "REFLECT" : "SYMMETRIC")});
}

void write_reverse_sequence(WriteNode& node) {
  const auto& op = node.op<ReverseSequence>();
  const size_t rank = node.dims(0).size();
  node.emit_to(node.outs(), "REVERSE_SEQUENCE", node.ins(),
               {Attribute::of("seq_dim", resolve_axis(op.time_axis, rank)),
                Attribute::of("batch_dim", resolve_axis(op.batch_axis, rank))});
}

void blocks(WriteNode& node, const char* type, int64_t block, DepthOrder order) {
  if (order != DepthOrder::dcr) fail("channels are numbered before the pixels of a block");
  if (node.dims(0).size() != 4) fail("it has no form");
  node.emit_to(node.outs(), type, node.ins(), {Attribute::of("block_size", block)});
}

}  // namespace

void write_slice_rows(Rows& rows) {
  rows.write<Concat>(since(1), write_concat);
  rows.write<Split>(since(1), write_split);
  rows.write<Slice>(since(1), write_slice);
  rows.write<Pad>(since(1), write_pad);
  rows.write<ReverseSequence>(since(1), write_reverse_sequence);
  rows.write<SpaceToDepth>(since(1), [](WriteNode& node) {
    blocks(node, "SPACE_TO_DEPTH", node.op<SpaceToDepth>().block, node.op<SpaceToDepth>().order);
  });
  rows.write<DepthToSpace>(since(1), [](WriteNode& node) {
    blocks(node, "DEPTH_TO_SPACE", node.op<DepthToSpace>().block, node.op<DepthToSpace>().order);
  });
}

}  // namespace remodel::tflite
