#include "ops/conv.h"

namespace remodel {
namespace {

// Refuses weights that do not fit x and the groups; gives the sizes of the window.
std::vector<int64_t> check_weights(const Sliding& op, int64_t groups, const Dims& x, const Dims& w) {
  check_sliding(op);
  check_image(op, x);
  if (w.size() != x.size()) fail("input {} and weights {} must have one rank", text_of(x), text_of(w));
  if (groups < 1) fail("{} groups", groups);
  const Dim& channels = x[channel_axis(op.channels, x.size())];
  if (w[0].is_number() && w[0].number() % groups != 0) fail("weights {} in {} groups", text_of(w), groups);
  if (channels.is_number() && w[1].is_number() && (w[1] * Dim(groups)).number() != channels.number())
    fail("input {} with {} channels does not fit weights {} in {} groups", text_of(x), channels.text(),
         text_of(w), groups);
  std::vector<int64_t> window;
  for (size_t i = 2; i < w.size(); ++i) {
    if (!w[i].is_number()) fail("the window's sizes must be numbers, but the weights are {}", text_of(w));
    if (w[i].number() < 1) fail("the weights {} have no elements", text_of(w));
    window.push_back(w[i].number());
  }
  return window;
}

// The common part of inference; `dims` gives the result's sizes from those of x and w.
template <class Result>
void infer_conv(Infer& in, const Sliding& op, size_t bias, Result dims, DType out = DType::unknown) {
  if (out == DType::unknown) in.need_same_dtype(0, 1);
  if (in.has(bias)) in.need_same_dtype(0, bias);
  const Dims *x = in.dims(0), *w = in.dims(1);
  size_t rank = op.strides.size() + 2;
  in.need_rank(0, static_cast<int64_t>(rank));
  in.need_rank(1, static_cast<int64_t>(rank));
  bool known = x && w;
  for (size_t i = 2; known && i < rank; ++i) known = (*w)[i].is_number();
  Dims result = known ? dims(*x, *w) : in.fresh_dims(0, rank);
  if (!known) {
    if (x) result[0] = (*x)[0];
    if (w) result[channel_axis(op.channels, rank)] = (*w)[0];
  }
  if (in.has(bias) && in.dims(bias)) check_bias(*in.dims(bias), result[channel_axis(op.channels, rank)]);
  in.out(0, out == DType::unknown ? in.dtype(0) : out, result);
}

bool is_byte(DType dtype) { return is_integer(dtype) && size_of(dtype) == 1; }

}  // namespace

void check_bias(const Dims& bias, const Dim& channels) {
  if (bias.size() != 1 ||
      (bias[0].is_number() && channels.is_number() && bias[0].number() != channels.number()))
    fail("the bias must be [{}], but is {}", channels.text(), text_of(bias));
}

Dims conv_dims(const Conv& op, const Dims& x, const Dims& w) {
  auto window = check_weights(op, op.groups, x, w);
  Dims spatial = spatial_dims(op.channels, x);
  for (size_t i = 0; i < spatial.size(); ++i) spatial[i] = window_count(op, i, spatial[i], window[i]);
  return image_dims(op.channels, x[0], w[0], spatial);
}

Dims conv_transpose_dims(const ConvTranspose& op, const Dims& x, const Dims& w) {
  auto window = check_weights(op, op.groups, x, w);
  Dims spatial = spatial_dims(op.channels, x);
  for (size_t i = 0; i < spatial.size(); ++i) {
    Dim whole = (spatial[i] - 1) * Dim(op.strides[i]) + window_reach(window[i], op.dilations[i]);
    Dim left = whole - op.pads_low[i] - op.pads_high[i];
    if (left.is_number() && left.number() < 0)
      fail("pads {}, {} crop more than the {} elements there are", op.pads_low[i].text(),
           op.pads_high[i].text(), whole.text());
    spatial[i] = left;
  }
  return image_dims(op.channels, x[0], w[0], spatial);
}

Dims deform_conv_dims(const DeformConv& op, const Dims& x, const Dims& w, const Dims& offsets,
                      const Dims* mask) {
  auto window = check_weights(op, op.groups, x, w);
  if (op.channels != Channels::first) fail("deform_conv needs its channels first");
  if (op.offset_groups < 1) fail("{} offset groups", op.offset_groups);
  if (x[1].is_number() && x[1].number() % op.offset_groups != 0)
    fail("{} channels in {} offset groups", x[1].text(), op.offset_groups);
  Dims spatial = spatial_dims(op.channels, x);
  Dim taps(1);
  for (size_t i = 0; i < spatial.size(); ++i) {
    spatial[i] = window_count(op, i, spatial[i], window[i]);
    taps = taps * Dim(window[i]);
  }
  auto check = [&](const Dims& operand, const Dim& channels, const char* what) {
    Dims expected = image_dims(Channels::first, x[0], channels, spatial);
    bool fits = operand.size() == expected.size();
    for (size_t i = 0; fits && i < expected.size(); ++i)
      fits = !operand[i].is_number() || !expected[i].is_number() || operand[i] == expected[i];
    if (!fits) fail("{} must be {}, but is {}", what, text_of(expected), text_of(operand));
  };
  check(offsets, taps * Dim(op.offset_groups) * Dim(static_cast<int64_t>(window.size())), "the offsets");
  if (mask) check(*mask, taps * Dim(op.offset_groups), "the mask");
  return image_dims(Channels::first, x[0], w[0], spatial);
}

Dims fold_dims(const Fold& op, const std::vector<int64_t>& window, const Dims& x, const Dims& size) {
  check_sliding(op, &window);
  if (op.channels != Channels::first) fail("fold needs its channels first");
  if (size.size() != window.size()) fail("{} sizes for a window of {} axes", size.size(), window.size());
  if (x.size() != 3) fail("the input must be [batch, channels * window, windows], but is {}", text_of(x));
  Dim taps(1), windows(1);
  for (size_t i = 0; i < size.size(); ++i) {
    if (size[i].is_number() && size[i].number() < 0) fail("size {} is negative", size[i].text());
    taps = taps * Dim(window[i]);
    windows = windows * window_count(op, i, size[i], window[i]);
  }
  need_equal(x[2], windows, "the input's last axis and the number of windows");
  if (x[1].is_number() && x[1].number() % taps.number() != 0)
    fail("{} channels do not hold windows of {} elements", x[1].text(), taps.text());
  return image_dims(Channels::first, x[0], floor_div(x[1], taps), size);
}

void Conv::infer(Infer& in) const {
  in.need_count(2, 5);
  bool integers = in.has(3) || in.has(4) || out != DType::unknown;
  if (integers) {
    if (out != DType::unknown && out != DType::i32)
      fail("a convolution of integers cannot give {}", name_of(out));
    if (in.has(2)) fail("a convolution of integers has no bias");
    for (size_t i : {0, 1, 3, 4})
      if (in.has(i)) in.need_dtype(i, is_byte, "integers of 8 bits at most");
    for (size_t i = 0; i < 2; ++i)
      if (in.has(i + 3)) in.need_same_dtype(i, i + 3);
  }
  infer_conv(
      in, *this, 2, [&](const Dims& x, const Dims& w) { return conv_dims(*this, x, w); },
      integers ? DType::i32 : DType::unknown);
}

void ConvTranspose::infer(Infer& in) const {
  in.need_count(2, 3);
  infer_conv(in, *this, 2, [&](const Dims& x, const Dims& w) { return conv_transpose_dims(*this, x, w); });
}

void DeformConv::infer(Infer& in) const {
  in.need_count(3, 5);
  in.need_same_dtype(0, 2);
  if (in.has(4)) in.need_same_dtype(0, 4);
  infer_conv(in, *this, 3, [&](const Dims& x, const Dims& w) {
    const Dims* offsets = in.dims(2);
    if (!offsets) return conv_dims(Conv{static_cast<const Sliding&>(*this), groups}, x, w);
    return deform_conv_dims(*this, x, w, *offsets, in.has(4) ? in.dims(4) : nullptr);
  });
}

void Fold::infer(Infer& in) const {
  in.need_count(1, 3);
  in.need_rank(0, 3);
  auto sizes = in.sizes_or(1, size), windows = in.sizes_or(2, window);
  auto taps = windows ? numbers(*windows) : std::nullopt;
  if (in.dims(0) && sizes && taps)
    return in.out(0, in.dtype(0), fold_dims(*this, *taps, *in.dims(0), *sizes));
  Dims dims = in.fresh_dims(0, strides.size() + 2);
  if (in.dims(0)) dims[0] = (*in.dims(0))[0];
  for (size_t i = 0; sizes && i < sizes->size() && i + 2 < dims.size(); ++i) dims[i + 2] = (*sizes)[i];
  in.out(0, in.dtype(0), dims);
}

}  // namespace remodel
