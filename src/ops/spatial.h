// What ops over images share: where the channels are.
#pragma once

#include <cstdint>

namespace remodel {

// x is [batch, channels, spatial...] or [batch, spatial..., channels].
enum class Channels : uint8_t { first, last };

}  // namespace remodel
