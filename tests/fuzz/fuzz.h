// What a target of the fuzzers is made of. A target may accept its input or throw Error. It aborts on an
// internal error and on what contradicts itself; a sanitizer sees the rest.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace remodel {

[[noreturn]] inline void broken(const std::string& what) {
  std::fprintf(stderr, "BROKEN: %s\n", what.c_str());
  std::abort();
}

// Runs `parse` on a heap block of its own, so that a read past its end is seen.
template <class Parse>
int fuzz(const uint8_t* data, size_t size, Parse parse) {
  const std::shared_ptr<uint8_t[]> block(new uint8_t[size]);
  if (size > 0) std::memcpy(block.get(), data, size);
  try {
    parse(Bytes(block.get(), size, block));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) broken(error.what());
  }
  return 0;
}

}  // namespace remodel
