#include "app/ops_list.h"

#include "app/formats.h"
#include "base/error.h"
#include "wire/json.h"

namespace remodel {
namespace {

// "1-12, 14-24"
std::string text_of(const std::set<int>& versions) {
  std::string text;
  for (auto at = versions.begin(); at != versions.end();) {
    const int first = *at;
    int last = first;
    while (++at != versions.end() && *at == last + 1) last = *at;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", first);
    if (last != first) text += fmt::format("-{}", last);
  }
  return text.empty() ? "-" : text;
}

std::string text_of(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

template <class T>
Json json_of(const std::set<T>& items) {
  Json json = Json::array();
  for (const T& item : items) json.push(item);
  return json;
}

std::string list_text(const FormatInfo& info) {
  const Support support = info.format().support();
  std::string text =
      fmt::format("{:<36} {:<12} {}\n", fmt::format("{} operator", info.brand), "read", "stands for");
  for (const Support::Operator& one : support.operators) {
    const std::string type = (one.domain.empty() ? "" : one.domain + ".") + one.type;
    const std::string what = !one.refusal.empty() ? "refused: " + one.refusal : text_of(one.ops);
    std::string line = fmt::format("{:<36} {:<12} {}", type, text_of(one.read), what);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  text += fmt::format("\n{:<36} {}\n", "op", "written at opsets");
  for (const auto& [op, versions] : support.written)
    text += fmt::format("{:<36} {}\n", op, text_of(versions));
  return text;
}

Json list_json(const FormatInfo& info) {
  const Support support = info.format().support();
  Json json;
  json["version"] = 1;
  json["format"] = std::string(info.name);
  json["operators"] = Json::array();
  for (const Support::Operator& one : support.operators) {
    Json entry;
    entry["domain"] = one.domain;
    entry["type"] = one.type;
    entry["read"] = json_of(one.read);
    entry["ops"] = json_of(one.ops);
    if (!one.refusal.empty()) entry["refused"] = one.refusal;
    json["operators"].push(std::move(entry));
  }
  json["ops"] = Json::array();
  for (const auto& [op, versions] : support.written) {
    Json entry;
    entry["op"] = op;
    entry["written"] = json_of(versions);
    json["ops"].push(std::move(entry));
  }
  return json;
}

}  // namespace

std::string list_ops(const std::string& format, bool json) {
  const FormatInfo& info = need_format(format.empty() ? "onnx" : format);
  if (!info.format)
    fail("the operators of '{}' are not listed: that format cannot be read or written yet", format);
  return json ? write_json(list_json(info)) : list_text(info);
}

}  // namespace remodel
