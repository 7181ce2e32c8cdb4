// Where inputs and outputs have their channels, as users ask for it and as reports tell it.
#pragma once

#include <string_view>

#include "app/report.h"
#include "ir/graph.h"
#include "passes/layout/layout.h"

namespace remodel {

// Adds "nhwc", or "image=nhwc,mask=nchw".
void add_layouts(PortWishes& wishes, std::string_view text);

// The wishes by the names that the model of the file has. Refuses names that it does not have, all at once.
LayoutWishes named_layouts(LayoutWishes wishes, const Model& model, const std::string& path);

// Of one graph of the model as it was read.
void add_layout(Report::Layout& to, const Graph& graph, const LayoutReport& done);

}  // namespace remodel
