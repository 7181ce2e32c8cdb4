// Conversion of elements between numeric types.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "ir/dtype.h"

namespace remodel {

// What a float outside the range of an integer type, or of an 8-bit float, becomes. Integers narrow by
// wrapping.
enum class Overflow : uint8_t { saturate, wrap };
// Converts `count` elements in memory form; neither type is string. Floats to integers truncate toward zero;
// complex to real drops the imaginary part. NaN becomes 0 in an integer type. `power` is for f8e8m0 only.
void convert_elements(DType from, const void* source, DType to, void* target, int64_t count,
                      Overflow overflow = Overflow::saturate, PowerRounding power = PowerRounding::nearest);

// The largest number of a float of 16 bits or more; refuses others.
double largest_of(DType dtype);

}  // namespace remodel
