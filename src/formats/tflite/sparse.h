// Sparse tensors: values, and for each axis in an order of its own either its size or, as in compressed
// rows, which indices have values. Axes may be cut in blocks, which are axes of their own.
#pragma once

#include "ir/constant.h"
#include "wire/flatbuffer.h"

namespace remodel::tflite {

ConstantPtr sparse_constant(DType dtype, const Shape& shape, const Bytes& values, const FlatTable& sparsity);

}  // namespace remodel::tflite
