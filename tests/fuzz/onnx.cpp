// An ONNX model: read and inferred, rewritten, written, read back and compared.
#include "app/attempt.h"
#include "app/check.h"
#include "formats/onnx/reader.h"
#include "formats/onnx/serialize.h"
#include "fuzz.h"

namespace remodel {
namespace {

Bytes no_other_file(const std::string& location) { fail("there is no file '{}'", location); }

void convert(const Bytes& file) {
  static Pool pool(1);
  const onnx::ReadResult source = onnx::read_model(file, no_other_file);
  for (const Error& problem : source.problems)
    if (problem.kind() == ErrorKind::internal) broken(problem.what());
  if (!source.problems.empty()) return;
  for (const int level : {0, 1}) {
    const Attempt made = attempt(source.model, {17, level, false}, pool);
    for (const Error& problem : made.problems)
      if (problem.kind() == ErrorKind::internal) broken(problem.what());
    if (!made.problems.empty()) return;
    MemorySink sink;
    onnx::write_model(made.proto, {}, sink);
    const onnx::ReadResult result = onnx::read_model(Bytes::own(sink.take()), no_other_file);
    if (!result.problems.empty()) broken(std::string("it is not read back: ") + result.problems[0].what());
    CheckOptions options;
    options.threads = 1;
    options.memory = 1 << 24;
    options.seconds = 0.2;
    check_models(source.model, result.model, options);
  }
}

}  // namespace
}  // namespace remodel

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace remodel;
  return fuzz(data, size, convert);
}
