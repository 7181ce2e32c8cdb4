// The symbols of sizes that a graph speaks of.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace remodel {

using UseSymbol = std::function<void(const std::string&)>;

// All symbols in an op's fields, those in its bodies excepted.
void for_each_symbol(const Op& op, const UseSymbol& use);
void for_each_symbol(const Content& content, const UseSymbol& use);

// Made-up names of sizes that only running this node finds out: its results have them, its operands and
// fields do not.
std::vector<std::string> sizes_found_by(const Graph& graph, NodeId id);

// Each symbol becomes the size given for it: in types, contents and ops, bodies included.
void substitute(Graph& graph, const std::map<std::string, Dim, std::less<>>& sizes);

// Users of `from` take `to`, which is the same value. Sizes that had a name of from's own get what `to` has
// there. True where the type is another: then users are to be inferred again.
bool replace_value(Graph& graph, ValueId from, ValueId to);

}  // namespace remodel
