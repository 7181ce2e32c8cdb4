#include "app/arrays.h"
#include "app/load.h"
#include "app/verify.h"
#include "base/file.h"
#include "base/limits.h"
#include "run/session.h"

namespace remodel {

void run(const RunCommand& options) {
  const Model model = load(options.model, {options.format, {}}).model;
  Pool pool(options.threads > 0 ? options.threads : usable_cpus());
  const Limits limits(any_memory, options.seconds);
  const std::vector<Datum> outputs =
      Session(model, pool).call(model.main(), read_inputs(options.inputs, model.main()));
  write_outputs(options.outputs, model.main(), outputs);
}

}  // namespace remodel
