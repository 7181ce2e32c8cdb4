// The types that hold for every step of a loop.
#pragma once

#include <functional>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace remodel {

// What a body makes of its carried values is known only once it is read, and rows read by the types they see.
// So `read_body` reads it again and again with wider types of its inputs, until they hold: inputs
// `first_input` and on, `carried` of them, become outputs `first_output` and on. Each size widens once, so
// this ends. `problems` are those of all bodies; where some are left, null is given. `widest`: all sizes may
// change from the start, which spares reading again.
GraphPtr read_loop_body(std::vector<Type> types, size_t first_input, size_t first_output, size_t carried,
                        bool widest, Graph& around, std::vector<Error>& problems,
                        const std::function<GraphPtr(const std::vector<Type>&)>& read_body);

}  // namespace remodel
