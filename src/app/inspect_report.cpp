#include <algorithm>

#include "app/inspect.h"
#include "base/file.h"
#include "base/format.h"

namespace remodel {
namespace {

std::string text_of_count(int64_t count) {
  const double value = static_cast<double>(count);
  if (count < 10000) return std::to_string(count);
  if (value < 1e6) return fmt::format("{} ({:.1f} k)", count, value / 1e3);
  if (value < 1e9) return fmt::format("{} ({:.2f} M)", count, value / 1e6);
  if (value < 1e12) return fmt::format("{} ({:.2f} G)", count, value / 1e9);
  return fmt::format("{} ({:.2f} T)", count, value / 1e12);
}

// The first so many bytes, not cut inside of a character.
std::string shortened(std::string text, size_t most) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most) + "...";
}

class Lines {
 public:
  explicit Lines(int width) : lines_{14, width} {}
  void add(std::string_view label, std::string text) {
    if (!text.empty()) lines_.add(text_, label, {std::move(text)});
  }
  void add(std::string_view label, const std::vector<std::string>& items) {
    if (!items.empty()) lines_.add(text_, label, items);
  }
  void more(std::string text) { lines_.add(text_, "", {std::move(text)}); }
  std::string take() { return std::move(text_); }

 private:
  LabelledLines lines_;
  std::string text_;
};

std::string describe(const Inspection::Port& port) {
  return port.name + ": " + port.dtype + port.shape + (port.kind.empty() ? "" : ", " + port.kind);
}

void add_ports(Lines& lines, std::string_view label, const std::vector<Inspection::Port>& ports) {
  if (ports.empty()) lines.add(label, "none");
  for (size_t i = 0; i < ports.size(); ++i)
    i == 0 ? lines.add(label, describe(ports[i])) : lines.more(describe(ports[i]));
}

void add_target(Lines& lines, const Inspection::Target& target) {
  std::string label = "to " + target.format;
  const std::string_view name = target.version_name;
  if (target.problems.empty()) {
    std::string text = "every layer can be expressed";
    if (!name.empty()) text += fmt::format(", from {} {} on", name, target.lowest_version);
    return lines.add(label, text);
  }
  std::string text = fmt::format("{}cannot express {} layer{}",
                                 name.empty() ? "" : fmt::format("{} {} ", name, target.version),
                                 target.problems.size(), target.problems.size() == 1 ? "" : "s");
  if (target.lowest_version) text += fmt::format("; {} {} can express them all", name, target.lowest_version);
  lines.add(label, text);
  constexpr size_t most = 20;
  for (size_t i = 0; i < std::min(most, target.problems.size()); ++i) lines.more(target.problems[i]);
  if (target.problems.size() > most) lines.more(fmt::format("and {} more", target.problems.size() - most));
}

Json json_of(const std::vector<Inspection::Port>& ports) {
  Json json = Json::array();
  for (const Inspection::Port& port : ports) {
    Json one;
    one["name"] = port.name;
    one["dtype"] = port.dtype;
    one["shape"] = port.shape;
    if (!port.kind.empty()) one["kind"] = port.kind;
    json.push(std::move(one));
  }
  return json;
}

Json json_of(const Inspection::Parameters& parameters) {
  Json json;
  json["count"] = parameters.count;
  json["bytes"] = parameters.bytes;
  return json;
}

template <class Map>
Json json_of_counts(const Map& counts) {
  Json json = Json::object();
  for (const auto& [name, count] : counts) json[name] = count;
  return json;
}

template <class List>
Json json_of_texts(const List& texts) {
  Json json = Json::array();
  for (const std::string& text : texts) json.push(text);
  return json;
}

}  // namespace

std::string text_of(const Inspection& found, int width) {
  Lines lines(width);
  std::string size = text_of_bytes(found.file.bytes());
  if (found.file.files.size() > 1) size += fmt::format(" in {} files", found.file.files.size());
  lines.add("file", fmt::format("{}, {}, {}", found.file.path, size, utc_text(found.modified)));
  std::vector<std::string> format{found.file.format};
  for (const auto& [domain, version] : found.opsets)
    format.push_back(fmt::format("{}opset {}", domain.empty() ? "" : domain + " ", version));
  lines.add("format", format);
  lines.add("producer",
            found.file.producer + (found.producer_version.empty() ? "" : " " + found.producer_version));
  lines.add("domain", found.domain);
  if (found.version) lines.add("version", std::to_string(found.version));
  lines.add("description", shortened(found.doc, 200));
  for (const Inspection::Signature& signature : found.signatures) {
    if (found.signatures.size() > 1) lines.add("signature", signature.name);
    add_ports(lines, "inputs", signature.inputs);
    add_ports(lines, "outputs", signature.outputs);
    const std::string sizes = signature.sizes.empty() ? "" : " for " + signature.sizes;
    std::vector<std::string> work{text_of_count(signature.multiply_adds) + sizes},
        memory{text_of_bytes(signature.peak_activation_bytes) + " at their peak" + sizes};
    if (signature.open_sizes)
      for (std::vector<std::string>* items : {&work, &memory})
        items->push_back("not counting what has a size known only at run time");
    lines.add("multiply-adds", work);
    lines.add("activations", memory);
  }
  std::vector<std::string> kinds;
  for (const auto& [dtype, sum] : found.parameters_by_dtype)
    kinds.push_back(fmt::format("{} {} ({})", sum.count, dtype, text_of_bytes(sum.bytes)));
  const std::string count = text_of_count(found.parameters.count);
  if (kinds.empty())
    kinds.push_back(count);
  else
    kinds[0] = count + ": " + kinds[0];
  lines.add("parameters", kinds);
  lines.add("operators", operator_counts(found.file.operators));
  lines.add("Remodel ops", operator_counts(found.ops));
  if (found.sub_graphs) lines.add("sub-graphs", std::to_string(found.sub_graphs));
  for (const std::string& foreign : found.foreign) lines.add("kept only", foreign);
  for (const auto& [key, value] : found.metadata) lines.add("metadata", key + ": " + shortened(value, 100));
  for (const auto& [name, size] : found.assets)
    lines.add("brings along", fmt::format("{} ({} bytes)", name, size));
  if (!found.class_names.empty()) {
    std::string names;
    for (size_t i = 0; i < std::min<size_t>(found.class_names.size(), 8); ++i)
      names += (i ? ", " : "") + found.class_names[i];
    if (found.class_names.size() > 8) names += ", ...";
    lines.add("classes", fmt::format("{}: {}", found.class_names.size(), names));
  }
  for (const Inspection::Target& target : found.targets) add_target(lines, target);
  return lines.take();
}

Json json_of(const Inspection& found) {
  Json json;
  json["version"] = report_version;
  json["path"] = found.file.path;
  json["bytes"] = found.file.bytes();
  json["files"] = Json::array();
  for (const Report::File& file : found.file.files) {
    Json one;
    one["path"] = file.path;
    one["bytes"] = file.bytes;
    json["files"].push(std::move(one));
  }
  json["modified"] = utc_text(found.modified);
  json["format"] = found.file.format;
  json["opsets"] = json_of_counts(found.opsets);
  json["producer"] = found.file.producer;
  json["producer_version"] = found.producer_version;
  json["domain"] = found.domain;
  json["model_version"] = found.version;
  json["description"] = found.doc;
  json["signatures"] = Json::array();
  for (const Inspection::Signature& signature : found.signatures) {
    Json one;
    one["name"] = signature.name;
    one["inputs"] = json_of(signature.inputs);
    one["outputs"] = json_of(signature.outputs);
    one["multiply_adds"] = signature.multiply_adds;
    one["peak_activation_bytes"] = signature.peak_activation_bytes;
    one["sizes"] = signature.sizes;
    one["open_sizes"] = signature.open_sizes;
    json["signatures"].push(std::move(one));
  }
  json["parameters"] = json_of(found.parameters);
  json["parameters_by_dtype"] = Json::object();
  for (const auto& [dtype, sum] : found.parameters_by_dtype)
    json["parameters_by_dtype"][dtype] = json_of(sum);
  json["operators"] = json_of_counts(found.file.operators);
  json["ops"] = json_of_counts(found.ops);
  json["sub_graphs"] = found.sub_graphs;
  json["foreign"] = json_of_texts(found.foreign);
  json["metadata"] = json_of_counts(found.metadata);
  json["assets"] = Json::object();
  for (const auto& [name, size] : found.assets) json["assets"][name] = static_cast<int64_t>(size);
  json["class_names"] = json_of_texts(found.class_names);
  json["targets"] = Json::array();
  for (const Inspection::Target& target : found.targets) {
    Json one;
    one["format"] = target.format;
    if (!target.version_name.empty()) {
      one[target.version_name] = target.version;
      one["lowest_" + target.version_name] = target.lowest_version;
    }
    one["problems"] = json_of_texts(target.problems);
    json["targets"].push(std::move(one));
  }
  return json;
}

}  // namespace remodel
