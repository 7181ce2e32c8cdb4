#include "app/arrays.h"
#include "app/load.h"
#include "app/verify.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "run/session.h"

namespace remodel {

namespace {

std::string describe(const Datum& value) {
  if (value.is_tensor()) return std::string(name_of(value.tensor.dtype())) + text_of(value.tensor.shape());
  if (value.kind == Datum::list_kind) return fmt::format("a list of {}", value.items->size());
  return "nothing";
}

}  // namespace

std::vector<Datum> run_on_file(const RunCommand& options, const Model& model) {
  Pool pool(options.threads > 0 ? options.threads : usable_cpus());
  const Limits limits(any_memory, options.seconds);
  std::vector<Datum> inputs = read_inputs(options.inputs, model.main());
  try {
    return Session(model, pool).call(model.main(), std::move(inputs));
  } catch (Error& error) {
    throw error.at(options.model);
  }
}

std::vector<std::string> run(const RunCommand& options) {
  for (const std::string& path : {options.inputs, options.model})
    if (path_exists(path) && canonical_path(path) == canonical_path(options.outputs))
      throw Error(fmt::format("'{}' would be overwritten by the run's own outputs", path), ErrorKind::usage);
  const Model model = load(options.model, {options.format, {}}).model;
  const Graph& graph = model.main();
  const std::vector<Datum> outputs = run_on_file(options, model);
  write_outputs(options.outputs, graph, outputs);
  std::vector<std::string> said;
  size_t next = 0;
  for (const Port& port : graph.outputs)
    if (port.state == absent) said.push_back(fmt::format("{}: {}", port.name, describe(outputs[next++])));
  return said;
}

}  // namespace remodel
