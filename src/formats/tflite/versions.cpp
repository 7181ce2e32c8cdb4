// The versions of operators, after what LiteRT's own converter gives them.
#include <algorithm>

#include "formats/tflite/kernels.h"

namespace remodel::tflite {
namespace {

constexpr int result = -1;

// Version `version` is needed where operand `operand` (or the first result) is one of `dtypes`, or has more
// axes than `axes`, or where an option of this name is given.
struct Need {
  std::string_view type;
  int version;
  int operand = 0;
  DTypes dtypes = 0;
  size_t axes = SIZE_MAX;
  std::string_view option = {};
};

constexpr DTypes i8 = bit(DType::i8), i16 = bit(DType::i16), u8 = bit(DType::u8), u32 = bit(DType::u32),
                 i32 = bit(DType::i32), i64 = bit(DType::i64), f32 = bit(DType::f32), f16 = bit(DType::f16),
                 f64 = bit(DType::f64), bf16 = bit(DType::bf16), boolean = bit(DType::boolean),
                 string = bit(DType::string), c64 = bit(DType::c64), i4 = bit(DType::i4);

constexpr Need needs[] = {
    {"ABS", 5, 0, i32},
    {"ABS", 2, 0, i8 | u8},
    {"ADD", 4, 0, i64},
    {"ADD", 2, 0, i8},
    {"ARG_MAX", 3, 0, boolean},
    {"ARG_MAX", 2, 0, i8},
    {"ARG_MIN", 3, 0, boolean},
    {"ARG_MIN", 2, 0, i8},
    {"AVERAGE_POOL_2D", 3, 0, i16},
    {"AVERAGE_POOL_2D", 2, 0, i8},
    {"BATCH_MATMUL", 3, 0, i16},
    {"BATCH_MATMUL", 2, 0, i8},
    {"BROADCAST_TO", 3, 0, i8 | i16},
    {"BROADCAST_TO", 2, 0, ~DTypes{0}},
    {"CAST", 7, 0, bf16},
    {"CAST", 7, result, bf16},
    {"CAST", 5, 0, f64 | f16},
    {"CAST", 5, result, f64 | f16},
    {"CAST", 4, 0, bit(DType::u16)},
    {"CAST", 4, result, bit(DType::u16)},
    {"CAST", 3, 0, i16 | i8},
    {"CAST", 3, result, i16 | i8},
    {"CAST", 2, 0, i8},
    {"CONCATENATION", 4, 0, u32},
    {"CONCATENATION", 3, 0, i16},
    {"CONCATENATION", 2, 0, i8},
    {"CONV_2D", 4, 0, i16},
    {"CONV_2D", 3, 0, i8},
    {"DEPTHWISE_CONV_2D", 5, 0, i16},
    {"DEPTHWISE_CONV_2D", 3, 0, i8},
    {"DEPTHWISE_CONV_2D", 2, 0, 0, SIZE_MAX, "dilation_h_factor"},
    {"DEPTHWISE_CONV_2D", 2, 0, 0, SIZE_MAX, "dilation_w_factor"},
    {"DEPTH_TO_SPACE", 2, 0, i8},
    {"DEQUANTIZE", 6, 0, i4},
    {"DEQUANTIZE", 3, 0, i16 | f16},
    {"DEQUANTIZE", 2, 0, i8},
    {"DIV", 2, 0, 0, 4},
    {"DYNAMIC_UPDATE_SLICE", 2, 2, i64},
    {"EQUAL", 3, 0, string},
    {"EQUAL", 2, 0, i8},
    {"EXP", 2, 0, i8 | i16},
    {"FILL", 3, 1, i8 | i16},
    {"FILL", 2, 1, boolean | string},
    {"FLOOR_DIV", 3, 0, i8 | i16},
    {"FLOOR_DIV", 2, 0, f32},
    {"FLOOR_MOD", 2, 0, i8 | i16},
    {"FULLY_CONNECTED", 7, 1, i16},
    {"FULLY_CONNECTED", 4, 0, i8},
    {"FULLY_CONNECTED", 5, 0, 0, SIZE_MAX, "keep_num_dims"},
    {"GATHER", 5, 0, 0, SIZE_MAX, "batch_dims"},
    {"GATHER", 4, 0, i16},
    {"GATHER", 3, 0, boolean},
    {"GATHER", 2, 0, i8},
    {"GATHER_ND", 5, 0, boolean},
    {"GATHER_ND", 3, 0, i16},
    {"GATHER_ND", 2, 0, string},
    {"GELU", 2, 0, i8 | u8},
    {"GREATER", 2, 0, i8},
    {"GREATER_EQUAL", 3, 0, i16},
    {"GREATER_EQUAL", 2, 0, i8},
    {"LESS", 3, 0, i16},
    {"LESS", 2, 0, i8},
    {"LESS_EQUAL", 2, 0, i8},
    {"LOGISTIC", 3, 0, i16},
    {"LOGISTIC", 2, 0, i8},
    {"LOG_SOFTMAX", 2, 0, i8},
    {"MAXIMUM", 4, 0, i16},
    {"MAXIMUM", 3, 0, 0, 4},
    {"MAXIMUM", 2, 0, i8},
    {"MAX_POOL_2D", 3, 0, i16},
    {"MAX_POOL_2D", 2, 0, i8},
    {"MEAN", 3, 0, i16},
    {"MEAN", 2, 0, i8},
    {"MINIMUM", 4, 0, i16},
    {"MINIMUM", 3, 0, 0, 4},
    {"MINIMUM", 2, 0, i8},
    {"MUL", 7, 0, u32},
    {"MUL", 6, 0, c64},
    {"MUL", 5, 0, i64},
    {"MUL", 2, 0, i8},
    {"NOT_EQUAL", 3, 0, string},
    {"NOT_EQUAL", 2, 0, i8},
    {"PACK", 4, 0, u32},
    {"PACK", 3, 0, i16},
    {"PACK", 2, 0, i8},
    {"PAD", 4, 0, 0, 4},
    {"PAD", 3, 0, i16},
    {"PAD", 2, 0, i8},
    {"PADV2", 4, 0, 0, 4},
    {"PADV2", 3, 0, i16},
    {"PADV2", 2, 0, i8},
    {"QUANTIZE", 4, result, i4},
    {"QUANTIZE", 2, result, i16},
    {"RANGE", 2, 0, i64},
    {"REDUCE_MAX", 3, 0, i16},
    {"REDUCE_MAX", 2, 0, i8},
    {"REDUCE_MIN", 3, 0, i16},
    {"REDUCE_MIN", 2, 0, i8},
    {"RELU", 3, 0, i16},
    {"RELU", 2, 0, i8 | u8},
    {"RELU6", 3, 0, i16},
    {"RELU6", 2, 0, i8},
    {"RESIZE_BILINEAR", 4, 0, i16},
    {"RESIZE_BILINEAR", 3, 0, 0, SIZE_MAX, "half_pixel_centers"},
    {"RESIZE_BILINEAR", 2, 0, i8},
    {"RESIZE_NEAREST_NEIGHBOR", 4, 0, i16},
    {"RESIZE_NEAREST_NEIGHBOR", 3, 0, 0, SIZE_MAX, "half_pixel_centers"},
    {"RESIZE_NEAREST_NEIGHBOR", 3, 0, 0, SIZE_MAX, "align_corners"},
    {"RESIZE_NEAREST_NEIGHBOR", 2, 0, i8},
    {"REVERSE_V2", 3, 0, i8},
    {"REVERSE_V2", 2, 0, boolean},
    {"SELECT_V2", 2, 1, u32},
    {"SIGN", 2, 0, i32},
    {"SLICE", 5, 0, 0, 4},
    {"SLICE", 4, 0, i16},
    {"SLICE", 3, 0, string},
    {"SLICE", 2, 0, i8},
    {"SOFTMAX", 3, 0, i16},
    {"SOFTMAX", 2, 0, i8},
    {"SPACE_TO_DEPTH", 2, 0, i8},
    {"SPLIT", 4, 1, i16},
    {"SPLIT", 3, 1, i32},
    {"SPLIT", 2, 1, i8},
    {"SPLIT_V", 2, 0, i8},
    {"STRIDED_SLICE", 5, 0, string},
    {"STRIDED_SLICE", 4, 0, 0, 4},
    {"STRIDED_SLICE", 3, 0, boolean},
    {"STRIDED_SLICE", 2, 0, i8},
    {"SUB", 4, 0, i64},
    {"SUB", 3, 0, 0, 4},
    {"SUB", 2, 0, i8},
    {"SUM", 2, 0, i8},
    {"TANH", 3, 0, i16},
    {"TANH", 2, 0, i8},
    {"TILE", 3, 0, i8},
    {"TILE", 2, 0, string},
    {"TOPK_V2", 3, 0, i16},
    {"TOPK_V2", 2, 0, i8},
    {"TRANSPOSE", 6, 0, 0, 5},
    {"TRANSPOSE", 5, 0, i16},
    {"TRANSPOSE", 4, 0, 0, 4},
    {"TRANSPOSE", 3, 0, boolean},
    {"TRANSPOSE", 2, 0, i8},
    {"UNPACK", 4, 0, i16},
    {"UNPACK", 3, 0, boolean},
    {"UNPACK", 2, 0, i8 | u8},
    {"WHERE", 2, 0, ~boolean},
};

}  // namespace

int64_t version_of(const Operator& made, const std::vector<Type>& inputs, const std::vector<Type>& outputs) {
  if (made.type == "FULLY_CONNECTED" && inputs.size() == 2 && inputs[1].dtype != DType::i16) return 6;
  if (made.type == "TRANSPOSE_CONV" && inputs.size() == 4) return 3;
  for (const Need& need : needs) {
    if (need.type != made.type) continue;
    const auto i = static_cast<size_t>(need.operand);
    const Type* type = need.operand == result ? &outputs[0] : i < inputs.size() ? &inputs[i] : nullptr;
    if (!type) continue;
    if (need.dtypes & bit(type->dtype)) return need.version;
    const auto deep = [&](const Type& one) { return one.dims && one.dims->size() > need.axes; };
    if (std::any_of(inputs.begin(), inputs.end(), deep)) return need.version;
    if (!need.option.empty() && made.find(need.option)) return need.version;
  }
  return 1;
}

int64_t hybrid_version_of(const Operator& made, bool per_channel) {
  const bool asymmetric = made.find("asymmetric_quantize_inputs");
  if (made.type == "CONV_2D") return per_channel ? 5 : 2;
  if (made.type == "DEPTHWISE_CONV_2D") return per_channel ? 6 : 4;
  if (made.type == "BATCH_MATMUL") return asymmetric ? 4 : 1;
  if (made.type == "TRANSPOSE_CONV") return made.inputs.size() == 4 ? 3 : 1;
  if (per_channel) return 12;
  if (asymmetric) return 9;
  if (made.inputs.size() == 2) return 6;
  return made.find("keep_num_dims") ? 5 : 3;
}

}  // namespace remodel::tflite
