// Names no two of which are equal.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace remodel {

class UniqueNames {
 public:
  explicit UniqueNames(std::string separator) : separator_(std::move(separator)) {}

  // The wish itself where it is free, otherwise with the separator and the first number that is.
  std::string take(std::string_view wish);

 private:
  std::string separator_;
  std::unordered_map<std::string, int> next_;  // for each name in use the number to try after it
};

}  // namespace remodel
