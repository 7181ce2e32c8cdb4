// A TensorFlow Lite file: parsed, written and parsed again; read and inferred, and run on made-up inputs.
#include "app/check.h"
#include "app/formats.h"
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

void read_and_run(const Bytes& file) {
  static const Format& format = need_reader(need_format("tflite"), "");
  const ReadResult source = format.read({file, no_other_file}, {});
  for (const Error& problem : source.problems)
    if (problem.kind() == ErrorKind::internal) broken(problem.what());
  if (!source.problems.empty()) return;
  for (const std::string& fault : verify(source.model)) broken(fault);
  CheckOptions options;
  options.threads = 1;
  options.memory = 1 << 22;
  options.seconds = 0.2;
  check_models(source.model, source.model, options);
}

}  // namespace
}  // namespace remodel

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace remodel;
  fuzz(data, size, copy);
  return fuzz(data, size, read_and_run);
}
