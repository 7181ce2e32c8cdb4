#pragma once

#include "formats/format.h"

namespace remodel::tflite {

const Format& format();

}  // namespace remodel::tflite
