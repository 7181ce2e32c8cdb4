#include "formats/tflite/runtime.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace remodel::tflite {
namespace {

struct Runtimes {
  std::string_view type;
  std::array<std::string_view, 16> of_version;  // from 1 on
};
constexpr Runtimes all_runtimes[] = {
#define RUNTIMES(type, ...) {#type, {__VA_ARGS__}},
#include "formats/tflite/runtime_data.inc"
};

std::array<int, 3> parts(std::string_view version) {
  std::array<int, 3> result{};
  for (int& part : result) {
    const auto end = std::from_chars(version.data(), version.data() + version.size(), part).ptr;
    version.remove_prefix(std::min<size_t>(version.size(), static_cast<size_t>(end - version.data()) + 1));
  }
  return result;
}

const Runtimes* find_runtimes(std::string_view type) {
  const auto place = std::find_if(std::begin(all_runtimes), std::end(all_runtimes),
                                  [&](const Runtimes& row) { return row.type == type; });
  return place == std::end(all_runtimes) ? nullptr : place;
}

// How many operands an operator takes; those of any number are left out.
struct Operands {
  std::string_view type;
  size_t least, most;
};
constexpr Operands all_operands[] = {
    {"ABS", 1, 1},
    {"ADD", 2, 2},
    {"ARG_MAX", 2, 2},
    {"ARG_MIN", 2, 2},
    {"ASSIGN_VARIABLE", 2, 2},
    {"ATAN2", 2, 2},
    {"AVERAGE_POOL_2D", 1, 1},
    {"BATCH_MATMUL", 2, 2},
    {"BATCH_TO_SPACE_ND", 3, 3},
    {"BIDIRECTIONAL_SEQUENCE_LSTM", 48, 48},
    {"BIDIRECTIONAL_SEQUENCE_RNN", 12, 12},
    {"BITCAST", 1, 1},
    {"BITWISE_XOR", 2, 2},
    {"BROADCAST_ARGS", 2, 2},
    {"BROADCAST_TO", 2, 2},
    {"BUCKETIZE", 1, 1},
    {"CALL_ONCE", 0, 0},
    {"CAST", 1, 1},
    {"CEIL", 1, 1},
    {"COMPLEX_ABS", 1, 1},
    {"CONV_2D", 2, 3},
    {"CONV_3D", 2, 3},
    {"CONV_3D_TRANSPOSE", 3, 4},
    {"COS", 1, 1},
    {"CUMSUM", 2, 2},
    {"DENSIFY", 1, 1},
    {"DEPTHWISE_CONV_2D", 2, 3},
    {"DEPTH_TO_SPACE", 1, 1},
    {"DEQUANTIZE", 1, 1},
    {"DILATE", 3, 3},
    {"DIV", 2, 2},
    {"DYNAMIC_UPDATE_SLICE", 3, 3},
    {"ELU", 1, 1},
    {"EMBEDDING_LOOKUP", 2, 2},
    {"EQUAL", 2, 2},
    {"EXP", 1, 1},
    {"EXPAND_DIMS", 2, 2},
    {"FAKE_QUANT", 1, 1},
    {"FILL", 2, 2},
    {"FLOOR", 1, 1},
    {"FLOOR_DIV", 2, 2},
    {"FLOOR_MOD", 2, 2},
    {"FULLY_CONNECTED", 2, 3},
    {"GATHER", 2, 2},
    {"GATHER_ND", 2, 2},
    {"GELU", 1, 1},
    {"GREATER", 2, 2},
    {"GREATER_EQUAL", 2, 2},
    {"HARD_SWISH", 1, 1},
    {"HASHTABLE", 0, 0},
    {"HASHTABLE_FIND", 3, 3},
    {"HASHTABLE_IMPORT", 3, 3},
    {"HASHTABLE_LOOKUP", 3, 3},
    {"HASHTABLE_SIZE", 1, 1},
    {"IMAG", 1, 1},
    {"L2_NORMALIZATION", 1, 1},
    {"L2_POOL_2D", 1, 1},
    {"LEAKY_RELU", 1, 1},
    {"LESS", 2, 2},
    {"LESS_EQUAL", 2, 2},
    {"LOCAL_RESPONSE_NORMALIZATION", 1, 1},
    {"LOG", 1, 1},
    {"LOGICAL_AND", 2, 2},
    {"LOGICAL_NOT", 1, 1},
    {"LOGICAL_OR", 2, 2},
    {"LOGISTIC", 1, 1},
    {"LOG_SOFTMAX", 1, 1},
    {"LSTM", 5, 24},
    {"MATRIX_DIAG", 1, 1},
    {"MATRIX_SET_DIAG", 2, 2},
    {"MAXIMUM", 2, 2},
    {"MAX_POOL_2D", 1, 1},
    {"MEAN", 2, 2},
    {"MINIMUM", 2, 2},
    {"MIRROR_PAD", 2, 2},
    {"MUL", 2, 2},
    {"MULTINOMIAL", 2, 2},
    {"NEG", 1, 1},
    {"NON_MAX_SUPPRESSION_V4", 5, 5},
    {"NON_MAX_SUPPRESSION_V5", 6, 6},
    {"NOT_EQUAL", 2, 2},
    {"ONE_HOT", 4, 4},
    {"PAD", 2, 3},
    {"PADV2", 2, 3},
    {"POW", 2, 2},
    {"PRELU", 2, 2},
    {"QUANTIZE", 1, 1},
    {"RANDOM_STANDARD_NORMAL", 1, 1},
    {"RANDOM_UNIFORM", 1, 1},
    {"RANGE", 3, 3},
    {"RANK", 1, 1},
    {"READ_VARIABLE", 1, 1},
    {"REAL", 1, 1},
    {"REDUCE_ALL", 2, 2},
    {"REDUCE_ANY", 2, 2},
    {"REDUCE_MAX", 2, 2},
    {"REDUCE_MIN", 2, 2},
    {"REDUCE_PROD", 2, 2},
    {"RELU", 1, 1},
    {"RELU6", 1, 1},
    {"RELU_0_TO_1", 1, 1},
    {"RELU_N1_TO_1", 1, 1},
    {"RESHAPE", 1, 2},
    {"RESIZE_BILINEAR", 2, 2},
    {"RESIZE_NEAREST_NEIGHBOR", 2, 2},
    {"REVERSE_SEQUENCE", 2, 2},
    {"REVERSE_V2", 2, 2},
    {"RFFT2D", 2, 2},
    {"RIGHT_SHIFT", 2, 2},
    {"RNN", 5, 5},
    {"ROUND", 1, 1},
    {"RSQRT", 1, 1},
    {"SCATTER_ND", 3, 3},
    {"SEGMENT_SUM", 2, 2},
    {"SELECT", 3, 3},
    {"SELECT_V2", 3, 3},
    {"SHAPE", 1, 1},
    {"SIGN", 1, 1},
    {"SIN", 1, 1},
    {"SLICE", 3, 3},
    {"SOFTMAX", 1, 1},
    {"SPACE_TO_BATCH_ND", 3, 3},
    {"SPACE_TO_DEPTH", 1, 1},
    {"SPARSE_TO_DENSE", 4, 4},
    {"SPLIT", 2, 2},
    {"SPLIT_V", 3, 3},
    {"SQRT", 1, 1},
    {"SQUARE", 1, 1},
    {"SQUARED_DIFFERENCE", 2, 2},
    {"SQUEEZE", 1, 1},
    {"STABLEHLO_ADD", 2, 2},
    {"STABLEHLO_AND", 2, 2},
    {"STABLEHLO_GATHER", 2, 2},
    {"STABLEHLO_MAXIMUM", 2, 2},
    {"STABLEHLO_MINIMUM", 2, 2},
    {"STABLEHLO_MULTIPLY", 2, 2},
    {"STABLEHLO_PAD", 2, 2},
    {"STABLEHLO_REDUCE_WINDOW", 2, 2},
    {"STABLEHLO_SCATTER", 3, 3},
    {"STABLEHLO_SHIFT_LEFT", 2, 2},
    {"STRIDED_SLICE", 4, 4},
    {"SUB", 2, 2},
    {"SUM", 2, 2},
    {"SVDF", 5, 5},
    {"TANH", 1, 1},
    {"TILE", 2, 2},
    {"TOPK_V2", 2, 2},
    {"TRANSPOSE", 2, 2},
    {"TRANSPOSE_CONV", 3, 4},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", 20, 24},
    {"UNIDIRECTIONAL_SEQUENCE_RNN", 5, 5},
    {"UNIQUE", 1, 1},
    {"UNPACK", 1, 1},
    {"UNSORTED_SEGMENT_MAX", 3, 3},
    {"UNSORTED_SEGMENT_MIN", 3, 3},
    {"UNSORTED_SEGMENT_PROD", 3, 3},
    {"UNSORTED_SEGMENT_SUM", 3, 3},
    {"VAR_HANDLE", 0, 0},
    {"WHERE", 1, 1},
    {"ZEROS_LIKE", 1, 1},
};

}  // namespace

int64_t newest_version(std::string_view type) {
  const Runtimes* row = find_runtimes(type);
  if (!row) return 0;
  auto version = std::ssize(row->of_version);
  while (version > 0 && row->of_version[static_cast<size_t>(version) - 1].empty()) --version;
  return version;
}

std::string least_runtime(const File& file) {
  std::string_view least;
  for (const SubGraph& graph : file.graphs)
    for (const Operator& one : graph.operators) {
      const Runtimes* row = one.custom ? nullptr : find_runtimes(one.type);
      if (!row || one.version < 1) continue;
      const auto version = static_cast<size_t>(one.version) - 1;
      if (version >= row->of_version.size()) continue;
      const std::string_view needed = row->of_version[version];
      if (!needed.empty() && (least.empty() || parts(least) < parts(needed))) least = needed;
    }
  return std::string(least);
}

void check_known(const Operator& one) {
  if (one.custom) return;
  if (const int64_t newest = newest_version(one.type); newest > 0 && one.version > newest)
    fail("there is no version {} of it; the newest is {}", one.version, newest);
  const auto place = std::find_if(std::begin(all_operands), std::end(all_operands),
                                  [&](const Operands& row) { return row.type == one.type; });
  if (place == std::end(all_operands)) return;
  const size_t count = one.inputs.size();
  if (count < place->least || count > place->most)
    fail("it has {} inputs, but takes {}", count,
         place->least == place->most ? std::to_string(place->least)
                                     : fmt::format("{} to {}", place->least, place->most));
}

}  // namespace remodel::tflite
