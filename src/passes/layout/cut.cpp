#include "passes/layout/cut.h"

#include <algorithm>

namespace remodel::layout {

int MinimumCut::add_vertex() {
  first_.push_back(-1);
  return static_cast<int>(first_.size()) - 3;
}

void MinimumCut::add_edge(int from, int to, int64_t capacity) {
  int a = place(from), b = place(to);
  edges_.push_back({b, first_[a], capacity});
  first_[a] = static_cast<int>(edges_.size()) - 1;
  edges_.push_back({a, first_[b], 0});
  first_[b] = static_cast<int>(edges_.size()) - 1;
}

bool MinimumCut::layers() {
  layer_.assign(first_.size(), -1);
  std::vector<int> queue{place(source)};
  layer_[place(source)] = 0;
  for (size_t i = 0; i < queue.size(); ++i)
    for (int e = first_[queue[i]]; e >= 0; e = edges_[e].next)
      if (edges_[e].left > 0 && layer_[edges_[e].to] < 0) {
        layer_[edges_[e].to] = layer_[queue[i]] + 1;
        queue.push_back(edges_[e].to);
      }
  return layer_[place(sink)] >= 0;
}

// A path at a time, without recursion: graphs may be deep.
int64_t MinimumCut::push(int from, int64_t limit) {
  std::vector<int> path;
  int at = from;
  while (true) {
    if (at == place(sink)) {
      int64_t flow = limit;
      for (int e : path) flow = std::min(flow, edges_[e].left);
      for (int e : path) edges_[e].left -= flow, edges_[e ^ 1].left += flow;
      return flow;
    }
    int& e = next_[at];
    while (e >= 0 && !(edges_[e].left > 0 && layer_[edges_[e].to] == layer_[at] + 1)) e = edges_[e].next;
    if (e >= 0) {
      path.push_back(e);
      at = edges_[e].to;
      continue;
    }
    if (path.empty()) return 0;
    layer_[at] = -1;
    at = edges_[path.back() ^ 1].to;
    path.pop_back();
  }
}

std::vector<bool> MinimumCut::solve(int count) {
  while (layers()) {
    next_ = first_;
    while (push(place(source), infinite) > 0) {
    }
  }
  // Labelled 1 is only what can still reach the sink.
  std::vector<bool> reaches(first_.size(), false);
  std::vector<int> queue{place(sink)};
  reaches[place(sink)] = true;
  for (size_t i = 0; i < queue.size(); ++i)
    for (int e = first_[queue[i]]; e >= 0; e = edges_[e].next)
      if (edges_[e ^ 1].left > 0 && !reaches[edges_[e].to]) {
        reaches[edges_[e].to] = true;
        queue.push_back(edges_[e].to);
      }
  std::vector<bool> labels;
  for (int i = 0; i < count; ++i) labels.push_back(reaches[place(i)]);
  return labels;
}

}  // namespace remodel::layout
