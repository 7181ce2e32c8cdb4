#include "app/score.h"

#include <algorithm>
#include <chrono>

#include "app/arrays.h"
#include "app/console.h"
#include "app/load.h"
#include "app/report.h"
#include "base/error.h"
#include "base/limits.h"

namespace remodel {
namespace {

// What an output says of each of `count` examples; empty where it says something else.
std::vector<int64_t> classes_of(const Datum& output, int64_t count) {
  if (!output.is_tensor() || count == 0 || output.tensor.count() % count != 0) return {};
  const Tensor& tensor = output.tensor;
  if (is_integer(tensor.dtype()) && tensor.count() == count) return tensor.ints();
  if (!is_float(tensor.dtype()) || tensor.rank() == 0) return {};
  const int64_t width = tensor.dim(tensor.rank() - 1);
  if (width < 2 || tensor.count() != count * width) return {};
  const std::vector<double> values = tensor.doubles();
  std::vector<int64_t> classes;
  for (auto row = values.begin(); row != values.end(); row += width)
    classes.push_back(std::max_element(row, row + width) - row);
  return classes;
}

}  // namespace

Score score(const ScoreCommand& command) {
  const Model model = load(command.run.model, {command.run.format, {}}).model;
  const Graph& graph = model.main();
  const std::vector<int64_t> labels = read_array(command.run.inputs, command.labels).ints();
  const auto start = std::chrono::steady_clock::now();
  const std::vector<Datum> outputs = run_on_file(command.run, model);
  Score found;
  found.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  found.labels = command.labels;
  found.count = static_cast<int64_t>(labels.size());
  size_t next = 0;
  for (const Port& port : graph.outputs) {
    if (port.state != absent) continue;
    const std::vector<int64_t> classes = classes_of(outputs[next++], found.count);
    if (classes.empty()) continue;
    found.output = port.name;
    for (size_t i = 0; i < labels.size(); ++i) found.right += classes[i] == labels[i];
    return found;
  }
  throw Error(
      fmt::format("no output gives a class for each of the {} labels '{}'", labels.size(), command.labels))
      .at(command.run.model);
}

std::string text_of(const Score& score, const Console& console) {
  const LabelledLines lines{9, console.width()};
  std::string text;
  lines.add(text, "right",
            {fmt::format("{} of {} ({:.1f} %), '{}' against '{}'", score.right, score.count,
                         100.0 * static_cast<double>(score.right) / static_cast<double>(score.count),
                         score.output, score.labels)});
  lines.add(text, "took", {text_of_seconds(score.seconds)});
  return text;
}

Json json_of(const Score& score) {
  Json json;
  json["version"] = report_version;
  json["output"] = score.output;
  json["labels"] = score.labels;
  json["count"] = score.count;
  json["right"] = score.right;
  json["seconds"] = score.seconds;
  return json;
}

}  // namespace remodel
