#include "formats/tflite/kernels.h"

#include <algorithm>

#include "formats/tflite/schema.h"
#include "formats/wider.h"

namespace remodel::tflite {
namespace {

constexpr DTypes f32 = bit(DType::f32), f16 = bit(DType::f16), f64 = bit(DType::f64), i64 = bit(DType::i64),
                 i32 = bit(DType::i32), i16 = bit(DType::i16), i8 = bit(DType::i8), u8 = bit(DType::u8),
                 u16 = bit(DType::u16), u32 = bit(DType::u32), boolean = bit(DType::boolean),
                 string = bit(DType::string), c64 = bit(DType::c64), bf16 = bit(DType::bf16);
constexpr DTypes numbers = f32 | i32 | i64, bytes = i8 | u8;

// Kernels of integers of 8 and 16 bits mostly want quantized tensors: those are not listed here.
constexpr Kernel kernels[] = {
    {"ABS", "T", "T", f32 | i32},
    {"ADD", "TT", "T", numbers, 6},
    {"ARG_MAX", "Ti", "?", f32 | i32 | bytes},
    {"ARG_MIN", "Ti", "?", f32 | i32 | bytes},
    {"ATAN2", "TT", "T", f32 | f64, 8, false},
    {"AVERAGE_POOL_2D", "T", "T", f32},
    {"BATCH_MATMUL", "TT", "T", f32, 5},
    {"BIDIRECTIONAL_SEQUENCE_LSTM", "f?", "f"},
    {"BITCAST", "?", "?"},
    {"BITWISE_XOR", "TT", "T", bytes | i16 | u16 | i32 | u32, 4},
    {"BROADCAST_ARGS", "ii", "i"},
    {"BROADCAST_TO", "TI", "T", numbers | bytes | i16 | u16 | u32 | boolean | f16 | bf16},
    {"CAST", "?", "?"},
    {"CEIL", "T", "T", f32},
    {"CONCATENATION", "T", "T", numbers | bytes | i16 | u32 | boolean},
    {"CONV_2D", "T", "T", f32},
    {"CONV_3D", "T", "T", f32},
    {"CONV_3D_TRANSPOSE", "iT", "T", f32},
    {"COS", "T", "T", f32},
    {"CUMSUM", "Ti", "T", numbers},
    {"DEPTHWISE_CONV_2D", "T", "T", f32},
    {"DEPTH_TO_SPACE", "T", "T", numbers | bytes},
    {"DEQUANTIZE", "?", "?"},
    {"DIV", "TT", "T", f32 | i32, 6},
    {"DYNAMIC_UPDATE_SLICE", "TTI", "T", numbers | bytes | boolean},
    {"ELU", "T", "T", f32},
    {"EQUAL", "TT", "b", numbers | boolean | string, 4},
    {"EXP", "T", "T", f32},
    {"EXPAND_DIMS", "?i", "?"},
    {"FILL", "iT", "T", numbers | bytes | i16 | boolean | string},
    {"FLOOR", "T", "T", f32},
    {"FLOOR_DIV", "TT", "T", f32 | i32, 4},
    {"FLOOR_MOD", "TT", "T", numbers, 4},
    {"FULLY_CONNECTED", "T", "T", f32},
    {"GATHER", "TI", "T", numbers | bytes | i16 | boolean | string},
    {"GATHER_ND", "TI", "T", numbers | bytes | i16 | boolean | string},
    {"GELU", "T", "T", f32},
    {"GREATER", "TT", "b", numbers, 4},
    {"GREATER_EQUAL", "TT", "b", numbers, 4},
    {"HARD_SWISH", "T", "T", f32},
    {"IF", "b?", "?"},
    {"IMAG", "?", "?"},
    {"L2_NORMALIZATION", "T", "T", f32},
    {"LEAKY_RELU", "T", "T", f32},
    {"LESS", "TT", "b", numbers, 4},
    {"LESS_EQUAL", "TT", "b", numbers, 4},
    {"LOCAL_RESPONSE_NORMALIZATION", "T", "T", f32},
    {"LOG", "T", "T", f32},
    {"LOGICAL_AND", "bb", "b", 0, 4},
    {"LOGICAL_NOT", "b", "b", 0},
    {"LOGICAL_OR", "bb", "b", 0, 4},
    {"LOGISTIC", "T", "T", f32},
    {"LOG_SOFTMAX", "T", "T", f32},
    {"MAXIMUM", "TT", "T", numbers | bytes | i16, 5},
    {"MAX_POOL_2D", "T", "T", f32},
    {"MEAN", "Ti", "T", f32},
    {"MINIMUM", "TT", "T", numbers | bytes | i16, 5},
    {"MIRROR_PAD", "TI", "T", numbers, 5},
    {"MUL", "TT", "T", numbers | c64, 6},
    {"MULTINOMIAL", "fi", "?"},
    {"NEG", "T", "T", numbers},
    {"NON_MAX_SUPPRESSION_V4", "ffiff", "ii"},
    {"NOT_EQUAL", "TT", "b", numbers | boolean | string, 4},
    {"ONE_HOT", "IiTT", "T", numbers | bytes | i16 | boolean},
    {"PACK", "T", "T", numbers | bytes | i16 | u32},
    {"PAD", "TI", "T", numbers | bytes, 5},
    {"PADV2", "TIT", "T", numbers, 5},
    {"POW", "TT", "T", f32 | i32, 4},
    {"PRELU", "TT", "T", f32, 4},
    {"QUANTIZE", "?", "?"},
    {"RANDOM_STANDARD_NORMAL", "i", "f"},
    {"RANDOM_UNIFORM", "i", "f"},
    {"RANGE", "TTT", "T", numbers},
    {"REAL", "?", "?"},
    {"REDUCE_ALL", "bi", "b"},
    {"REDUCE_ANY", "bi", "b"},
    {"REDUCE_MAX", "Ti", "T", numbers | bytes},
    {"REDUCE_MIN", "Ti", "T", numbers | bytes},
    {"REDUCE_PROD", "Ti", "T", numbers},
    {"RELU", "T", "T", f32},
    {"RELU6", "T", "T", f32},
    {"RELU_0_TO_1", "T", "T", f32},
    {"RELU_N1_TO_1", "T", "T", f32},
    {"RESHAPE", "?i", "?"},
    {"RESIZE_BILINEAR", "Ti", "T", f32},
    {"RESIZE_NEAREST_NEIGHBOR", "Ti", "T", f32 | bytes},
    {"REVERSE_SEQUENCE", "TI", "T", numbers | u8 | i16},
    {"REVERSE_V2", "Ti", "T", numbers | bytes | i16 | boolean},
    {"RIGHT_SHIFT", "TT", "T", bytes | i16 | u16 | i32 | u32, 4},
    {"ROUND", "T", "T", f32},
    {"RSQRT", "T", "T", f32},
    {"SCATTER_ND", "iTi", "T", numbers | bytes | boolean},
    {"SELECT_V2", "bTT", "T", numbers | bytes | i16 | u32 | boolean, 5},
    {"SHAPE", "?", "?"},
    {"SIGN", "T", "T", f32 | f64},
    {"SIN", "T", "T", f32},
    {"SLICE", "TI", "T", numbers | bytes | i16 | boolean | string, 5},
    {"SOFTMAX", "T", "T", f32},
    {"SPACE_TO_DEPTH", "T", "T", numbers | bytes},
    {"SPLIT", "iT", "T", numbers | bytes | i16},
    {"SPLIT_V", "TIi", "T", numbers | bytes | i16},
    {"SQRT", "T", "T", f32},
    {"SQUARE", "T", "T", f32},
    {"SQUARED_DIFFERENCE", "TT", "T", f32 | i32, 4},
    {"SQUEEZE", "?", "?"},
    {"STRIDED_SLICE", "Tiii", "T", numbers | bytes | i16 | boolean | string, 5},
    {"SUB", "TT", "T", numbers, 6},
    {"SUM", "Ti", "T", numbers},
    {"TANH", "T", "T", f32},
    {"TILE", "TI", "T", numbers | bytes | boolean | string},
    {"TOPK_V2", "Ti", "Ti", numbers | bytes},
    {"TRANSPOSE", "Ti", "T", numbers | bytes | i16 | boolean, 6},
    {"TRANSPOSE_CONV", "iT", "T", f32},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", "f?", "f"},
    {"UNIQUE", "T", "Ti", numbers | bytes | i16},
    {"WHERE", "T", "?", f32 | i32 | i64 | bytes | u32 | boolean},
    {"WHILE", "?", "?"},
};

// Bytes are i8 here. Numbers of 16 bits have their zero at 0; what kernels compute of them by tables or with
// few bits, several steps off, is left out.
constexpr QuantizedKernel quantized_kernels[] = {
    {"ADD", Grids::free, i8 | i16, 4},
    {"AVERAGE_POOL_2D", Grids::same, i8 | i16},
    {"BATCH_MATMUL", Grids::free, i8, 5},
    {"BROADCAST_TO", Grids::moved, i8 | i16},
    {"CONCATENATION", Grids::moved, i8 | i16},
    {"CONV_2D", Grids::product, i8 | i16},
    {"DEPTHWISE_CONV_2D", Grids::product, i8 | i16},
    {"DEPTH_TO_SPACE", Grids::moved, i8},
    {"ELU", Grids::free, i8},
    {"EXPAND_DIMS", Grids::moved, i8 | i16},
    {"FULLY_CONNECTED", Grids::product, i8 | i16},
    {"GATHER", Grids::moved, i8 | i16},
    {"GATHER_ND", Grids::moved, i8 | i16},
    {"HARD_SWISH", Grids::free, i8},
    {"LEAKY_RELU", Grids::free, i8 | i16},
    {"LOGISTIC", Grids::fixed, i8, 8, 1},
    {"MAXIMUM", Grids::moved, i8 | i16, 4},
    {"MAX_POOL_2D", Grids::moved, i8 | i16},
    {"MEAN", Grids::free, i8 | i16},
    {"MINIMUM", Grids::moved, i8 | i16, 4},
    {"MUL", Grids::free, i8 | i16, 4},
    {"PACK", Grids::moved, i8 | i16},
    {"PAD", Grids::moved, i8 | i16, 4},
    {"PADV2", Grids::moved, i8 | i16, 4},
    {"REDUCE_MAX", Grids::moved, i8 | i16},
    {"REDUCE_MIN", Grids::moved, i8 | i16},
    {"RELU", Grids::free, i8 | i16},
    {"RELU6", Grids::free, i8 | i16},
    {"RESHAPE", Grids::moved, i8 | i16},
    {"RESIZE_BILINEAR", Grids::same, i8},
    {"RESIZE_NEAREST_NEIGHBOR", Grids::moved, i8 | i16},
    {"REVERSE_V2", Grids::moved, i8 | i16},
    {"SELECT_V2", Grids::moved, i8 | i16, 4},
    {"SLICE", Grids::moved, i8 | i16},
    {"SOFTMAX", Grids::fixed, i8, 4, 1},
    {"SPACE_TO_DEPTH", Grids::moved, i8},
    {"SQUEEZE", Grids::moved, i8 | i16},
    {"STRIDED_SLICE", Grids::moved, i8 | i16},
    {"SUB", Grids::free, i8 | i16, 4},
    {"TANH", Grids::fixed, i8, 8, 2, true},
    {"TILE", Grids::moved, i8},
    {"TRANSPOSE", Grids::moved, i8 | i16},
    {"TRANSPOSE_CONV", Grids::product, i8 | i16},
};

template <class T, size_t count>
const T* find_in(const T (&table)[count], std::string_view type) {
  const T* place =
      std::lower_bound(std::begin(table), std::end(table), type,
                       [](const T& kernel, std::string_view name) { return kernel.type < name; });
  return place != std::end(table) && place->type == type ? place : nullptr;
}

}  // namespace

const Kernel* find_kernel(std::string_view type) { return find_in(kernels, type); }
const QuantizedKernel* find_quantized_kernel(std::string_view type) {
  return find_in(quantized_kernels, type);
}

char letter(std::string_view letters, size_t i) {
  return letters.empty() ? '?' : letters[std::min(i, letters.size() - 1)];
}

bool takes_activation(std::string_view type) {
  const Builtin* builtin = find_builtin(type);
  return builtin && builtin->options && builtin->options->find("fused_activation_function") &&
         type != "CONCATENATION" && type != "L2_NORMALIZATION";
}

// Operators that give the same bits whether integers have a sign or not.
bool ignores_signs(std::string_view type) {
  static constexpr std::string_view types[] = {
      "ADD",       "BROADCAST_TO", "CONCATENATION", "CUMSUM", "EQUAL",   "GATHER",     "GATHER_ND", "MUL",
      "NOT_EQUAL", "PACK",         "PAD",           "PADV2",  "RESHAPE", "REVERSE_V2", "SELECT_V2", "SLICE",
      "SPLIT",     "SPLIT_V",      "STRIDED_SLICE", "SUB",    "SUM",     "TILE",       "TRANSPOSE", "UNPACK"};
  return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

DType taken(const Kernel& kernel, DType dtype) {
  if (kernel.dtypes & bit(dtype)) return dtype;
  for (DType candidate : wider_types(dtype))
    if (kernel.dtypes & bit(candidate)) return candidate;
  if (dtype == DType::u64 && (kernel.dtypes & i64) && ignores_signs(kernel.type)) return DType::i64;
  // There is no wider one: what kernels lack of double precision is lost.
  if (dtype == DType::f64 && (kernel.dtypes & f32)) return DType::f32;
  return DType::unknown;
}

}  // namespace remodel::tflite
