#include "passes/cells.h"

#include <algorithm>
#include <array>

#include "ir/infer.h"
#include "ir/symbols.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/recurrent.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/unary.h"
#include "passes/cell_gates.h"

namespace remodel {
namespace {

// Of the recurrent ops' operands: h0, then c0.
constexpr size_t first_state = 4;

// An activation of the body, as the recurrent ops name it.
struct Function {
  std::string name;
  double alpha = 0, beta = 0;
  ValueId inner = absent;
  int64_t first = 0;  // of the columns of `inner` that matter
  bool same_as(const Function& other) const {
    return name == other.name && alpha == other.alpha && beta == other.beta;
  }
};

class CellReader {
 public:
  CellReader(LoopEdit& loop, int64_t hidden) : body_(loop.body), loop_(loop), hidden_(hidden) {}

  ValueId bare(ValueId value) const { return without_unit_axes(body_, value); }
  const Node* producer(ValueId value) const { return body_.producer(bare(value)); }
  template <class T>
  const Node* made_by(ValueId value) const {
    const Node* node = producer(value);
    return node && node->op.is<T>() ? node : nullptr;
  }
  // 1 - x
  ValueId complement_of(ValueId value) const {
    const Node* node = made_by<Sub>(value);
    const Constant* one = node ? body_.constant(node->inputs[0]) : nullptr;
    return one && splat_value(*one) == 1.0 ? bare(node->inputs[1]) : absent;
  }

  // A value that no activation made is its own affine function.
  Function function_of(ValueId value) const {
    Function found;
    found.name = "affine", found.alpha = 1;
    found.inner = value = bare(value);
    int64_t first = 0;
    const Node* node = producer(columns_behind(body_, value, first));
    if (!node) return found;
    const auto named = [&](const char* name, double alpha = 0) {
      found.name = name, found.alpha = alpha, found.inner = bare(node->inputs[0]), found.first = first;
    };
    if (node->op.is<Sigmoid>()) named("sigmoid");
    if (node->op.is<Tanh>()) named("tanh");
    if (node->op.is<Relu>()) named("relu");
    if (node->op.is<Softsign>()) named("softsign");
    if (node->op.is<Softplus>()) named("softplus");
    if (const auto* op = node->op.as<LeakyRelu>()) named("leaky_relu", op->alpha);
    if (const auto* op = node->op.as<Elu>()) named("elu", op->alpha);
    if (const auto* op = node->op.as<HardSigmoid>()) named("hard_sigmoid", op->alpha), found.beta = op->beta;
    return found;
  }

 protected:
  // The other operand of a product; absent where the value is none.
  ValueId factor_beside(ValueId value, ValueId one) const {
    const Node* node = made_by<Mul>(value);
    if (!node) return absent;
    for (size_t i : {0, 1})
      if (bare(node->inputs[i]) == one) return node->inputs[1 - i];
    return absent;
  }

  Graph& body_;
  LoopEdit& loop_;
  int64_t hidden_;
};

// What was found: the op but for its weights, the gates in its order.
struct Cell {
  Op op = Op(Rnn{});
  std::vector<Gate> gates;
  std::vector<size_t> carried;  // h, c
  Sequence sequence;
};

template <class T>
Cell cell_of(T op, const std::vector<Function>& functions) {
  for (const Function& one : functions) {
    op.activations.push_back(one.name);
    op.alphas.push_back(one.alpha);
    op.betas.push_back(one.beta);
  }
  Cell cell;
  cell.op = Op(std::move(op));
  return cell;
}

bool is_plain(const Gate& gate) { return gate.reset == absent; }

class RnnReader : CellReader {
 public:
  using CellReader::CellReader;
  std::optional<Cell> read() {
    if (loop_.op.carried != 1) return std::nullopt;
    const Function f = function_of(loop_.carried_out(0));
    GateReader gates(loop_, loop_.carried_in(0), hidden_);
    const auto gate = gates.read(f.inner, f.first);
    if (!gate || !is_plain(*gate) || !gate->r || !gates.sequence()) return std::nullopt;
    Cell cell = cell_of(Rnn{}, {f});
    cell.gates = {*gate}, cell.carried = {0}, cell.sequence = *gates.sequence();
    return cell;
  }
};

class GruReader : CellReader {
 public:
  using CellReader::CellReader;
  std::optional<Cell> read() {
    if (loop_.op.carried != 1) return std::nullopt;
    h_ = loop_.carried_in(0);
    const Node* sum = made_by<Add>(loop_.carried_out(0));
    for (size_t i : {0, 1}) {
      if (!sum) break;
      if (find(sum->inputs[i], sum->inputs[1 - i])) return build();
    }
    return std::nullopt;
  }

 private:
  // z * h + (1 - z) * n, or one of the two forms with a difference.
  bool find(ValueId a, ValueId b) {
    negated_ = false;
    if (const ValueId of_state = factor_beside(a, h_); of_state != absent) {
      const Node* rest = made_by<Mul>(b);
      if (!rest) return false;
      for (size_t i : {0, 1}) {
        const ValueId x = rest->inputs[i];
        const bool plain = complement_of(x) == bare(of_state), turned = complement_of(of_state) == bare(x);
        if (!plain && !turned) continue;
        negated_ = turned, z_ = turned ? x : of_state, n_ = rest->inputs[1 - i];
        return true;
      }
      return false;
    }
    // a + z * (b - a): a is the new value or, where z is turned, the state.
    const Node* scaled = made_by<Mul>(b);
    for (size_t i : {0, 1}) {
      const Node* gap = scaled ? made_by<Sub>(scaled->inputs[i]) : nullptr;
      if (!gap || bare(gap->inputs[1]) != bare(a)) continue;
      const bool turned = bare(a) == h_;
      if (!turned && bare(gap->inputs[0]) != h_) continue;
      negated_ = turned, z_ = scaled->inputs[1 - i], n_ = turned ? gap->inputs[0] : a;
      return true;
    }
    return false;
  }

  std::optional<Cell> build() {
    const Function n = function_of(n_), z = function_of(z_);
    GateReader gates(loop_, h_, hidden_);
    auto fresh = gates.read(n.inner, n.first);
    if (!fresh || fresh->reset == absent) return std::nullopt;
    const Function r = function_of(fresh->reset);
    auto update = gates.read(z.inner, z.first), reset = gates.read(r.inner, r.first);
    if (!update || !reset || !is_plain(*update) || !is_plain(*reset) || !gates.sequence())
      return std::nullopt;
    if (!z.same_as(r) || (negated_ && z.name != "sigmoid")) return std::nullopt;
    update->negated = negated_;
    Gru op;
    op.reset_after = fresh->reset_after;
    Cell cell = cell_of(op, {z, n});
    cell.gates = {*update, *reset, *fresh}, cell.carried = {0}, cell.sequence = *gates.sequence();
    return cell;
  }

  ValueId h_ = absent, z_ = absent, n_ = absent;
  bool negated_ = false;
};

class LstmReader : CellReader {
 public:
  using CellReader::CellReader;
  std::optional<Cell> read() {
    if (loop_.op.carried != 2) return std::nullopt;
    for (size_t at : {0, 1})
      if (auto cell = read(at, 1 - at)) return cell;
    return std::nullopt;
  }

 private:
  std::optional<Cell> read(size_t at_h, size_t at_c) {
    h_ = loop_.carried_in(at_h), c_ = loop_.carried_in(at_c);
    const ValueId next = bare(loop_.carried_out(at_c));
    const Node *shown = made_by<Mul>(loop_.carried_out(at_h)), *sum = made_by<Add>(next);
    if (!shown || !sum) return std::nullopt;
    for (size_t i : {0, 1}) {
      const Function h = function_of(shown->inputs[1 - i]);
      if (h.inner != next) continue;
      const Function o = function_of(shown->inputs[i]);
      for (size_t k : {0, 1}) {
        const ValueId forget = factor_beside(sum->inputs[k], c_);
        const Node* added = forget == absent ? nullptr : made_by<Mul>(sum->inputs[1 - k]);
        for (size_t j : {0, 1}) {
          if (!added) continue;
          if (auto cell = build(forget, added->inputs[j], added->inputs[1 - j], o, h, next)) {
            cell->carried = {at_h, at_c};
            return cell;
          }
        }
      }
    }
    return std::nullopt;
  }

  std::optional<Cell> build(ValueId forget, ValueId input, ValueId fresh, const Function& o,
                            const Function& h, ValueId next) {
    const bool coupled = complement_of(forget) == bare(input), turned = complement_of(input) == bare(forget);
    const Function i = function_of(turned ? forget : input), f = coupled || turned ? i : function_of(forget),
                   g = function_of(fresh);
    if (!i.same_as(o) || !f.same_as(o)) return std::nullopt;
    if (turned && i.name != "sigmoid") return std::nullopt;
    GateReader gates(loop_, h_, hidden_);
    auto in = gates.read(i.inner, i.first, c_), keep = gates.read(f.inner, f.first, c_),
         made = gates.read(g.inner, g.first), out = gates.read(o.inner, o.first, next);
    if (!in || !keep || !made || !out || !gates.sequence()) return std::nullopt;
    in->negated = turned;
    Lstm op;
    op.coupled = coupled || turned;
    Cell cell = cell_of(op, {o, g, h});
    cell.gates = {*in, *keep, *made, *out}, cell.sequence = *gates.sequence();
    for (const Gate& gate : cell.gates)
      if (!is_plain(gate)) return std::nullopt;
    return cell;
  }

  ValueId h_ = absent, c_ = absent;
};

// A recurrent layer of one step in the body.
class LayerReader : CellReader {
 public:
  using CellReader::CellReader;
  std::optional<Cell> read() {
    for (size_t at = 0; at < static_cast<size_t>(loop_.op.carried); ++at) {
      const ValueId h = bare(loop_.carried_out(at));
      const Node* layer = body_.producer(h);
      if (!layer) continue;
      std::optional<Cell> cell;
      if (layer->op.is<Lstm>()) cell = read<Lstm>(*layer, at, h);
      if (layer->op.is<Gru>()) cell = read<Gru>(*layer, at, h);
      if (layer->op.is<Rnn>()) cell = read<Rnn>(*layer, at, h);
      if (cell) return cell;
    }
    return std::nullopt;
  }

 private:
  template <class T>
  std::optional<Cell> read(const Node& layer, size_t at, ValueId h) {
    constexpr bool has_cell = std::is_same_v<T, Lstm>;
    const T& op = *layer.op.as<T>();
    const auto& x = body_.value(layer.inputs[0]).type.dims;
    const size_t lengths = has_cell ? 6 : 5, peepholes = 7;
    if (loop_.op.carried != 1 + has_cell || op.direction == Direction::both || layer.has(lengths) || !x ||
        !(*x)[op.batch_major ? 1 : 0].is_number(1))
      return std::nullopt;
    const auto given = [&](size_t i) { return layer.has(i) ? bare(layer.inputs[i]) : absent; };
    Cell cell;
    cell.carried = {at};
    if (h == result(layer, 2) || given(first_state) != loop_.carried_in(at)) return std::nullopt;
    if (has_cell) {
      const ValueId c = bare(loop_.carried_out(1 - at));
      if (c == absent || c != result(layer, 2) || given(first_state + 1) != loop_.carried_in(1 - at))
        return std::nullopt;
      cell.carried.push_back(1 - at);
    }
    size_t j = 0;
    while (j < loop_.op.step_axes.size() && given(0) != loop_.step_in(j)) ++j;
    if (j == loop_.op.step_axes.size() || !loop_.graph.value(loop_.step_input(j)).type.has_rank(3))
      return std::nullopt;
    cell.sequence = {loop_.step_input(j), resolve_axis(loop_.op.step_axes[j], 3),
                     loop_.op.step_reversed[j] != 0};

    std::array<ConstantPtr, 8> weights;
    for (size_t i : {size_t{1}, size_t{2}, size_t{3}, peepholes})
      if (layer.has(i) && !(weights[i] = body_.value(layer.inputs[i]).constant)) return std::nullopt;
    const auto block = [&](size_t i, int64_t part) {
      Shape shape(weights[i]->shape().begin() + 1, weights[i]->shape().end());
      shape[0] = hidden_;
      return weights[i]->sliced(1, part * hidden_, hidden_, 1)->reshaped(shape);
    };
    for (int64_t k = 0; k < T::gates; ++k) {
      Gate gate;
      gate.clip = op.clip;
      gate.w = block(1, k), gate.r = block(2, k);
      bool apart = false;
      if constexpr (std::is_same_v<T, Gru>) apart = op.reset_after && k == 2;
      if (weights[3]) {
        gate.biases.push_back(block(3, k));
        (apart ? gate.after_biases : gate.biases).push_back(block(3, T::gates + k));
      }
      // Those of i f o; the third gate has none.
      if (weights[peepholes] && k != 2) gate.peephole = block(peepholes, k == 3 ? 2 : k);
      cell.gates.push_back(gate);
    }
    cell.op = layer.op;
    return cell;
  }

  static ValueId result(const Node& layer, size_t k) {
    return k < layer.outputs.size() ? layer.outputs[k] : absent;
  }
};

// The op in the place of the loop.
class Builder {
 public:
  Builder(LoopEdit& loop, Cell cell, int64_t hidden, DType dtype)
      : loop_(loop), graph_(loop.graph), cell_(std::move(cell)), hidden_(hidden), dtype_(dtype) {}

  // False where the loop gives what the op does not.
  bool fits() const {
    const Loop& op = loop_.op;
    const Dims& x = *graph_.value(cell_.sequence.x).type.dims;
    const auto& h = graph_.value(loop_.initial(cell_.carried[0])).type.dims;
    if (!h || h->size() != 2 || x.size() < 3 || !x.back().is_number()) return false;
    const auto time = static_cast<size_t>(cell_.sequence.time);
    if (x.size() == 3 && (time > 1 || !(x[1 - time] == (*h)[0]))) return false;
    if (x.size() > 3) {  // of one row
      if (!(*h)[0].is_number(1)) return false;
      for (size_t axis = 0; axis + 1 < x.size(); ++axis)
        if (axis != time && !x[axis].is_number(1)) return false;
    }
    if (loop_.operand(0) != absent || loop_.operand(1) != absent || op.gives_condition) return false;
    if (!op.count.is_number(-1) && !(op.count == x[time])) return false;
    if (loop_.has_lengths()) {
      const auto rows = [](int64_t axis) { return axis == 0; };
      if (cell_.sequence.reversed || !std::all_of(op.carried_rows.begin(), op.carried_rows.end(), rows) ||
          !std::all_of(op.stack_rows.begin(), op.stack_rows.end(), rows))
        return false;
    }
    for (size_t k = 0; k < op.stack_axes.size(); ++k)
      if (loop_.result_used(op.first_stacked() + k) &&
          loop_.stacked_out(k) != loop_.carried_out(cell_.carried[0]))
        return false;
    for (const Gate& gate : cell_.gates)
      if (gate.clip != cell_.gates[0].clip || (gate.w && gate.w->shape()[1] != x.back().number()) ||
          (gate.reset_after && !gate.r))
        return false;
    return true;
  }

  void build() {
    Dims x = *graph_.value(cell_.sequence.x).type.dims;
    const bool rank3 = x.size() == 3, batch_major = rank3 && cell_.sequence.time == 1;
    ValueId all = cell_.sequence.x;
    if (!rank3) {
      x = {x[static_cast<size_t>(cell_.sequence.time)], 1, x.back()};
      all = loop_.emit(Reshape{x, false}, {all});
    }
    std::vector<ValueId> operands{all, stacked(&Gate::w, {hidden_, x[2].number()}),
                                  stacked(&Gate::r, {hidden_, hidden_}), biases()};
    for (size_t at : cell_.carried) operands.push_back(lead(loop_.initial(at)));
    operands.push_back(loop_.operand(Loop::lengths));
    if (cell_.op.is<Lstm>()) operands.push_back(peepholes());
    while (operands.back() == absent) operands.pop_back();
    const size_t results = 1 + cell_.carried.size();
    const auto with_order = [&](auto op) {
      op.batch_major = batch_major;
      op.clip = cell_.gates[0].clip;
      op.direction = cell_.sequence.reversed ? Direction::backward : Direction::forward;
      return Op(op);
    };
    Op op = cell_.op.is<Lstm>()  ? with_order(*cell_.op.as<Lstm>())
            : cell_.op.is<Gru>() ? with_order(*cell_.op.as<Gru>())
                                 : with_order(*cell_.op.as<Rnn>());
    const NodeId made = graph_.add_node(std::move(op), operands, std::vector<std::string>(results),
                                        graph_.node(loop_.id).origin);
    const std::vector<ValueId> outputs = graph_.node(made).outputs;
    bool retyped = false;
    for (size_t k = 0; k < cell_.carried.size(); ++k)
      if (const size_t at = cell_.carried[k]; loop_.result_used(at))
        retyped |= put(loop_.result(at), loop_.emit(Squeeze{{0}}, {outputs[k + 1]}));
    for (size_t k = 0; k < loop_.op.stack_axes.size(); ++k)
      if (const size_t at = loop_.op.first_stacked() + k; loop_.result_used(at))
        retyped |= put(loop_.result(at), sequence(outputs[0], batch_major, k));
    graph_.remove_node(loop_.id);
    if (retyped) infer_graph(graph_);
  }

 private:
  bool put(ValueId old, ValueId fresh) {
    graph_.value(fresh).name = graph_.value(old).name;
    return replace_value(graph_, old, fresh);
  }

  // Stacked result k of the loop, of y [time, 1, batch, hidden] or [batch, time, 1, hidden].
  ValueId sequence(ValueId y, bool batch_major, size_t k) {
    y = loop_.emit(Squeeze{{batch_major ? 2 : 1}}, {y});
    const int64_t wished = resolve_axis(loop_.op.stack_axes[k], 3), time = batch_major;
    if (wished != time) {
      std::vector<int64_t> perm{1 - time, 2};  // batch, hidden
      perm.insert(perm.begin() + wished, time);
      y = loop_.emit(Transpose{perm}, {y});
    }
    if ((loop_.op.stack_reversed[k] != 0) == cell_.sequence.reversed) return y;
    const Dim steps = (*graph_.value(y).type.dims)[static_cast<size_t>(wished)];
    return loop_.emit(Slice{{wished}, {steps - 1}, {steps}, {-1}}, {y});
  }

  ValueId zeros(const Shape& shape) { return graph_.add_constant(constant_splat(dtype_, shape, 0)); }
  ValueId lead(ValueId value) { return loop_.emit(Unsqueeze{{0}}, {value}); }

  ValueId signed_as(const Gate& gate, ValueId value) {
    return gate.negated ? loop_.emit(Neg{}, {value}) : value;
  }

  ValueId stacked(ConstantPtr Gate::*part, const Shape& shape) {
    std::vector<ValueId> parts;
    for (const Gate& gate : cell_.gates)
      parts.push_back(gate.*part ? signed_as(gate, graph_.add_constant(gate.*part)) : zeros(shape));
    return lead(loop_.emit(Concat{0}, parts));
  }

  ValueId sum(const Gate& gate, const std::vector<ConstantPtr>& biases) {
    if (biases.empty()) return zeros({hidden_});
    ValueId all = graph_.add_constant(biases[0]);
    for (size_t k = 1; k < biases.size(); ++k) all = loop_.emit(Add{}, {all, graph_.add_constant(biases[k])});
    return signed_as(gate, all);
  }

  ValueId biases() {
    bool any = false;
    std::vector<ValueId> parts;
    for (const Gate& gate : cell_.gates) {
      any = any || !gate.biases.empty() || !gate.after_biases.empty();
      parts.push_back(sum(gate, gate.biases));
    }
    for (const Gate& gate : cell_.gates) parts.push_back(sum(gate, gate.after_biases));
    return any ? lead(loop_.emit(Concat{0}, parts)) : absent;
  }

  ValueId peepholes() {
    std::vector<ValueId> parts;
    bool any = false;
    for (size_t k : {0, 1, 3}) {
      const Gate& gate = cell_.gates[k];
      any = any || gate.peephole;
      parts.push_back(gate.peephole ? signed_as(gate, graph_.add_constant(gate.peephole)) : zeros({hidden_}));
    }
    return any ? lead(loop_.emit(Concat{0}, parts)) : absent;
  }

  LoopEdit& loop_;
  Graph& graph_;
  Cell cell_;
  int64_t hidden_;
  DType dtype_;
};

bool recognise(Graph& graph, NodeId id, DType except) {
  LoopEdit loop(graph, id);
  if (loop.op.carried < 1 || loop.op.carried > 2 || loop.op.step_axes.empty()) return false;
  const Type& state = loop.body.value(loop.carried_in(0)).type;
  if (!state.has_rank(2) || !is_float(state.dtype) || state.dtype == except || !(*state.dims)[1].is_number())
    return false;
  const int64_t hidden = (*state.dims)[1].number();
  std::optional<Cell> cell = LstmReader(loop, hidden).read();
  if (!cell) cell = GruReader(loop, hidden).read();
  if (!cell) cell = LayerReader(loop, hidden).read();
  if (!cell) cell = RnnReader(loop, hidden).read();
  if (!cell) return false;
  Builder builder(loop, std::move(*cell), hidden, state.dtype);
  if (!builder.fits()) return false;
  builder.build();
  return true;
}

}  // namespace

size_t recognise_cells(Graph& graph, std::vector<RuleCount>& counts, DType except) {
  size_t count = 0, all = 0;
  for (NodeId id : graph.order()) {
    for (const GraphPtr& body : graph.node(id).op.graphs()) all += recognise_cells(*body, counts, except);
    if (graph.node(id).op.is<Loop>()) count += recognise(graph, id, except);
  }
  if (count == 0) return all;
  constexpr auto name = "cell of a loop";
  const auto place =
      std::find_if(counts.begin(), counts.end(), [&](const RuleCount& one) { return one.name == name; });
  if (place != counts.end())
    place->count += static_cast<int>(count);
  else
    counts.push_back({name, Effect::rounding, static_cast<int>(count)});
  return all + count;
}

}  // namespace remodel
