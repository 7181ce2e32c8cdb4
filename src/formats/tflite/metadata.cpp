#include "formats/tflite/metadata.h"

#include "base/utf8.h"
#include "formats/tflite/runtime.h"

namespace remodel::tflite {
namespace {

constexpr std::string_view runtime_key = "min_runtime_version";
constexpr size_t runtime_bytes = 16;  // that its buffer has in all files

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

}  // namespace remodel::tflite
