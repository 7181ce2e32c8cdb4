// The list of operators that a format's tables support.
#pragma once

#include <string>

namespace remodel {

// As text or JSON, of one format or of all that have a table ("").
std::string list_ops(const std::string& format, bool json);

}  // namespace remodel
