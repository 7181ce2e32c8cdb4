// Ensembles of decision trees.
#pragma once

#include "ir/op.h"

namespace remodel {

// What a node of a tree asks of a feature x and its split. NaN answers as `missing` says, but not_equal yes.
enum class TreeTest : uint8_t { less_equal, less, greater_equal, greater, equal, not_equal, member };

// (x [rows, features] of floats) -> [rows, targets]: each tree leads a row from its root to a leaf, whose
// votes are added up for each target (mean: and divided by the number of trees) or give the extreme one, 0
// where there is none; the base comes last. Votes are added in f64, splits compare in x's type.
//
// A child is the number of a node, or ~n for leaf n. Lists have one entry a node but where they say
// otherwise.
struct TreeEnsemble {
  static constexpr const char* name = "tree_ensemble";
  enum class Kind : uint8_t { mean, sum, min, max } kind = Kind::sum;
  int64_t targets = 1;
  std::vector<int64_t> roots;                     // one a tree: a child
  std::vector<int64_t> features, tests, yes, no;  // tests: TreeTest
  std::vector<double> splits;
  std::vector<int64_t> missing;       // whether NaN answers yes; empty: never
  std::vector<int64_t> set_ends;      // one a node with a member test: where its members end
  std::vector<double> members;        // of all sets
  std::vector<int64_t> vote_ends;     // one a leaf: where its votes end
  std::vector<int64_t> vote_targets;  // one a vote
  std::vector<double> votes;
  std::vector<double> base;  // one a target, or none
  void describe(Fields& v) {
    v.choice("kind", kind, {"mean", "sum", "min", "max"});
    v("targets", targets);
    v("roots", roots);
    v("features", features);
    v("tests", tests);
    v("yes", yes);
    v("no", no);
    v("splits", splits);
    v("missing", missing);
    v("set_ends", set_ends);
    v("members", members);
    v("vote_ends", vote_ends);
    v("vote_targets", vote_targets);
    v("votes", votes);
    v("base", base);
  }
  void infer(Infer& in) const;
};

}  // namespace remodel
