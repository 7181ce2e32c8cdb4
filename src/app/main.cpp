#include <cstdio>

#include "app/arrays.h"
#include "app/convert.h"
#include "base/file.h"
#include "run/runner.h"

using namespace remodel;

int main(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  remove_temporaries_on_signals();
  try {
    if (args.size() == 4 && args[0] == "run") {
      Model model = load_model(args[1]);
      Pool pool(usable_cpus());
      auto outputs = Runner(pool).run(model.main(), read_inputs(args[2], model.main()));
      write_outputs(args[3], model.main(), outputs);
      return 0;
    }
    ConvertOptions options;
    std::vector<std::string> paths;
    for (size_t i = 0; i < args.size(); ++i) {
      if (args[i] == "--opset" && i + 1 < args.size())
        options.opset = std::stoi(args[++i]);
      else if (args[i] == "-O0")
        options.level = 0;
      else if (args[i][0] != '-')
        paths.push_back(args[i]);
    }
    if (paths.size() != 2) return 2;
    options.from = paths[0], options.to = paths[1];
    convert(options);
    return 0;
  } catch (const Problems& problems) {
    for (const Error& problem : problems.all) std::fprintf(stderr, "error: %s\n", problem.what());
    return 1;
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.kind() == ErrorKind::io ? 4 : 1;
  }
}
