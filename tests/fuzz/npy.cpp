#include "wire/npy.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace remodel;
  return fuzz(data, size, [](const Bytes& file) {
    NpyArray array = in_c_order(read_npy(file));
    if (array.descr[1] == 'S' || array.descr[1] == 'U') {
      const std::vector<std::string> texts = npy_strings(array);
      array = npy_from_strings(texts, array.shape);
      if (npy_strings(array) != texts) broken("texts are not read back");
    }
    MemorySink sink;
    write_npy(sink, array);
    const NpyArray again = read_npy(Bytes::own(sink.take()));
    if (again.shape != array.shape || again.data.view() != array.data.view()) broken("it is not read back");
  });
}
