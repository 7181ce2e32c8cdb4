#include "formats/tflite/rows.h"

#include <unordered_set>

#include "formats/row_engine.h"

namespace remodel {
template class Table<tflite::ReadNode, tflite::WriteNode>;
}

namespace remodel::tflite {

bool moves_elements(std::string_view type) {
  static const std::unordered_set<std::string_view> moving = {"ARG_MAX",
                                                              "ARG_MIN",
                                                              "BATCH_TO_SPACE_ND",
                                                              "BROADCAST_TO",
                                                              "CONCATENATION",
                                                              "DEPTH_TO_SPACE",
                                                              "DYNAMIC_UPDATE_SLICE",
                                                              "EXPAND_DIMS",
                                                              "FILL",
                                                              "GATHER",
                                                              "GATHER_ND",
                                                              "MIRROR_PAD",
                                                              "PACK",
                                                              "PAD",
                                                              "PADV2",
                                                              "RESHAPE",
                                                              "RESIZE_NEAREST_NEIGHBOR",
                                                              "REVERSE_SEQUENCE",
                                                              "REVERSE_V2",
                                                              "SELECT",
                                                              "SELECT_V2",
                                                              "SLICE",
                                                              "SPACE_TO_BATCH_ND",
                                                              "SPACE_TO_DEPTH",
                                                              "SPLIT",
                                                              "SPLIT_V",
                                                              "SQUEEZE",
                                                              "STRIDED_SLICE",
                                                              "TILE",
                                                              "TOPK_V2",
                                                              "TRANSPOSE",
                                                              "UNPACK"};
  return moving.count(type) > 0;
}

bool takes_reals(std::string_view type) {
  static const std::unordered_set<std::string_view> raw = {
      "ASSIGN_VARIABLE", "BITCAST", "CALL_ONCE",           "CAST", "IF", "RANK",
      "READ_VARIABLE",   "SHAPE",   "STABLEHLO_COMPOSITE", "WHILE"};
  return raw.count(type) == 0;
}

bool gives_indices(std::string_view type) {
  static const std::unordered_set<std::string_view> giving = {
      "ARG_MAX", "ARG_MIN", "BROADCAST_ARGS", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5",
      "SHAPE",   "TOPK_V2", "UNIQUE"};
  return giving.count(type) > 0;
}

bool is_statement(std::string_view type) {
  return type == "ASSIGN_VARIABLE" || type == "CALL_ONCE" || type == "HASHTABLE_IMPORT";
}

const Rows& all_rows() {
  static const Rows rows = [] {
    Rows made;
    activation_rows(made);
    binary_rows(made);
    cast_rows(made);
    control_rows(made);
    conv_rows(made);
    custom_rows(made);
    detection_rows(made);
    gather_rows(made);
    generate_rows(made);
    matmul_rows(made);
    mediapipe_rows(made);
    normalize_rows(made);
    pool_rows(made);
    random_rows(made);
    recurrent_rows(made);
    reduce_rows(made);
    resize_rows(made);
    shape_rows(made);
    signal_rows(made);
    slice_rows(made);
    sort_rows(made);
    stablehlo_rows(made);
    unary_rows(made);
    variable_rows(made);
    tile_rows(made);
    write_control_rows(made);
    write_conv_rows(made);
    write_elementwise_rows(made);
    write_gather_rows(made);
    write_matmul_rows(made);
    write_pool_rows(made);
    write_quantize_rows(made);
    write_recurrent_rows(made);
    write_reduce_rows(made);
    write_resize_rows(made);
    write_shape_rows(made);
    write_slice_rows(made);
    return made;
  }();
  return rows;
}

namespace {

struct ToAttribute {
  std::string name;
  Attribute operator()(DType value) const {
    const auto type = tensor_type_of(value);
    if (!type) fail("TensorFlow Lite has no tensors of {}", remodel::name_of(value));
    return word(name, name_of(*type));
  }
  Attribute operator()(const Word& value) const { return word(name, value.text); }
  Attribute operator()(const std::vector<std::string>&) const { fail("a list of texts has no form"); }
  Attribute operator()(const ConstantPtr&) const { fail("a tensor is no option"); }
  Attribute operator()(const auto& value) const { return Attribute::of(name, value); }
};

struct ToInput {
  WriteNode& node;
  Id operator()(const Dims& sizes) const { return node.sizes(sizes); }
  Id operator()(const std::vector<int64_t>& values) const { return node.integers(values); }
  Id operator()(int64_t value) const { return node.scalar(DType::i32, static_cast<double>(value)); }
  Id operator()(double value) const { return node.scalar(node.dtype(0), value); }
  Id operator()(bool value) const { return node.scalar(DType::boolean, value); }
  Id operator()(const ConstantPtr& value) const { return node.constant(value); }
};

}  // namespace

void write_by_row(WriteNode& node, const Row& row) {
  const SaidBySlots slots = say_by_slots(node, row);
  Attributes attributes;
  for (const auto& [name, value] : slots.attributes)
    attributes.push_back(std::visit(ToAttribute{std::string(name)}, value));
  Ids inputs = node.ins();
  for (const auto& [i, value] : slots.inputs) {
    if (inputs.size() <= i) inputs.resize(i + 1, -1);
    inputs[i] = std::visit(ToInput{node}, value.value);
  }
  if (row.op->elementwise && inputs.size() > 1) return write_broadcast(node, row.type, inputs, attributes);
  node.emit_to(node.outs(), row.type, inputs, attributes);
}

}  // namespace remodel::tflite
