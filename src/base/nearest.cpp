#include "base/nearest.h"

#include <algorithm>

#include "base/format.h"

namespace remodel {
namespace {

constexpr size_t longest = 256;  // names beyond this are compared by their beginnings

char folded(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '-' ? '_' : c;
}

// Insertions, deletions, changes and swaps of neighbours; case and '-' against '_' count nothing.
size_t distance(std::string_view a, std::string_view b) {
  a = a.substr(0, longest), b = b.substr(0, longest);
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped =
          i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1]);
      if (swapped) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

bool contains(std::string_view whole, std::string_view part) {
  return part.size() >= 3 &&
         std::search(whole.begin(), whole.end(), part.begin(), part.end(),
                     [](char a, char b) { return folded(a) == folded(b); }) != whole.end();
}

}  // namespace

std::vector<std::string> nearest_names(std::string_view wanted, const std::vector<std::string>& names,
                                       size_t most) {
  struct Candidate {
    size_t cost;
    const std::string* name;
  };
  std::vector<Candidate> candidates;
  const size_t limit = wanted.size() <= 4 ? 1 : std::max<size_t>(2, wanted.size() / 3);
  for (const std::string& name : names) {
    const size_t gap =
        name.size() > wanted.size() ? name.size() - wanted.size() : wanted.size() - name.size();
    // A name that holds the other is near, but not as near as one that differs in a letter or two.
    size_t cost = contains(name, wanted) || contains(wanted, name) ? std::min(limit, 2 + gap / 8) : limit + 1;
    if (gap <= limit) cost = std::min(cost, distance(wanted, name));
    if (cost <= limit) candidates.push_back({cost, &name});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.cost < b.cost; });
  std::vector<std::string> result;
  for (const Candidate& candidate : candidates) {
    if (result.size() == most) break;
    if (std::find(result.begin(), result.end(), *candidate.name) == result.end())
      result.push_back(*candidate.name);
  }
  return result;
}

std::string quoted_list(const std::vector<std::string>& names, std::string_view last_word) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? fmt::format(" {} ", last_word) : ", ";
    text += fmt::format("'{}'", names[i]);
  }
  return text;
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names) {
  const std::vector<std::string> near = nearest_names(wanted, names);
  return near.empty() ? "" : fmt::format(" (did you mean {}?)", quoted_list(near));
}

}  // namespace remodel
