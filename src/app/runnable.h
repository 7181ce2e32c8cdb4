// The part of a graph that can be run: without the layers that have no kernel and all that hangs on them.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace remodel {

struct RunnablePart {
  std::vector<std::string>
      missing;     // for each output the first layer that cannot be run; "" where there is none
  GraphPtr graph;  // null where all can be run; outputs that cannot are a lone zero in it
};
RunnablePart runnable_part(const Graph& graph);

}  // namespace remodel
