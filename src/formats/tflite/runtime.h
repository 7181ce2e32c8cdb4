// The operators that LiteRT has: their versions, the runtimes that first had them, and the count of operands.
#pragma once

#include <string>
#include <string_view>

#include "formats/tflite/file.h"

namespace remodel::tflite {

// 0 where none is known.
int64_t newest_version(std::string_view type);

// The first runtime that has all operators in their versions: "2.3.0".
std::string least_runtime(const File& file);

// Refuses a builtin operator of a version that no runtime has, or with more or fewer operands than it takes.
void check_known(const Operator& one);

}  // namespace remodel::tflite
