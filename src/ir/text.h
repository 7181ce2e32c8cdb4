// The IR as text, printed and parsed:
//
//   graph main(x: f32[N, 3], ids: i64[N]) {
//     w: f32[3, 4] = const [1, 2, ...]
//     b: f32[4] = splat 0.5
//     y: f32[N, 4] = matmul(x, w) {transpose_b: true} # 'dense_1'
//     return y, probs: y
//   }
//
// A model is a row of graphs, after the constants and the states that they share:
//
//   table: f32[9, 2] = random 1
//   state seen: i64[1] = const [0]
//   graph step(x: i64[1], before: i64[1] state seen) {
//     y = gather(table, x)
//     now = add(before, x)
//     return y, seen: now state seen
//   }
//
// An integer that stands for a real number has its grid after its type, scale, zero and, where it matters,
// axis and block: `i8[2, 3] on (f32[2] const [0.5, 2], none, axis: 0)`.
//
// Names that are no plain words are quoted: "a/b:0". `_` is an absent operand or result. Constants print
// their elements where they are few, and otherwise as `data <count>`, which cannot be parsed back. `random
// <seed>` makes elements from -1 to 1 (integers: 0 to 9). A type after a result's name may be left out when
// parsing; where given it must be what inference finds.
#pragma once

#include <string>
#include <string_view>

#include "ir/graph.h"

namespace remodel {

std::string print(const Graph& graph);
std::string print(const Node& node, const Graph& graph);
// Constants that several graphs or bodies hold stand before all graphs.
std::string print(const Model& model);

// Finds ops by name among those of a catalog.
using FindOp = const OpInfo* (*)(std::string_view name);

// Refuses with line numbers.
GraphPtr parse_graph(std::string_view text, FindOp find_op);
Model parse_model(std::string_view text, FindOp find_op);

}  // namespace remodel
