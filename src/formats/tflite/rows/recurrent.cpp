// Recurrent layers. Plain ones are recurrent ops; what those cannot say (clipped cells, projections,
// normalised gates, operands rounded at each step) is a loop over the steps.
#include "ops/recurrent.h"

#include <array>
#include <tuple>

#include "formats/tflite/reader.h"
#include "formats/tflite/rows.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/control.h"
#include "ops/matmul.h"
#include "ops/normalize.h"
#include "ops/quantize.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"

namespace remodel::tflite {
namespace {

// Emits into the graph around or into a body.
struct Emit {
  Graph& graph;
  const Origin& origin;

  ValueId operator()(Op op, std::vector<ValueId> operands) const {
    return graph.node(graph.add_node(std::move(op), std::move(operands), {""}, origin)).outputs[0];
  }
  ValueId activated(ValueId x, const std::string& name) const {
    if (name == "NONE") return x;
    if (name == "RELU") return (*this)(Relu{}, {x});
    if (name == "RELU6") return (*this)(Clamp(0, 6), {x});
    if (name == "RELU_N1_TO_1") return (*this)(Clamp(-1, 1), {x});
    if (name == "TANH") return (*this)(Tanh{}, {x});
    fail("the activation {} is not supported", name);
  }
};

// The weights of a layer: constants, each by its place among the inputs.
class Weights {
 public:
  explicit Weights(ReadNode& node) : node_(node) {}

  bool has(size_t i) const { return node_.has_input(i); }
  bool quantized(size_t i) const { return has(i) && grid_of(node_.input_tensor(i)) != nullptr; }
  const ConstantPtr& constant(size_t i) const {
    const ConstantPtr& found = node_.graph().value(node_.raw(i)).constant;
    if (!found) fail("its weights (input {}) are computed when it runs", i);
    if (found->shape().empty()) fail("its weights (input {}) are a single number", i);
    return found;
  }
  // As real numbers in the emitter's graph.
  ValueId in(const Emit& emit, size_t i) const {
    const Tensor& tensor = node_.input_tensor(i);
    const ValueId value = emit.graph.add_constant(constant(i), tensor.name);
    if (const auto grid = grid_of(tensor)) return dequantize(emit.graph, value, *grid, emit.origin);
    if (!is_integer(constant(i)->dtype())) return value;
    if (tensor.quantization.scale.size() != 1) fail("its biases (input {}) have no scale", i);
    Grid grid;
    grid.scale = constant_splat(DType::f32, {}, tensor.quantization.scale[0]);
    return dequantize(emit.graph, value, grid, emit.origin);
  }

 private:
  ReadNode& node_;
};

// x rounded to 8 bits, row by row.
ValueId rounded(const Emit& emit, ValueId x, bool asymmetric) {
  const Type type = emit.graph.value(x).type;
  const NodeId codes =
      emit.graph.add_node(DynamicQuantize{!asymmetric, true}, {x}, {"", "", ""}, emit.origin);
  const std::vector<ValueId> parts = emit.graph.node(codes).outputs;
  if (!type.dims || type.dims->size() != 2) fail("its operand is {}", type.text());
  const Dim rows = (*type.dims)[0];
  const ValueId scale = emit(Reshape{{rows}, false}, {parts[1]}),
                zero = emit(Reshape{{rows}, false}, {parts[2]});
  Dequantize op;
  op.axis = 0;
  return emit(op, {parts[0], scale, zero});
}

// x on the grid of a tensor of the file, which a state of integers is kept on from step to step.
ValueId kept_on(const Emit& emit, ValueId x, const Tensor& tensor) {
  const auto grid = grid_of(tensor);
  if (!grid) return x;
  Quantize op;
  op.to = *dtype_of(tensor.type);
  std::vector<ValueId> operands{x, emit.graph.add_constant(grid->scale)};
  if (grid->zero) operands.push_back(emit.graph.add_constant(grid->zero));
  return dequantize(emit.graph, emit(op, operands), *grid, emit.origin);
}

ValueId product(const Emit& emit, ValueId x, ValueId w) {
  MatMul op;
  op.transpose_b = true;
  return emit(op, {x, w});
}

// Where the inputs of a cell stand. 0: it has none such, since input 0 is x.
struct LstmPlaces {
  std::array<size_t, 4> input, recurrent;  // of the gates i f g o
  std::array<size_t, 4> peephole;          // g has none
  std::array<size_t, 4> bias, norm;
  size_t projection = 0, projection_bias = 0, h = 0, c = 0;
};

LstmPlaces lstm_places(size_t first, size_t h, size_t c, bool norms) {
  LstmPlaces at{};
  for (size_t gate = 0; gate < 4; ++gate) {
    at.input[gate] = first + gate;
    at.recurrent[gate] = first + 4 + gate;
    at.bias[gate] = first + 11 + gate;
    at.norm[gate] = norms ? 20 + gate : 0;
  }
  at.peephole = {first + 8, first + 9, 0, first + 10};
  at.projection = first + 15, at.projection_bias = first + 16;
  at.h = h, at.c = c;
  return at;
}

struct LstmOptions {
  std::string activation;
  double cell_clip = 0, projection_clip = 0;
  bool asymmetric = false;
};

class LstmCell {
 public:
  LstmCell(ReadNode& node, const LstmPlaces& at, const LstmOptions& options)
      : node_(node), weights_(node), at_(at), options_(options) {
    coupled_ = !weights_.has(at.input[0]);
    hybrid_ = weights_.quantized(at.input[1]) && !node.quantized_input(0);
  }

  bool has(size_t i) const { return i != 0 && weights_.has(i); }

  // Whether the recurrent op says it.
  bool plain() const {
    for (const size_t i : at_.norm)
      if (has(i)) return false;
    const bool named = options_.activation == "TANH" || options_.activation == "RELU";
    return !hybrid_ && named && !(options_.cell_clip > 0) && !has(at_.projection) &&
           !node_.quantized_input(0);
  }

  // h and c after one step.
  std::pair<ValueId, ValueId> step(const Emit& emit, ValueId x, ValueId h, ValueId c) const {
    if (hybrid_) x = rounded(emit, x, options_.asymmetric), h = rounded(emit, h, options_.asymmetric);
    const auto gate = [&](size_t k, ValueId cell) {
      ValueId sum = emit(Add{}, {product(emit, x, weights_.in(emit, at_.input[k])),
                                 product(emit, h, weights_.in(emit, at_.recurrent[k]))});
      if (has(at_.peephole[k]))
        sum = emit(Add{}, {sum, emit(Mul{}, {cell, weights_.in(emit, at_.peephole[k])})});
      if (has(at_.norm[k])) {
        LayerNorm norm;
        norm.epsilon = 1e-8;
        sum = emit(norm, {sum, weights_.in(emit, at_.norm[k])});
      }
      if (has(at_.bias[k])) sum = emit(Add{}, {sum, weights_.in(emit, at_.bias[k])});
      return k == 2 ? emit.activated(sum, options_.activation) : emit(Sigmoid{}, {sum});
    };
    const ValueId f = gate(1, c), g = gate(2, c);
    const ValueId i =
        coupled_ ? emit(Sub{}, {emit.graph.add_constant(constant_splat(DType::f32, {}, 1)), f}) : gate(0, c);
    ValueId cell = emit(Add{}, {emit(Mul{}, {f, c}), emit(Mul{}, {i, g})});
    if (options_.cell_clip > 0) cell = emit(Clamp(-options_.cell_clip, options_.cell_clip), {cell});
    cell = kept_on(emit, cell, node_.input_tensor(at_.c));
    ValueId out = emit(Mul{}, {gate(3, cell), emit.activated(cell, options_.activation)});
    if (has(at_.projection)) {
      if (hybrid_) out = rounded(emit, out, options_.asymmetric);
      out = product(emit, out, weights_.in(emit, at_.projection));
      if (has(at_.projection_bias)) out = emit(Add{}, {out, weights_.in(emit, at_.projection_bias)});
      if (options_.projection_clip > 0)
        out = emit(Clamp(-options_.projection_clip, options_.projection_clip), {out});
    }
    return {kept_on(emit, out, node_.input_tensor(at_.h)), cell};
  }

  // All steps by the recurrent op: y, h, c.
  // The last `left_out` columns of the weights of x belong to inputs that it lacks.
  std::array<ValueId, 3> layer(ValueId x, ValueId h, ValueId c, bool batch_major, bool backward,
                               int64_t left_out = 0) const {
    const auto stack = [&](const std::array<size_t, 4>& at, const std::vector<size_t>& gates) {
      std::vector<ConstantPtr> parts;
      for (const size_t gate : gates) parts.push_back(weights_.constant(at[gate]));
      return parts;
    };
    const bool negated = coupled_;
    // Where i is 1 - f, f is said by the gate of i with its signs turned.
    const auto joined = [&](std::array<size_t, 4> at, bool peepholes) {
      if (negated) at[0] = at[1];
      std::vector<ConstantPtr> parts =
          stack(at, peepholes ? std::vector<size_t>{0, 1, 3} : std::vector<size_t>{0, 1, 2, 3});
      Shape shape{1, 0};
      for (const ConstantPtr& part : parts) shape[1] += part->shape()[0];
      if (parts[0]->shape().size() == 2) shape.push_back(parts[0]->shape()[1]);
      std::vector<ValueId> values;
      for (size_t k = 0; k < parts.size(); ++k) {
        ValueId value = node_.add_constant(parts[k]);
        if (negated && k == 0) value = node_.emit(Neg{}, {value});
        values.push_back(value);
      }
      return node_.emit(Reshape{to_dims(shape), false}, {node_.emit(Concat{0}, values)});
    };
    Lstm op;
    op.direction = backward ? Direction::backward : Direction::forward;
    const char* function = options_.activation == "TANH" ? "tanh" : "relu";
    op.activations = {"sigmoid", function, function};
    op.alphas.assign(3, 0), op.betas.assign(3, 0);
    op.batch_major = batch_major;
    op.coupled = coupled_;
    const int64_t hidden = weights_.constant(at_.input[1])->shape()[0];
    ValueId b = absent;
    if (has(at_.bias[1])) {
      const ValueId zeros = node_.add_constant(constant_splat(DType::f32, {1, 4 * hidden}, 0));
      b = node_.emit(Concat{1}, {joined(at_.bias, false), zeros});
    }
    const ValueId p = has(at_.peephole[1]) ? joined(at_.peephole, true) : absent;
    const auto lead = [&](ValueId state) {
      return state == absent ? absent : node_.emit(Unsqueeze{{0}}, {state});
    };
    ValueId w = joined(at_.input, false);
    if (left_out)
      w = node_.emit(Slice{{2}, {0}, {weights_.constant(at_.input[1])->shape()[1] - left_out}, {1}}, {w});
    const std::vector<ValueId> results =
        node_.emit(op, {x, w, joined(at_.recurrent, false), b, lead(h), lead(c), absent, p}, 3);
    return {node_.emit(Squeeze{{batch_major ? 2 : 1}}, {results[0]}), node_.emit(Squeeze{{0}}, {results[1]}),
            node_.emit(Squeeze{{0}}, {results[2]})};
  }

 private:
  ReadNode& node_;
  Weights weights_;
  LstmPlaces at_;
  LstmOptions options_;
  bool coupled_ = false, hybrid_ = false;
};

// A loop over axis `time` of x. `step` makes the next states out of a slice and the states; the first of them
// is the result of the step. Gives all results, stacked along the axis, then the states.
template <class Step>
std::vector<ValueId> over_time(ReadNode& node, ValueId x, int64_t time, bool backward,
                               const std::vector<ValueId>& states, Step step) {
  Graph& around = node.graph();
  auto body = std::make_shared<Graph>();
  body->share_symbols(around);
  std::vector<ValueId> inside;
  for (const ValueId state : states) {
    Type type = around.value(state).type;
    type.grid = nullptr;
    inside.push_back(body->add_input("state", type));
  }
  Type slice = around.value(x).type;
  if (!slice.dims || slice.dims->size() != 3) fail("its operand is {}", slice.text());
  slice.dims->erase(slice.dims->begin() + time);
  slice.grid = nullptr;
  const ValueId at = body->add_input("x", slice);
  const std::vector<ValueId> next = step(Emit{*body, node.origin()}, at, inside);
  for (const ValueId value : next) body->outputs.push_back({"", value});
  body->outputs.push_back({"", next[0]});
  Loop op;
  op.body = body;
  op.carried = static_cast<int64_t>(states.size());
  op.step_axes = {time}, op.step_reversed = {backward};
  op.stack_axes = {time}, op.stack_reversed = {backward};
  std::vector<ValueId> operands{absent, absent, absent};
  operands.insert(operands.end(), states.begin(), states.end());
  operands.push_back(x);
  const std::vector<ValueId> results = node.emit(op, operands, states.size() + 1);
  std::vector<ValueId> ordered{results.back()};
  ordered.insert(ordered.end(), results.begin(), results.end() - 1);
  return ordered;
}

// What a state holds after the operator, which is kept where the tensor keeps its elements.
void set_state(ReadNode& node, size_t i, ValueId value) {
  const Tensor& tensor = node.input_tensor(i);
  if (!tensor.variable) return;
  Reading& reading = node.reading();
  const int32_t slot = reading.slot_of_tensor(node.reader().index(), node.proto().inputs[i]);
  value = node.to_tensor(value, tensor);
  node.scope().set(reading, slot, value);
  node.reader().define(node.proto().inputs[i], {value, "", false});
  node.reader().forget_reals(node.proto().inputs[i]);
}

LstmOptions lstm_options(ReadNode& node) {
  LstmOptions options;
  options.activation = node.word("fused_activation_function");
  options.cell_clip = node.real("cell_clip");
  options.projection_clip = node.real("proj_clip");
  options.asymmetric = node.truth("asymmetric_quantize_inputs");
  return options;
}

// The sequence between steps that close the gates and leave zeros in the states, which our writer puts before
// the first, without the input that does so; absent where they are not there. `pad` is what was taken away.
ValueId between_closed_steps(ReadNode& node, const LstmPlaces& at, int64_t time, bool backward, Pad& pad) {
  const Graph& graph = node.graph();
  // What is between pads by numbers of one kind, along one axis.
  const auto inside = [&](ValueId value, int64_t axis, double number, Pad& op) {
    const Node* made = graph.producer(value);
    if (!made || !made->op.is<Pad>()) return absent;
    op = *made->op.as<Pad>();
    if (op.mode != PadMode::constant || op.low.size() != 3 || op.high.size() != 3) return absent;
    for (size_t k = 0; k < 3; ++k) {
      if (static_cast<int64_t>(k) == axis) continue;
      if (!op.low[k].is_number(0) || !op.high[k].is_number(0)) return absent;
    }
    const Constant* with = made->has(1) ? graph.constant(made->inputs[1]) : nullptr;
    return (with           ? splat_value(*with)
            : made->has(1) ? std::nullopt
                           : std::optional(0.0)) == number
               ? made->inputs[0]
               : absent;
  };
  const auto one_or_none = [](const Dim& size) { return size.is_number(0) || size.is_number(1); };
  const ValueId wide = inside(node.input(0), time, 1, pad);
  if (wide == absent) return absent;
  const auto along = static_cast<size_t>(time);
  if (!one_or_none(pad.low[along]) || !one_or_none(pad.high[along])) return absent;
  if (!(backward ? pad.high : pad.low)[along].is_number(1)) return absent;
  const Weights weights(node);
  for (size_t gate = 0; gate < 4; ++gate) {
    if (!weights.has(at.input[gate])) return absent;
    const ConstantPtr& all = weights.constant(at.input[gate]);
    if (all->shape().size() != 2 || all->shape()[1] < 2 || all->dtype() != DType::f32) return absent;
    const auto last = splat_value(*all->sliced(1, all->shape()[1] - 1, 1, 1));
    if (!last || (gate == 2 ? *last != 0 : *last > -1e29)) return absent;
  }
  Pad columns;
  const ValueId x = inside(wide, 2, 0, columns);
  return x != absent && columns.low[2].is_number(0) && columns.high[2].is_number(1) ? x : absent;
}

ValueId run_lstm(ReadNode& node, const LstmPlaces& at, const LstmOptions& options, bool time_major,
                 bool backward) {
  const LstmCell cell(node, at, options);
  const int64_t time = time_major ? 0 : 1;
  Pad pad;
  if (const ValueId inner = between_closed_steps(node, at, time, backward, pad);
      inner != absent && cell.plain())
    return node.emit(pad, {cell.layer(inner, absent, absent, !time_major, backward, 1)[0]});
  const ValueId x = node.input(0), h = node.input(at.h), c = node.input(at.c);
  ValueId y, h_after, c_after;
  if (cell.plain()) {
    std::tie(y, h_after, c_after) = std::tuple_cat(cell.layer(x, h, c, !time_major, backward));
  } else {
    const std::vector<ValueId> results =
        over_time(node, x, time_major ? 0 : 1, backward, {h, c},
                  [&](const Emit& emit, ValueId slice, const std::vector<ValueId>& states) {
                    const auto [next_h, next_c] = cell.step(emit, slice, states[0], states[1]);
                    return std::vector<ValueId>{next_h, next_c};
                  });
    y = results[0], h_after = results[1], c_after = results[2];
  }
  set_state(node, at.h, h_after);
  set_state(node, at.c, c_after);
  return y;
}

void read_sequence_lstm(ReadNode& node) {
  if (node.truth("diagonal_recurrent_tensors"))
    fail("recurrent weights that are a diagonal are not supported");
  const LstmPlaces at = lstm_places(1, 18, 19, true);
  node.result(0, run_lstm(node, at, lstm_options(node), node.truth("time_major"), false));
}

void read_both_lstm(ReadNode& node) {
  for (size_t i = 39; i < node.inputs(); ++i)
    if (node.has_input(i)) fail("an auxiliary input is not supported");
  const LstmOptions options = lstm_options(node);
  const bool time_major = node.truth("time_major"), merge = node.truth("merge_outputs");
  const ValueId forward = run_lstm(node, lstm_places(1, 35, 36, false), options, time_major, false);
  const ValueId backward = run_lstm(node, lstm_places(18, 37, 38, false), options, time_major, true);
  if (merge) return node.result(0, node.emit(Concat{2}, {forward, backward}));
  node.result(0, forward);
  node.result(1, backward);
}

// One step. The basic kind has all weights in one: of x and h, for the gates i g f o.
void read_lstm(ReadNode& node) {
  const Emit emit{node.graph(), node.origin()};
  if (node.word("kernel_type") == "FULL") {
    const LstmPlaces at = lstm_places(1, 18, 19, true);
    const LstmCell cell(node, at, lstm_options(node));
    const auto [h, c] = cell.step(emit, node.input(0), node.input(at.h), node.input(at.c));
    set_state(node, at.h, h);
    set_state(node, at.c, c);
    return node.result(0, h);
  }
  lstm_options(node);
  if (node.quantized_input(0)) fail("the quantized form of the basic kernel is not supported");
  const ValueId both = node.emit(Concat{1}, {node.input(0), node.input(1)});
  const ValueId sums = node.emit(Add{}, {product(emit, both, node.input(2)), node.input(3)});
  const Dim hidden = node.dims_of(4, 2)[1];
  const std::vector<ValueId> parts = node.emit(Split{1, Dims(4, hidden)}, {sums}, 4);
  const ValueId input = node.emit(Mul{}, {node.emit(Sigmoid{}, {parts[0]}), node.emit(Tanh{}, {parts[1]})});
  const ValueId kept = node.emit(Mul{}, {node.emit(Sigmoid{}, {parts[2]}), node.input(4)});
  const ValueId cell = node.emit(Add{}, {input, kept});
  node.result(0, node.emit(Mul{}, {node.emit(Sigmoid{}, {parts[3]}), node.emit(Tanh{}, {cell})}));
  node.result(1, cell);
  node.result(2, both);
  node.result(3, sums);
}

// h = f(w x + r h + b). `first` is the place of w; r and b follow.
ValueId run_rnn(ReadNode& node, size_t first, size_t state, bool sequence, bool time_major, bool backward) {
  const std::string activation = node.word("fused_activation_function");
  const bool asymmetric = node.truth("asymmetric_quantize_inputs");
  const Weights weights(node);
  const bool hybrid = weights.quantized(first);
  const auto step = [&](const Emit& emit, ValueId x, const std::vector<ValueId>& states) {
    ValueId h = states[0];
    if (hybrid) x = rounded(emit, x, asymmetric), h = rounded(emit, h, asymmetric);
    ValueId sum = emit(
        Add{}, {product(emit, x, weights.in(emit, first)), product(emit, h, weights.in(emit, first + 1))});
    sum = emit(Add{}, {sum, weights.in(emit, first + 2)});
    return std::vector<ValueId>{emit.activated(sum, activation)};
  };
  const ValueId x = node.input(0), h = node.input(state);
  if (!sequence) {
    const ValueId after = step(Emit{node.graph(), node.origin()}, x, {h})[0];
    set_state(node, state, after);
    return after;
  }
  const bool named = activation == "TANH" || activation == "RELU";
  if (hybrid || !named) {
    const std::vector<ValueId> results = over_time(node, x, time_major ? 0 : 1, backward, {h}, step);
    set_state(node, state, results[1]);
    return results[0];
  }
  Rnn op;
  op.direction = backward ? Direction::backward : Direction::forward;
  op.activations = {activation == "TANH" ? "tanh" : "relu"};
  op.alphas = {0}, op.betas = {0};
  op.batch_major = !time_major;
  const auto lead = [&](size_t i) {
    return node.emit(Unsqueeze{{0}}, {node.add_constant(weights.constant(i))});
  };
  const int64_t hidden = weights.constant(first)->shape()[0];
  const ValueId b =
      node.emit(Concat{1}, {lead(first + 2), node.add_constant(constant_splat(DType::f32, {1, hidden}, 0))});
  const std::vector<ValueId> results =
      node.emit(op, {x, lead(first), lead(first + 1), b, node.emit(Unsqueeze{{0}}, {h})}, 2);
  set_state(node, state, node.emit(Squeeze{{0}}, {results[1]}));
  return node.emit(Squeeze{{time_major ? 1 : 2}}, {results[0]});
}

void read_rnn(ReadNode& node) { node.result(0, run_rnn(node, 1, 4, false, false, false)); }

void read_sequence_rnn(ReadNode& node) {
  node.result(0, run_rnn(node, 1, 4, true, node.truth("time_major"), false));
}

void read_both_rnn(ReadNode& node) {
  for (size_t i = 9; i < node.inputs(); ++i)
    if (node.has_input(i)) fail("an auxiliary input is not supported");
  const bool time_major = node.truth("time_major"), merge = node.truth("merge_outputs");
  const ValueId forward = run_rnn(node, 1, 4, true, time_major, false),
                backward = run_rnn(node, 5, 8, true, time_major, true);
  if (merge) return node.result(0, node.emit(Concat{2}, {forward, backward}));
  node.result(0, forward);
  node.result(1, backward);
}

// (x [batch, in], feature weights [filters, in], time weights [filters, memory], bias?, memory [batch,
// filters * memory]): the memory moves on by what the features are now; its sums over time, and over the
// `rank` filters of each unit.
void read_svdf(ReadNode& node) {
  const Emit emit{node.graph(), node.origin()};
  const Weights weights(node);
  const std::string activation = node.word("fused_activation_function");
  const bool asymmetric = node.truth("asymmetric_quantize_inputs");
  const int64_t rank = node.integer("rank");
  ValueId x = node.input(0);
  if (node.hybrid(0, 1)) x = rounded(emit, x, asymmetric);
  const Shape feature = weights.constant(1)->shape(), time = weights.constant(2)->shape();
  if (feature.size() != 2 || time.size() != 2 || rank <= 0 || feature[0] % rank != 0)
    fail("its weights do not fit together");
  const Dim batch = node.dims_of(0, 2)[0];
  const int64_t filters = feature[0], length = time[1];
  const ValueId now = product(emit, x, weights.in(emit, 1));
  const ValueId memory = emit(Reshape{{batch, filters, length}, false}, {node.input(4)});
  const ValueId moved =
      emit(Concat{2}, {emit(Slice{{2}, {1}, {length - 1}, {1}}, {memory}), emit(Unsqueeze{{2}}, {now})});
  set_state(node, 4, emit(Reshape{{batch, filters * length}, false}, {moved}));
  const ValueId weighted = emit(Mul{}, {moved, weights.in(emit, 2)});
  const ValueId sums = emit(Reduce{Reduce::Kind::sum, {2}, false, false}, {weighted});
  const ValueId units = emit(Reshape{{batch, filters / rank, rank}, false}, {sums});
  ValueId y = emit(Reduce{Reduce::Kind::sum, {2}, false, false}, {units});
  if (node.has_input(3)) y = emit(Add{}, {y, weights.in(emit, 3)});
  node.result(0, emit.activated(y, activation));
}

}  // namespace

void recurrent_rows(Rows& rows) {
  rows.read("UNIDIRECTIONAL_SEQUENCE_LSTM", since(1), read_sequence_lstm);
  rows.read("BIDIRECTIONAL_SEQUENCE_LSTM", since(1), read_both_lstm);
  rows.read("LSTM", since(1), read_lstm);
  rows.read("RNN", since(1), read_rnn);
  rows.read("UNIDIRECTIONAL_SEQUENCE_RNN", since(1), read_sequence_rnn);
  rows.read("BIDIRECTIONAL_SEQUENCE_RNN", since(1), read_both_rnn);
  rows.read("SVDF", since(1), read_svdf);
}

}  // namespace remodel::tflite
