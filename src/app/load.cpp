#include "app/load.h"

#include <map>

#include "app/formats.h"
#include "base/file.h"

namespace remodel {
namespace {

Bytes open_beside(const std::string& folder, const std::string& location) {
  try {
    return map_file(inside_folder(folder, location));
  } catch (Error& error) {
    if (error.kind() == ErrorKind::io) error.hint("the model keeps weights in files of their own, beside it");
    throw;
  }
}

Loaded load_file(const std::string& path, const Bytes& file, const Format& format,
                 const ReadRequest& request) {
  const std::string folder = folder_of(path);
  // Weights of one file are parts of one map.
  std::map<std::string, Bytes> external;
  Loaded loaded;
  loaded.side.files.push_back({path, file.size()});
  const auto open = [&](const std::string& location) {
    const auto place = external.find(location);
    if (place != external.end()) return place->second;
    const Bytes bytes = open_beside(folder, location);
    loaded.side.files.push_back({folder == "." ? location : folder + location, bytes.size()});
    return external[location] = bytes;
  };
  ReadResult read = format.read({file, open}, request);
  if (read.problems.size() == 1) throw read.problems.front();
  if (!read.problems.empty()) {
    for (Error& problem : read.problems) problem.at(path);
    throw Problems(std::move(read.problems));
  }
  loaded.model = std::move(read.model);
  loaded.side.operators = std::move(read.operators);
  loaded.side.version_name = format.versions().name;
  loaded.side.version = read.version;
  return loaded;
}

}  // namespace

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

std::string file_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Loaded load(const std::string& path, const LoadOptions& options) {
  const FormatInfo* asked = options.format.empty() ? nullptr : &need_format(options.format);
  // A checkpoint is named by what its files have in common.
  if (!path_exists(path) && path_exists(path + ".index")) need_reader(*find_format("checkpoint"), path);
  if (is_folder(path)) {
    const FormatInfo& format = asked ? *asked : detect_folder(path);
    need_reader(format, path);
    throw Error(fmt::format("it is a folder, not {}", format.title)).at(path);
  }
  const Bytes file = map_file(path);
  const FormatInfo& info = asked ? *asked : detect_format(path, file);
  const Format& format = need_reader(info, path);
  try {
    Loaded loaded = load_file(path, file, format, options.request);
    loaded.side.path = path;
    loaded.side.format = info.brand;
    loaded.side.producer = loaded.model.producer;
    if (!loaded.model.producer_version.empty()) loaded.side.producer += " " + loaded.model.producer_version;
    for (const auto& [type, count] : loaded.side.operators) loaded.side.nodes += count;
    return loaded;
  } catch (const Problems&) {
    throw;
  } catch (Error& error) {
    throw error.at(path);
  }
}

Model load_model(const std::string& path) { return load(path).model; }

}  // namespace remodel
