#include "base/unique_names.h"

namespace remodel {

std::string UniqueNames::take(std::string_view wish) {
  const auto [place, free] = next_.emplace(wish, 1);
  if (free) return place->first;
  int& next = place->second;
  for (;;) {
    std::string numbered = std::string(wish) + separator_ + std::to_string(next++);
    if (next_.emplace(numbered, 1).second) return numbered;
  }
}

}  // namespace remodel
