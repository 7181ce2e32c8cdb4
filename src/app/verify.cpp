#include "app/verify.h"

#include "app/console.h"
#include "app/load.h"
#include "app/report.h"
#include "base/error.h"

namespace remodel {

CheckResult verify(const VerifyOptions& options) {
  const Loaded source = load(options.source, {options.source_format, {}});
  const Loaded result = load(options.result, {options.result_format, {}});
  CheckOptions check = options.check;
  check.by_place = true;
  if (!check.data.empty()) need_data(check.data, source.model);
  check.any_width = check.any_width || source.side.format != result.side.format;
  return check_models(source.model, result.model, check);
}

std::string text_of(const CheckResult& result, const Console& console) {
  const LabelledLines lines{9, console.width()};
  const Report::Check check = summary_of(result);
  std::string text;
  add_inputs(text, check, lines);
  for (size_t i = 0; i < check.outputs.size(); ++i)
    lines.add(text, i == 0 ? "outputs" : "", {text_of(check.outputs[i], console)});
  for (const std::string& note : result.notes) lines.add(text, "note", {note});
  const char* end = result.failed()    ? "the models differ"
                    : result.not_run() ? "not all could be compared"
                                       : "the models agree";
  lines.add(text, "result", {fmt::format("{} ({})", end, text_of_seconds(result.seconds))});
  return text;
}

Json json_of(const CheckResult& result) {
  Json json;
  json["version"] = report_version;
  json["seconds"] = result.seconds;
  const Json summary = json_of(summary_of(result));
  for (const JsonMember& member : summary.as_object()) json[member.key] = member.value;
  json["notes"] = Json::array();
  for (const std::string& note : result.notes) json["notes"].push(note);
  return json;
}

}  // namespace remodel
