#include "formats/elements.h"

namespace remodel {

uint64_t file_bytes(const Constant& constant) {
  return (static_cast<uint64_t>(constant.count()) * bits_of(constant.dtype()) + 7) / 8;
}

void write_elements(const Constant& constant, Sink& sink) {
  if (Bytes packed = constant.packed(); packed.data()) return sink.write(packed);
  if (!is_packed(constant.dtype())) {
    for_each_block(constant, [&](const void* elements, int64_t count) {
      sink.write(elements, count * size_of(constant.dtype()));
    });
    return;
  }
  int bits = bits_of(constant.dtype()), each = 8 / bits;
  uint8_t pending = 0;
  int filled = 0;
  for_each_block(constant, [&](const void* elements, int64_t count) {
    std::string out;
    for (int64_t i = 0; i < count; ++i) {
      uint8_t code = static_cast<const uint8_t*>(elements)[i] & ((1 << bits) - 1);
      pending |= static_cast<uint8_t>(code << (filled * bits));
      if (++filled == each) out += static_cast<char>(pending), pending = 0, filled = 0;
    }
    sink.write(out);
  });
  if (filled) sink.write(&pending, 1);
}

}  // namespace remodel
