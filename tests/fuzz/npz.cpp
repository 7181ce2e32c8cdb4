// Zip archives, their entries as arrays.
#include "fuzz.h"
#include "wire/npy.h"
#include "wire/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace remodel;
  constexpr uint64_t limit = 1 << 24;
  return fuzz(data, size, [](const Bytes& file) {
    const ZipReader zip(file);
    for (const ZipEntry& entry : zip.entries()) {
      try {
        zip.read(entry, limit);
        zip.check(entry);
      } catch (const Error&) {
      }
    }
    const NamedArrays arrays = read_npz(file, limit);
    MemorySink sink;
    write_npz(sink, arrays);
    if (read_npz(Bytes::own(sink.take()), limit).size() != arrays.size()) broken("it is not read back");
  });
}
