#include "passes/layout/moves.h"

#include <algorithm>
#include <set>

#include "passes/layout/cut.h"

namespace remodel::layout {
namespace {

// How many units moves may propose something to, for each unit of the graph and in all: this bounds the time.
// So many readers of a group that a move concerns count as one more.
constexpr int64_t visits_a_unit = 400, most_visits = 400000, readers_a_visit = 16;

class Search {
 public:
  explicit Search(Problem& problem)
      : problem_(problem), number_(problem.units.size(), -1), visits_(visits_a_unit * problem.units.size()) {
    visits_ = std::min(visits_, most_visits);
  }

  // What the target fixes, and what follows from it, against the source's orders: one cut.
  void spread() {
    std::vector<Proposal> seeds;
    for (size_t i = 0; i < problem_.units.size(); ++i) {
      const Unit& unit = problem_.units[i];
      bool moved = false;
      for (size_t p = 0; p < unit.ports.size(); ++p) {
        const auto& orders = unit.candidate.orders[p];
        moved = moved || (!orders.empty() &&
                          std::find(orders.begin(), orders.end(), unit.ports[p].source) == orders.end());
      }
      if (moved) seeds.push_back({static_cast<int>(i), unit.candidate});
    }
    if (!seeds.empty()) move(std::move(seeds));
  }

  void improve() {
    for (bool better = true; better && visits_ > 0;) {
      better = false;
      for (size_t g = 0; g < problem_.groups.size() && visits_ > 0; ++g)
        if (improve(static_cast<int>(g))) better = true;
    }
  }

 private:
  struct Proposal {
    int unit;
    Candidate candidate;
  };

  bool improve(int g) {
    bool better = false;
    for (const OrderId wanted : problem_.needed(problem_.groups[g])) {
      const OrderId has = problem_.given(problem_.groups[g]);
      const Place producer = problem_.groups[g].producer;
      const std::vector<Place> readers = problem_.groups[g].readers;
      bool one = try_all(producer, wanted);
      for (const Place& reader : readers) {
        if (one) break;
        const auto& accepted = problem_.units[reader.node].candidate.orders[reader.port];
        if (std::find(accepted.begin(), accepted.end(), has) == accepted.end()) one = try_all(reader, has);
        if (!one && std::find(accepted.begin(), accepted.end(), wanted) == accepted.end())
          one = try_all(reader, wanted);
        // What the reader gives stays, but what that lacks may stand elsewhere.
        if (!one && accepted[0] == wanted) one = try_beside(reader);
      }
      better = better || one;
      if (one) break;
    }
    return better;
  }

  bool try_beside(const Place& reader) {
    const size_t ports = problem_.units[reader.node].ports.size();
    for (size_t p = 0; p < ports; ++p) {
      const auto& orders = problem_.units[reader.node].candidate.orders[p];
      if (static_cast<int>(p) == reader.port || orders.empty()) continue;
      if (try_all({reader.node, static_cast<int>(p)}, orders[0])) return true;
    }
    return false;
  }

  bool try_all(const Place& place, OrderId order) {
    for (Candidate& candidate : problem_.fit(place.node, place.port, order))
      if (move({{place.node, std::move(candidate)}})) return true;
    return false;
  }

  // Proposes candidates, lets neighbours follow as far as they can, and takes what a cut chooses, if it costs
  // less than what is there.
  bool move(std::vector<Proposal> seeds) {
    proposals_ = std::move(seeds);
    for (size_t i = 0; i < proposals_.size(); ++i) number_[proposals_[i].unit] = static_cast<int>(i);
    for (size_t i = 0; i < proposals_.size(); ++i) follow(static_cast<int>(i));
    visits_ -= static_cast<int64_t>(proposals_.size());
    bool better = decide();
    for (const Proposal& one : proposals_) number_[one.unit] = -1;
    return better;
  }

  const Candidate& proposed(int unit) const {
    return number_[unit] < 0 ? problem_.units[unit].candidate : proposals_[number_[unit]].candidate;
  }
  OrderId proposed_by(const Group& group) const {
    return proposed(group.producer.node).orders[group.producer.port][0];
  }

  void follow(int index) {
    const int number = proposals_[index].unit;
    for (size_t p = 0; p < problem_.units[number].ports.size(); ++p) {
      const PortUse& use = problem_.units[number].ports[p];
      if (use.group < 0) continue;
      const std::vector<OrderId> accepted = proposals_[index].candidate.orders[p];
      const Group& group = problem_.groups[use.group];
      OrderId wanted = accepted[0];
      if (std::find(accepted.begin(), accepted.end(), proposed_by(group)) != accepted.end())
        wanted = proposed_by(group);
      const Place producer = group.producer;
      const std::vector<Place> readers = group.readers;
      if (!use.result) propose(producer, wanted);
      for (const Place& reader : readers) propose(reader, wanted);
    }
  }

  void propose(const Place& place, OrderId wanted) {
    if (number_[place.node] >= 0) return;
    const auto& accepted = problem_.units[place.node].candidate.orders[place.port];
    if (std::find(accepted.begin(), accepted.end(), wanted) != accepted.end()) return;
    std::vector<Candidate> fits = problem_.fit(place.node, place.port, wanted);
    if (fits.empty()) return;
    size_t best = 0;
    if (fits.size() > 1) {
      int64_t least = INT64_MAX;
      for (size_t i = 0; i < fits.size(); ++i)
        if (int64_t cost = local_cost(place.node, fits[i]); cost < least) best = i, least = cost;
    }
    number_[place.node] = static_cast<int>(proposals_.size());
    proposals_.push_back({place.node, std::move(fits[best])});
  }

  // What neighbours have against the candidate.
  int64_t local_cost(int number, const Candidate& candidate) {
    const Unit& unit = problem_.units[number];
    int64_t sum = 0;
    for (size_t p = 0; p < unit.ports.size(); ++p) {
      const PortUse& use = unit.ports[p];
      if (use.group < 0) continue;
      Group& group = problem_.groups[use.group];
      auto lacks = [](const std::vector<OrderId>& orders, OrderId order) {
        return std::find(orders.begin(), orders.end(), order) == orders.end();
      };
      if (!use.result) {
        OrderId has = proposed_by(group);
        if (lacks(candidate.orders[p], has))
          sum += problem_.transpose_cost(group, has, candidate.orders[p][0]);
        continue;
      }
      OrderId gives = candidate.orders[p][0];
      for (const Place& reader : group.readers) {
        const auto& orders = proposed(reader.node).orders[reader.port];
        if (lacks(orders, gives)) sum += problem_.transpose_cost(group, gives, orders[0]);
      }
    }
    return sum;
  }

  std::vector<int> touched() const {
    std::set<int> groups;
    for (const Proposal& one : proposals_)
      for (const PortUse& use : problem_.units[one.unit].ports)
        if (use.group >= 0) groups.insert(use.group);
    return {groups.begin(), groups.end()};
  }

  bool decide() {
    const int count = static_cast<int>(proposals_.size());
    const std::vector<int> groups = touched();
    MinimumCut cut(count);
    int64_t before = 0;
    for (int g : groups) {
      visits_ -= static_cast<int64_t>(problem_.groups[g].readers.size()) / readers_a_visit;
      before += problem_.cost(g);
      add_terms(cut, g);
    }
    std::vector<bool> labels = cut.solve(count);
    if (take(labels, groups, before)) return true;
    return take(std::vector<bool>(static_cast<size_t>(count), true), groups, before);
  }

  bool take(const std::vector<bool>& labels, const std::vector<int>& groups, int64_t before) {
    auto exchange = [&] {
      for (size_t i = 0; i < labels.size(); ++i)
        if (labels[i]) std::swap(problem_.units[proposals_[i].unit].candidate, proposals_[i].candidate);
    };
    exchange();
    int64_t after = 0;
    for (int g : groups) after += problem_.cost(g);
    if (after < before) return true;
    exchange();
    return false;
  }

  // Each order that a reader needs and the producer does not give costs once. Where both may change, what
  // cannot be an edge is counted as if the reader would not change.
  void add_terms(MinimumCut& cut, int g) {
    Group& group = problem_.groups[g];
    const Place producer = group.producer;
    const int p = number_[producer.node];
    const OrderId gives[2] = {problem_.given(group), p < 0 ? problem_.given(group) : proposed_by(group)};
    struct Need {
      std::vector<int> at_0, at_1;  // who needs it at which label
      bool always = false;
    };
    std::map<OrderId, Need> needs;
    for (const Place& reader : group.readers) {
      const int r = number_[reader.node];
      OrderId needed[2] = {-1, -1};
      for (int label : {0, 1}) {
        const Candidate& candidate =
            label == 0 || r < 0 ? problem_.units[reader.node].candidate : proposals_[r].candidate;
        const auto& accepted = candidate.orders[reader.port];
        auto accepts = [&](OrderId order) {
          return std::find(accepted.begin(), accepted.end(), order) != accepted.end();
        };
        if (accepts(gives[0]) && accepts(gives[1])) continue;
        needed[label] = accepts(gives[0]) ? gives[0] : accepts(gives[1]) ? gives[1] : accepted[0];
      }
      if (r < 0 || needed[0] == needed[1]) {
        if (needed[0] >= 0) needs[needed[0]].always = true;
        continue;
      }
      if (needed[0] >= 0) needs[needed[0]].at_0.push_back(r);
      if (needed[1] >= 0) needs[needed[1]].at_1.push_back(r);
    }
    for (auto& [order, need] : needs) {
      const bool by_producer = p >= 0 && gives[0] != gives[1];
      int64_t weight = 0;
      for (int label : {0, 1})
        if (gives[label] != order)
          weight = std::max(weight, problem_.transpose_cost(group, gives[label], order));
      auto any_at_1 = [&](int from) {  // costs where `from` is 0 and one of them 1
        int vertex = cut.add_vertex();
        cut.add_edge(from, vertex, weight);
        for (int r : need.at_1) cut.add_edge(vertex, r, MinimumCut::infinite);
      };
      auto any_at_0 = [&](int to) {
        int vertex = cut.add_vertex();
        cut.add_edge(vertex, to, weight);
        for (int r : need.at_0) cut.add_edge(r, vertex, MinimumCut::infinite);
      };
      if (by_producer && order == gives[1]) {  // costs where the producer is 0
        if (need.always || !need.at_0.empty())
          cut.add_edge(p, MinimumCut::sink, weight);
        else
          any_at_1(p);
      } else if (by_producer && order == gives[0]) {  // where it is 1
        if (need.always || !need.at_1.empty())
          cut.add_edge(MinimumCut::source, p, weight);
        else
          any_at_0(p);
      } else if (!need.always) {
        if (need.at_0.empty())
          any_at_1(MinimumCut::source);
        else if (need.at_1.empty())
          any_at_0(MinimumCut::sink);
      }
    }
  }

  Problem& problem_;
  std::vector<Proposal> proposals_;
  std::vector<int> number_;  // of the proposal to a unit; -1: none
  int64_t visits_;
};

}  // namespace

void choose(Problem& problem) {
  Search search(problem);
  search.spread();
  search.improve();
}

}  // namespace remodel::layout
