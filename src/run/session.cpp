#include "run/session.h"

#include "base/error.h"

namespace remodel {

Session::Session(const Model& model, Pool& pool)
    : runner_(pool, {.observe = {}, .portable = false, .arithmetic = model.arithmetic}) {
  for (const StateSlot& state : model.states) states_.emplace_back(state.initial->tensor());
}

std::vector<Datum> Session::call(const Graph& graph, std::vector<Datum> inputs) {
  std::vector<Datum> all, results;
  size_t given = 0;
  for (const Port& port : graph.inputs) {
    if (port.state != absent) {
      all.push_back(states_.at(static_cast<size_t>(port.state)));
      continue;
    }
    if (given == inputs.size()) fail("input '{}' is missing", port.name);
    all.push_back(std::move(inputs[given++]));
  }
  if (given != inputs.size()) fail("expected {} inputs, found {}", given, inputs.size());
  std::vector<Datum> made = runner_.run(graph, std::move(all));
  for (size_t k = 0; k < made.size(); ++k) {
    int32_t slot = graph.outputs[k].state;
    if (slot != absent)
      states_.at(static_cast<size_t>(slot)) = std::move(made[k]);
    else
      results.push_back(std::move(made[k]));
  }
  return results;
}

}  // namespace remodel
