// A TensorFlow Lite file: parsed, written and parsed again.
#include "formats/tflite/file.h"
#include "fuzz.h"

namespace remodel {
namespace {

Bytes no_other_file(const std::string& name) { fail("there is no file '{}'", name); }

void copy(const Bytes& file) {
  const tflite::File parsed = tflite::parse_file(file, no_other_file);
  // A sparse tensor is written with all its zeros.
  if (tflite::file_size(parsed) > file.size() + (1 << 20)) return;
  MemorySink sink;
  tflite::write_file(parsed, sink);
  if (sink.position() != tflite::file_size(parsed)) broken("the file has another size than said");
  tflite::parse_file(Bytes::own(sink.take()), no_other_file);
}

}  // namespace
}  // namespace remodel

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace remodel;
  return fuzz(data, size, copy);
}
