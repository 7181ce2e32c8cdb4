// The single rewrites of loops; loops.cpp drives them. Each gives how many times it applied.
#pragma once

#include "ir/graph.h"

namespace remodel {

size_t inline_known_branch(Graph& graph, NodeId id);
size_t sink_constants(Graph& graph, NodeId id);
size_t hoist_invariants(Graph& graph, NodeId id);
size_t drop_dead_carries(Graph& graph, NodeId id);
size_t index_into_step_inputs(Graph& graph, NodeId id);
size_t lists_into_stacked(Graph& graph, NodeId id);
size_t writes_into_stacked(Graph& graph, NodeId id);
size_t views_of_carried(Graph& graph, NodeId id);
size_t counters_into_step(Graph& graph, NodeId id);
size_t condition_into_count(Graph& graph, NodeId id);
size_t masks_into_lengths(Graph& graph, NodeId id);

}  // namespace remodel
