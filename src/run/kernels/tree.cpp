#include "ops/tree.h"

#include <algorithm>
#include <cmath>

#include "run/elementwise.h"

namespace remodel {
namespace {

template <class T>
class Trees {
 public:
  explicit Trees(const TreeEnsemble& op) : op_(op), splits_(op.splits.begin(), op.splits.end()) {
    sets_.resize(op.tests.size());
    size_t set = 0;
    for (size_t node = 0; node < op.tests.size(); ++node)
      if (op.tests[node] == static_cast<int64_t>(TreeTest::member)) sets_[node] = set++;
  }

  // The leaf that a row reaches.
  int64_t leaf(int64_t child, const T* row) const {
    while (child >= 0) child = answer(child, row[op_.features[child]]) ? op_.yes[child] : op_.no[child];
    return ~child;
  }

 private:
  bool answer(int64_t node, T x) const {
    const T split = splits_[node];
    if (std::isnan(x) && !op_.missing.empty() && op_.missing[node] != 0) return true;
    switch (static_cast<TreeTest>(op_.tests[node])) {
      case TreeTest::less_equal:
        return x <= split;
      case TreeTest::less:
        return x < split;
      case TreeTest::greater_equal:
        return x >= split;
      case TreeTest::greater:
        return x > split;
      case TreeTest::equal:
        return x == split;
      case TreeTest::not_equal:
        return x != split;
      case TreeTest::member:
        break;
    }
    const size_t set = sets_[node];
    auto first = op_.members.begin() + (set == 0 ? 0 : op_.set_ends[set - 1]);
    return std::find_if(first, op_.members.begin() + op_.set_ends[set], [&](double member) {
             return static_cast<T>(member) == x;
           }) != op_.members.begin() + op_.set_ends[set];
  }

  const TreeEnsemble& op_;
  std::vector<T> splits_;
  std::vector<size_t> sets_;  // of each node with a member test
};

void run_tree_ensemble(Call& call) {
  const Tensor& x = call.in(0);
  const auto& op = call.op<TreeEnsemble>();
  if (x.rank() != 2) fail("{} should have rank 2", text_of(x.shape()));
  const int64_t features = x.dim(1), targets = op.targets;
  for (int64_t feature : op.features)
    if (feature >= features) fail("a node asks for feature {} of {}", feature, features);
  Tensor& y = call.out(0, x.dtype(), {x.dim(0), targets});
  const bool extreme = op.kind == TreeEnsemble::Kind::min || op.kind == TreeEnsemble::Kind::max;
  with_float(x.dtype(), [&]<class T>(T) {
    const Trees<T> trees(op);
    call.pool.for_each(x.dim(0), [&](int64_t row) {
      std::vector<double> sums(static_cast<size_t>(targets), 0);
      std::vector<bool> voted(sums.size(), false);
      for (int64_t root : op.roots) {
        const int64_t leaf = trees.leaf(root, x.as<T>() + row * features);
        for (int64_t i = leaf == 0 ? 0 : op.vote_ends[leaf - 1]; i < op.vote_ends[leaf]; ++i) {
          const size_t target = static_cast<size_t>(op.vote_targets[i]);
          double& sum = sums[target];
          if (!extreme)
            sum += op.votes[i];
          else if (!voted[target])
            sum = op.votes[i];
          else
            sum =
                op.kind == TreeEnsemble::Kind::min ? std::min(sum, op.votes[i]) : std::max(sum, op.votes[i]);
          voted[target] = true;
        }
      }
      for (size_t target = 0; target < sums.size(); ++target) {
        double sum = sums[target];
        if (op.kind == TreeEnsemble::Kind::mean && !op.roots.empty())
          sum /= static_cast<double>(op.roots.size());
        if (!op.base.empty()) sum += op.base[target];
        y.to<T>()[row * targets + static_cast<int64_t>(target)] = static_cast<T>(sum);
      }
    });
  });
}

}  // namespace

void add_tree_kernels(Kernels& kernels) { kernels.add<TreeEnsemble>(run_tree_ensemble); }

}  // namespace remodel
