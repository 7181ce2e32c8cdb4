#include "ir/text.h"

#include "fuzz.h"
#include "run/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace remodel;
  return fuzz(data, size, [](const Bytes& file) { print(*parse_graph(file.view(), find_op)); });
}
