// Deflate streams, bare (zip) or in zlib's frame (HDF5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace remodel {

enum class DeflateFrame { raw, zlib };

// Exactly `size` bytes from exactly `packed`, or an Error. A size that deflate cannot reach from so few bytes
// is refused before anything is allocated.
std::string inflate(std::string_view packed, uint64_t size, DeflateFrame frame);
std::string deflate(std::string_view plain, DeflateFrame frame);

// The checksum of zip; pass the former result to go on.
uint32_t crc32_of(std::string_view data, uint32_t start = 0);

}  // namespace remodel
