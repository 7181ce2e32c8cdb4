// The names that someone who misspelt one may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace remodel {

// At most `most` of the names, nearest first, none that is too far to be a slip of the hand.
std::vector<std::string> nearest_names(std::string_view wanted, const std::vector<std::string>& names,
                                       size_t most = 3);

// " (did you mean 'a' or 'b'?)", or "" where nothing is near.
std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names);

// "'a', 'b' or 'c'"
std::string quoted_list(const std::vector<std::string>& names, std::string_view last_word = "or");

}  // namespace remodel
