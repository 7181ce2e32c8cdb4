// Ops that cut tensors, join them and put something around them.
#pragma once

#include "ir/op.h"
#include "ops/spatial.h"

namespace remodel {

// (x...): side by side along the axis.
struct Concat {
  static constexpr const char* name = "concat";
  int64_t axis = 0;
  void describe(Fields& v) { v.axis("axis", axis); }
  void infer(Infer& in) const;
};

// (x, sizes?) -> (part...): consecutive parts of the axis, which together are all of it. No sizes: equal
// parts of ceil(size / parts), the last one what is left.
struct Split {
  static constexpr const char* name = "split";
  int64_t axis = 0;
  Dims sizes;
  void describe(Fields& v) {
    v.axis("axis", axis);
    v("sizes", sizes);
  }
  void infer(Infer& in) const;
};

// (x): along each of the axes the elements start, start + step, ..., `size` of them; all must exist. Where
// the size is 0, start may be anything.
struct Slice {
  static constexpr const char* name = "slice";
  std::vector<int64_t> axes;
  Dims starts, sizes;
  std::vector<int64_t> steps;
  void describe(Fields& v) {
    v.axes("axes", axes);
    v("starts", starts);
    v("sizes", sizes);
    v("steps", steps);
  }
  void infer(Infer& in) const;
};

// (x, starts, ends, axes?, steps?): the same with numbers that only running finds out. Starts and ends count
// from the end where negative, and are then clamped to 0 .. size (a negative step: start to 0 .. size - 1,
// end to -1 .. size - 1). No axes: the first ones. No steps: 1.
struct DynamicSlice {
  static constexpr const char* name = "dynamic_slice";
  void infer(Infer& in) const;
};

enum class PadMode : uint8_t {
  constant,   // with the value
  reflect,    // c b | a b c | b a
  symmetric,  // b a | a b c | c b
  edge,       // a a | a b c | c c
  wrap,       // b c | a b c | a b
};

// (x, value?, pads?, axes?): elements put before and after each axis; a negative number takes elements away.
// The value (a scalar of x's type; none: zero) is for constant mode. The operand pads holds the numbers for
// the starts of the axes (none: all of them), then for the ends, where the attributes cannot. Reflections go
// back and forth where the pad is longer than the axis.
struct Pad {
  static constexpr const char* name = "pad";
  Dims low, high;
  PadMode mode = PadMode::constant;
  void describe(Fields& v) {
    v("low", low);
    v("high", high);
    v.choice("mode", mode, {"constant", "reflect", "symmetric", "edge", "wrap"});
  }
  void infer(Infer& in) const;
};

// (x, shape): the middle of x along the axes (none: all), or x in the middle of zeros, where the shape is
// larger. Of an odd difference the smaller half is in front.
struct CenterCropPad {
  static constexpr const char* name = "center_crop_pad";
  std::vector<int64_t> axes;
  void describe(Fields& v) { v.axes("axes", axes); }
  void infer(Infer& in) const;
};

// (x, lengths): the first lengths[b] steps of batch entry b in reverse, the others as they are.
struct ReverseSequence {
  static constexpr const char* name = "reverse_sequence";
  int64_t time_axis = 0, batch_axis = 1;
  void describe(Fields& v) {
    v.axis("time_axis", time_axis);
    v.axis("batch_axis", batch_axis);
  }
  void infer(Infer& in) const;
};

// How the channels of deep pixels are numbered: (row in block, column in block, channel) or (channel, row,
// column).
enum class DepthOrder : uint8_t { dcr, crd };

// (x): blocks of pixels into channels.
struct SpaceToDepth {
  static constexpr const char* name = "space_to_depth";
  int64_t block = 1;
  DepthOrder order = DepthOrder::dcr;
  Channels channels = Channels::first;
  void describe(Fields& v) {
    v("block", block);
    v.choice("order", order, {"dcr", "crd"});
    v.choice("channels", channels, {"first", "last"});
  }
  void infer(Infer& in) const;
};

// (x): channels into blocks of pixels.
struct DepthToSpace {
  static constexpr const char* name = "depth_to_space";
  int64_t block = 1;
  DepthOrder order = DepthOrder::dcr;
  Channels channels = Channels::first;
  void describe(Fields& v) {
    v("block", block);
    v.choice("order", order, {"dcr", "crd"});
    v.choice("channels", channels, {"first", "last"});
  }
  void infer(Infer& in) const;
};

struct Span {
  Dim start, size;
};
// What start:end:step takes of an axis, by DynamicSlice's rule; nullopt where the sizes' signs are not known.
std::optional<Span> resolve_slice(const Dim& length, const Dim& start, const Dim& end, int64_t step);

// Split's sizes where none are given.
Dims equal_parts(const Dim& length, int64_t parts);

// Attributes for all axes from numbers for some of them. Refuses wrong counts.
Pad resolve_pads(PadMode mode, const Dims& pads, const std::vector<int64_t>& axes, int64_t rank);

// Which element of an axis that is not empty stands at `place`, which may be outside. Not for constant mode.
int64_t padded_place(PadMode mode, int64_t place, int64_t size);

// The pads, of any sign, of CenterCropPad.
Span center_pads(const Dim& from, const Dim& to);

}  // namespace remodel
