// Hybrid operators: the kernel rounds its real operand itself, a batch or a row at a time, and multiplies it
// with integers.
#pragma once

#include <optional>

#include "formats/tflite/file.h"
#include "formats/tflite/write_node.h"

namespace remodel::tflite {

// CONV_2D's kernel rounds with a zero point for such weights.
bool conv_rounds_with_zero(const Quantization& weights, int64_t groups);

struct Hybrid {
  ValueId x;
  bool has_zero;  // of what x is rounded to
};

// What one hybrid operator says: a product or convolution of rounded numbers and constants on a grid.
std::optional<Hybrid> hybrid_of(const WriteNode& product);

// The hybrid products of what the dynamic_quantize gives; none where something else sees it.
std::vector<NodeId> hybrids_of(const WriteNode& rounding);

// The node only belongs to what hybrid operators say of themselves.
bool is_said_by_hybrids(const WriteNode& node);

// The operands of the operator: x and the weights with their axes in another order; those of a hybrid one
// where there is one.
Ids product_operands(WriteNode& product, const std::vector<int64_t>& perm);

// The rounding with a zero point or without, where the product's operator says that.
Attributes hybrid_attributes(const WriteNode& product);

}  // namespace remodel::tflite
