// Ensembles of trees in ai.onnx.ml.
#include <algorithm>
#include <cmath>
#include <map>

#include "formats/onnx/rows.h"
#include "formats/onnx/rows/ml.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/gather.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/slice.h"
#include "ops/tree.h"
#include "ops/unary.h"

namespace remodel::onnx {
namespace {

using Kind = TreeEnsemble::Kind;

const std::vector<std::string_view> test_words{"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE",
                                               "BRANCH_GT",  "BRANCH_EQ", "BRANCH_NEQ"};
const std::vector<std::string_view> kind_words{"AVERAGE", "SUM", "MIN", "MAX"};

int64_t index_of(const std::vector<std::string_view>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) - words.begin();
}

std::vector<double> reals_of(ReadNode& node, const char* attribute) {
  ConstantPtr tensor = node.tensor(attribute);
  return tensor ? tensor->tensor().doubles() : std::vector<double>();
}

int64_t child(int64_t number, bool leaf) { return leaf ? ~number : number; }

// Each leaf has one vote, and sets are lists that end with NaN.
void read_tree_ensemble(ReadNode& node) {
  const Transform transform = read_transform(node);
  if (keeps_odd_transform(node, transform, node.integer("n_targets", 1))) return;
  TreeEnsemble op;
  int64_t kind = node.integer("aggregate_function", 1);
  if (kind < 0 || kind > 3) fail("attribute 'aggregate_function': the value {} is not known", kind);
  op.kind = static_cast<Kind>(kind);
  op.targets = node.integer("n_targets", 1);
  op.features = node.integers("nodes_featureids");
  ConstantPtr modes = node.tensor("nodes_modes");
  if (modes) op.tests = modes->tensor().ints();
  op.splits = reals_of(node, "nodes_splits");
  op.missing = node.integers("nodes_missing_value_tracks_true");
  op.roots = node.integers("tree_roots");
  op.yes = node.integers("nodes_truenodeids");
  op.no = node.integers("nodes_falsenodeids");
  std::vector<int64_t> yes_leaf = node.integers("nodes_trueleafs"),
                       no_leaf = node.integers("nodes_falseleafs");
  for (size_t size : {op.yes.size(), op.no.size(), yes_leaf.size(), no_leaf.size()})
    if (size != op.features.size()) fail("{} nodes have {} entries in a list", op.features.size(), size);
  for (size_t i = 0; i < op.yes.size(); ++i) {
    op.yes[i] = child(op.yes[i], yes_leaf[i] != 0);
    op.no[i] = child(op.no[i], no_leaf[i] != 0);
  }
  int64_t members = 0;
  for (double member : reals_of(node, "membership_values")) {
    if (std::isnan(member))
      op.set_ends.push_back(members);
    else
      op.members.push_back(member), ++members;
  }
  op.vote_targets = node.integers("leaf_targetids");
  op.votes = reals_of(node, "leaf_weights");
  for (size_t i = 0; i < op.votes.size(); ++i) op.vote_ends.push_back(static_cast<int64_t>(i) + 1);
  node.ignore("nodes_hitrates");
  ValueId scores = node.emit(op, {node.input(0)});
  node.result(0, transformed(node, scores, transform));
}

using Place = std::pair<int64_t, int64_t>;  // tree, node

// Numbers that stand in a list, or in a tensor where they are doubles.
std::vector<double> reals_or_tensor(ReadNode& node, const std::string& attribute) {
  std::vector<double> reals = reals_of(node, (attribute + "_as_tensor").c_str());
  return reals.empty() ? node.reals(attribute) : reals;
}

// The form before version 5: nodes have numbers in their tree, leaves are nodes, votes name theirs. `votes`
// is the word that the attributes of votes begin with.
TreeEnsemble read_old_trees(ReadNode& node, const std::string& votes) {
  TreeEnsemble op;
  std::vector<int64_t> trees = node.integers("nodes_treeids"), ids = node.integers("nodes_nodeids"),
                       features = node.integers("nodes_featureids"), yes = node.integers("nodes_truenodeids"),
                       no = node.integers("nodes_falsenodeids"),
                       missing = node.integers("nodes_missing_value_tracks_true");
  std::vector<std::string> modes = node.texts("nodes_modes");
  std::vector<double> splits = reals_or_tensor(node, "nodes_values");
  node.ignore("nodes_hitrates");
  node.ignore("nodes_hitrates_as_tensor");
  const size_t count = ids.size();
  for (size_t size : {trees.size(), features.size(), yes.size(), no.size(), modes.size(), splits.size()})
    if (size != count) fail("{} nodes have {} entries in a list", count, size);
  if (!missing.empty() && missing.size() != count)
    fail("{} nodes have {} entries for missing values", count, missing.size());

  std::map<Place, int64_t> children;
  std::vector<Place> leaves;
  int64_t inner = 0;
  for (size_t i = 0; i < count; ++i) {
    Place place{trees[i], ids[i]};
    bool leaf = modes[i] == "LEAF";
    if (!children.emplace(place, leaf ? ~static_cast<int64_t>(leaves.size()) : inner).second)
      fail("tree {} has two nodes {}", place.first, place.second);
    if (leaf)
      leaves.push_back(place);
    else
      ++inner;
  }
  auto find = [&](int64_t tree, int64_t id) {
    auto place = children.find({tree, id});
    if (place == children.end()) fail("tree {} has no node {}", tree, id);
    return place->second;
  };
  for (size_t i = 0; i < count; ++i) {
    if (i == 0 || trees[i] != trees[i - 1]) op.roots.push_back(find(trees[i], ids[i]));
    if (modes[i] == "LEAF") continue;
    int64_t test = index_of(test_words, modes[i]);
    if (test == static_cast<int64_t>(test_words.size())) fail("a node's mode '{}' is not known", modes[i]);
    op.tests.push_back(test);
    op.features.push_back(features[i]);
    op.splits.push_back(splits[i]);
    op.yes.push_back(find(trees[i], yes[i]));
    op.no.push_back(find(trees[i], no[i]));
    if (!missing.empty()) op.missing.push_back(missing[i]);
  }

  std::vector<int64_t> vote_trees = node.integers(votes + "_treeids"),
                       vote_nodes = node.integers(votes + "_nodeids"),
                       targets = node.integers(votes + "_ids");
  std::vector<double> weights = reals_or_tensor(node, votes + "_weights");
  for (size_t size : {vote_nodes.size(), targets.size(), weights.size()})
    if (size != vote_trees.size()) fail("{} votes have {} entries in a list", vote_trees.size(), size);
  std::multimap<Place, size_t> by_leaf;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (find(vote_trees[i], vote_nodes[i]) >= 0)
      fail("a vote of node {} in tree {}, which is no leaf", vote_nodes[i], vote_trees[i]);
    by_leaf.emplace(Place{vote_trees[i], vote_nodes[i]}, i);
  }
  for (const Place& leaf : leaves) {
    auto [first, last] = by_leaf.equal_range(leaf);
    for (auto vote = first; vote != last; ++vote) {
      op.vote_targets.push_back(targets[vote->second]);
      op.votes.push_back(weights[vote->second]);
    }
    op.vote_ends.push_back(static_cast<int64_t>(op.votes.size()));
  }
  op.base = reals_or_tensor(node, "base_values");
  return op;
}

void read_tree_regressor(ReadNode& node) {
  const Transform transform = read_transform(node);
  if (keeps_odd_transform(node, transform, node.integer("n_targets", 1))) return;
  TreeEnsemble op = read_old_trees(node, "target");
  std::string kind = node.text("aggregate_function", "SUM");
  int64_t number = index_of(kind_words, kind);
  if (number == static_cast<int64_t>(kind_words.size()))
    fail("attribute 'aggregate_function': the value '{}' is not known", kind);
  op.kind = static_cast<Kind>(number);
  op.targets = node.integer("n_targets", 1);
  ValueId scores = node.emit(op, {real_features(node, 0)});
  node.result(0, transformed(node, as_f32(node, scores), transform));
}

// Whether every row gets a vote for the target: some tree has one at each of its leaves. Trees are apart, as
// files list them.
bool always_votes(const TreeEnsemble& op, int64_t target) {
  std::vector<bool> votes(op.vote_ends.size(), false);
  for (size_t leaf = 0; leaf < votes.size(); ++leaf)
    for (int64_t i = leaf == 0 ? 0 : op.vote_ends[leaf - 1]; i < op.vote_ends[leaf]; ++i)
      if (op.vote_targets[i] == target) votes[leaf] = true;
  return std::any_of(op.roots.begin(), op.roots.end(), [&](int64_t root) {
    std::vector<int64_t> waiting{root};
    for (size_t i = 0; i < waiting.size(); ++i) {
      if (waiting.size() > 2 * op.yes.size() + 1) return false;
      if (waiting[i] >= 0)
        waiting.insert(waiting.end(), {op.yes[waiting[i]], op.no[waiting[i]]});
      else if (!votes[~waiting[i]])
        return false;
    }
    return true;
  });
}

bool no_negative_vote(const TreeEnsemble& op) {
  return std::none_of(op.votes.begin(), op.votes.end(), [](double vote) { return vote < 0; });
}

// The first label, or the second where the score is above the bound.
ValueId one_of_two(ReadNode& node, ConstantPtr labels, ValueId score, double bound) {
  ValueId second = node.emit(Greater{}, {score, node.add_scalar(DType::f32, bound)});
  ValueId index = node.emit(Squeeze{{1}}, {node.emit(cast_to(DType::i64), {second})});
  return node.emit(Gather{}, {node.add_constant(labels), index});
}

ValueId column(ReadNode& node, ValueId scores, int64_t index) {
  Slice slice;
  slice.axes = {1}, slice.starts = {index}, slice.sizes = {1}, slice.steps = {1};
  return node.emit(slice, {scores});
}

// Two classes, as ONNX Runtime reads them. Where only one has votes, they are for the second class: from 1/2
// on if none is negative, otherwise from 0 on.
void read_two_classes(ReadNode& node, TreeEnsemble op, ConstantPtr labels, Transform transform) {
  auto voted = [&](int64_t target) {
    return std::count(op.vote_targets.begin(), op.vote_targets.end(), target) != 0;
  };
  const bool single = voted(0) != voted(1), positive = no_negative_vote(op);
  const double bound = single && positive ? 0.5 : 0;
  op.targets = voted(1) ? 2 : 1;
  ValueId scores = as_f32(node, node.emit(op, {real_features(node, 0)}));
  ValueId score = voted(1) ? column(node, scores, 1) : scores;
  node.result(0, one_of_two(node, labels, score, bound));
  if (voted(1)) return node.result(1, transformed(node, scores, transform));
  bool logistic = transform == Transform::logistic;
  ValueId one = node.add_scalar(DType::f32, 1);
  ValueId rest = positive && !logistic ? node.emit(Sub{}, {one, score}) : node.emit(Neg{}, {score});
  scores = node.emit(Concat{1}, {rest, score});
  node.result(1, logistic ? transformed(node, scores, transform) : scores);
}

void read_tree_classifier(ReadNode& node) {
  ConstantPtr labels = read_labels(node, "classlabels_int64s");
  const int64_t classes = labels->count();
  const Transform transform = read_transform(node);
  TreeEnsemble op = read_old_trees(node, "class");
  op.targets = classes;
  // What runtimes make of such a file is not what it says, or not to be told from it.
  bool only_first =
      std::all_of(op.vote_targets.begin(), op.vote_targets.end(), [](int64_t target) { return target == 0; });
  bool only_second =
      std::all_of(op.vote_targets.begin(), op.vote_targets.end(), [](int64_t target) { return target == 1; });
  bool odd = transform == Transform::probit || classes < 2;
  for (int64_t target = 0; target < classes && !odd; ++target) {
    bool silent = classes == 2 && (target == 0 ? only_second : only_first);
    bool based = classes > 2 && op.base.size() == static_cast<size_t>(classes);
    odd = !silent && !based && !always_votes(op, target);
  }
  if (classes == 2) {
    odd = odd || op.base.size() > (only_first ? 1 : 0);
    odd = odd || (!only_first && !only_second && labels->dtype() == DType::i64 &&
                  labels->tensor().ints() != std::vector<int64_t>{0, 1});
  }
  if (odd) return node.keep();
  if (classes == 2) return read_two_classes(node, std::move(op), labels, transform);
  ValueId scores = as_f32(node, node.emit(op, {real_features(node, 0)}));
  ArgMax most;
  most.axis = 1, most.keep = false;
  node.result(0, node.emit(Gather{}, {node.add_constant(labels), node.emit(most, {scores})}));
  node.result(1, transformed(node, scores, transform));
}

bool one_vote_a_leaf(const TreeEnsemble& op) {
  for (size_t leaf = 0; leaf < op.vote_ends.size(); ++leaf)
    if (op.vote_ends[leaf] != static_cast<int64_t>(leaf) + 1) return false;
  return true;
}

constexpr const char* ml = "ai.onnx.ml";
bool has_set(const TreeEnsemble& op) { return !op.set_ends.empty(); }

std::string tree_ensemble_problem(const WriteNode& node) {
  const auto& op = node.op<TreeEnsemble>();
  bool newer = has_set(op) || is_small_float(node.dtype(0));
  return newer && !one_vote_a_leaf(op) ? "ONNX has no leaves with several votes beside sets" : "";
}

void write_new_trees(WriteNode& node, const TreeEnsemble& op) {
  const DType dtype = node.dtype(0);
  node.need(ml, 5);
  std::vector<int64_t> yes = op.yes, no = op.no, yes_leaf, no_leaf, roots = op.roots, features = op.features,
                       tests = op.tests, missing = op.missing;
  std::vector<double> splits = op.splits, members;
  // A tree that is a leaf is a node both of whose ways lead there.
  for (int64_t& root : roots) {
    if (root >= 0) continue;
    yes.push_back(root), no.push_back(root);
    features.push_back(0), tests.push_back(0), splits.push_back(0);
    if (!missing.empty()) missing.push_back(0);
    root = static_cast<int64_t>(yes.size()) - 1;
  }
  for (auto [side, leaf] : {std::pair(&yes, &yes_leaf), std::pair(&no, &no_leaf)})
    for (int64_t& child : *side) {
      leaf->push_back(child < 0);
      if (child < 0) child = ~child;
    }
  Tensor modes(DType::u8, {static_cast<int64_t>(tests.size())});
  std::copy(tests.begin(), tests.end(), modes.to<uint8_t>());
  Attributes attributes{Attribute::of("aggregate_function", static_cast<int64_t>(op.kind)),
                        Attribute::of("n_targets", op.targets),
                        Attribute::of("tree_roots", roots),
                        Attribute::of("nodes_featureids", features),
                        Attribute::of("nodes_modes", constant_tensor(modes)),
                        Attribute::of("nodes_splits", reals_constant(splits, dtype)),
                        Attribute::of("nodes_truenodeids", yes),
                        Attribute::of("nodes_trueleafs", yes_leaf),
                        Attribute::of("nodes_falsenodeids", no),
                        Attribute::of("nodes_falseleafs", no_leaf),
                        Attribute::of("leaf_targetids", op.vote_targets),
                        Attribute::of("leaf_weights", reals_constant(op.votes, dtype))};
  if (!missing.empty()) attributes.push_back(Attribute::of("nodes_missing_value_tracks_true", missing));
  if (has_set(op)) {
    size_t at = 0;
    for (int64_t end : op.set_ends) {
      for (; at < static_cast<size_t>(end); ++at) members.push_back(op.members[at]);
      members.push_back(std::nan(""));
    }
    attributes.push_back(Attribute::of("membership_values", reals_constant(members, dtype)));
  }
  if (op.base.empty()) return node.emit_to(node.outs(), "TreeEnsemble", {node.in(0)}, attributes, ml);
  std::string scores = node.emit("TreeEnsemble", {node.in(0)}, attributes, ml);
  node.emit_to(node.outs(), "Add", {scores, node.constant(reals_constant(op.base, dtype))});
}

// Tree by tree, nodes in the order in which they are reached.
struct OldTrees {
  std::vector<int64_t> trees, ids, features, yes, no, missing, vote_trees, vote_nodes, vote_targets;
  std::vector<std::string> modes;
  std::vector<double> splits, votes;

  OldTrees(const TreeEnsemble& op) {
    for (size_t tree = 0; tree < op.roots.size(); ++tree) {
      const size_t base = ids.size();
      std::vector<int64_t> waiting{op.roots[tree]};
      for (size_t i = 0; i < waiting.size(); ++i) {
        if (ids.size() > op.features.size() + 2 * op.vote_ends.size() + op.roots.size())
          fail("nodes belong to several trees");
        const int64_t child = waiting[i], next = static_cast<int64_t>(waiting.size());
        trees.push_back(static_cast<int64_t>(tree));
        ids.push_back(static_cast<int64_t>(ids.size() - base));
        bool leaf = child < 0;
        modes.emplace_back(leaf ? "LEAF" : test_words[op.tests[child]]);
        features.push_back(leaf ? 0 : op.features[child]);
        splits.push_back(leaf ? 0 : op.splits[child]);
        missing.push_back(!leaf && !op.missing.empty() && op.missing[child] != 0);
        yes.push_back(leaf ? 0 : next);
        no.push_back(leaf ? 0 : next + 1);
        if (leaf)
          add_votes(op, ~child);
        else
          waiting.insert(waiting.end(), {op.yes[child], op.no[child]});
      }
    }
  }

 private:
  void add_votes(const TreeEnsemble& op, int64_t leaf) {
    for (int64_t i = leaf == 0 ? 0 : op.vote_ends[leaf - 1]; i < op.vote_ends[leaf]; ++i) {
      vote_trees.push_back(trees.back());
      vote_nodes.push_back(ids.back());
      vote_targets.push_back(op.vote_targets[i]);
      votes.push_back(op.votes[i]);
    }
  }
};

void write_old_trees(WriteNode& node, const TreeEnsemble& op) {
  const OldTrees old(op);
  const DType dtype = node.dtype(0);
  if (dtype == DType::f64) node.need(ml, 3);
  Attributes attributes{Attribute::of("aggregate_function", std::string(kind_words[size_t(op.kind)])),
                        Attribute::of("n_targets", op.targets),
                        Attribute::of("nodes_treeids", old.trees),
                        Attribute::of("nodes_nodeids", old.ids),
                        Attribute::of("nodes_featureids", old.features),
                        Attribute::of("nodes_modes", old.modes),
                        Attribute::of("nodes_truenodeids", old.yes),
                        Attribute::of("nodes_falsenodeids", old.no),
                        Attribute::of("nodes_missing_value_tracks_true", old.missing),
                        Attribute::of("target_treeids", old.vote_trees),
                        Attribute::of("target_nodeids", old.vote_nodes),
                        Attribute::of("target_ids", old.vote_targets)};
  auto add = [&](const std::string& name, const std::vector<double>& values) {
    attributes.push_back(dtype == DType::f64
                             ? Attribute::of(name + "_as_tensor", reals_constant(values, dtype))
                             : Attribute::of(name, values));
  };
  add("nodes_values", old.splits);
  add("target_weights", old.votes);
  if (!op.base.empty()) add("base_values", op.base);
  if (dtype == DType::f32)
    return node.emit_to(node.outs(), "TreeEnsembleRegressor", {node.in(0)}, attributes, ml);
  // The operator gives f32 whatever it takes.
  std::string scores = node.emit("TreeEnsembleRegressor", {node.in(0)}, attributes, ml);
  node.emit_to(node.outs(), "Cast", {scores}, {Attribute::of("to", code_of_dtype(dtype))});
}

void write_tree_ensemble(WriteNode& node) {
  const auto& op = node.op<TreeEnsemble>();
  bool newer = node.version(ml) >= 5 || has_set(op) || is_small_float(node.dtype(0));
  if (newer && one_vote_a_leaf(op))
    write_new_trees(node, op);
  else
    write_old_trees(node, op);
}

}  // namespace

void ml_tree_rows(Rows& rows) {
  rows.read("ai.onnx.ml:TreeEnsemble", since(5), read_tree_ensemble);
  rows.read("ai.onnx.ml:TreeEnsembleRegressor", since(1), read_tree_regressor);
  rows.read("ai.onnx.ml:TreeEnsembleClassifier", since(1), read_tree_classifier);
  rows.write<TreeEnsemble>(since(1), write_tree_ensemble, tree_ensemble_problem);
}

}  // namespace remodel::onnx
