// What LiteRT's kernels take: element types, axes, and the versions of operators that say so.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "formats/tflite/file.h"
#include "ir/dtype.h"

namespace remodel::tflite {

using DTypes = uint32_t;  // a bit for each
constexpr DTypes bit(DType dtype) { return DTypes{1} << static_cast<int>(dtype); }

struct Kernel {
  std::string_view type;
  // A letter for each operand and result, the last one for all that follow:
  //   T  one of `dtypes`, the same at every T;  i  i32;  I  i32 or i64;  b  boolean;  f  f32;  ?  any
  std::string_view inputs, outputs;
  DTypes dtypes = 0;
  int axes = 8;  // the most that operands at T and their broadcast may have
  bool broadcasts = true;
};

// Null for an operator that is not written.
const Kernel* find_kernel(std::string_view type);
char letter(std::string_view letters, size_t i);
// Whether the kernel computes the activation that its options name: that of concatenation ignores it.
bool takes_activation(std::string_view type);
// The type in which the kernel computes what `dtype` would give; unknown: none.
DType taken(const Kernel& kernel, DType dtype);

// What the grids of an operator's quantized tensors have to be.
enum class Grids {
  moved,    // one grid for all; elements are only moved or chosen
  same,     // one grid for all
  free,     // each its own
  fixed,    // the result's is given
  product,  // that of the bias is the product of the operand's and the weights'
};

struct QuantizedKernel {
  std::string_view type;
  Grids grids = Grids::free;
  DTypes dtypes = 0;
  int axes = 8;
  double span = 0;       // of a fixed grid: between its lowest number and that behind its highest
  bool is_both = false;  // the span has 0 in its middle
};
// Null for an operator that does not compute on quantized tensors.
const QuantizedKernel* find_quantized_kernel(std::string_view type);

// The lowest version of the operator whose kernel does what it asks for.
int64_t version_of(const Operator& made, const std::vector<Type>& inputs, const std::vector<Type>& outputs);
// That of a hybrid one.
int64_t hybrid_version_of(const Operator& made, bool per_channel);

}  // namespace remodel::tflite
