// The table of TensorFlow Lite's operators.
#pragma once

#include "formats/table.h"
#include "formats/tflite/read_node.h"
#include "formats/tflite/write_node.h"

namespace remodel {
extern template class Table<tflite::ReadNode, tflite::WriteNode>;
}

namespace remodel::tflite {

using Rows = Table<ReadNode, WriteNode>;
using Row = Rows::Row;

const Rows& all_rows();

// The operator only moves elements: on one grid it does so with integers as well as with real numbers.
bool moves_elements(std::string_view type);
// Its quantized operands stand for real numbers.
bool takes_reals(std::string_view type);

// It gives indices or sizes, which are i64 to us and i32 to most files.
bool gives_indices(std::string_view type);

// It has no results, only an effect.
bool is_statement(std::string_view type);

void activation_rows(Rows& rows);
void binary_rows(Rows& rows);
void cast_rows(Rows& rows);
void control_rows(Rows& rows);
void conv_rows(Rows& rows);
void custom_rows(Rows& rows);
void detection_rows(Rows& rows);
void gather_rows(Rows& rows);
void generate_rows(Rows& rows);
void matmul_rows(Rows& rows);
void mediapipe_rows(Rows& rows);
void normalize_rows(Rows& rows);
void pool_rows(Rows& rows);
void random_rows(Rows& rows);
void recurrent_rows(Rows& rows);
void reduce_rows(Rows& rows);
void resize_rows(Rows& rows);
void shape_rows(Rows& rows);
void signal_rows(Rows& rows);
void slice_rows(Rows& rows);
void sort_rows(Rows& rows);
void stablehlo_rows(Rows& rows);
void unary_rows(Rows& rows);
void variable_rows(Rows& rows);
void write_control_rows(Rows& rows);
void write_conv_rows(Rows& rows);
void write_elementwise_rows(Rows& rows);
void write_gather_rows(Rows& rows);
void write_matmul_rows(Rows& rows);
void write_pool_rows(Rows& rows);
void write_quantize_rows(Rows& rows);
void write_recurrent_rows(Rows& rows);
void write_reduce_rows(Rows& rows);
void write_resize_rows(Rows& rows);
void write_shape_rows(Rows& rows);
void write_slice_rows(Rows& rows);

void write_by_row(WriteNode& node, const Row& row);
// What the product's rows of constant weights give after a bias (-1: none).
void write_fully_connected(WriteNode& product, Ids results, Id bias);
bool is_fully_connected(const WriteNode& product);
// The product and the sum with a bias that are one operator; none where the node is no such sum.
std::vector<NodeId> product_in_sum(const WriteNode& sum);
void write_product_and_sum(WriteNode& sum, const std::vector<NodeId>& inner);
// The operator that the activation is at the end of another ("RELU"); empty where it is none.
std::string_view activation_of(const Op& op);
void tile_rows(Rows& rows);
// Operands that broadcast. Axes beyond what the kernel takes are merged with their neighbours.
void write_broadcast(WriteNode& node, std::string type, Ids operands, Attributes attributes = {});

}  // namespace remodel::tflite
