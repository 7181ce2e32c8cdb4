// LSTMs by LiteRT's operators for whole sequences. Their states are variables that last from call to call,
// and their kernels take the rows of a batch one by one; so they are written for layers that begin with zeros
// and have one row. Others are loops.
//
// A layer must not see what the last call has left: the sequence begins, from where each direction comes,
// with a step of ones whose gates are closed by a weight of their own, for an input that is 0 in all other
// steps. This leaves both states 0.
#include "formats/tflite/rows.h"
#include "formats/tflite/writer.h"
#include "ops/recurrent.h"

namespace remodel::tflite {
namespace {

constexpr double closing_weight = -1e30;
constexpr int64_t gate_g = 2;

struct Layer {
  int64_t hidden, input;
  bool time_major;
  Dim steps;

  size_t time() const { return time_major ? 0 : 1; }
  Dims dims(const Dim& size, int64_t last) const {
    return time_major ? Dims{size, 1, last} : Dims{1, size, last};
  }
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

bool is_asked_for(const WriteNode& node, size_t k) {
  const ValueId result = node.wants(k) ? node.node().outputs[k] : absent;
  return result != absent && (!node.graph().value(result).users.empty() || node.graph().is_output(result));
}

Layer layer_of(const WriteNode& node) {
  const auto& op = node.op<Lstm>();
  if (node.dtype(0) != DType::f32) fail("it does not compute on f32");
  if (node.has(4) || node.has(5)) fail("it begins with states");
  if (node.has(6)) fail("its rows have lengths");
  if (is_asked_for(node, 2)) fail("its last cell state is asked for");
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

// The sequence between closed steps.
Id between_closed(WriteNode& node, const Layer& layer, Id x, bool front, bool back) {
  const auto around = [&](size_t axis, int64_t low, int64_t high) {
    std::vector<int64_t> pads(6, 0);
    pads[2 * axis] = low, pads[2 * axis + 1] = high;
    return node.constant(constant_cast(constant_ints(pads)->reshaped({3, 2}), DType::i32));
  };
  const int64_t wide = layer.input + 1;
  x = node.emit("PAD", {x, around(2, 0, 1)}, Type(DType::f32, layer.dims(layer.steps, wide)));
  return node.emit("PADV2", {x, around(layer.time(), front, back), node.scalar(DType::f32, 1)},
                   Type(DType::f32, layer.dims(layer.steps + (front + back), wide)));
}

// What the operators take of one direction, from the weights of the inputs to the projection that is not
// there.
void add_weights(WriteNode& node, const Layer& layer, int64_t d, Ids& inputs) {
  const ConstantPtr w = weights_of(node, 1), r = weights_of(node, 2), b = weights_of(node, 3),
                    p = weights_of(node, 7);
  const int64_t hidden = layer.hidden;
  for (int64_t gate = 0; gate < Lstm::gates; ++gate) {
    const ConstantPtr closing = constant_splat(DType::f32, {hidden, 1}, gate == gate_g ? 0 : closing_weight);
    inputs.push_back(node.constant(constant_concat({rows_of(w, d, gate, hidden), closing}, 1)));
  }
  for (int64_t gate = 0; gate < Lstm::gates; ++gate)
    inputs.push_back(node.constant(rows_of(r, d, gate, hidden)));
  for (int64_t gate = 0; gate < 3; ++gate)
    inputs.push_back(p ? node.constant(rows_of(p, d, gate, hidden)) : -1);
  for (int64_t gate = 0; gate < Lstm::gates; ++gate)
    inputs.push_back(node.constant(b ? sum_of(rows_of(b, d, gate, hidden), rows_of(b, d, 4 + gate, hidden))
                                     : constant_splat(DType::f32, {hidden}, 0)));
  inputs.insert(inputs.end(), {-1, -1});
}

void add_states(WriteNode& node, const Layer& layer, int64_t count, Ids& inputs) {
  for (int64_t k = 0; k < count; ++k) inputs.push_back(node.variable(Type(DType::f32, {1, layer.hidden})));
}

Attribute function_of(const WriteNode& node) {
  return word("fused_activation_function", node.op<Lstm>().activations[1] == "tanh" ? "TANH" : "RELU");
}

// Steps first .. of the result of an operator, `width` columns from `column` on; no count: all but the
// closed.
Id steps_of(WriteNode& node, const Layer& layer, Id all, const Dim& first, bool one, int64_t column,
            int64_t width) {
  Dims begin(3, 0), size = layer.dims(one ? Dim(1) : layer.steps, width);
  begin[layer.time()] = first;
  begin[2] = column;
  return node.emit("SLICE", {all, node.sizes(begin), node.sizes(size)}, Type(DType::f32, size));
}

void write_one_way(WriteNode& node, const Layer& layer) {
  const bool backward = node.op<Lstm>().direction == Direction::backward;
  const auto turned = [&](Id sequence) {
    const Type type = node.type_of(sequence);
    return node.emit("REVERSE_V2", {sequence, node.integers({static_cast<int64_t>(layer.time())})}, type);
  };
  Ids inputs{between_closed(node, layer, backward ? turned(node.in(0)) : node.in(0), true, false)};
  add_weights(node, layer, 0, inputs);
  add_states(node, layer, 2, inputs);
  const Id all = node.emit("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs,
                           Type(DType::f32, layer.dims(layer.steps + 1, layer.hidden)),
                           {function_of(node), Attribute::of("time_major", layer.time_major)});
  if (is_asked_for(node, 0)) {
    const Id y = steps_of(node, layer, all, 1, false, 0, layer.hidden);
    node.reshape_to(node.out(0), backward ? turned(y) : y, node.result_dims(0));
  }
  if (is_asked_for(node, 1))
    node.reshape_to(node.out(1), steps_of(node, layer, all, layer.steps, true, 0, layer.hidden),
                    node.result_dims(1));
}

// With the batch first the kernel reads memory that nobody has written.
void write_both_ways(WriteNode& node, Layer layer) {
  layer.time_major = true;
  const int64_t hidden = layer.hidden;
  const Id x = node.reshape(node.in(0), layer.dims(layer.steps, layer.input));
  Ids inputs{between_closed(node, layer, x, true, true)};
  for (int64_t d : {0, 1}) add_weights(node, layer, d, inputs);
  add_states(node, layer, 4, inputs);
  inputs.insert(inputs.end(), 9, -1);  // of an auxiliary input
  const Id all = node.emit(
      "BIDIRECTIONAL_SEQUENCE_LSTM", inputs, Type(DType::f32, layer.dims(layer.steps + 2, 2 * hidden)),
      {function_of(node), Attribute::of("time_major", true), Attribute::of("merge_outputs", true)});
  // Of one row the axis of the directions may stand before or behind it.
  if (is_asked_for(node, 0))
    node.reshape_to(node.out(0), steps_of(node, layer, all, 1, false, 0, 2 * hidden), node.result_dims(0));
  if (!is_asked_for(node, 1)) return;
  const Ids ends{steps_of(node, layer, all, layer.steps, true, 0, hidden),
                 steps_of(node, layer, all, 1, true, hidden, hidden)};
  node.emit_to({node.out(1)}, "CONCATENATION", ends, {Attribute::of("axis", int64_t{0})});
}

void write_lstm(WriteNode& node) {
  const Layer layer = layer_of(node);
  if (node.op<Lstm>().direction == Direction::both)
    write_both_ways(node, layer);
  else
    write_one_way(node, layer);
}

}  // namespace

void write_recurrent_rows(Rows& rows) { rows.write<Lstm>(since(1), write_lstm); }

}  // namespace remodel::tflite
