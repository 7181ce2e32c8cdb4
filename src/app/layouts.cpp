#include "app/layouts.h"

#include "app/load.h"
#include "base/error.h"
#include "base/format.h"
#include "formats/request.h"

namespace remodel {
namespace {

constexpr std::string_view causes[] = {"input", "output", "own", "target"};

Channels parse_layout(std::string_view word) {
  if (word == "nhwc") return Channels::last;
  if (word == "nchw") return Channels::first;
  throw Error(fmt::format("'{}' is not one of nhwc and nchw", word), ErrorKind::usage);
}

void rename(PortWishes& wishes, const TensorNames& names, std::string_view what,
            std::vector<Error>& problems) {
  std::map<std::string, Channels> renamed;
  for (const auto& [name, channels] : wishes.named)
    follow(problems, [&, &name = name, &channels = channels] { renamed[names.find(name, what)] = channels; });
  wishes.named = std::move(renamed);
}

}  // namespace

void add_layouts(PortWishes& wishes, std::string_view text) {
  for (const std::string& part : parse_names(text)) {
    const size_t equals = part.rfind('=');
    if (equals == std::string::npos)
      wishes.all = parse_layout(part);
    else if (equals == 0)
      throw Error(fmt::format("'{}' has an empty name", part), ErrorKind::usage);
    else
      wishes.named[part.substr(0, equals)] = parse_layout(std::string_view(part).substr(equals + 1));
  }
}

LayoutWishes named_layouts(LayoutWishes wishes, const Model& model, const std::string& path) {
  TensorNames inputs, outputs;
  for (const GraphPtr& graph : model.graphs) {
    for (const Port& port : graph->inputs) inputs.add(port.name);
    for (const Port& port : graph->outputs) outputs.add(port.name);
  }
  std::vector<Error> problems;
  rename(wishes.inputs, inputs, "input", problems);
  rename(wishes.outputs, outputs, "output", problems);
  for (Error& problem : problems) problem.at(path);
  if (problems.size() == 1) throw problems.front();
  if (!problems.empty()) throw Problems(std::move(problems));
  return wishes;
}

void add_layout(Report::Layout& to, const Graph& graph, const LayoutReport& done) {
  for (const auto& one : done.transposes)
    to.transposes.push_back({std::string(causes[static_cast<int>(one.cause)]), one.from, one.to, one.why});
  for (const auto& turn : done.turns) {
    const Port& port = turn.output ? graph.outputs[turn.port] : graph.inputs[turn.port];
    to.turned.push_back({graph.name, port.name, turn.output, turn.axes.back() == 1 ? "nhwc" : "nchw"});
  }
}

}  // namespace remodel
