// Why a transpose stands where it does.
#pragma once

#include "passes/layout/problem.h"

namespace remodel::layout {

// Of one between a tensor's producer and the reader. What an op only passes on goes back to where it is from.
LayoutReport::Cause cause_of(const Problem& problem, const Place& reader);

}  // namespace remodel::layout
