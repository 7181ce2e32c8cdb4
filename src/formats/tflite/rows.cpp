#include "formats/tflite/rows.h"

#include <unordered_set>

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
    return made;
  }();
  return rows;
}

}  // namespace remodel::tflite
