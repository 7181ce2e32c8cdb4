#include "app/formats.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/nearest.h"
#include "formats/onnx/format.h"
#include "formats/tflite/format.h"
#include "wire/protobuf.h"
#include "wire/zip.h"

namespace remodel {
namespace {

constexpr FormatInfo formats[] = {
    {"onnx", "ONNX", "an ONNX file", ".onnx", onnx::format},
    {"tflite", "TensorFlow Lite", "a TensorFlow Lite file", ".tflite", tflite::format},
    {"saved_model", "TensorFlow SavedModel", "a TensorFlow SavedModel", ""},
    {"frozen_graph", "TensorFlow graph", "a frozen TensorFlow graph", ".pb"},
    {"checkpoint", "TensorFlow checkpoint", "a TensorFlow checkpoint", ".meta .ckpt .index"},
    {"keras_h5", "Keras HDF5", "a Keras HDF5 file", ".h5 .hdf5"},
    {"keras", "Keras 3", "a Keras 3 archive", ".keras"},
    {"torch", "PyTorch", "a PyTorch file", ".pt .pth .pt2"},
    {"tfjs", "TensorFlow.js", "a TensorFlow.js model", ".json"},
};

const FormatInfo& named(std::string_view name) { return *find_format(name); }

bool begins(const Bytes& content, std::string_view magic) {
  return content.view().substr(0, magic.size()) == magic;
}

// Which fields stand at the top of a protobuf message, as far as it can be followed: bit n for field n with a
// length, bit 32 + n for one with a number.
uint64_t top_fields(const Bytes& content) {
  uint64_t seen = 0;
  try {
    for (ProtoReader in(content.view()); in.next();) {
      if (in.field() > 31) return in.field() == 1000 ? seen : 0;
      seen |= uint64_t{1} << (in.field() + (in.type() == ProtoType::bytes ? 0 : 32));
      in.skip();
    }
  } catch (const Error&) {
  }
  return seen;
}
constexpr uint64_t text_field(int n) { return uint64_t{1} << n; }
constexpr uint64_t number_field(int n) { return uint64_t{1} << (32 + n); }

const FormatInfo* of_protobuf(const Bytes& content) {
  const uint64_t seen = top_fields(content);
  if (seen == 0) return nullptr;
  constexpr uint64_t onnx = number_field(1) | number_field(5) | text_field(2) | text_field(3) |
                            text_field(4) | text_field(6) | text_field(7) | text_field(8) | text_field(14) |
                            text_field(20) | text_field(25);
  constexpr uint64_t graph_def = text_field(1) | text_field(2) | number_field(3) | text_field(4);
  constexpr uint64_t meta_graph = text_field(1) | text_field(2) | text_field(3) | text_field(4) |
                                  text_field(5) | text_field(6) | text_field(7);
  if ((seen & ~onnx) == 0 && (seen & (text_field(7) | text_field(8)))) return &named("onnx");
  if (seen == (number_field(1) | text_field(2))) return &named("saved_model");
  if ((seen & ~graph_def) == 0 && (seen & text_field(1))) return &named("frozen_graph");
  if ((seen & ~meta_graph) == 0 && (seen & text_field(2))) return &named("checkpoint");
  return nullptr;
}

const FormatInfo* of_zip(const Bytes& content) {
  const ZipReader zip(content);
  const auto any = [&](auto matches) {
    return std::any_of(zip.entries().begin(), zip.entries().end(),
                       [&](const ZipEntry& entry) { return matches(entry.name); });
  };
  if (zip.find("config.json") && zip.find("model.weights.h5")) return &named("keras");
  if (any([](const std::string& name) {
        return name.ends_with("data.pkl") || name.ends_with("archive_format");
      }))
    return &named("torch");
  if (any([](const std::string& name) { return name.ends_with(".npy"); }))
    fail("it is a NumPy archive, not a model");
  return nullptr;
}

const FormatInfo* of_content(const Bytes& content) {
  if (begins(content, "\x89HDF\r\n\x1a\n")) return &named("keras_h5");
  if (content.size() >= 8 && content.view().substr(4, 4) == "TFL3") return &named("tflite");
  if (content.size() >= 8 && content.view().substr(4, 4) == "ORTM")
    fail(
        "it is an ONNX Runtime (.ort) file, which cannot be read; convert the ONNX file that it was made of");
  if (looks_like_zip(content)) return of_zip(content);
  if (begins(content, "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9")) return &named("torch");
  if (content.view().ends_with("\x57\xfb\x80\x8b\x24\x75\x47\xdb")) return &named("checkpoint");
  if (begins(content, "model_checkpoint_path:")) return &named("checkpoint");
  const size_t text = content.view().find_first_not_of(" \t\r\n");
  if (text != std::string_view::npos && content.view()[text] == '{') {
    if (content.view().find("\"modelTopology\"") != std::string_view::npos) return &named("tfjs");
    return nullptr;
  }
  return of_protobuf(content);
}

std::string_view extension_of(std::string_view path) {
  const size_t slash = path.rfind('/'), dot = path.rfind('.');
  if (dot == std::string_view::npos || (slash != std::string_view::npos && dot < slash)) return "";
  return path.substr(dot);
}

const FormatInfo* of_name(std::string_view path) {
  std::string extension(extension_of(path));
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (extension.empty()) return nullptr;
  for (const FormatInfo& format : formats)
    for (size_t at = 0; at < format.extensions.size();) {
      const size_t end = std::min(format.extensions.find(' ', at), format.extensions.size());
      if (format.extensions.substr(at, end - at) == extension) return &format;
      at = end + 1;
    }
  return nullptr;
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const FormatInfo& format : formats) result.emplace_back(format.name);
  return result;
}

}  // namespace

std::span<const FormatInfo> all_formats() { return formats; }

const FormatInfo* find_format(std::string_view name) {
  for (const FormatInfo& format : formats)
    if (format.name == name) return &format;
  return nullptr;
}

const FormatInfo& need_format(std::string_view name) {
  if (const FormatInfo* format = find_format(name)) return *format;
  const std::string meant = did_you_mean(name, names());
  throw Error(
      fmt::format("there is no format '{}'{}", name,
                  meant.empty() ? fmt::format(" (the formats are {})", quoted_list(names(), "and")) : meant),
      ErrorKind::usage);
}

const FormatInfo& detect_format(const std::string& path, const Bytes& content) {
  try {
    if (content.empty()) fail("the file is empty");
    if (const FormatInfo* format = of_content(content)) return *format;
    if (const FormatInfo* format = of_name(path)) return *format;
    throw Error("neither its content nor its name says what kind of model it is").hint("name it with --from");
  } catch (Error& error) {
    throw error.at(path);
  }
}

const FormatInfo& detect_folder(const std::string& path) {
  for (const std::string& name : list_folder(path)) {
    if (name == "saved_model.pb" || name == "saved_model.pbtxt") return named("saved_model");
    if (name == "model.json") return named("tfjs");
    if (name == "checkpoint" || name.ends_with(".index")) return named("checkpoint");
  }
  throw Error("the folder holds no model that is known").at(path);
}

const FormatInfo& format_of_name(const std::string& path) {
  if (const FormatInfo* format = of_name(path)) return *format;
  // Devices and pipes have no such names.
  if (path.starts_with("/dev/")) return named("onnx");
  throw Error(fmt::format("the name '{}' does not say what format to write; name it with --to", path),
              ErrorKind::usage);
}

const Format& need_reader(const FormatInfo& info, const std::string& path) {
  if (!info.format) throw Error(fmt::format("it is {}, which cannot be read yet", info.title)).at(path);
  return info.format();
}

const Format& need_writer(const FormatInfo& info, const std::string& path) {
  if (!info.format || !info.writes)
    throw Error(fmt::format("it would be {}, which cannot be written yet", info.title)).at(path);
  return info.format();
}

}  // namespace remodel
