// The elements of a constant as files keep them: little-endian, in rows, types narrower than a byte packed
// with the low bits first.
#pragma once

#include "base/sink.h"
#include "ir/constant.h"

namespace remodel {

uint64_t file_bytes(const Constant& constant);
void write_elements(const Constant& constant, Sink& sink);

}  // namespace remodel
