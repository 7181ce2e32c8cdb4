#include "app/verify.h"

#include "app/load.h"
#include "app/report.h"
#include "base/error.h"

namespace remodel {

CheckResult verify(const VerifyOptions& options) {
  const Loaded source = load(options.source, {options.source_format, {}});
  const Loaded result = load(options.result, {options.result_format, {}});
  CheckOptions check = options.check;
  check.any_width = check.any_width || source.side.format != result.side.format;
  return check_models(source.model, result.model, check);
}

std::string text_of(const CheckResult& result) {
  std::string text;
  for (const std::string& inputs : result.inputs) text += fmt::format("{:<9}{}\n", "inputs", inputs);
  for (const OutputCheck& output : result.outputs) {
    text += fmt::format("{:<9}{}: {}", "output", output.output, name_of(output.verdict));
    if (output.verdict != Verdict::not_run && output.verdict != Verdict::random)
      text += fmt::format(", error {:.2g} of the range (tolerance {:.2g})", output.error, output.tolerance);
    if (!output.reason.empty()) text += ": " + output.reason;
    if (!output.layer.empty()) text += fmt::format("; the first layer that differs is '{}'", output.layer);
    text += "\n";
  }
  const char* end = result.failed()    ? "the models differ"
                    : result.not_run() ? "not all could be compared"
                                       : "the models agree";
  return text + fmt::format("{:<9}{} ({})\n", "result", end, text_of_seconds(result.seconds));
}

Json json_of(const CheckResult& result) {
  Json json;
  json["version"] = report_version;
  json["status"] = result.failed() ? "failed" : result.not_run() ? "not run" : "passed";
  json["seconds"] = result.seconds;
  json["inputs"] = Json::array();
  for (const std::string& inputs : result.inputs) json["inputs"].push(inputs);
  json["outputs"] = Json::array();
  for (const OutputCheck& output : result.outputs) {
    Json one;
    if (!output.graph.empty()) one["graph"] = output.graph;
    one["name"] = output.output;
    one["verdict"] = name_of(output.verdict);
    one["error"] = output.error;
    one["tolerance"] = output.tolerance;
    if (!output.reason.empty()) one["reason"] = output.reason;
    if (!output.layer.empty()) one["layer"] = output.layer;
    json["outputs"].push(std::move(one));
  }
  return json;
}

}  // namespace remodel
