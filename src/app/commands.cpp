#include "app/commands.h"

#include "app/batch.h"
#include "app/check.h"
#include "app/convert.h"
#include "app/failure.h"
#include "app/inspect.h"
#include "app/ops_list.h"
#include "app/options.h"
#include "app/run_jobs.h"
#include "app/score.h"
#include "app/verify.h"
#include "base/file.h"

namespace remodel {
namespace {

constexpr size_t most_messages = 50;

void say_messages(const std::vector<std::string>& messages, Console& console) {
  for (size_t i = 0; i < messages.size() && i < most_messages; ++i) console.error(messages[i]);
  if (messages.size() > most_messages)
    console.error(fmt::format("{} more like these (--json lists all)", messages.size() - most_messages));
}

void leave_output_to(const std::string& path, Console& console) {
  if (canonical_path(path) == canonical_path("/dev/stdout")) console.leave_output_alone();
}

int run_convert(const Command& command, Console& console) {
  Report report;
  if (command.job.skip) {
    console.say(fmt::format("{} -> {}: skipped", command.job.options.from, command.job.options.to));
    return exit_done;
  }
  leave_output_to(command.job.options.to, console);
  MemoryWatch watch;
  report.exit_code = guarded(report.errors, [&] {
    convert(command.job.options, report, console);
    return report.exit_code;
  });
  report.peak_memory = watch.peak();
  say_messages(report.errors, console);
  const bool complete = report.exit_code == exit_done || report.exit_code == exit_check_failed;
  if (!complete && !console.quiet())
    for (const std::string& note : report.notes) console.say("note: " + note);
  if (command.json)
    console.print(write_json(json_of(report)));
  else if (complete && !console.quiet())
    console.print(text_of(report, console));
  return report.exit_code;
}

int run_job_file(const Command& command, Console& console) {
  const bool from_text = command.job_file.empty();
  const std::string place = from_text ? "-d" : command.job_file;
  const Bytes file = from_text ? Bytes() : map_file(command.job_file);
  std::vector<Job> jobs;
  try {
    jobs = parse_jobs(from_text ? command.job_text : file.view(), command.job);
  } catch (Problems& problems) {
    for (Error& problem : problems.all) problem.at(place);
    throw;
  } catch (Error& error) {
    if (from_text && path_exists(command.job_text)) error.hint("a file of jobs is given by -f");
    throw error.at(place);
  }
  for (const Job& job : jobs) leave_output_to(job.options.to, console);
  return run_jobs(jobs, {command.job.options.threads, command.json}, console);
}

int run_verify(const Command& command, Console& console) {
  VerifyOptions options;
  options.source = command.paths[0], options.result = command.paths[1];
  options.source_format = command.format, options.result_format = command.second_format;
  options.check.data = command.job.options.data;
  options.check.tolerance = command.job.options.tolerance;
  options.check.seconds = command.job.options.seconds;
  options.check.threads = command.job.options.threads;
  const CheckResult result = verify(options);
  if (command.json)
    console.print(write_json(json_of(result)));
  else if (!console.quiet())
    console.print(text_of(result, console));
  if (result.failed())
    console.error(fmt::format("'{}' does not compute what '{}' does", options.result, options.source));
  else if (result.not_run())
    console.error(fmt::format("'{}' and '{}' could not be compared in full", options.source, options.result));
  return result.failed() ? exit_check_failed : result.not_run() ? exit_refused : exit_done;
}

RunCommand to_run(const Command& command) {
  RunCommand options;
  options.model = command.paths[0], options.format = command.format;
  options.inputs = command.paths[1];
  options.threads = command.job.options.threads;
  options.seconds = command.job.options.seconds;
  return options;
}

int run_score(const Command& command, Console& console) {
  const Score result = score({to_run(command), command.labels});
  if (command.json)
    console.print(write_json(json_of(result)));
  else if (!console.quiet())
    console.print(text_of(result, console));
  return exit_done;
}

int run_model(const Command& command, Console& console) {
  RunCommand options = to_run(command);
  options.outputs = command.paths[2];
  leave_output_to(options.outputs, console);
  const std::vector<std::string> outputs = run(options);
  std::string text;
  for (size_t i = 0; i < outputs.size(); ++i)
    LabelledLines{9, console.width()}.add(text, i == 0 ? "outputs" : "", {outputs[i]});
  if (!console.quiet()) console.print(text);
  return exit_done;
}

int run_inspect(const Command& command, Console& console) {
  console.print(
      inspect_command({command.paths[0], command.format, command.graph}, command.json, console.width()));
  return exit_done;
}

int dispatch(const Command& command, Console& console) {
  switch (command.kind) {
    case Command::text:
      console.print(command.answer);
      return exit_done;
    case Command::convert:
      return run_convert(command, console);
    case Command::jobs:
      return run_job_file(command, console);
    case Command::run:
      return run_model(command, console);
    case Command::score:
      return run_score(command, console);
    case Command::verify:
      return run_verify(command, console);
    case Command::inspect:
      return run_inspect(command, console);
    case Command::ops:
      console.print(list_ops(command.format, command.json));
      return exit_done;
    case Command::batch:
      return run_batch(command.paths[0], console);
  }
  return exit_internal;
}

}  // namespace

int run_command(const std::vector<std::string>& arguments, Console& console) {
  std::vector<std::string> messages;
  const int code = guarded(messages, [&] {
    const Command command = parse_command_line(arguments);
    console.level = command.level;
    return dispatch(command, console);
  });
  say_messages(messages, console);
  return code;
}

}  // namespace remodel
