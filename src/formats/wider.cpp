#include "formats/wider.h"

namespace remodel {

const std::vector<DType>& wider_types(DType dtype) {
  static const std::vector<DType> none, from_bool{DType::u8, DType::i32, DType::i64, DType::f32},
      from_8{DType::i32, DType::i64, DType::f32, DType::f64}, from_32{DType::i64, DType::f64},
      from_half{DType::f32, DType::f64}, from_f32{DType::f64};
  switch (dtype) {
    case DType::boolean:
      return from_bool;
    case DType::i8:
    case DType::u8:
    case DType::i16:
    case DType::u16:
      return from_8;
    case DType::i32:
    case DType::u32:
      return from_32;
    case DType::f16:
    case DType::bf16:
      return from_half;
    case DType::f32:
      return from_f32;
    default:
      return none;
  }
}

}  // namespace remodel
