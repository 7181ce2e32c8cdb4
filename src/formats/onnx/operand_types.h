// Which types an operator takes, by its schema and by what runtimes have kernels for.
#pragma once

#include <span>

#include "formats/onnx/proto.h"
#include "formats/onnx/schema.h"
#include "ir/type.h"

namespace remodel::onnx {

// That of operand or result i, the last one where it is variadic; null beyond them.
const Formal* formal_of(std::span<const Formal> formals, size_t i);

bool takes(const NodeProto& node, const Formal& formal, DType dtype);
// The nearest type that is taken and computes the same once it is cast back; unknown where there is none.
DType wider_taken(const NodeProto& node, const Formal& formal, DType dtype);
// Tensors of some numbers or booleans, not only sequences, optionals or strings.
bool takes_numbers(const Formal& formal);
// A list, map or optional.
bool takes_container(const Formal& formal, const Type& type);

}  // namespace remodel::onnx
