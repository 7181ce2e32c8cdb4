// Rewrite rules: a pattern over ops, a condition, and what takes its place.
//
//   Rules rules;
//   Expr x = rules.any();
//   rules.add("gelu from erf", Effect::rounding, x * 0.5 * (1.0 + rules.op(Erf{}, {x / 1.41421356})),
//             rules.op(Gelu{}, {x}));
//
// A literal matches a constant all of whose elements are that number (to 1e-5 of it; in an exact rule the
// nearest of its type). The same variable in two places is the same value. The operands of commutative ops
// match in either order. An inner value that has another user, or is an output of the graph, refuses the
// match unless it is marked `shared`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/graph.h"

namespace remodel {

class Rules;
class Match;

// A handle of a pattern or of a replacement.
struct Expr {
  Rules* rules = nullptr;
  int32_t id = -1;
};
Expr operator+(Expr a, Expr b);
Expr operator-(Expr a, Expr b);
Expr operator*(Expr a, Expr b);
Expr operator/(Expr a, Expr b);
Expr operator+(Expr a, double b);
Expr operator+(double a, Expr b);
Expr operator-(Expr a, double b);
Expr operator-(double a, Expr b);
Expr operator*(Expr a, double b);
Expr operator*(double a, Expr b);
Expr operator/(Expr a, double b);
Expr operator/(double a, Expr b);

enum class Effect : uint8_t {
  exact,        // the same bits
  rounding,     // the same mathematics in another order
  approximate,  // another function, close by
};

using Where = std::function<bool(Match&)>;
// Gives the value that takes the root's place, or `absent` where the rule does not apply after all.
using Build = std::function<ValueId(Match&)>;

struct Rule {
  std::string name;
  Effect effect;
  int32_t root;
  Where where;
  Build build;
};

class Rules {
 public:
  Rules() = default;
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

  Expr any();       // any value
  Expr constant();  // any constant
  Expr literal(double value);
  // The op with exactly these fields.
  Expr op(Op op, std::vector<Expr> operands);
  // The op with any fields; Match::op gives them. Operands beyond those listed must be absent.
  template <class T>
  Expr some(std::vector<Expr> operands) {
    return add_op(info_of<T>(), nullptr, std::move(operands));
  }
  // The op with any fields and any operands.
  template <class T>
  Expr every() {
    Expr made = add_op(info_of<T>(), nullptr, {});
    nodes_[made.id].open = true;
    return made;
  }
  // An operand that may be absent.
  Expr optional(Expr value);
  // The value may have other users.
  Expr shared(Expr value);

  void add(std::string name, Effect effect, Expr pattern, Expr replacement);
  void add(std::string name, Effect effect, Expr pattern, Build build) {
    add(std::move(name), effect, pattern, nullptr, std::move(build));
  }
  void add(std::string name, Effect effect, Expr pattern, Where where, Build build);

  const std::vector<Rule>& all() const { return rules_; }
  // The rules whose root is this op.
  const std::vector<int32_t>& rooted(const OpInfo& op) const;
  size_t nodes_size() const { return nodes_.size(); }
  bool is_op(int32_t expr) const { return nodes_[expr].kind == Node::op; }

 private:
  friend class Matcher;
  friend class Match;
  struct Node {
    enum Kind : uint8_t { any, constant, literal, op } kind;
    double value = 0;
    const OpInfo* info = nullptr;
    std::shared_ptr<Op> exact;  // null: any fields
    std::vector<Expr> operands;
    bool optional = false, shared = false, open = false;
  };
  Expr add_op(const OpInfo& info, std::shared_ptr<Op> exact, std::vector<Expr> operands);
  std::vector<Node> nodes_;
  std::vector<Rule> rules_;
  std::unordered_map<const OpInfo*, std::vector<int32_t>> by_root_;
};

// A match found, and the graph around it. Building appends nodes.
class Match {
 public:
  Graph& graph() { return graph_; }
  // What a variable or inner expression stands for; absent for an optional operand that is not there.
  ValueId operator[](Expr expr) const { return values_[expr.id]; }
  bool has(Expr expr) const { return values_[expr.id] != absent; }
  const Type& type(Expr expr) const { return graph_.value(values_[expr.id]).type; }
  ConstantPtr constant(Expr expr) const { return graph_.value(values_[expr.id]).constant; }
  // The node that an inner expression or the root matched.
  const remodel::Node& node(Expr expr) const { return graph_.node(graph_.value(values_[expr.id]).producer); }
  template <class T>
  const T& op(Expr expr) const {
    return *node(expr).op.template as<T>();
  }
  ValueId root() const { return root_; }

  ValueId emit(Op op, std::vector<ValueId> operands);
  // What is emitted from here on stands for this node too, which the pattern does not name.
  void stand_for(const remodel::Node& node);
  ValueId add_constant(ConstantPtr constant) { return graph_.add_constant(std::move(constant)); }
  ValueId scalar(DType dtype, double value) { return add_constant(constant_splat(dtype, {}, value)); }

 private:
  friend class Matcher;
  friend class Rules;
  friend struct RuleDriver;
  Match(Graph& graph, size_t size) : graph_(graph), values_(size, absent) {}
  void reset() {
    for (int32_t expr : bound_) values_[expr] = absent;
    bound_.clear();
    origin_.clear();
  }
  Graph& graph_;
  std::vector<ValueId> values_;  // of each expression of the rules
  std::vector<int32_t> bound_;   // those that are not absent
  ValueId root_ = absent;
  Origin origin_;
};

struct RuleCount {
  std::string name;
  Effect effect;
  int count = 0;
};

// Applies the rules until none matches, bodies included. A patch whose result has another dtype, other sizes
// or another grid than what it replaces is dropped. Results of the type `except` are left alone, and rules
// that change more than `most` are not applied. Adds to `counts`.
void apply_rules(Graph& graph, const Rules& rules, std::vector<RuleCount>& counts,
                 DType except = DType::unknown, Effect most = Effect::approximate);

}  // namespace remodel
