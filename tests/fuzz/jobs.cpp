#include "app/job.h"
#include "app/load.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace remodel;
  return fuzz(data, size, [](const Bytes& file) { parse_jobs(file.view(), {}); });
}
