// LSTMs by LiteRT's operator for whole sequences. Its states are variables that last from call to call, and
// its kernel takes the rows of a batch one by one; so it is written for layers that begin with zeros and have
// one row. Others are loops.
//
// A layer must not see what the last call has left: the sequence begins with a step of ones whose gates are
// closed by a weight of their own, for an input that is 0 in all other steps. This leaves both states 0.
#include "formats/tflite/rows.h"
#include "formats/tflite/writer.h"
#include "ops/recurrent.h"

namespace remodel::tflite {
namespace {

constexpr double closing_weight = -1e30;
constexpr size_t gate_g = 2;

struct Layer {
  int64_t hidden, input;
  bool time_major;
  Dim steps;
};

// Block `part` of `size` rows in direction d of [directions, rows, ...].
ConstantPtr rows_of(const ConstantPtr& all, int64_t d, int64_t part, int64_t size) {
  Shape shape(all->shape().begin() + 1, all->shape().end());
  shape[0] = size;
  return all->sliced(0, d, 1, 1)->sliced(1, part * size, size, 1)->reshaped(shape);
}

ConstantPtr sum_of(const ConstantPtr& a, const ConstantPtr& b) {
  const remodel::Tensor x = a->tensor(), y = b->tensor();
  std::vector<float> sum(x.as<float>(), x.as<float>() + x.count());
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += y.as<float>()[i];
  return constant_tensor(remodel::Tensor::of<float>(DType::f32, a->shape(), sum));
}

ConstantPtr weights_of(const WriteNode& node, size_t i) {
  return node.has(i) ? node.graph().value(node.node().inputs[i]).constant : nullptr;
}

Layer layer_of(const WriteNode& node) {
  const auto& op = node.op<Lstm>();
  if (node.dtype(0) != DType::f32) fail("it does not compute on f32");
  if (node.has(4) || node.has(5)) fail("it begins with states");
  if (node.has(6)) fail("its rows have lengths");
  if (node.wants(2)) fail("its last cell state is asked for");
  if (op.coupled || op.clip > 0) fail("its gates are coupled or limited");
  for (size_t k = 0; k < op.activations.size(); k += Lstm::functions)
    if (op.activations[k] != "sigmoid" || op.activations[k + 1] != op.activations[k + 2] ||
        (op.activations[k + 1] != "tanh" && op.activations[k + 1] != "relu") ||
        op.activations[k + 1] != op.activations[1])
      fail("the operator lacks its activations");
  for (size_t i : {1, 2, 3, 7})
    if (node.has(i) && !weights_of(node, i)) fail("its weights are computed when it runs");
  const Dims x = node.dims(0);
  const Shape& r = weights_of(node, 2)->shape();
  if (!x[op.batch_major ? 0 : 1].is_number(1)) fail("it has several rows");
  if (!x[2].is_number()) fail("the size of its input is not known");
  return {r[2], x[2].number(), !op.batch_major, x[op.batch_major ? 1 : 0]};
}

// One direction: all steps, the closed one first.
Id run_direction(WriteNode& node, const Layer& layer, Id x, int64_t d) {
  const size_t time = layer.time_major ? 0 : 1;
  Dims wide =
      layer.time_major ? Dims{layer.steps, 1, layer.input + 1} : Dims{1, layer.steps, layer.input + 1};
  const auto around = [&](size_t axis, int64_t low, int64_t high) {
    std::vector<int64_t> pads(6, 0);
    pads[2 * axis] = low, pads[2 * axis + 1] = high;
    return node.constant(constant_cast(constant_ints(pads)->reshaped({3, 2}), DType::i32));
  };
  x = node.emit("PAD", {x, around(2, 0, 1)}, Type(DType::f32, wide));
  wide[time] = layer.steps + 1;
  x = node.emit("PADV2", {x, around(time, 1, 0), node.scalar(DType::f32, 1)}, Type(DType::f32, wide));

  const ConstantPtr w = weights_of(node, 1), r = weights_of(node, 2), b = weights_of(node, 3),
                    p = weights_of(node, 7);
  const int64_t hidden = layer.hidden;
  Ids inputs{x};
  for (size_t gate = 0; gate < Lstm::gates; ++gate) {
    const ConstantPtr own = rows_of(w, d, static_cast<int64_t>(gate), hidden),
                      closing = constant_splat(DType::f32, {hidden, 1}, gate == gate_g ? 0 : closing_weight);
    inputs.push_back(node.constant(constant_concat({own, closing}, 1)));
  }
  for (int64_t gate = 0; gate < Lstm::gates; ++gate)
    inputs.push_back(node.constant(rows_of(r, d, gate, hidden)));
  for (int64_t gate = 0; gate < 3; ++gate)
    inputs.push_back(p ? node.constant(rows_of(p, d, gate, hidden)) : -1);
  for (int64_t gate = 0; gate < Lstm::gates; ++gate)
    inputs.push_back(node.constant(b ? sum_of(rows_of(b, d, gate, hidden), rows_of(b, d, 4 + gate, hidden))
                                     : constant_splat(DType::f32, {hidden}, 0)));
  inputs.insert(inputs.end(), {-1, -1});  // a projection and its bias
  for (int state = 0; state < 2; ++state) inputs.push_back(node.variable(Type(DType::f32, {1, hidden})));
  wide[2] = hidden;
  const bool tanh = node.op<Lstm>().activations[1] == "tanh";
  return node.emit("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, Type(DType::f32, wide),
                   {word("fused_activation_function", tanh ? "TANH" : "RELU"),
                    Attribute::of("time_major", layer.time_major)});
}

void write_lstm(WriteNode& node) {
  const auto& op = node.op<Lstm>();
  const Layer layer = layer_of(node);
  const int64_t time = layer.time_major ? 0 : 1;
  const Dims one = layer.time_major ? Dims{layer.steps, 1, layer.hidden} : Dims{1, layer.steps, layer.hidden};
  const auto turned = [&](Id sequence) {
    const Type type = node.type_of(sequence);
    return node.emit("REVERSE_V2", {sequence, node.integers({time})}, type);
  };
  Ids all, last;
  for (int64_t d = 0; d < op.directions(); ++d) {
    const bool backward = op.direction == Direction::backward || d == 1;
    const Id steps = run_direction(node, layer, backward ? turned(node.in(0)) : node.in(0), d);
    if (node.wants(1)) {
      Dims begin(3, 0), size{1, 1, layer.hidden};
      begin[static_cast<size_t>(time)] = layer.steps;
      last.push_back(
          node.emit("SLICE", {steps, node.sizes(begin), node.sizes(size)}, Type(DType::f32, size)));
    }
    if (!node.wants(0)) continue;
    std::vector<int64_t> begin(3, 0);
    begin[static_cast<size_t>(time)] = 1;
    Id y =
        node.emit("SLICE", {steps, node.integers(begin), node.integers({-1, -1, -1})}, Type(DType::f32, one));
    all.push_back(backward ? turned(y) : y);
  }
  // One after another along the axis of the directions.
  const auto give = [&](size_t k, const Ids& parts, int64_t axis) {
    if (!node.wants(k)) return;
    if (parts.size() == 1) return node.reshape_to(node.out(k), parts[0], node.result_dims(k));
    Dims each = node.result_dims(k);
    each[static_cast<size_t>(axis)] = 1;
    Ids shaped;
    for (Id part : parts) shaped.push_back(node.reshape(part, each));
    node.emit_to({node.out(k)}, "CONCATENATION", shaped, {Attribute::of("axis", axis)});
  };
  give(0, all, layer.time_major ? 1 : 2);
  give(1, last, 0);
}

}  // namespace

void write_recurrent_rows(Rows& rows) { rows.write<Lstm>(since(1), write_lstm); }

}  // namespace remodel::tflite
