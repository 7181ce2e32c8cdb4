// The table of ONNX operators.
#pragma once

#include "formats/onnx/read_node.h"
#include "formats/onnx/write_node.h"
#include "formats/table.h"

namespace remodel {
extern template class Table<onnx::ReadNode, onnx::WriteNode>;
}

namespace remodel::onnx {

using Rows = Table<ReadNode, WriteNode>;
using Row = Rows::Row;
using WhenFn = Rows::WhenFn;

const Rows& all_rows();

void write_by_row(WriteNode& node, const Row& row);

}  // namespace remodel::onnx
