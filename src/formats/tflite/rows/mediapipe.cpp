// MediaPipe's custom operators. Their options are the bytes of a structure of 32-bit integers.
#include "base/bytes.h"
#include "formats/tflite/rows.h"
#include "ops/binary.h"
#include "ops/conv.h"
#include "ops/gather.h"
#include "ops/pool.h"
#include "passes/decompose/term.h"

namespace remodel::tflite {
namespace {

int32_t option(ReadNode& node, size_t i) {
  const std::string_view bytes = node.proto().custom_options.view();
  if (bytes.size() < 4 * (i + 1)) fail("its options are cut short");
  return load_as<int32_t>(bytes.data() + 4 * i);
}

bool pads_same(ReadNode& node) {
  const int32_t kind = option(node, 0);
  if (kind != 1 && kind != 2) fail("its padding is {}", kind);
  return kind == 1;
}

void split(const Dim& total, Sliding& op, size_t i) {
  op.pads_low[i] = floor_div(total, 2);
  op.pads_high[i] = total - op.pads_low[i];
}

// (x, weights [out, window..., in], bias)
void read_transpose_conv_bias(ReadNode& node) {
  const auto& w = node.type(1).dims;
  const auto sizes = w ? numbers(*w) : std::nullopt;
  const Dims x = node.dims_of(0, 4);
  if (!sizes || sizes->size() != 4 || x.size() != 4) fail("its weights are {}", node.type(1).text());
  ConvTranspose op;
  op.channels = Channels::last;
  op.unit(2);
  op.strides = {option(node, 2), option(node, 1)};
  const std::vector<int64_t> window{(*sizes)[1], (*sizes)[2]};
  check_sliding(op, &window);
  for (size_t i = 0; i < 2 && pads_same(node); ++i) {
    const Dim over = x[i + 1] - 1, left = over - Dim(op.strides[i]) * floor_div(over, op.strides[i]);
    split(max(Dim(window[i] - 1) - left, Dim(0)), op, i);
  }
  node.result(0, node.emit(op, {node.input(0), node.weights(1, {0, 3, 1, 2}), node.input(2)}));
}

// The number of each row of a plane, or column, of [batch, rows, columns, channels].
Term places_along(Emitter& at, const Dim& count, bool rows) {
  return reshape(counting(at, count), rows ? Dims{count, 1, 1} : Dims{count, 1});
}

// The second result counts inside the window, and a bit more: 0.1.
void read_max_pool_index(ReadNode& node) {
  static constexpr std::string_view activations[] = {"NONE", "RELU", "RELU_N1_TO_1", "RELU6"};
  MaxPoolIndex op;
  op.channels = Channels::last;
  op.unit(2);
  op.strides = {option(node, 2), option(node, 1)};
  op.window = {option(node, 4), option(node, 3)};
  check_sliding(op, &op.window);
  const int32_t activation = option(node, 5);
  if (activation < 0 || activation >= std::ssize(activations)) fail("its activation is {}", activation);
  const Dims x = node.dims_of(0, 4);
  for (size_t i = 0; i < 2 && pads_same(node); ++i)
    split(same_padding(x[i + 1], op.window[i], op.strides[i], 1), op, i);
  const std::vector<ValueId> results = node.emit(op, {node.input(0)}, 2);
  node.result(0, node.activated(results[0], activations[activation]));
  Emitter at(node.graph(), node.origin());
  const Term place{&at, results[1]}, width = size_term(at, x[2]);
  Div whole;
  whole.rounding = Div::Rounding::floor;
  const Term row = apply(whole, {place, width}), column = place - row * width;
  const Dims y = dims_of(place);
  const auto start = [&](size_t i) {
    return static_cast<double>(op.strides[i]) * places_along(at, y[i + 1], i == 0) -
           size_term(at, op.pads_low[i]);
  };
  const Term inside = static_cast<double>(op.window[1]) * (row - start(0)) + (column - start(1));
  node.result(1, (cast(inside, DType::f32) + 0.1).id);
}

// Each element goes where it was the largest of its window; places outside are left out.
void read_max_unpool(ReadNode& node) {
  const int64_t strides[] = {option(node, 2), option(node, 1)}, window[] = {option(node, 4), option(node, 3)};
  for (size_t i = 0; i < 2; ++i)
    if (strides[i] < 1 || window[i] < 1)
      fail("a window of {} elements and a stride of {}", window[i], strides[i]);
  const Dims x = node.dims_of(0, 4);
  Dims y = x;
  Emitter at(node.graph(), node.origin());
  const Term inside = cast({&at, node.input(1)}, DType::i64),
             across = number(at, DType::i64, static_cast<double>(window[1]));
  Div whole;
  whole.rounding = Div::Rounding::floor;
  Term tap[] = {apply(whole, {inside, across}), inside};
  tap[1] = inside - tap[0] * across;
  Term place = reshape(counting(at, x[0]), {x[0], 1, 1, 1}), outside;
  for (size_t i = 0; i < 2; ++i) {
    const Dim& count = x[i + 1];
    y[i + 1] = count * Dim(window[i]);
    const Dim over = max(Dim(0), (count - 1) * Dim(strides[i]) + Dim(window[i]) - y[i + 1]);
    const Term along = static_cast<double>(strides[i]) * places_along(at, count, i == 0) -
                       size_term(at, floor_div(over, 2)) + tap[i];
    const Term size = size_term(at, y[i + 1]), beyond = along < 0 || !(along < size);
    outside = outside.at ? outside || beyond : beyond;
    place = place * size + along;
  }
  place = place * size_term(at, x[3]) + counting(at, x[3]);
  const Dim all = product(y), count = product(x);
  place = reshape(select(outside, size_term(at, all), place), {count, 1});
  const Term zeros = expand(number(at, node.type(0).dtype, 0), {all + 1}),
             values = reshape({&at, node.input(0)}, {count});
  node.result(0, reshape(part(apply(ScatterND{}, {zeros, place, values}), 0, 0, all), y).id);
}

}  // namespace

void mediapipe_rows(Rows& rows) {
  rows.read("custom:Convolution2DTransposeBias", since(1), read_transpose_conv_bias);
  rows.read("custom:MaxPoolingWithArgmax2D", since(1), read_max_pool_index);
  rows.read("custom:MaxUnpooling2D", since(1), read_max_unpool);
}

}  // namespace remodel::tflite
