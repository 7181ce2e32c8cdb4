#include "ops/recurrent.h"

#include "formats/onnx/rows.h"
#include "ops/shape.h"
#include "ops/slice.h"

namespace remodel::onnx {
namespace {

const std::pair<std::string_view, std::string_view> activation_names[] = {
    {"Sigmoid", "sigmoid"},
    {"Tanh", "tanh"},
    {"Relu", "relu"},
    {"Affine", "affine"},
    {"LeakyRelu", "leaky_relu"},
    {"ThresholdedRelu", "thresholded_relu"},
    {"ScaledTanh", "scaled_tanh"},
    {"HardSigmoid", "hard_sigmoid"},
    {"Elu", "elu"},
    {"Softsign", "softsign"},
    {"Softplus", "softplus"},
};

const std::pair<std::string_view, Direction> direction_names[] = {
    {"forward", Direction::forward},
    {"foward", Direction::forward},  // the default's spelling in opsets 1 and 2
    {"reverse", Direction::backward},
    {"bidirectional", Direction::both},
};

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return (x | 32) == (y | 32); });
}

std::vector<std::string_view> default_activations(size_t functions) {
  return functions == 1   ? std::vector<std::string_view>{"Tanh"}
         : functions == 2 ? std::vector<std::string_view>{"Sigmoid", "Tanh"}
                          : std::vector<std::string_view>{"Sigmoid", "Tanh", "Tanh"};
}

// Blocks of `hidden` along axis 1, in another order: block i of the result is block order[i].
using Order = std::vector<int64_t>;
// Input, output, forget, cell <-> input, forget, cell, output; and the same twice for biases.
const Order lstm_read{0, 2, 3, 1}, lstm_write{0, 3, 1, 2};
const Order lstm_bias_read{0, 2, 3, 1, 4, 6, 7, 5}, lstm_bias_write{0, 3, 1, 2, 4, 7, 5, 6};
const Order peephole_order{0, 2, 1};

// A constant stays one; `blocks` is the count of them.
ConstantPtr reordered(const ConstantPtr& x, const Order& order) {
  int64_t blocks = static_cast<int64_t>(order.size());
  if (x->shape().size() < 2 || x->shape()[1] % blocks != 0)
    fail("weights of shape {} do not hold {} gates", text_of(x->shape()), blocks);
  int64_t hidden = x->shape()[1] / blocks;
  std::vector<ConstantPtr> parts;
  for (int64_t block : order) parts.push_back(x->sliced(1, block * hidden, hidden, 1));
  return constant_concat(parts, 1);
}

ValueId reordered(ReadNode& node, size_t i, const Order& order) {
  if (!node.has_input(i)) return absent;
  if (ConstantPtr known = node.constant(i)) return node.add_constant(reordered(known, order));
  if (node.rank(i) < 2) fail("input {} is {}", i, node.type(i).text());
  auto hidden = exact_div((*node.type(i).dims)[1], static_cast<int64_t>(order.size()));
  if (!hidden) fail("weights {} do not hold {} gates", node.type(i).text(), order.size());
  std::vector<ValueId> parts;
  for (int64_t block : order) {
    Slice slice;
    slice.axes = {1}, slice.starts = {*hidden * Dim(block)}, slice.sizes = {*hidden}, slice.steps = {1};
    parts.push_back(node.emit(slice, {node.input(i)}));
  }
  return node.emit(Concat{1}, parts);
}

std::string reordered(WriteNode& node, size_t i, const Order& order) {
  if (!node.has(i)) return "";
  if (ConstantPtr known = node.graph().value(node.node().inputs[i]).constant)
    return node.constant(reordered(known, order));
  const Type& type = node.type(i);
  auto hidden = type.dims ? exact_div((*type.dims)[1], static_cast<int64_t>(order.size())) : std::nullopt;
  if (!hidden || !hidden->is_number()) fail_untyped("the weights' size is not known");
  std::vector<int64_t> sizes(order.size(), hidden->number());
  std::vector<std::string> parts, inputs{node.in(i)};
  for (size_t part = 0; part < order.size(); ++part) parts.push_back(node.fresh_name("gate"));
  Attributes attributes{Attribute::of("axis", int64_t{1})};
  if (node.opset() >= 13)
    inputs.push_back(node.integers(sizes));
  else
    attributes.push_back(Attribute::of("split", sizes));
  node.emit_to(parts, "Split", inputs, attributes);
  std::vector<std::string> sorted;
  for (int64_t block : order) sorted.push_back(parts[block]);
  return node.emit("Concat", sorted, {Attribute::of("axis", int64_t{1})});
}

void read_activations(ReadNode& node, Recurrent& op, size_t functions) {
  size_t count = functions * static_cast<size_t>(op.directions());
  auto names = node.texts("activations");
  auto alphas = node.reals("activation_alpha"), betas = node.reals("activation_beta");
  if (names.empty())
    for (size_t d = 0; d < count / functions; ++d)
      for (auto name : default_activations(functions)) names.emplace_back(name);
  if (names.size() != count) fail("expected {} activations, found {}", count, names.size());
  size_t alpha = 0, beta = 0;
  for (const auto& name : names) {
    const CellActivation* found = nullptr;
    for (auto [theirs, ours] : activation_names)
      if (equal_without_case(theirs, name)) found = find_cell_activation(ours);
    if (!found) fail("the activation '{}' is not known", name);
    op.activations.emplace_back(found->name);
    bool own_alpha = found->parameters > 0 && alpha < alphas.size();
    bool own_beta = found->parameters > 1 && beta < betas.size();
    op.alphas.push_back(own_alpha ? alphas[alpha++] : static_cast<float>(found->alpha));
    op.betas.push_back(own_beta ? betas[beta++] : static_cast<float>(found->beta));
  }
}

void write_activations(const Recurrent& op, size_t functions, Attributes& attributes) {
  std::vector<std::string> names, defaults;
  std::vector<double> alphas, betas;
  bool plain = true;
  for (size_t i = 0; i < op.activations.size(); ++i) {
    for (auto [theirs, ours] : activation_names)
      if (ours == op.activations[i]) names.emplace_back(theirs);
    defaults.emplace_back(default_activations(functions)[i % functions]);
    const CellActivation* found = find_cell_activation(op.activations[i]);
    if (found->parameters > 0) alphas.push_back(op.alphas[i]);
    if (found->parameters > 1) betas.push_back(op.betas[i]);
    auto differs = [](double value, double usual) {
      return static_cast<float>(value) != static_cast<float>(usual);
    };
    // Not all runtimes have the same defaults for it.
    plain = plain && op.activations[i] != "affine" &&
            (found->parameters < 1 || !differs(op.alphas[i], found->alpha)) &&
            (found->parameters < 2 || !differs(op.betas[i], found->beta));
  }
  if (names != defaults) attributes.push_back(Attribute::of("activations", names));
  if (!plain && !alphas.empty()) attributes.push_back(Attribute::of("activation_alpha", alphas));
  if (!plain && !betas.empty()) attributes.push_back(Attribute::of("activation_beta", betas));
}

// What the three have in common; gives whether the layout puts the batch first.
bool read_common(ReadNode& node, Recurrent& op, size_t functions) {
  node.ignore("output_sequence");
  node.ignore("hidden_size");
  std::string direction = node.text("direction", "forward");
  auto place = std::find_if(std::begin(direction_names), std::end(direction_names),
                            [&](const auto& name) { return name.first == direction; });
  if (place == std::end(direction_names)) fail("the direction '{}' is not known", direction);
  op.direction = place->second;
  op.clip = node.real("clip", 0);
  op.batch_major = node.integer("layout", 0) != 0;
  read_activations(node, op, functions);
  return op.batch_major;
}

ValueId state_operand(ReadNode& node, size_t i, bool batch_first) {
  if (!node.has_input(i) || !batch_first) return node.input_or_absent(i);
  return node.emit(Transpose{{1, 0, 2}}, {node.input(i)});
}

void emit_layer(ReadNode& node, Op op, std::vector<ValueId> operands, bool batch_first) {
  if (!batch_first) return node.emit_results(std::move(op), std::move(operands));
  auto results = node.emit(std::move(op), std::move(operands), node.outputs());
  for (size_t k = 0; k < results.size(); ++k)
    if (node.wants(k)) node.result(k, k == 0 ? results[0] : node.emit(Transpose{{1, 0, 2}}, {results[k]}));
}

void read_rnn(ReadNode& node) {
  Rnn op;
  bool batch_first = read_common(node, op, Rnn::functions);
  emit_layer(node, op,
             {node.input(0), node.input(1), node.input(2), node.input_or_absent(3),
              state_operand(node, 5, batch_first), node.input_or_absent(4)},
             batch_first);
}

void read_gru(ReadNode& node) {
  Gru op;
  bool batch_first = read_common(node, op, Gru::functions);
  op.reset_after = node.integer("linear_before_reset", 0) != 0;
  emit_layer(node, op,
             {node.input(0), node.input(1), node.input(2), node.input_or_absent(3),
              state_operand(node, 5, batch_first), node.input_or_absent(4)},
             batch_first);
}

void read_lstm(ReadNode& node) {
  Lstm op;
  bool batch_first = read_common(node, op, Lstm::functions);
  op.coupled = node.integer("input_forget", 0) != 0;
  ValueId w = reordered(node, 1, lstm_read), r = reordered(node, 2, lstm_read);
  emit_layer(
      node, op,
      {node.input(0), w, r, reordered(node, 3, lstm_bias_read), state_operand(node, 5, batch_first),
       state_operand(node, 6, batch_first), node.input_or_absent(4), reordered(node, 7, peephole_order)},
      batch_first);
}

// Attributes and the layout's transposes; `inputs` are those of the layer, x first.
void write_layer(WriteNode& node, const char* type, const Recurrent& op, size_t functions,
                 std::vector<std::string> inputs, Attributes attributes) {
  const Type& r = node.type(2);
  if (!r.has_rank(3) || !(*r.dims)[2].is_number()) fail("the size of the hidden state is not known");
  attributes.push_back(Attribute::of("hidden_size", (*r.dims)[2].number()));
  if (op.direction == Direction::backward)
    attributes.push_back(Attribute::of("direction", std::string("reverse")));
  if (op.direction == Direction::both)
    attributes.push_back(Attribute::of("direction", std::string("bidirectional")));
  if (op.clip > 0) attributes.push_back(Attribute::of("clip", op.clip));
  write_activations(op, functions, attributes);
  while (inputs.back().empty()) inputs.pop_back();
  std::vector<std::string> outputs = node.outs();
  if (op.batch_major) {
    inputs[0] = node.emit("Transpose", {inputs[0]}, {Attribute::of("perm", std::vector<int64_t>{1, 0, 2})});
    if (node.wants(0)) outputs[0] = node.fresh_name(outputs[0]);
  }
  node.emit_to(outputs, type, inputs, attributes);
  if (op.batch_major && node.wants(0))
    node.emit_to({node.out(0)}, "Transpose", {outputs[0]},
                 {Attribute::of("perm", std::vector<int64_t>{2, 0, 1, 3})});
}

std::string lengths(WriteNode& node, size_t i) {
  if (!node.has(i) || node.dtype(i) == DType::i32) return node.in(i);
  return node.cast(node.in(i), DType::i32);
}

void write_rnn(WriteNode& node) {
  write_layer(node, "RNN", node.op<Rnn>(), Rnn::functions,
              {node.in(0), node.in(1), node.in(2), node.in(3), lengths(node, 5), node.in(4)}, {});
}

void write_gru(WriteNode& node) {
  const auto& op = node.op<Gru>();
  Attributes attributes;
  if (op.reset_after) attributes.push_back(Attribute::of("linear_before_reset", int64_t{1}));
  write_layer(node, "GRU", op, Gru::functions,
              {node.in(0), node.in(1), node.in(2), node.in(3), lengths(node, 5), node.in(4)}, attributes);
}

void write_lstm(WriteNode& node) {
  const auto& op = node.op<Lstm>();
  Attributes attributes;
  if (op.coupled) attributes.push_back(Attribute::of("input_forget", int64_t{1}));
  std::string w = reordered(node, 1, lstm_write), r = reordered(node, 2, lstm_write);
  std::string b = reordered(node, 3, lstm_bias_write), peephole = reordered(node, 7, peephole_order);
  write_layer(node, "LSTM", op, Lstm::functions,
              {node.in(0), w, r, b, lengths(node, 6), node.in(4), node.in(5), peephole}, attributes);
}

}  // namespace

void recurrent_rows(Rows& rows) {
  rows.read("RNN", since(1), read_rnn);
  rows.read("GRU", since(1), read_gru);
  rows.read("LSTM", since(1), read_lstm);
  rows.write<Rnn>(since(7), write_rnn);
  rows.write<Gru>(since(7), write_gru);
  rows.write<Lstm>(since(7), write_lstm);
}

}  // namespace remodel::onnx
