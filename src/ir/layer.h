// How a message names a node.
#pragma once

#include <string>

#include "base/format.h"
#include "ir/graph.h"

namespace remodel {

inline std::string layer_text(const Node& node) {
  return fmt::format("layer '{}' ({})", node.origin.empty() ? "" : node.origin[0], node.op.name());
}

}  // namespace remodel
