// Minimum cuts: the cheapest way to label vertices 0 or 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace remodel::layout {

class MinimumCut {
 public:
  explicit MinimumCut(int vertices) : first_(static_cast<size_t>(vertices) + 2, -1) {}
  static constexpr int64_t infinite = INT64_MAX / 4;
  static constexpr int source = -1, sink = -2;  // labelled 0 and 1

  int add_vertex();
  // Costs `capacity` where `from` is labelled 0 and `to` 1.
  void add_edge(int from, int to, int64_t capacity);
  // The labels of the first `count` vertices; where several labellings cost the same, 0 wherever it can be.
  std::vector<bool> solve(int count);

 private:
  struct Edge {
    int to, next;
    int64_t left;
  };
  int place(int vertex) const { return vertex + 2; }  // the sink is 0, the source 1
  bool layers();
  int64_t push(int vertex, int64_t limit);

  std::vector<int> first_, layer_, next_;
  std::vector<Edge> edges_;
};

}  // namespace remodel::layout
