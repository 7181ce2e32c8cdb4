// Arithmetic on places and sizes, all of it i64, for decompositions.
#pragma once

#include "passes/decompose.h"

namespace remodel {

// The sizes as i64[n].
ValueId sizes_value(Emitter& node, const Dims& sizes);
// One size as i64[].
ValueId size_value(Emitter& node, const Dim& size);
// 0 .. size - 1
ValueId count_up(Emitter& node, const Dim& size);
// Integers of any type as i64.
ValueId as_i64(Emitter& node, ValueId integers);
// Element i of a list, as i64[].
ValueId element(Emitter& node, ValueId list, int64_t i);
// Negative places counted from the end: `sizes` broadcasts to the places.
ValueId from_front(Emitter& node, ValueId places, ValueId sizes);
// max(x, 0)
ValueId not_negative(Emitter& node, ValueId x);
// The remainder that is not negative.
ValueId modulo(Emitter& node, ValueId x, ValueId divisor);
ValueId less(Emitter& node, ValueId a, ValueId b);
ValueId smaller_of(Emitter& node, ValueId a, ValueId b);
ValueId larger_of(Emitter& node, ValueId a, ValueId b);

}  // namespace remodel
