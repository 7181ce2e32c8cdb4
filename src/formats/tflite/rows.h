// The table of TensorFlow Lite's operators.
#pragma once

#include "formats/table.h"
#include "formats/tflite/write_node.h"

namespace remodel::tflite {

class ReadNode;
using Rows = Table<ReadNode, WriteNode>;
using Row = Rows::Row;

const Rows& all_rows();

void write_by_row(WriteNode& node, const Row& row);

// Operands that broadcast. Axes beyond what the kernel takes are merged with their neighbours.
void write_broadcast(WriteNode& node, std::string type, Ids operands, Attributes attributes = {});

void write_control_rows(Rows& rows);
void write_conv_rows(Rows& rows);
void write_elementwise_rows(Rows& rows);
void write_gather_rows(Rows& rows);
void write_matmul_rows(Rows& rows);
void write_pool_rows(Rows& rows);
void write_reduce_rows(Rows& rows);
void write_resize_rows(Rows& rows);
void write_shape_rows(Rows& rows);
void write_slice_rows(Rows& rows);

}  // namespace remodel::tflite
