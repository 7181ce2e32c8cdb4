#include <cstdio>

#include "app/arrays.h"
#include "base/error.h"
#include "base/file.h"
#include "formats/onnx/reader.h"
#include "formats/onnx/writer.h"
#include "run/runner.h"

using namespace remodel;

int main(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  try {
    if (args.size() == 4 && args[0] == "run") {
      Bytes file = map_file(args[1]);
      auto read = onnx::read_model(file, [](const std::string&) -> Bytes { fail("external"); });
      for (auto& problem : read.problems) std::fprintf(stderr, "%s\n", problem.at(args[1]).what());
      if (!read.problems.empty()) return 1;
      Pool pool(usable_cpus());
      auto outputs = Runner(pool).run(read.model.main(), read_inputs(args[2], read.model.main()));
      write_outputs(args[3], read.model.main(), outputs);
      return 0;
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.kind() == ErrorKind::io ? 4 : 1;
  }
  return 2;
}
