#include "app/load.h"

#include <map>

#include "app/formats.h"
#include "base/file.h"

namespace remodel {
namespace {

// A model's file and those that it refers to, each opened once: weights of one file are parts of one map.
class Opened {
 public:
  Opened(const std::string& path, const Bytes& file)
      : folder_(folder_of(path)), files_{{path, file.size()}} {}

  Bytes open(const std::string& location) {
    const auto place = others_.find(location);
    if (place != others_.end()) return place->second;
    const Bytes bytes = map(location);
    files_.push_back({folder_ == "." ? location : folder_ + location, bytes.size()});
    return others_[location] = bytes;
  }
  SourceFiles source(const Bytes& file) {
    return {file, [this](const std::string& location) { return open(location); }};
  }
  const std::vector<Report::File>& files() const { return files_; }

 private:
  Bytes map(const std::string& location) const {
    try {
      return map_file(inside_folder(folder_, location));
    } catch (Error& error) {
      if (error.kind() == ErrorKind::io)
        error.hint("the model keeps weights in files of their own, beside it");
      throw;
    }
  }

  std::string folder_;
  std::vector<Report::File> files_;
  std::map<std::string, Bytes> others_;
};

Loaded load_file(const std::string& path, const Bytes& file, const Format& format,
                 const ReadRequest& request) {
  Opened opened(path, file);
  ReadResult read = format.read(opened.source(file), request);
  if (read.problems.size() == 1) throw read.problems.front();
  if (!read.problems.empty()) {
    for (Error& problem : read.problems) problem.at(path);
    throw Problems(std::move(read.problems));
  }
  Loaded loaded;
  loaded.side.files = opened.files();
  loaded.model = std::move(read.model);
  loaded.side.operators = std::move(read.operators);
  loaded.side.version_name = format.versions().name;
  loaded.side.version = read.version;
  return loaded;
}

// What the file may be instead; "" where that is not known.
std::string looks_like(const std::string& path, const Bytes& file, const FormatInfo& asked) {
  try {
    const FormatInfo& found = detect_format(path, file);
    return &found == &asked ? "" : fmt::format("it looks like {}", found.title);
  } catch (const Error&) {
    return "";
  }
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
  if (asked && !asked->format)
    throw Error(fmt::format("it cannot be read as {} yet", asked->title))
        .hint(looks_like(path, file, info))
        .at(path);
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
    if (const std::string other = asked ? looks_like(path, file, info) : ""; !other.empty())
      error.hint(other);
    throw error.at(path);
  }
}

std::vector<Report::File> files_of(const std::string& path, const std::string& format) {
  // What can be read but once is left to load().
  if (!path_exists(path) || is_folder(path) || is_device(path)) return {};
  const Bytes file = map_file(path);
  Opened opened(path, file);
  try {
    const FormatInfo& info = format.empty() ? detect_format(path, file) : need_format(format);
    need_reader(info, path).open_others(opened.source(file));
  } catch (const Error&) {
  }
  return opened.files();
}

}  // namespace remodel
