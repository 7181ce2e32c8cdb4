// Tensors from and to NumPy files, by the names of a graph's interface.
//
// Types that NumPy lacks travel as raw codes: bfloat16 as u2, float8 and float4 as u1, small integers
// unpacked as i1 or u1. A list 'x' is 'x/#' (its length) and 'x/0', 'x/1', ...; an optional has 'x/?' and, if
// it is there, 'x'.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace remodel {

Tensor read_array(const std::string& path, const std::string& name);
std::vector<Datum> read_inputs(const std::string& path, const Graph& graph);
void write_outputs(const std::string& path, const Graph& graph, const std::vector<Datum>& values);

}  // namespace remodel
