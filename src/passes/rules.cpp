#include "passes/rules.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "base/error.h"
#include "ir/infer.h"
#include "ir/symbols.h"

namespace remodel {
namespace {

// Operand orders tried for one match at most; beyond it the match is given up.
constexpr int most_attempts = 64;

bool near(double a, double b) { return std::abs(a - b) <= 1e-5 * std::max(std::abs(a), std::abs(b)); }

bool unifies(const Type& fresh, const Type& old) {
  if (fresh.kind != old.kind || fresh.dtype != old.dtype) return false;
  if (old.grid && !same_grid(fresh, old)) return false;
  if (!fresh.dims || !old.dims) return fresh.dims.has_value() == old.dims.has_value();
  if (fresh.dims->size() != old.dims->size()) return false;
  for (size_t axis = 0; axis < fresh.dims->size(); ++axis) {
    const Dim &a = (*fresh.dims)[axis], &b = (*old.dims)[axis];
    // A size that running finds out gets a new name whenever it is inferred anew.
    std::string_view made_up = a.symbol_name();
    if (!(a == b) && !(!made_up.empty() && made_up[0] == '_')) return false;
  }
  return true;
}

}  // namespace

Expr Rules::any() {
  nodes_.push_back({Node::any, 0, nullptr, nullptr, {}});
  return {this, static_cast<int32_t>(nodes_.size() - 1)};
}
Expr Rules::constant() {
  nodes_.push_back({Node::constant, 0, nullptr, nullptr, {}});
  return {this, static_cast<int32_t>(nodes_.size() - 1)};
}
Expr Rules::literal(double value) {
  nodes_.push_back({Node::literal, value, nullptr, nullptr, {}});
  return {this, static_cast<int32_t>(nodes_.size() - 1)};
}
Expr Rules::op(Op op, std::vector<Expr> operands) {
  const OpInfo& info = op.info();
  return add_op(info, std::make_shared<Op>(std::move(op)), std::move(operands));
}
Expr Rules::optional(Expr value) {
  nodes_[value.id].optional = true;
  return value;
}
Expr Rules::shared(Expr value) {
  nodes_[value.id].shared = true;
  return value;
}
Expr Rules::add_op(const OpInfo& info, std::shared_ptr<Op> exact, std::vector<Expr> operands) {
  nodes_.push_back({Node::op, 0, &info, std::move(exact), std::move(operands)});
  return {this, static_cast<int32_t>(nodes_.size() - 1)};
}

void Rules::add(std::string name, Effect effect, Expr pattern, Where where, Build build) {
  if (nodes_[pattern.id].kind != Node::op)
    throw Error(fmt::format("rule '{}': its root is no op", name), ErrorKind::internal);
  by_root_[nodes_[pattern.id].info].push_back(static_cast<int32_t>(rules_.size()));
  rules_.push_back({std::move(name), effect, pattern.id, std::move(where), std::move(build)});
}

void Rules::add(std::string name, Effect effect, Expr pattern, Expr replacement) {
  add(std::move(name), effect, pattern, nullptr, [this, replacement](Match& match) {
    std::function<ValueId(int32_t, DType)> make = [&](int32_t id, DType dtype) -> ValueId {
      const Node& node = nodes_[id];
      if (node.kind == Node::literal) return match.scalar(dtype, node.value);
      if (node.kind != Node::op) return match.values_[id];
      std::vector<ValueId> operands;
      for (const Expr& operand : node.operands)
        operands.push_back(nodes_[operand.id].kind == Node::literal ? absent : make(operand.id, dtype));
      for (size_t i = 0; i < operands.size(); ++i)
        if (nodes_[node.operands[i].id].kind == Node::literal) {
          auto sibling =
              std::find_if(operands.begin(), operands.end(), [](ValueId v) { return v != absent; });
          operands[i] =
              match.scalar(sibling == operands.end() ? dtype : match.graph().value(*sibling).type.dtype,
                           nodes_[node.operands[i].id].value);
        }
      return match.emit(node.exact ? *node.exact : Op(*node.info, node.info->defaults), operands);
    };
    return make(replacement.id, match.graph().value(match.root()).type.dtype);
  });
}

const std::vector<int32_t>& Rules::rooted(const OpInfo& op) const {
  static const std::vector<int32_t> none;
  auto place = by_root_.find(&op);
  return place == by_root_.end() ? none : place->second;
}

void Match::stand_for(const remodel::Node& node) {
  for (const auto& name : node.origin)
    if (std::find(origin_.begin(), origin_.end(), name) == origin_.end()) origin_.push_back(name);
}

ValueId Match::emit(Op op, std::vector<ValueId> operands) {
  while (!operands.empty() && operands.back() == absent) operands.pop_back();
  NodeId id = graph_.add_node(std::move(op), std::move(operands), {""}, origin_);
  return graph_.node(id).outputs[0];
}

// Matches one pattern at one node by trying operand orders in turn. A choice string says for each commutative
// node met, in order, whether its operands are swapped.
class Matcher {
 public:
  Matcher(const Rules& rules, Graph& graph, Match& match, bool exact)
      : rules_(rules), graph_(graph), match_(match), exact_(exact) {}

  bool run(int32_t pattern, ValueId root) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      match_.reset();
      choices_used_ = 0;
      if (at(pattern, root) && closed(root)) {
        match_.root_ = root;
        return true;
      }
      // The last choice that was still the first order takes the second; those after it start anew.
      while (!choices_.empty() && choices_.size() > choices_used_) choices_.pop_back();
      while (!choices_.empty() && choices_.back()) choices_.pop_back();
      if (choices_.empty()) return false;
      choices_.back() = true;
    }
    return false;
  }

 private:
  bool at(int32_t pattern, ValueId value) {
    const auto& node = rules_.nodes_[pattern];
    ValueId& bound = match_.values_[pattern];
    if (value == absent) return node.optional;
    if (bound != absent) return bound == value || same_constant(bound, value);
    const Value& it = graph_.value(value);
    switch (node.kind) {
      case Rules::Node::any:
        break;
      case Rules::Node::constant:
        if (!it.constant) return false;
        break;
      case Rules::Node::literal: {
        if (!it.constant) return false;
        auto splat = splat_value(*it.constant);
        if (!splat || !near(*splat, node.value)) return false;
        if (exact_ && *splat != splat_value(*constant_splat(it.constant->dtype(), {}, node.value)))
          return false;
        break;
      }
      case Rules::Node::op: {
        const Node* producer = graph_.producer(value);
        if (!producer || &producer->op.info() != node.info || producer->outputs[0] != value) return false;
        if (node.exact && !(producer->op == *node.exact)) return false;
        for (size_t k = 1; k < producer->outputs.size(); ++k)
          if (producer->outputs[k] != absent) return false;
        for (size_t i = node.operands.size(); i < producer->inputs.size() && !node.open; ++i)
          if (producer->inputs[i] != absent) return false;
        bool swapped = node.info->commutative && node.operands.size() == 2 && choose();
        for (size_t i = 0; i < node.operands.size(); ++i) {
          size_t from = swapped ? 1 - i : i;
          ValueId operand = from < producer->inputs.size() ? producer->inputs[from] : absent;
          if (!at(node.operands[i].id, operand)) return false;
        }
        break;
      }
    }
    bound = value;
    match_.bound_.push_back(pattern);
    return true;
  }
  // Inner values are read by matched nodes alone.
  bool closed(ValueId root) const {
    for (int32_t expr : match_.bound_) {
      ValueId value = match_.values_[expr];
      const auto& node = rules_.nodes_[expr];
      if (node.kind != Rules::Node::op || node.shared || value == root) continue;
      if (graph_.is_output(value)) return false;
      for (NodeId user : graph_.value(value).users)
        if (std::none_of(match_.bound_.begin(), match_.bound_.end(), [&](int32_t other) {
              return rules_.nodes_[other].kind == Rules::Node::op &&
                     graph_.value(match_.values_[other]).producer == user;
            }))
          return false;
    }
    return true;
  }
  bool same_constant(ValueId a, ValueId b) const {
    const auto &x = graph_.value(a).constant, &y = graph_.value(b).constant;
    return x && y && (x == y || (x->count() <= 64 && x->equals(*y)));
  }
  bool choose() {
    if (choices_used_ == choices_.size()) choices_.push_back(false);
    return choices_[choices_used_++];
  }

  const Rules& rules_;
  Graph& graph_;
  Match& match_;
  bool exact_;  // literals match to the last bit
  std::vector<bool> choices_;
  size_t choices_used_ = 0;
};

// Drives all rules over one graph by a worklist of nodes whose neighbourhood changed.
struct RuleDriver {
  Graph& graph;
  const Rules& rules;
  std::vector<RuleCount>& counts;
  const DType except;
  const Effect most;
  Match match;
  std::deque<NodeId> work;
  std::vector<bool> queued;

  RuleDriver(Graph& graph, const Rules& rules, std::vector<RuleCount>& counts, DType except, Effect most)
      : graph(graph),
        rules(rules),
        counts(counts),
        except(except),
        most(most),
        match(graph, rules.nodes_size()) {}

  void push(NodeId id) {
    if (id == absent) return;
    if (queued.size() <= static_cast<size_t>(id)) queued.resize(id + 1, false);
    if (!queued[id]) queued[id] = true, work.push_back(id);
  }

  void run() {
    for (NodeId id : graph.order()) push(id);
    while (!work.empty()) {
      NodeId id = work.front();
      work.pop_front();
      queued[id] = false;
      if (!graph.node(id).live) continue;
      for (int32_t index : rules.rooted(graph.node(id).op.info()))
        if (try_rule(id, rules.all()[index], index)) break;
    }
  }

  bool try_rule(NodeId id, const Rule& rule, int32_t index) {
    if (rule.effect > most || graph.node(id).outputs.empty() || graph.node(id).outputs[0] == absent)
      return false;
    ValueId root = graph.node(id).outputs[0];
    // Replaced already, and there only for a size that it finds out.
    if (graph.value(root).users.empty() && !graph.is_output(root)) return false;
    DType dtype = graph.value(root).type.dtype;
    if (dtype != DType::unknown && dtype == except) return false;
    if (!Matcher(rules, graph, match, rule.effect == Effect::exact).run(rule.root, root)) return false;
    if (rule.where && !rule.where(match)) return false;
    for (int32_t expr : match.bound_)
      if (rules.is_op(expr)) match.stand_for(*graph.producer(match.values_[expr]));
    size_t before = graph.node_count();
    ValueId fresh = built(rule);
    if (fresh == absent || fresh == root || !unifies(graph.value(fresh).type, graph.value(root).type)) {
      remove_from(before);
      return false;
    }
    patch(id, root, fresh, before);
    counts[index].count += 1;
    return true;
  }

  // What inference refuses of the new nodes does not fit here.
  ValueId built(const Rule& rule) {
    try {
      return rule.build(match);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::internal) throw;
      return absent;
    }
  }

  void patch(NodeId id, ValueId root, ValueId fresh, size_t before) {
    Value& old = graph.value(root);
    if (graph.value(fresh).name.empty()) graph.value(fresh).name = old.name;
    // The old type is what all users were inferred with, its symbols included: the new node finds these now.
    if (graph.value(fresh).producer != absent && graph.value(fresh).producer >= static_cast<NodeId>(before)) {
      graph.value(fresh).type = std::exchange(old.type, Type());
      graph.value(fresh).content = old.content;
    }
    std::vector<NodeId> users = old.users;
    graph.replace_uses(root, fresh);
    for (NodeId user : users) push(user);
    for (size_t made = before; made < graph.node_count(); ++made) push(static_cast<NodeId>(made));
    drop_unused(id);
    // What feeds the new nodes has other users now.
    if (const Node* producer = graph.producer(fresh)) {
      push(graph.value(fresh).producer);
      for (ValueId input : producer->inputs)
        if (input != absent) {
          push(graph.value(input).producer);
          for (NodeId user : graph.value(input).users) push(user);
        }
    }
  }

  void drop_unused(NodeId id) {
    std::vector<NodeId> stack{id};
    while (!stack.empty()) {
      NodeId one = stack.back();
      stack.pop_back();
      const Node& node = graph.node(one);
      if (!node.live || node.op.info().effect) continue;
      bool used = false;
      for (ValueId output : node.outputs)
        used = used || (output != absent && (!graph.value(output).users.empty() || graph.is_output(output)));
      if (used || !sizes_found_by(graph, one).empty()) continue;
      std::vector<ValueId> inputs = node.inputs;
      graph.remove_node(one);
      for (ValueId input : inputs)
        if (input != absent && graph.value(input).producer != absent) {
          stack.push_back(graph.value(input).producer);
          for (NodeId user : graph.value(input).users) push(user);
        }
    }
  }

  void remove_from(size_t before) {
    for (size_t made = graph.node_count(); made-- > before;)
      if (graph.node(static_cast<NodeId>(made)).live) graph.remove_node(static_cast<NodeId>(made));
  }
};

void apply_rules(Graph& graph, const Rules& rules, std::vector<RuleCount>& counts, DType except,
                 Effect most) {
  if (counts.size() < rules.all().size())
    for (size_t i = counts.size(); i < rules.all().size(); ++i)
      counts.push_back({rules.all()[i].name, rules.all()[i].effect, 0});
  for (NodeId id : graph.order())
    for (const GraphPtr& body : graph.node(id).op.graphs()) apply_rules(*body, rules, counts, except, most);
  RuleDriver(graph, rules, counts, except, most).run();
}

}  // namespace remodel
