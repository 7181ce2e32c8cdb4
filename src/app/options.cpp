#include "app/options.h"

#include <CLI/CLI.hpp>

#include "app/completions.h"
#include "app/formats.h"
#include "app/layouts.h"
#include "base/error.h"
#include "base/file.h"
#include "base/nearest.h"

namespace remodel {
namespace {

[[noreturn]] void refuse(std::string text) { throw Error(std::move(text), ErrorKind::usage); }

constexpr int most_paths = 1 << 20;  // a count that does not fit is told in words of ours
constexpr std::string_view log_levels[] = {"error", "warning", "info", "debug"};

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const FormatInfo& format : all_formats()) names.emplace_back(format.name);
  return names;
}

// An option whose value is a word or a few; what is wrong with it is told by its name: "-j/--threads",
// and of several long ones the first.
CLI::Option* add_value(CLI::App& app, const std::string& names, const std::string& value_name,
                       const std::string& help, std::function<void(const std::string&)> set) {
  const size_t comma = names.find(',');
  std::string shown = names.substr(0, comma);
  if (comma != std::string::npos && !names.starts_with("--")) shown += "/" + names.substr(comma + 1);
  return app
      .add_option_function<std::string>(
          names,
          [shown, set = std::move(set)](const std::string& text) {
            try {
              set(text);
            } catch (Error& error) {
              throw Error(error.what(), ErrorKind::usage).at(shown);
            }
          },
          help)
      ->type_name(value_name);
}

// May be given more than once; every value counts.
void add_list(CLI::App& app, const std::string& names, const std::string& value_name, const std::string& help,
              std::function<void(const std::string&)> add) {
  add_value(app, names, value_name, help, std::move(add))
      ->multi_option_policy(CLI::MultiOptionPolicy::Throw)
      ->trigger_on_parse();
}

void add_format(CLI::App& app, const std::string& name, const std::string& help, std::string& to) {
  add_value(app, name, "FORMAT", help,
            [&to](const std::string& text) { to = std::string(need_format(text).name); });
}

void add_talk(CLI::App& app, Command& command) {
  const std::string group = "What is said";
  app.add_flag_function(
         "-q,--quiet", [&](int64_t) { command.level = LogLevel::error; }, "say only what is wrong")
      ->group(group);
  app.add_flag_function(
         "-v,--verbose", [&](int64_t) { command.level = LogLevel::info; }, "say more: what the check ran on")
      ->group(group);
  add_value(app, "--log", "LEVEL", "error, warning, info or debug", [&](const std::string& text) {
    const auto place =
        std::find(std::begin(log_levels), std::end(log_levels), text == "warn" ? "warning" : text);
    if (place == std::end(log_levels))
      refuse(fmt::format("'{}' is not one of error, warning, info and debug", text));
    command.level = static_cast<LogLevel>(place - std::begin(log_levels));
  })->group(group);
}

void add_json(CLI::App& app, Command& command) {
  app.add_flag("--json", command.json, "print the result as JSON")->group("What is said");
}

void add_threads(CLI::App& app, Command& command, const std::string& help) {
  add_value(app, "-j,--threads", "N", help, [&](const std::string& text) {
    command.job.options.threads = static_cast<int>(parse_number(text, 1, 1024));
  });
}

void add_time_limit(CLI::App& app, Command& command, const std::string& help) {
  add_value(app, "--time-limit", "SECONDS", help, [&](const std::string& text) {
    command.job.options.seconds = static_cast<double>(parse_number(text, 1, 1'000'000'000));
  });
}

void add_check(CLI::App& app, Command& command) {
  ConvertOptions& options = command.job.options;
  add_value(app, "--data", "FILE.npz", "inputs to check with, by name, instead of made-up ones",
            [&](const std::string& text) { options.data = text; });
  add_value(app, "--tolerance", "SHARE", "largest error, as a share of an output's range (usually 1e-4)",
            [&](const std::string& text) { options.tolerance = parse_tolerance(text); });
  add_time_limit(app, command, "longest that the check may take (usually 600)");
}

void add_convert(CLI::App& app, Command& command) {
  ConvertOptions& options = command.job.options;
  app.add_option("IN", command.paths, "the model, and where the result goes")
      ->expected(0, most_paths)
      ->type_name("");
  add_format(app, "--from", "the model's format, instead of looking", options.from_format);
  add_format(app, "--to", "the format to write, instead of by the name", options.to_format);
  add_list(app, "--inputs", "NAMES", "cut the model: these tensors become its inputs",
           [&](const std::string& text) {
             for (std::string& name : parse_names(text)) options.request.inputs.push_back(std::move(name));
           });
  add_list(app, "--outputs", "NAMES", "cut the model: these tensors become its outputs",
           [&](const std::string& text) {
             for (std::string& name : parse_names(text)) options.request.outputs.push_back(std::move(name));
           });
  add_value(app, "--signature", "NAME", "the entry point, of a model that has several",
            [&](const std::string& text) { options.savedmodel_signature = text; });
  add_list(app, "--input-shape", "SHAPES", "\"1,300,300,3;1,10\" in order, or \"name=1,3,224,224\"",
           [&](const std::string& text) {
             for (InputShape& shape : parse_input_shapes(text))
               options.request.shapes.push_back(std::move(shape));
           });
  add_list(app, "--input-dtype", "TYPES", "what inputs take: ids=int32,mask=bool",
           [&](const std::string& text) {
             for (InputType& type : parse_input_types(text)) options.request.types.push_back(std::move(type));
           });
  add_list(app, "--input-layout", "LAYOUT", "what inputs become: nhwc, nchw or image=nhwc (usually kept)",
           [&](const std::string& text) { add_layouts(options.layout.inputs, text); });
  add_list(app, "--output-layout", "LAYOUT", "what outputs become",
           [&](const std::string& text) { add_layouts(options.layout.outputs, text); });
  add_value(app, "--opset", "N",
            "ONNX operator set to write, 9 to 24 (17, in jobs 10, or the lowest above that will do)",
            [&](const std::string& text) { options.opset = parse_opset(text); });
  add_value(app, "--tflite-ops", "WHICH",
            "builtin or custom (usually builtin, and custom ones that the model has)",
            [&](const std::string& text) { options.tflite_ops = parse_tflite_ops(text); });
  add_value(app, "-O", "LEVEL", "0: rewrite only what the target needs; 1: optimise (usual)",
            [&](const std::string& text) { options.level = static_cast<int>(parse_number(text, 0, 1)); });
  app.add_flag("--external-data", options.external_data, "weights in a file of their own, OUT.data");
  app.add_flag("--dry-run", options.dry_run, "do all but write");
  app.add_flag_function(
      "--no-verify", [&](int64_t) { options.verify = false; }, "do not run both models to compare them");
  add_check(app, command);
  add_threads(app, command, "threads, or jobs at once (as many as there are cpus)");
  add_json(app, command);
  add_talk(app, command);
  add_value(app, "-f,--file", "JOBS.json", "run the jobs of this file", [&](const std::string& text) {
    command.job_file = text;
  })->group("Jobs");
  add_value(app, "-d,--dic", "JSON", "run the jobs of this text", [&](const std::string& text) {
    command.job_text = text;
  })->group("Jobs");
  for (const JobKey& key : job_keys()) {
    std::string names = fmt::format("--{}", key.name);
    std::string dashed = names;
    std::replace(dashed.begin(), dashed.end(), '_', '-');
    if (dashed != names && !app.get_option_no_throw(dashed)) names += "," + dashed;
    add_value(app, names, "", std::string(key.help), [&command, &key](const std::string& text) {
      key.set(command.job, Json(text));
    })->group("Keys of jobs");
  }
  static constexpr std::string_view same[][2] = {
      {"--onnx_opset", "--opset"},          {"--input_nodes", "--inputs"},
      {"--output_nodes", "--outputs"},      {"--input_shape", "--input-shape"},
      {"--input_layout", "--input-layout"}, {"--output_layout", "--output-layout"},
      {"--tflite_ops", "--tflite-ops"},     {"--savedmodel_signature", "--signature"}};
  for (const auto& [key, option] : same)
    app.get_option(std::string(key))->excludes(app.get_option(std::string(option)));
}

void add_run(CLI::App& app, Command& command) {
  app.add_option("MODEL IN.npz OUT.npz", command.paths,
                 "the model, its inputs by name, and where its outputs go")
      ->expected(0, most_paths)
      ->type_name("");
  add_format(app, "--from", "the model's format, instead of looking", command.format);
  add_time_limit(app, command, "longest that the run may take (usually 600)");
  add_threads(app, command, "threads (as many as there are cpus)");
  add_talk(app, command);
}

void add_score(CLI::App& app, Command& command) {
  app.add_option("MODEL DATA.npz", command.paths, "the model, and its inputs with their classes")
      ->expected(0, most_paths)
      ->type_name("");
  add_value(app, "--labels", "NAME", "the array that has the right classes (usually 'labels')",
            [&](const std::string& text) { command.labels = text; });
  add_format(app, "--from", "the model's format, instead of looking", command.format);
  add_time_limit(app, command, "longest that the run may take (usually 600)");
  add_threads(app, command, "threads (as many as there are cpus)");
  add_json(app, command);
  add_talk(app, command);
}

void add_verify(CLI::App& app, Command& command) {
  app.add_option("A B", command.paths, "the models to compare")->expected(0, most_paths)->type_name("");
  add_format(app, "--from", "the first model's format", command.format);
  add_format(app, "--to", "the second model's format", command.second_format);
  add_check(app, command);
  add_threads(app, command, "threads (as many as there are cpus)");
  add_json(app, command);
  add_talk(app, command);
}

void add_inspect(CLI::App& app, Command& command) {
  app.add_option("MODEL", command.paths, "the model")->expected(0, most_paths)->type_name("");
  add_format(app, "--from", "the model's format, instead of looking", command.format);
  app.add_flag("--graph", command.graph, "print the graph as text");
  add_json(app, command);
  add_talk(app, command);
}

void add_ops(CLI::App& app, Command& command) {
  app.add_option("nothing", command.paths, "")->expected(0, most_paths)->group("");
  add_format(app, "--format", "of this format", command.format);
  add_json(app, command);
  add_talk(app, command);
}

void add_batch(CLI::App& app, Command& command) {
  app.add_option("FILE", command.paths, "one command line a line")->expected(0, most_paths)->type_name("");
}

void add_completions(CLI::App& app, Command& command) {
  app.add_option("SHELL", command.paths, "bash, zsh or fish")->expected(0, most_paths)->type_name("");
}

struct Entry {
  std::string_view name, help, usage;
  Command::Kind kind;
  size_t paths;
  void (*add)(CLI::App&, Command&);
  std::string_view examples;  // behind the options
};
constexpr Entry entries[] = {
    {"", "convert a model", "remodel [options] IN OUT\n       remodel [options] -f JOBS.json",
     Command::convert, 2, add_convert, R"(
Examples:
  remodel model.onnx small.onnx                  optimise, write at opset 17, check
  remodel model.onnx old.onnx --opset 11         for an older runtime
  remodel model.onnx fixed.onnx --input-shape 1,3,224,224
  remodel model.onnx head.onnx --outputs conv5   cut at a tensor
  remodel -f jobs.json -j 4                      many conversions, from a file
  remodel -d '{"convert_from": "a.onnx", "convert_to": "b.onnx"}'
  remodel inspect model.onnx                     what is in it

Options beside -f or -d hold for every job that does not say otherwise.
Commands: run, score, verify, inspect, ops, completions. 'remodel COMMAND --help' tells more.
Exit codes: 0 done, 1 refused, 2 usage, 3 written but the check failed, 4 input/output error, 5 some jobs failed,
70 internal error.
)"},
    {"run", "run a model on arrays", "remodel run [options] MODEL IN.npz OUT.npz", Command::run, 3, add_run,
     R"(
IN.npz holds one array for each input, by its name; OUT.npz gets one for each output.

Example, with NumPy to make and read the arrays:
  python3 -c 'import numpy as np; np.savez("in.npz", image=np.zeros((1, 3, 224, 224), np.float32))'
  remodel run model.onnx in.npz out.npz
  python3 -c 'import numpy as np; print(dict(np.load("out.npz")))'
)"},
    {"score", "count how often a classifier is right", "remodel score [options] MODEL DATA.npz",
     Command::score, 2, add_score, R"(
DATA.npz holds one array for each input, by its name, and the right classes as integers. The output with a class
for each of them is taken, or the one with a number for each class, of which the largest counts.

Example:
  remodel score model.tflite digits.npz --labels digit
)"},
    {"verify", "compare two models", "remodel verify [options] A B", Command::verify, 2, add_verify, R"(
Inputs and outputs are matched by name. A is the reference: its outputs' ranges count.

Examples:
  remodel verify model.onnx small.onnx
  remodel verify model.onnx quantized.onnx --data in.npz --tolerance 0.05

Exit codes: 0 they agree, 1 not all outputs could be compared, 3 they differ.
)"},
    {"inspect", "show what a model holds", "remodel inspect [options] MODEL", Command::inspect, 1,
     add_inspect,
     R"(
Examples:
  remodel inspect model.onnx
  remodel inspect model.onnx --graph             every layer and tensor by name, to cut at
  remodel inspect model.onnx --json | jq .signatures
)"},
    {"ops", "list the operators that are supported", "remodel ops [options]", Command::ops, 0, add_ops, R"(
Example:
  remodel ops --format onnx | grep -i conv
)"},
    {"batch", "run many commands in one process", "remodel batch FILE", Command::batch, 1, add_batch, ""},
    {"completions", "print what a shell needs to complete command lines", "remodel completions bash|zsh|fish",
     Command::text, 1, add_completions, R"(
Example:
  source <(remodel completions bash)
)"},
};

const Entry* find_entry(std::string_view name) {
  for (const Entry& entry : entries)
    if (entry.name == name) return &entry;
  return nullptr;
}

std::unique_ptr<CLI::App> make_app(const Entry& entry, Command& command) {
  auto app = std::make_unique<CLI::App>();
  app->set_help_flag("-h,--help", "show this");
  app->allow_extras();
  entry.add(*app, command);
  return app;
}

std::string help_of(const Entry& entry, const CLI::App& app) {
  std::string text = fmt::format("Usage: {}\n", entry.usage);
  std::vector<std::string> groups;
  for (const CLI::Option* option : app.get_options()) {
    const std::string& group = option->get_group();
    if (!group.empty() && !option->get_positional() &&
        std::find(groups.begin(), groups.end(), group) == groups.end())
      groups.push_back(group);
  }
  for (const std::string& group : groups) {
    text += fmt::format("\n{}:\n", group);
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group() != group || option->get_positional()) continue;
      std::string shown;
      for (const std::string& name : option->get_snames()) shown += "-" + name;
      // Further spellings are taken, but not shown.
      if (!option->get_lnames().empty())
        shown += (shown.empty() ? "--" : ", --") + option->get_lnames().front();
      if (option->get_items_expected_max() > 0 && !option->get_type_name().empty())
        shown += " " + option->get_type_name();
      text += shown.size() > 27 ? fmt::format("  {}\n{:30}{}\n", shown, "", option->get_description())
                                : fmt::format("  {:<28}{}\n", shown, option->get_description());
    }
  }
  return text + std::string(entry.examples);
}

// Names the first argument that nothing takes.
void refuse_extras(const Entry& entry, const CLI::App& app) {
  std::vector<std::string> extras = app.remaining();
  std::erase(extras, "--");  // what stands behind it has been taken as files
  if (extras.empty()) return;
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    for (const std::string& name : option->get_snames()) known.push_back("-" + name);
  }
  for (const std::string& extra : extras)
    if (extra.size() > 1 && extra[0] == '-') {
      const std::string name = extra.substr(0, extra.find('='));
      const std::vector<std::string> near = nearest_names(name, known, 1);
      refuse(fmt::format("unknown option '{}'{}", name,
                         near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near[0])));
    }
  refuse(fmt::format("unexpected argument '{}' (usage: {})", extras.front(),
                     entry.usage.substr(0, entry.usage.find('\n'))));
}

// A first word that is no file may have been meant as a command.
void refuse_misspelt_command(const std::string& word) {
  if (word.find_first_of("./") != std::string::npos || path_exists(word)) return;
  if (word == "convert") refuse("a conversion needs no command: remodel [options] IN OUT");
  std::vector<std::string> names;
  for (const Entry& entry : entries)
    if (!entry.name.empty()) names.emplace_back(entry.name);
  const std::vector<std::string> near = nearest_names(word, names, 1);
  if (!near.empty())
    refuse(fmt::format("there is neither a file nor a command '{}' (did you mean '{}'?)", word, near[0]));
}

void finish(const Entry& entry, Command& command) {
  const std::string usage(entry.usage.substr(0, entry.usage.find('\n')));
  if (entry.kind == Command::convert) {
    ConvertOptions& options = command.job.options;
    const bool from_file = !command.job_file.empty(), from_text = !command.job_text.empty();
    if (from_file && from_text) refuse("give the jobs by -f or by -d, not both");
    if (from_file || from_text) {
      if (!command.paths.empty())
        refuse(fmt::format("unexpected argument '{}': the jobs name their files", command.paths[0]));
      if (!options.from.empty() || !options.to.empty())
        refuse("unexpected --convert_from or --convert_to: the jobs name their files");
      command.kind = Command::jobs;
      return;
    }
    if (!command.paths.empty() && options.from.empty())
      options.from = command.paths.front(), command.paths.erase(command.paths.begin());
    if (!command.paths.empty() && options.to.empty())
      options.to = command.paths.front(), command.paths.erase(command.paths.begin());
    refuse_misspelt_command(options.from);
    if (!command.paths.empty())
      refuse(fmt::format("unexpected argument '{}' (usage: {})", command.paths[0], usage));
    if (options.from.empty() || options.to.empty())
      refuse(fmt::format("two files are needed (usage: {}; --help tells more)", usage));
    return;
  }
  if (command.paths.size() > entry.paths)
    refuse(fmt::format("unexpected argument '{}' (usage: {})", command.paths[entry.paths], usage));
  if (command.paths.size() < entry.paths)
    refuse(fmt::format("{} argument{} needed (usage: {})", entry.paths, entry.paths == 1 ? " is" : "s are",
                       usage));
  if (entry.name == "completions") command.answer = completions(command.paths[0], describe_commands());
}

}  // namespace

std::string version_text() { return "remodel " REMODEL_VERSION "\n"; }

Command parse_command_line(const std::vector<std::string>& arguments) {
  Command command;
  const Entry* entry = arguments.empty() || arguments[0].empty() ? nullptr : find_entry(arguments[0]);
  const bool named = entry != nullptr;
  if (!entry) entry = find_entry("");
  command.kind = entry->kind;
  const auto app = make_app(*entry, command);
  bool version = false;
  if (!named) app->add_flag("--version", version, "show the version");
  // CLI11 takes them from the back.
  std::vector<std::string> rest(arguments.rbegin(), arguments.rend() - (named ? 1 : 0));
  bool help = false;
  try {
    app->parse(std::move(rest));
  } catch (const CLI::CallForHelp&) {
    help = true;
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string_view text = error.what();
    const std::string_view name = text.substr(0, text.find(':'));
    const bool more = text.find("received") != std::string_view::npos;
    refuse(fmt::format("{} {}", name, more ? "is given more than once" : "needs a value"));
  } catch (const CLI::ParseError& error) {
    refuse(error.what());
  }
  if (help || version) {
    command.kind = Command::text;
    command.answer = help ? help_of(*entry, *app) : version_text();
    return command;
  }
  refuse_extras(*entry, *app);
  finish(*entry, command);
  return command;
}

std::vector<CommandInfo> describe_commands() {
  std::vector<CommandInfo> infos;
  for (const Entry& entry : entries) {
    Command scratch;
    const auto app = make_app(entry, scratch);
    CommandInfo info{std::string(entry.name), std::string(entry.help), {}};
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_positional() || option->get_group().empty()) continue;
      OptionInfo one;
      for (const std::string& name : option->get_lnames()) one.names.push_back("--" + name);
      for (const std::string& name : option->get_snames()) one.names.push_back("-" + name);
      one.help = option->get_description();
      one.takes_value = option->get_items_expected_max() > 0;
      if (option->get_type_name() == "FORMAT") one.values = format_names();
      if (option->get_type_name() == "LEVEL" && one.names[0] == "--log")
        one.values.assign(std::begin(log_levels), std::end(log_levels));
      info.options.push_back(std::move(one));
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace remodel
