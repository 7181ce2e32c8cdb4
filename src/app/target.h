// A model said in a target's operators: the part of a conversion that needs no file.
#pragma once

#include <string>
#include <vector>

#include "app/inspect.h"
#include "ir/graph.h"

namespace remodel {

// For each target that is there what it can and cannot say of the model.
std::vector<Inspection::Target> inspect_targets(const Model& model);

}  // namespace remodel
