// An ONNX model: read and inferred, rewritten, written, read back and compared.
#include "app/attempt.h"
#include "app/check.h"
#include "app/formats.h"
#include "fuzz.h"

namespace remodel {
namespace {

Bytes no_other_file(const std::string& location) { fail("there is no file '{}'", location); }

void need_no_internal(const std::vector<Error>& problems) {
  for (const Error& problem : problems)
    if (problem.kind() == ErrorKind::internal) broken(problem.what());
}

void convert(const Bytes& file) {
  static Pool pool(1);
  static const Format& format = need_reader(need_format("onnx"), "");
  const ReadResult source = format.read({file, no_other_file}, {});
  need_no_internal(source.problems);
  if (!source.problems.empty()) return;
  for (const int level : {0, 1}) {
    const Attempt made = attempt(source.model, format, {format.versions().usual, false}, level, pool);
    need_no_internal(made.problems);
    if (!made.problems.empty()) return;
    MemorySink sink;
    for (const Draft::File& one : made.draft->files("model.onnx")) one.write(sink);
    const ReadResult result = format.read({Bytes::own(sink.take()), no_other_file}, {});
    // What the damage made impossible may show only when more sizes are known.
    need_no_internal(result.problems);
    if (!result.problems.empty()) return;
    CheckOptions options;
    options.threads = 1;
    options.memory = 1 << 22;
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
