#include "ops/cast.h"

#include "formats/tflite/rows.h"
#include "ops/activation.h"
#include "ops/quantize.h"

namespace remodel::tflite {
namespace {

// What a quantized operand stands for is what it reads; other tensors change their type.
void read_as_real(ReadNode& node) { node.result(0, node.input(0)); }

void read_cast(ReadNode& node) {
  node.ignore("in_data_type"), node.ignore("out_data_type");
  node.result(0, node.emit(cast_to(*dtype_of(node.output_tensor(0).type)), {node.raw(0)}));
}

}  // namespace

void cast_rows(Rows& rows) {
  rows.read("QUANTIZE", since(1), read_as_real);
  rows.read("DEQUANTIZE", since(1), read_as_real);
  rows.read("DENSIFY", since(1), read_as_real);
  rows.read("CAST", since(1), read_cast);
}

}  // namespace remodel::tflite
