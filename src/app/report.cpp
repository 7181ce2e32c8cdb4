#include "app/report.h"

#include <algorithm>
#include <utility>

#include "app/check.h"
#include "app/console.h"
#include "base/format.h"

namespace remodel {
namespace {

std::string describe(const Report::Side& side) {
  std::string text = side.path + ": " + side.format;
  if (!side.version_name.empty()) text += " " + side.version_text();
  if (!side.producer.empty()) text += " by " + side.producer;
  text += fmt::format(", {} node{}, {}", side.nodes, side.nodes == 1 ? "" : "s", text_of_bytes(side.bytes()));
  if (side.files.size() > 1) text += fmt::format(" in {} files", side.files.size());
  return text;
}

Json json_of(const Report::Side& side) {
  Json json = Json::object();
  json["path"] = side.path;
  json["format"] = side.format;
  if (!side.producer.empty()) json["producer"] = side.producer;
  if (!side.version_name.empty()) json[side.version_name] = side.version;
  json["nodes"] = side.nodes;
  json["operators"] = Json::object();
  for (const auto& [name, count] : side.operators) json["operators"][name] = count;
  json["bytes"] = side.bytes();
  json["files"] = Json::array();
  for (const Report::File& file : side.files) {
    Json one;
    one["path"] = file.path;
    one["bytes"] = file.bytes;
    json["files"].push(std::move(one));
  }
  return json;
}

// Rules of one name are one thing to who reads it.
std::vector<std::string> rule_counts(const std::vector<Report::Rule>& rules) {
  std::vector<std::pair<std::string, int64_t>> sums;
  for (const Report::Rule& rule : rules) {
    const auto same =
        std::find_if(sums.begin(), sums.end(), [&](const auto& sum) { return sum.first == rule.name; });
    if (same == sums.end())
      sums.emplace_back(rule.name, rule.count);
    else
      same->second += rule.count;
  }
  std::vector<std::string> texts;
  for (const auto& [name, count] : sums) texts.push_back(fmt::format("{} x{}", name, count));
  return texts;
}

// The transposes by cause, the ports that turned, and with `why` each transpose.
void add_layout(std::string& to, const Report::Layout& layout, bool why, const LabelledLines& lines) {
  static constexpr std::string_view causes[][2] = {{"input", "at inputs"},
                                                   {"output", "at outputs"},
                                                   {"own", "the model's own"},
                                                   {"target", "for the target's operators"}};
  std::vector<std::string> parts;
  for (const auto& [cause, words] : causes)
    if (const int64_t count = layout.count(cause)) parts.push_back(fmt::format("{} {}", count, words));
  std::string_view label = "layout";
  if (!parts.empty()) {
    const size_t all = layout.transposes.size();
    parts[0] = fmt::format("{} transpose{} left: {}", all, all == 1 ? "" : "s", parts[0]);
    lines.add(to, std::exchange(label, ""), parts);
  }
  for (const Report::Layout::Port& port : layout.turned)
    lines.add(
        to, std::exchange(label, ""),
        {fmt::format("{} '{}' turned to {}", port.output ? "output" : "input", port.name, port.layout)});
  if (!why) return;
  for (const Report::Layout::Transpose& one : layout.transposes)
    lines.add(to, "", {fmt::format("{} -> {}: {}", one.from, one.to, one.why)});
}

Json json_of(const Report::Layout& layout) {
  Json json = Json::object();
  json["transposes"] = Json::array();
  for (const Report::Layout::Transpose& one : layout.transposes) {
    Json item;
    item["cause"] = one.cause;
    item["from"] = one.from;
    item["to"] = one.to;
    item["why"] = one.why;
    json["transposes"].push(std::move(item));
  }
  json["turned"] = Json::array();
  for (const Report::Layout::Port& port : layout.turned) {
    Json item;
    if (!port.graph.empty()) item["graph"] = port.graph;
    item[port.output ? "output" : "input"] = port.name;
    item["layout"] = port.layout;
    json["turned"].push(std::move(item));
  }
  return json;
}

Json list_of(const std::vector<std::string>& texts) {
  Json json = Json::array();
  for (const std::string& text : texts) json.push(text);
  return json;
}

}  // namespace

void LabelledLines::add(std::string& to, std::string_view label,
                        const std::vector<std::string>& items) const {
  std::string line = fmt::format("{:<{}}", label, column);
  bool first = true;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string item = items[i] + (i + 1 < items.size() ? "," : "");
    if (!first && line.size() + 1 + item.size() > static_cast<size_t>(std::max(width, 40))) {
      to += line + "\n";
      line = std::string(column, ' ');
      first = true;
    }
    line += (first ? "" : " ") + item;
    first = false;
  }
  to += line + "\n";
}

Report::Check summary_of(const CheckResult& result) {
  Report::Check check;
  bool any_run = false;
  for (const OutputCheck& one : result.outputs) {
    Report::Output output;
    output.graph = one.graph, output.name = one.output;
    output.verdict = name_of(one.verdict);
    output.failed = one.verdict == Verdict::failed;
    output.compared = one.verdict != Verdict::not_run && one.verdict != Verdict::random;
    output.error = one.error, output.tolerance = one.tolerance;
    output.reason = one.reason, output.layer = one.layer, output.layer_difference = one.layer_difference;
    check.outputs.push_back(std::move(output));
    any_run = any_run || one.verdict != Verdict::not_run;
  }
  check.inputs = result.inputs;
  check.status = result.failed()   ? "failed"
                 : result.passed() ? "passed"
                 : any_run         ? "partly checked"
                                   : "not checked";
  return check;
}

std::string difference_of(const Report::Output& output) {
  std::string text = output.reason;
  if (!output.layer.empty()) text += fmt::format("; the first layer that differs is '{}'", output.layer);
  if (!output.layer_difference.empty()) text += fmt::format(" ({})", output.layer_difference);
  return text;
}

std::string text_of(const Report::Output& output, const Console& console) {
  const auto style = output.failed                  ? Console::Style::bad
                     : output.verdict == "verified" ? Console::Style::good
                                                    : Console::Style::bold;
  std::string text = output.name + ": " + console.styled(style, output.verdict);
  const bool said = output.failed && !output.reason.empty();
  if (output.compared && !said)
    text += fmt::format(", error {:.2g} of the range (tolerance {:.2g})", output.error, output.tolerance);
  const std::string difference = difference_of(output);
  return difference.empty() ? text : text + ": " + difference;
}

void add_inputs(std::string& to, const Report::Check& check, const LabelledLines& lines) {
  const std::vector<std::string>& sets = check.inputs;
  if (sets.size() == 2 && sets[0] == sets[1]) return lines.add(to, "inputs", {sets[0] + ", two sets"});
  for (size_t i = 0; i < sets.size(); ++i) lines.add(to, i == 0 ? "inputs" : "", {sets[i]});
}

Json json_of(const Report::Check& check) {
  Json json;
  json["status"] = check.status;
  if (!check.reason.empty()) json["reason"] = check.reason;
  json["inputs"] = Json::array();
  for (const std::string& input : check.inputs) json["inputs"].push(input);
  json["outputs"] = Json::array();
  for (const Report::Output& output : check.outputs) {
    Json one;
    if (!output.graph.empty()) one["graph"] = output.graph;
    one["name"] = output.name;
    one["verdict"] = output.verdict;
    if (output.compared) one["error"] = output.error;
    if (output.compared) one["tolerance"] = output.tolerance;
    if (!output.reason.empty()) one["reason"] = output.reason;
    if (!output.layer.empty()) one["layer"] = output.layer;
    if (!output.layer_difference.empty()) one["layer_difference"] = output.layer_difference;
    json["outputs"].push(std::move(one));
  }
  return json;
}

std::string Report::Side::version_text() const {
  return version_name.empty() ? "" : fmt::format("{} {}", version_name, version);
}

uint64_t Report::Side::bytes() const {
  uint64_t sum = 0;
  for (const File& file : files) sum += file.bytes;
  return sum;
}

int64_t Report::Layout::count(std::string_view cause) const {
  return std::count_if(transposes.begin(), transposes.end(),
                       [&](const auto& one) { return one.cause == cause; });
}

double Report::seconds() const {
  double sum = 0;
  for (const Phase& phase : phases) sum += phase.seconds;
  return sum;
}

double Report::cpu_seconds() const {
  double sum = 0;
  for (const Phase& phase : phases) sum += phase.cpu_seconds;
  return sum;
}

std::string_view Report::status_name(int exit_code) {
  switch (exit_code) {
    case 0:
      return "done";
    case 1:
      return "refused";
    case 2:
      return "usage error";
    case 3:
      return "check failed";
    case 4:
      return "input/output error";
    case 5:
      return "some jobs failed";
    default:
      return "internal error";
  }
}

std::string text_of_bytes(uint64_t bytes) {
  static constexpr std::string_view units[] = {"kB", "MB", "GB", "TB"};
  if (bytes < 1000) return fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s");
  double value = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(units)) value /= 1000, ++unit;
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string text_of_seconds(double seconds) {
  return seconds < 0.1 ? fmt::format("{:.1f} ms", seconds * 1000) : fmt::format("{:.2f} s", seconds);
}

std::vector<std::string> operator_counts(const std::map<std::string, int64_t>& operators) {
  std::vector<std::pair<std::string, int64_t>> sorted(operators.begin(), operators.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> texts;
  for (const auto& [name, count] : sorted) texts.push_back(fmt::format("{} {}", name, count));
  return texts;
}

std::string text_of(const Report& report, const Console& console) {
  const LabelledLines lines{9, console.width()};
  std::string text;
  lines.add(text, "read", {describe(report.read)});
  const std::vector<std::string> rules = rule_counts(report.rules);
  if (!rules.empty()) lines.add(text, "rewrote", rules);
  if (!report.written.format.empty()) {
    lines.add(text, report.dry_run ? "would be" : "wrote", {describe(report.written)});
    const std::vector<std::string> operators = operator_counts(report.written.operators);
    if (!operators.empty()) lines.add(text, "", operators);
  }
  add_layout(text, report.layout, console.level >= LogLevel::info, lines);
  const Report::Check& check = report.check;
  std::vector<std::string> verdicts;
  const std::string reason = check.reason.empty() ? "" : ": " + check.reason;
  if (check.status == "not checked")
    verdicts.push_back(console.styled(Console::Style::bold, "NOT CHECKED") + reason);
  else if (check.outputs.empty())
    verdicts.push_back(check.status + reason);
  for (const Report::Output& output : check.outputs) verdicts.push_back(text_of(output, console));
  for (size_t i = 0; i < verdicts.size(); ++i) lines.add(text, i == 0 ? "check" : "", {verdicts[i]});
  if (console.level >= LogLevel::info) add_inputs(text, report.check, lines);
  std::vector<std::string> times{text_of_seconds(report.seconds())};
  std::string phases;
  for (const Report::Phase& phase : report.phases)
    phases += fmt::format("{}{} {}", phases.empty() ? "" : ", ", phase.name, text_of_seconds(phase.seconds));
  times[0] += fmt::format(" ({})", phases);
  if (report.alone) {
    times.push_back("cpu " + text_of_seconds(report.cpu_seconds()));
    times.push_back("memory " + text_of_bytes(report.peak_memory));
  }
  lines.add(text, "took", times);
  for (const std::string& note : report.notes) lines.add(text, "note", {note});
  return text;
}

Json json_of(const Report& report) {
  Json json;
  json["version"] = report_version;
  json["status"] = report.status();
  json["exit_code"] = report.exit_code;
  json["dry_run"] = report.dry_run;
  json["read"] = report.read.format.empty() ? Json() : json_of(report.read);
  json["rules"] = Json::array();
  for (const Report::Rule& rule : report.rules) {
    Json one;
    one["name"] = rule.name;
    one["effect"] = rule.effect;
    one["count"] = rule.count;
    json["rules"].push(std::move(one));
  }
  json["written"] = report.written.format.empty() ? Json() : json_of(report.written);
  if (!report.written.format.empty()) json["layout"] = json_of(report.layout);
  json["check"] = json_of(report.check);
  json["phases"] = Json::array();
  for (const Report::Phase& phase : report.phases) {
    Json one;
    one["name"] = phase.name;
    one["seconds"] = phase.seconds;
    if (report.alone) one["cpu_seconds"] = phase.cpu_seconds;
    json["phases"].push(std::move(one));
  }
  json["seconds"] = report.seconds();
  if (report.alone) json["cpu_seconds"] = report.cpu_seconds();
  if (report.alone) json["peak_memory"] = report.peak_memory;
  json["notes"] = list_of(report.notes);
  json["errors"] = list_of(report.errors);
  return json;
}

}  // namespace remodel
