#include "app/inspect.h"

#include <algorithm>
#include <unordered_set>

#include "app/attempt.h"
#include "app/formats.h"
#include "app/load.h"
#include "app/output_kind.h"
#include "base/error.h"
#include "base/file.h"
#include "ir/text.h"
#include "ops/control.h"
#include "run/cost.h"
#include "run/input_sizes.h"

namespace remodel {
namespace {

// Constants of all graphs and bodies that have names, as what the file holds does. One object counts once. So
// do large ones of equal contents: exporters write a weight that two layers share twice. Small ones are equal
// by chance, as zeros are.
class Census {
 public:
  explicit Census(Inspection& found) : found_(found) {}

  void count(const Graph& graph) {
    for (NodeId id : graph.order()) {
      const Node& node = graph.node(id);
      ++found_.ops[std::string(node.op.name())];
      if (const Foreign* foreign = node.op.as<Foreign>()) note_foreign(*foreign);
      for (ValueId input : node.inputs)
        if (input != absent) count(graph.value(input));
      for (const GraphPtr& body : node.op.graphs()) {
        ++found_.sub_graphs;
        count(*body);
      }
    }
    for (const Port& port : graph.outputs) count(graph.value(port.value));
  }

 private:
  void count(const Value& value) {
    const ConstantPtr& constant = value.constant;
    if (!constant || value.name.empty() || !seen_.insert(constant.get()).second) return;
    constexpr int64_t large = 4096;
    if (constant->count() >= large) {
      const size_t hash = constant->hash();
      const auto [first, last] = by_content_.equal_range(hash);
      for (auto place = first; place != last; ++place)
        if (place->second->equals(*constant)) return;
      by_content_.emplace(hash, constant.get());
    }
    uint64_t bits =
        static_cast<uint64_t>(constant->count()) * static_cast<uint64_t>(bits_of(constant->dtype()));
    for (Inspection::Parameters* sum :
         {&found_.parameters, &found_.parameters_by_dtype[std::string(name_of(constant->dtype()))]}) {
      sum->count += constant->count();
      sum->bytes += (bits + 7) / 8;
    }
  }
  void note_foreign(const Foreign& foreign) {
    if (std::find(found_.foreign.begin(), found_.foreign.end(), foreign.type) == found_.foreign.end())
      found_.foreign.push_back(foreign.type);
  }

  Inspection& found_;
  std::unordered_set<const Constant*> seen_;
  std::unordered_multimap<size_t, const Constant*> by_content_;
};

std::string shape_text(const Type& type) {
  if (!type.is_tensor()) return "";
  return type.dims ? text_of(*type.dims) : "[?]";
}

Inspection::Port describe(const Graph& graph, const Port& port) {
  const Type& type = graph.value(port.value).type;
  Inspection::Port info;
  info.name = port.name;
  info.dtype = type.is_tensor() ? std::string(name_of(type.dtype)) : type.text();
  info.shape = shape_text(type);
  return info;
}

Inspection::Signature describe(const Graph& graph) {
  Inspection::Signature info;
  info.name = graph.name;
  for (const Port& port : graph.inputs) info.inputs.push_back(describe(graph, port));
  for (const Port& port : graph.outputs) {
    info.outputs.push_back(describe(graph, port));
    info.outputs.back().kind = output_kind(graph, port.value);
  }
  SizeWishes wishes;
  wishes.batch = 1;
  const ChosenSizes chosen = choose_sizes(graph, wishes).front();
  info.sizes = chosen.text();
  info.multiply_adds = multiply_adds(*chosen.graph);
  info.peak_activation_bytes = peak_activation_bytes(*chosen.graph);
  info.open_sizes = has_open_sizes(*chosen.graph);
  return info;
}

// The lowest version that can express the model, which `highest` can. What a later operator set takes, an
// earlier one rarely takes alone, so halving finds it.
int64_t lowest_version(const Model& model, const Format& format, int64_t highest, Pool& pool) {
  int64_t low = format.versions().lowest, high = highest;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (attempt(model, format, {middle}, 1, pool).problems.empty())
      high = middle;
    else
      low = middle + 1;
  }
  return high;
}

Inspection::Target inspect_target(const Model& model, const FormatInfo& info, Pool& pool) {
  const Format& format = info.format();
  Inspection::Target target;
  target.format = info.name;
  target.version_name = format.versions().name;
  target.version = format.versions().usual;
  const Attempt tried = attempt(model, format, {target.version}, 1, pool);
  for (const Error& problem : tried.problems) target.problems.push_back(problem.what());
  if (tried.problems.empty())
    target.lowest_version = lowest_version(model, format, target.version, pool);
  else if (const Attempt above = attempt_above(model, format, {target.version}, 1, pool);
           above.problems.empty())
    target.lowest_version = above.version;
  return target;
}

}  // namespace

Inspection inspect(const std::string& path, const std::string& format) {
  Loaded loaded = load(path, {format, {}});
  const Model& model = loaded.model;
  Inspection found;
  found.file = std::move(loaded.side);
  found.file.path = path;
  found.modified = modified_time(path);
  found.file.producer = model.producer;
  found.producer_version = model.producer_version;
  found.domain = model.domain;
  found.doc = model.doc;
  found.version = model.version;
  found.opsets = model.opsets;
  found.metadata = model.metadata;
  Census census(found);
  for (const GraphPtr& graph : model.graphs) {
    census.count(*graph);
    found.signatures.push_back(describe(*graph));
  }
  for (const auto& [key, value] : model.metadata)
    if (key == "names" || key == "classes" || key == "class_names" || key == "labels")
      if (found.class_names.empty()) found.class_names = parse_class_names(value);
  for (const auto* list : {&model.blobs, &model.assets})
    for (const auto& [name, bytes] : *list) found.assets.emplace_back(name, bytes.size());
  for (const auto& [name, bytes] : model.assets)
    if (name.ends_with(".txt") && found.class_names.empty())
      found.class_names = parse_class_names(std::string(bytes.view()));
  Pool pool(usable_cpus());
  for (const FormatInfo& info : all_formats())
    if (info.format && info.writes) found.targets.push_back(inspect_target(model, info, pool));
  return found;
}

std::string inspect_command(const InspectOptions& options, bool json, int width) {
  if (options.graph) return print(load(options.path, {options.format, {}}).model);
  const Inspection found = inspect(options.path, options.format);
  return json ? write_json(json_of(found)) + "\n" : text_of(found, width);
}

}  // namespace remodel
