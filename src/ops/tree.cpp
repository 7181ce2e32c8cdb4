#include "ops/tree.h"

#include <algorithm>

#include "ir/infer.h"

namespace remodel {
namespace {

void check_ends(const std::vector<int64_t>& ends, size_t count, const char* what) {
  int64_t last = 0;
  for (int64_t end : ends) {
    if (end < last) fail("{} end at {} after {}", what, end, last);
    last = end;
  }
  if (last != static_cast<int64_t>(count)) fail("{} end at {}, but there are {}", what, last, count);
}

// Refuses lists that do not fit together, children that do not exist and nodes that lead back to themselves.
void check_trees(const TreeEnsemble& op) {
  const size_t nodes = op.features.size(), leaves = op.vote_ends.size();
  if (op.targets < 1) fail("{} targets", op.targets);
  for (size_t size : {op.tests.size(), op.yes.size(), op.no.size(), op.splits.size()})
    if (size != nodes) fail("{} nodes have {} entries in a list", nodes, size);
  if (!op.missing.empty() && op.missing.size() != nodes)
    fail("{} nodes have {} entries for missing values", nodes, op.missing.size());
  if (!op.base.empty() && op.base.size() != static_cast<size_t>(op.targets))
    fail("{} base values for {} targets", op.base.size(), op.targets);
  if (op.votes.size() != op.vote_targets.size())
    fail("{} votes for {} targets", op.votes.size(), op.vote_targets.size());
  for (int64_t target : op.vote_targets)
    if (target < 0 || target >= op.targets) fail("target {} of {}", target, op.targets);
  size_t sets = 0;
  for (int64_t test : op.tests) {
    if (test < 0 || test > static_cast<int64_t>(TreeTest::member)) fail("test {} is not known", test);
    sets += test == static_cast<int64_t>(TreeTest::member);
  }
  if (sets != op.set_ends.size()) fail("{} sets for {} nodes that need one", op.set_ends.size(), sets);
  check_ends(op.set_ends, op.members.size(), "members");
  check_ends(op.vote_ends, op.votes.size(), "votes");
  for (int64_t feature : op.features)
    if (feature < 0) fail("feature {}", feature);

  enum State : uint8_t { fresh, open, done };
  std::vector<State> state(nodes, fresh);
  auto checked = [&](int64_t child) {
    if (child < 0 ? ~child >= static_cast<int64_t>(leaves) : child >= static_cast<int64_t>(nodes))
      fail("{} {} does not exist", child < 0 ? "leaf" : "node", child < 0 ? ~child : child);
    return child;
  };
  for (int64_t root : op.roots) {
    std::vector<std::pair<int64_t, int>> path;
    auto enter = [&](int64_t child) {
      if (checked(child) < 0 || state[child] == done) return;
      if (state[child] == open) fail("node {} leads back to itself", child);
      state[child] = open;
      path.push_back({child, 0});
    };
    enter(root);
    while (!path.empty()) {
      auto& [node, next] = path.back();
      if (next == 2) {
        state[node] = done;
        path.pop_back();
      } else {
        enter(next++ == 0 ? op.yes[node] : op.no[node]);
      }
    }
  }
}

}  // namespace

void TreeEnsemble::infer(Infer& in) const {
  in.need_count(1, 1);
  in.need_rank(0, 2);
  in.need_dtype(0, is_float, "of floats");
  check_trees(*this);
  Dims dims = in.fresh_dims(0, 2);
  if (in.dims(0)) {
    dims[0] = (*in.dims(0))[0];
    const Dim& count = (*in.dims(0))[1];
    for (int64_t feature : features)
      if (count.is_number() && feature >= count.number())
        fail("a node asks for feature {} of {}", feature, count.number());
  }
  dims[1] = targets;
  in.out(0, in.dtype(0), dims);
}

}  // namespace remodel
