#include "app/exercise.h"

#include <algorithm>

#include "app/output_kind.h"

namespace remodel {

bool any_decided(const Graph& graph, const std::vector<Datum>& outputs) {
  constexpr double next_to = 1e-3;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].is_tensor() || !is_float(outputs[i].tensor.dtype()) || outputs[i].tensor.count() < 2)
      continue;
    if (output_kind(graph, graph.outputs[i].value).find("probabilities") == std::string::npos) continue;
    const std::vector<double> values = outputs[i].tensor.doubles();
    if (std::none_of(values.begin(), values.end(),
                     [](double value) { return value > next_to && value < 1 - next_to; }))
      return true;
  }
  return false;
}

std::vector<Datum> quieter(const std::vector<Datum>& inputs, double factor) {
  std::vector<Datum> quiet;
  for (const Datum& input : inputs) {
    quiet.push_back(input);
    if (!input.is_tensor() || !is_float(input.tensor.dtype())) continue;
    std::vector<double> values = input.tensor.doubles();
    if (values.empty() || !(*std::min_element(values.begin(), values.end()) < 0)) continue;
    for (double& value : values) value *= factor;
    Tensor tensor(input.tensor.dtype(), input.tensor.shape());
    convert_elements(DType::f64, values.data(), tensor.dtype(), tensor.raw(), tensor.count());
    quiet.back() = tensor;
  }
  return quiet;
}

}  // namespace remodel
