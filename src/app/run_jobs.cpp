#include "app/run_jobs.h"

#include <algorithm>

#include "app/check.h"
#include "app/console.h"
#include "app/failure.h"
#include "app/schedule.h"
#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"

namespace remodel {
namespace {

struct Outcome {
  Report report;
  bool skipped = false;
  double seconds = 0;
  bool failed() const { return !skipped && report.exit_code != exit_done; }
  std::string status() const { return skipped ? "skipped" : failed() ? "failed" : "done"; }
};

// Weights are mapped, not held; the rest of a conversion has been seen to need less than twice the file.
uint64_t memory_for(const std::vector<Report::File>& files) {
  uint64_t bytes = 0;
  for (const Report::File& file : files) bytes += file.bytes;
  return (uint64_t{64} << 20) + 2 * bytes;
}

Task task_of(const ConvertOptions& options) {
  Task task;
  task.reads = {options.from};
  if (!options.data.empty()) task.reads.push_back(options.data);
  const std::vector<Report::File> files = files_of(options.from, options.from_format);
  for (size_t i = 1; i < files.size(); ++i) task.parts.push_back(files[i].path);
  task.writes = written_paths(options);
  task.memory = memory_for(files);
  return task;
}

// Code points, as most terminals show one in one column.
size_t columns(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) at += std::max<size_t>(1, utf8_length(text, at));
  return count;
}

// Why not all of a result was checked; "" where all was.
std::string unchecked_reason(const Report::Check& check) {
  if (!check.reason.empty()) return check.reason;
  for (const Report::Output& output : check.outputs)
    if (output.verdict == name_of(Verdict::not_run)) return output.reason;
  return "";
}

std::string table_of(const std::vector<Job>& jobs, const std::vector<Outcome>& outcomes,
                     const Console& console) {
  std::vector<std::vector<std::string>> rows{
      {"job", "result", "from", "to", "version", "size", "time", "check"}};
  for (size_t i = 0; i < jobs.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    const Report& report = outcome.report;
    const bool written = !outcome.skipped && !report.written.files.empty();
    rows.push_back({std::to_string(i + 1), outcome.status(), jobs[i].options.from, jobs[i].options.to,
                    written && report.written.version ? report.written.version_text() : "-",
                    written ? text_of_bytes(report.written.bytes()) : "-",
                    outcome.skipped ? "-" : text_of_seconds(outcome.seconds),
                    written ? report.check.status : "-"});
  }
  std::vector<size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], columns(row[c]));
  std::string text;
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (size_t c = 0; c < rows[r].size(); ++c) {
      std::string cell = rows[r][c];
      const size_t padding = c + 1 < rows[r].size() ? widths[c] - columns(cell) + 2 : 0;
      if (r == 0) cell = console.styled(Console::Style::bold, cell);
      if (r > 0 && c == 1 && outcomes[r - 1].failed()) cell = console.styled(Console::Style::bad, cell);
      line += cell + std::string(padding, ' ');
    }
    text += line + "\n";
  }
  return text;
}

Json json_of(const std::vector<Job>& jobs, const std::vector<Outcome>& outcomes, int64_t failed,
             double seconds, uint64_t memory) {
  Json json;
  json["version"] = report_version;
  json["status"] = failed ? "some jobs failed" : "done";
  json["exit_code"] = int{failed ? exit_jobs_failed : exit_done};
  int64_t skipped = 0;
  json["jobs"] = Json::array();
  for (size_t i = 0; i < jobs.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    skipped += outcome.skipped;
    Json one;
    one["job"] = i + 1;
    one["convert_from"] = jobs[i].options.from;
    one["convert_to"] = jobs[i].options.to;
    one["result"] = outcome.status();
    one["seconds"] = outcome.seconds;
    one["report"] = outcome.skipped ? Json() : json_of(outcome.report);
    json["jobs"].push(std::move(one));
  }
  json["done"] = static_cast<int64_t>(jobs.size()) - failed - skipped;
  json["failed"] = failed;
  json["skipped"] = skipped;
  json["seconds"] = seconds;
  json["peak_memory"] = memory;
  return json;
}

}  // namespace

int run_jobs(const std::vector<Job>& jobs, const RunJobsOptions& options, Console& console) {
  std::vector<Task> tasks(jobs.size());
  size_t active = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].skip) continue;
    ++active;
    tasks[i] = task_of(jobs[i].options);
  }
  plan(tasks);

  const int cpus = options.workers > 0 ? options.workers : usable_cpus();
  const int workers = std::clamp<int>(static_cast<int>(active), 1, cpus);
  MemoryWatch watch;
  const double start = wall_seconds();
  std::vector<Outcome> outcomes(jobs.size());
  run_tasks(tasks, workers, available_memory() / 2, [&](size_t i) {
    Outcome& outcome = outcomes[i];
    Report& report = outcome.report;
    const std::string name =
        fmt::format("[{}/{}] {} -> {}", i + 1, jobs.size(), jobs[i].options.from, jobs[i].options.to);
    if (jobs[i].skip) {
      outcome.skipped = true;
      return console.say(name + ": skipped");
    }
    if (jobs[i].options.dry_run && !tasks[i].waits_for.empty()) {
      outcome.skipped = true;
      return console.say(fmt::format("{}: skipped, as it reads what job {} would write (--dry-run)", name,
                                     tasks[i].waits_for.front() + 1));
    }
    const double begin = wall_seconds();
    report.alone = false;
    report.exit_code = guarded(report.errors, [&] {
      for (size_t other : tasks[i].waits_for)
        if (outcomes[other].failed()) fail("it needs the output of job {}, which failed", other + 1);
      ConvertOptions one = jobs[i].options;
      one.threads = std::max(1, cpus / workers);
      convert(one, report, console);
      return report.exit_code;
    });
    outcome.seconds = wall_seconds() - begin;
    if (outcome.failed()) {
      for (const std::string& error : report.errors) console.error(fmt::format("job {}: {}", i + 1, error));
      for (const std::string& note : report.notes) console.say(fmt::format("note: job {}: {}", i + 1, note));
    }
    console.say(fmt::format("{}: {} in {}", name, outcome.status(), text_of_seconds(outcome.seconds)));
  });

  const int64_t failed = std::count_if(outcomes.begin(), outcomes.end(),
                                       [](const Outcome& outcome) { return outcome.failed(); });
  if (options.json) {
    console.print(write_json(json_of(jobs, outcomes, failed, wall_seconds() - start, watch.peak())));
  } else if (!console.quiet()) {
    console.print(table_of(jobs, outcomes, console));
    for (size_t i = 0; i < jobs.size(); ++i) {
      if (outcomes[i].failed()) continue;
      const Report& report = outcomes[i].report;
      if (const std::string why = unchecked_reason(report.check); !why.empty() && jobs[i].options.verify)
        console.print(fmt::format("job {}: {}: {}\n", i + 1, report.check.status, why));
      for (const std::string& note : report.notes)
        console.print(fmt::format("job {}: note: {}\n", i + 1, note));
    }
  }
  return failed ? exit_jobs_failed : exit_done;
}

}  // namespace remodel
