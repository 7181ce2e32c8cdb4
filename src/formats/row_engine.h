// The engine: one node by the slots of its row, in terms that hold for every format.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "formats/read_node.h"
#include "formats/rows.h"
#include "formats/write_node.h"

namespace remodel {

void read_by_row(ReadNode& node, const RowData& row);

// A choice by the word that the format has for it.
struct Word {
  std::string text;
};
using AttributeValue = std::variant<int64_t, double, bool, std::string, Word, DType, std::vector<int64_t>,
                                    std::vector<double>, std::vector<std::string>, ConstantPtr>;
// An attribute of ours that the format wants as an input: sizes and lists have one axis, other numbers none.
struct InputValue {
  std::variant<Dims, std::vector<int64_t>, int64_t, double, bool, ConstantPtr> value;
};
// What the slots say of a node.
struct SaidBySlots {
  // Those that equal the default are left out, so that the shortest file says the same.
  std::vector<std::pair<std::string_view, AttributeValue>> attributes;
  std::map<size_t, InputValue> inputs;  // by position, where the node has no operand there
};
SaidBySlots say_by_slots(const WriteNode& node, const RowData& row);

}  // namespace remodel
