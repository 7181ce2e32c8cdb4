// What inference knows of small tensors' elements, computed on: exact fractions of sizes.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "ir/infer.h"

namespace remodel {

// An element; nullopt where it is not known.
using Known = std::optional<Quantity>;

Known sum(const Quantity& a, const Quantity& b);
Known difference(const Quantity& a, const Quantity& b);
Known product(const Quantity& a, const Quantity& b);
Known quotient(const Quantity& a, const Quantity& b);  // exact
Known floor_of(const Quantity& a);
Known ceil_of(const Quantity& a);
Known truncated(const Quantity& a);
Known smaller(const Quantity& a, const Quantity& b);
Known larger(const Quantity& a, const Quantity& b);
std::optional<bool> is_less(const Quantity& a, const Quantity& b);
std::optional<bool> is_equal(const Quantity& a, const Quantity& b);
// Whether it stands for a whole number times a power of two, so that float arithmetic on it is exact.
bool is_binary(const Quantity& a);

// Sets the contents of result 0, where every element is known and certainly what the type would hold: in an
// integer's range, exact in a float, and no zero whose sign is not known.
void content_out(Infer& in, DType dtype, const std::vector<Known>& elements);
// Result 0 element by element from the operands' contents, which broadcast.
void elementwise_content(Infer& in, DType dtype,
                         const std::function<Known(std::span<const Quantity>)>& compute);

}  // namespace remodel
