#include "ops/conv.h"

#include "ops/binary.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "passes/decompose/spatial.h"

namespace remodel {
namespace {

// Pads that no attribute says become elements.
void decompose_conv(Decompose& d) {
  Conv op = d.op<Conv>();
  if (op.channels == Channels::last) return with_channels_first(d, op);
  if (no_pads(op)) fail("this convolution cannot be taken apart");
  std::vector<ValueId> operands = d.node().inputs;
  operands[0] = padded(d, operands[0], op);
  drop_pads(op);
  d.result(0, d.emit(op, operands));
}

// The whole result, of which pads are cut off; the bias comes last, because it reaches what they add too.
void decompose_conv_transpose(Decompose& d) {
  ConvTranspose op = d.op<ConvTranspose>();
  if (op.channels == Channels::last) return with_channels_first(d, op);
  if (no_pads(op)) fail("this transposed convolution cannot be taken apart");
  Sliding cut = op;
  for (Dims* pads : {&cut.pads_low, &cut.pads_high})
    for (Dim& pad : *pads) pad = Dim(0) - pad;
  drop_pads(op);
  ValueId y = padded(d, d.emit(op, {d.in(0), d.in(1)}), cut);
  if (d.has(2)) y = d.emit(Add{}, {y, along_channels(d, d.in(2), op.strides.size())});
  d.result(0, y);
}

// A transposed convolution, one channel at a time, whose weights put each element of a window at its place.
void decompose_fold(Decompose& d) {
  const auto& op = d.op<Fold>();
  const Dims& x = d.dims(0);
  Dims dims = x, windows;
  const auto window = numbers(op.window);
  if (d.has(1) || d.has(2) || !window || !numbers(op.size) || !x[1].is_number())
    fail("the sizes of fold are not known");
  int64_t taps = 1;
  for (size_t i = 0; i < window->size(); ++i) {
    taps *= (*window)[i];
    windows.push_back(window_count(op, i, op.size[i], (*window)[i]));
  }
  const int64_t channels = x[1].number() / taps;
  if (channels < 1 || taps > 1 << 16) fail("windows of {} elements", taps);
  ConvTranspose conv{op};
  conv.groups = channels;
  Shape shape{channels, taps};
  shape.insert(shape.end(), window->begin(), window->end());
  Tensor weights = Tensor::zeros(DType::f32, shape);
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t t = 0; t < taps; ++t) weights.to<float>()[(c * taps + t) * taps + t] = 1;
  for (size_t i = 0; i < window->size(); ++i) {
    // What the windows do not reach is left over at the end.
    Dim reach = (windows[i] - 1) * Dim(op.strides[i]) + window_reach((*window)[i], op.dilations[i]);
    conv.pads_high[i] = reach - op.pads_low[i] - op.size[i];
  }
  Dims image{x[0], x[1]};
  image.insert(image.end(), windows.begin(), windows.end());
  ValueId y = d.emit(Reshape{image, false}, {d.in(0)});
  d.result(0, d.emit(conv, {y, d.constant(constant_cast(constant_tensor(weights), d.dtype(0)))}));
}

}  // namespace

void conv_decompositions(Decompositions& table) {
  table.add<Conv>(decompose_conv);
  table.add<ConvTranspose>(decompose_conv_transpose);
  table.add<Fold>(decompose_fold);
}

}  // namespace remodel
