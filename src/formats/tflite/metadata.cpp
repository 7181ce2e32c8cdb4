#include "formats/tflite/metadata.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"

namespace remodel::tflite {
namespace {

constexpr std::string_view runtime_key = "min_runtime_version";
constexpr size_t runtime_bytes = 16;  // that its buffer has in all files

struct Runtimes {
  std::string_view type;
  std::array<std::string_view, 16> of_version;  // from 1 on
};
constexpr Runtimes all_runtimes[] = {
#define RUNTIMES(type, ...) {#type, {__VA_ARGS__}},
#include "formats/tflite/runtime_data.inc"
};

std::array<int, 3> parts(std::string_view version) {
  std::array<int, 3> result{};
  for (int& part : result) {
    const auto end = std::from_chars(version.data(), version.data() + version.size(), part).ptr;
    version.remove_prefix(std::min<size_t>(version.size(), static_cast<size_t>(end - version.data()) + 1));
  }
  return result;
}

}  // namespace

void read_metadata(const File& file, Model& model) {
  for (const auto& [name, bytes] : file.metadata) {
    std::string_view text = bytes.view();
    if (name == runtime_key) text = text.substr(0, text.find('\0'));
    if (is_text(text))
      model.metadata.emplace_back(name, std::string(text));
    else
      model.blobs.emplace_back(name, bytes);
  }
  model.assets = file.assets;
}

void write_metadata(const Model& model, File& file) {
  for (const auto& [name, text] : model.metadata)
    if (name != runtime_key) file.metadata.emplace_back(name, Bytes::own(text));
  for (const auto& [name, bytes] : model.blobs)
    if (name != runtime_key) file.metadata.emplace_back(name, bytes);
  file.assets = model.assets;
  if (std::string runtime = least_runtime(file); !runtime.empty()) {
    runtime.resize(runtime_bytes);
    file.metadata.emplace_back(runtime_key, Bytes::own(std::move(runtime)));
  }
}

std::string least_runtime(const File& file) {
  std::string_view least;
  for (const SubGraph& graph : file.graphs)
    for (const Operator& one : graph.operators) {
      const auto place =
          std::find_if(std::begin(all_runtimes), std::end(all_runtimes),
                       [&](const Runtimes& row) { return !one.custom && row.type == one.type; });
      if (place == std::end(all_runtimes) || one.version < 1) continue;
      const auto version = static_cast<size_t>(one.version) - 1;
      if (version >= place->of_version.size()) continue;
      const std::string_view needed = place->of_version[version];
      if (!needed.empty() && (least.empty() || parts(least) < parts(needed))) least = needed;
    }
  return std::string(least);
}

}  // namespace remodel::tflite
