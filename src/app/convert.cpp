#include "app/convert.h"

#include <memory>

#include "app/attempt.h"
#include "app/console.h"
#include "app/formats.h"
#include "app/layouts.h"
#include "base/file.h"
#include "base/pool.h"

namespace remodel {
namespace {

// Times one phase of a conversion, for as long as it lives.
class Timed {
 public:
  Timed(Report& report, Console& console, std::string name, const std::string& status)
      : report_(report),
        console_(console),
        name_(std::move(name)),
        wall_(wall_seconds()),
        cpu_(remodel::cpu_seconds()) {
    console.status(status);
  }
  ~Timed() {
    report_.phases.push_back({name_, wall_seconds() - wall_, remodel::cpu_seconds() - cpu_});
    const std::string text = fmt::format("{}: {}", name_, text_of_seconds(report_.phases.back().seconds));
    console_.log(LogLevel::debug, text);
  }

 private:
  Report& report_;
  Console& console_;
  std::string name_;
  double wall_, cpu_;
};

// Files under temporary names: nothing is in its place until commit().
struct Output {
  std::vector<std::unique_ptr<OutputFile>> files;  // the main one last

  OutputFile& main() { return *files.back(); }
  void commit() {
    std::vector<OutputFile*> all;
    for (const auto& file : files) all.push_back(file.get());
    commit_together(all);
  }
};

Output write_files(const Draft& draft, std::unique_ptr<OutputFile> main, std::vector<Report::File>& written) {
  Output output;
  const std::string path = main->path(), name = file_of(path),
                    folder = path.substr(0, path.size() - name.size());
  written.clear();
  for (const Draft::File& file : draft.files(name)) {
    output.files.push_back(file.name == name ? std::move(main)
                                             : std::make_unique<OutputFile>(folder + file.name));
    FileSink sink(*output.files.back());
    file.write(sink);
    written.insert(written.begin(), {output.files.back()->path(), sink.position()});
  }
  return output;
}

std::vector<std::string> paths_of(const Draft& draft, const std::string& path) {
  const std::string name = file_of(path), folder = path.substr(0, path.size() - name.size());
  std::vector<std::string> paths;
  for (const Draft::File& file : draft.files(name)) paths.push_back(folder + file.name);
  return paths;
}

// The first of the paths that the conversion reads from, or "".
std::string read_from(const std::vector<std::string>& paths, const ConvertOptions& options,
                      const Report::Side& read) {
  for (const std::string& path : paths) {
    const std::string place = canonical_path(path);
    for (const Report::File& file : read.files)
      if (canonical_path(file.path) == place) return path;
    if (!options.data.empty() && canonical_path(options.data) == place) return path;
  }
  return "";
}

void refuse_places(const std::vector<std::string>& paths, const ConvertOptions& options,
                   const Report::Side& read) {
  const bool device = is_device(options.to) || options.to.starts_with("/dev/");
  if (paths.size() > 1 && device)
    throw Error(fmt::format("'{}' is no file that weights could lie beside", options.to), ErrorKind::usage);
  if (const std::string path = read_from(paths, options, read); !path.empty())
    throw Error(fmt::format("'{}' would be overwritten, but is read for this very conversion", path),
                ErrorKind::usage);
}

std::string data_path(const Format& format, const std::string& path) {
  const std::string name = file_of(path), data = format.data_name(name);
  return data.empty() ? "" : path.substr(0, path.size() - name.size()) + data;
}

// What a check that failed left beside the output.
void remove_unverified(const Format& format, const ConvertOptions& options, const Report::Side& read) {
  const std::string main = unverified_path(options.to), data = data_path(format, main);
  for (const std::string& path : {main, data})
    if (!path.empty() && !is_folder(path) && read_from({path}, options, read).empty()) remove_file(path);
}

const FormatInfo& target_format(const ConvertOptions& options) {
  return options.to_format.empty() ? format_of_name(options.to) : need_format(options.to_format);
}

Model read_back(const Format& format, Output& output) {
  const auto open = [&](const std::string& name) {
    for (const auto& file : output.files)
      if (file != output.files.back() && file_of(file->path()) == name)
        return map_file(file->readable_path());
    fail("it refers to another file");
  };
  ReadResult read = format.read({map_file(output.main().readable_path()), open}, {});
  if (!read.problems.empty()) throw Problems(std::move(read.problems));
  return std::move(read.model);
}

void check_output(const ConvertOptions& options, const Model& source, const Attempt& chosen,
                  const Format& format, Output& output, Report::Check& check) {
  CheckOptions checking;
  checking.tolerance = options.tolerance;
  checking.seconds = options.seconds;
  checking.data = options.data;
  checking.threads = options.threads;
  for (const LayoutReport& layout : chosen.layouts) {
    auto& turned = checking.turned.emplace_back();
    for (const auto& turn : layout.turns) turned[{turn.output, turn.port}] = turn.axes;
  }
  std::string unreadable;
  Model result;
  try {
    result = read_back(format, output);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::io) throw;  // of the system, not of the file
    unreadable = error.what();
  }
  if (!unreadable.empty()) {
    check.status = "failed";
    check.reason = "the file that was written cannot be read back: " + unreadable;
    return;
  }
  check = summary_of(check_models(source, result, checking));
}

std::string failure_of(const Report::Check& check) {
  for (const Report::Output& output : check.outputs)
    if (output.failed) return fmt::format("output '{}': {}", output.name, difference_of(output));
  return check.reason;
}

void refuse_unsupported(const ConvertOptions& options, Report& report) {
  const ConvertOptions usual;
  const QuantizationOptions& asked = options.quantization;
  const bool floats = asked.type == "float" || asked.type == usual.quantization.type;
  if (asked.optimization != "none" || !floats || asked.opsset != usual.quantization.opsset ||
      !asked.load.empty())
    throw Error("quantization is not supported yet").hint("leave out 'quantization'");
  const auto note = [&](bool given, std::string_view key) {
    if (given) report.notes.push_back(fmt::format("'{}' means nothing for this conversion", key));
  };
  note(!options.network_script.empty(), "network_script");
  note(!options.network_name.empty(), "network_name");
  note(options.frozen != usual.frozen, "frozen");
  note(options.savedmodel_tag != usual.savedmodel_tag, "savedmodel_tag");
}

// The version to try first. Where none is asked for, a higher one will do as well.
int64_t first_version(const WrittenVersions& versions, const ConvertOptions& options, Report& report) {
  if (versions.name == "opset") return options.opset.value_or(options.lowest_opset.value_or(versions.usual));
  if (options.opset) report.notes.push_back("'opset' means nothing for this conversion");
  return versions.usual;
}

// Where images of the source's format have their channels.
Channels usual_channels(const Model& source) {
  const FormatInfo* info = find_format(source.format);
  const auto layout = info && info->format ? info->format().layout() : std::nullopt;
  return layout ? layout->channels : Channels::first;
}

// The attempt that is written, at the version asked for or the lowest that will do.
Attempt choose(const Model& source, const Format& format, const ConvertOptions& options, Report& report,
               Pool& pool) {
  const WrittenVersions versions = format.versions();
  WriteTarget target{first_version(versions, options, report), options.external_data,
                     named_layouts(options.layout, source, options.from)};
  target.layout.usual = usual_channels(source);
  target.custom.any = options.tflite_ops == "custom";
  if (options.tflite_ops.empty())
    for (const auto& [type, count] : report.read.operators) target.custom.names.insert(type);
  Attempt first = attempt(source, format, target, options.level, pool);
  report.written.version_name = versions.name;
  report.written.version = first.version;
  if (first.problems.empty()) return first;
  Attempt next = attempt_above(source, format, target, options.level, pool);
  const bool found = next.problems.empty();
  if (found && !options.opset) {
    report.written.version = next.version;
    report.notes.push_back(fmt::format("written at {}, the lowest that can express the model ({} {}: {})",
                                       report.written.version_text(), versions.name, first.version,
                                       first.problems.front().what()));
    return next;
  }
  if (found)
    report.notes.push_back(
        fmt::format("the lowest {} that can express the model is {}", versions.name, next.version));
  for (Error& problem : first.problems) problem.at(options.from);
  throw Problems(std::move(first.problems));
}

void report_layout(const Model& source, const Format& format, const LayoutWishes& wishes,
                   const Attempt& chosen, Report& report) {
  bool turned[] = {false, false};
  for (size_t i = 0; i < chosen.layouts.size(); ++i) {
    add_layout(report.layout, *source.graphs[i], chosen.layouts[i]);
    for (const auto& turn : chosen.layouts[i].turns) turned[turn.output] = true;
  }
  for (const bool output : {false, true}) {
    const std::string_view option = output ? "output" : "input";
    const PortWishes& own = output ? wishes.outputs : wishes.inputs;
    if (!own.empty() && !turned[output])
      report.notes.push_back(
          fmt::format("'--{}-layout' changes no {}: there is no image in another order", option, option));
    const size_t saved = output ? chosen.saved_by_outputs : chosen.saved_by_inputs;
    if (saved == 0) continue;
    const bool last = format.layout()->channels == Channels::last;
    report.notes.push_back(fmt::format("{}s keep {}: --{}-layout {} would save {} transpose{}", option,
                                       last ? "NCHW" : "NHWC", option, last ? "nhwc" : "nchw", saved,
                                       saved == 1 ? "" : "s"));
  }
}

}  // namespace

std::vector<std::string> written_paths(const ConvertOptions& options) {
  std::vector<std::string> paths{options.to};
  if (!options.external_data) return paths;
  try {
    const std::string data = data_path(need_writer(target_format(options), options.to), options.to);
    if (!data.empty()) paths.push_back(data);
  } catch (const Error&) {
  }
  return paths;
}

std::string unverified_path(const std::string& path) {
  const size_t name = path.size() - file_of(path).size(), dot = path.rfind('.');
  if (dot == std::string::npos || dot <= name) return path + ".unverified";
  return path.substr(0, dot) + ".unverified" + path.substr(dot);
}

void convert(const ConvertOptions& options, Report& report, Console& console) {
  report.read.path = options.from;
  report.written.path = options.to;
  report.dry_run = options.dry_run;
  const FormatInfo& info = target_format(options);
  if (options.from.empty() || options.to.empty()) throw Error("a file name is empty", ErrorKind::usage);
  if (path_exists(options.from) && canonical_path(options.from) == canonical_path(options.to))
    throw Error(fmt::format("'{}' would be overwritten by its own conversion", options.from),
                ErrorKind::usage);
  const Format& format = need_writer(info, options.to);
  refuse_unsupported(options, report);

  Loaded loaded;
  ReadRequest request = options.request;
  const bool chosen_signature = options.savedmodel_signature != ConvertOptions().savedmodel_signature;
  if (chosen_signature) request.signature = options.savedmodel_signature;
  {
    const Timed timed(report, console, "read", "reading " + options.from);
    loaded = load(options.from, {options.from_format, request});
  }
  if (chosen_signature && loaded.model.graphs[0]->name != request.signature)
    report.notes.push_back("'signature' means nothing for this conversion");
  report.read = std::move(loaded.side);
  if (!options.data.empty()) need_data(options.data, loaded.model);
  // A place that cannot be written to shows before any work is done.
  std::unique_ptr<OutputFile> file;
  if (!options.dry_run) file = std::make_unique<OutputFile>(options.to);

  Pool pool(options.threads > 0 ? options.threads : usable_cpus());
  const Model& source = loaded.model;
  Attempt chosen;
  {
    const Timed timed(report, console, "rewrite", "rewriting " + options.from);
    chosen = choose(source, format, options, report, pool);
  }
  report.rules = std::move(chosen.rules);
  for (std::string& note : chosen.draft->notes()) report.notes.push_back(std::move(note));
  report_layout(source, format, options.layout, chosen, report);
  report.written.operators = chosen.draft->operators();
  for (const auto& [type, count] : report.written.operators) report.written.nodes += count;
  report.written.format = info.brand;
  refuse_places(paths_of(*chosen.draft, options.to), options, report.read);
  if (options.dry_run) {
    report.written.files.push_back({options.to, chosen.draft->size()});
    report.check.reason = "nothing was written (--dry-run)";
    return;
  }

  Output output;
  {
    const Timed timed(report, console, "write", "writing " + options.to);
    output = write_files(*chosen.draft, std::move(file), report.written.files);
    if (!options.verify || output.main().readable_path().empty()) output.commit();
  }
  if (!options.verify) {
    report.check.reason = "--no-verify";
    return;
  }
  if (output.main().readable_path().empty()) {
    report.check.reason = fmt::format("'{}' is no file that could be read back", options.to);
    return;
  }
  {
    const Timed timed(report, console, "check", "checking " + options.to);
    check_output(options, source, chosen, format, output, report.check);
  }
  if (report.check.status != "failed") {
    output.commit();
    return remove_unverified(format, options, report.read);
  }

  output = {};
  report.exit_code = 3;
  report.errors.push_back(fmt::format("{}: the result does not compute what the source does: {}",
                                      options.from, failure_of(report.check)));
  const std::string beside = unverified_path(options.to);
  if (const std::string path = read_from(paths_of(*chosen.draft, beside), options, report.read);
      !path.empty()) {
    report.written.files.clear();
    report.errors.push_back(fmt::format(
        "'{}' is left as it was; the result is not kept, as the conversion reads '{}'", options.to, path));
    return;
  }
  output = write_files(*chosen.draft, std::make_unique<OutputFile>(beside), report.written.files);
  output.commit();
  report.errors.push_back(fmt::format("'{}' is left as it was; the result is in '{}'", options.to, beside));
}

}  // namespace remodel
