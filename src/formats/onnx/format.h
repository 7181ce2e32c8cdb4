#pragma once

#include "formats/format.h"

namespace remodel::onnx {

const Format& format();

}  // namespace remodel::onnx
