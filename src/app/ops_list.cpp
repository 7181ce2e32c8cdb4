#include "app/ops_list.h"

#include <algorithm>
#include <map>
#include <set>

#include "app/attempt.h"
#include "app/formats.h"
#include "base/error.h"
#include "formats/onnx/rows.h"
#include "formats/onnx/schema.h"
#include "wire/json.h"

namespace remodel {
namespace {

// What the rows say of one operator of ONNX, opset by opset.
struct Entry {
  std::set<int> read;
  std::set<std::string> ops;
  std::string refusal;
};
using Entries = std::map<std::pair<std::string, std::string>, Entry>;  // by domain and type

void add_versions(std::set<int>& to, const Versions& versions, int least, int most) {
  for (int version = std::max(least, versions.first); version <= std::min(most, versions.last); ++version)
    to.insert(version);
}

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

Json json_of(const std::set<int>& versions) {
  Json json = Json::array();
  for (int version : versions) json.push(version);
  return json;
}

std::string text_of(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Entries onnx_operators() {
  Entries entries;
  for (const onnx::Row& row : onnx::all_rows().all()) {
    if (row.type.empty()) continue;
    Entry& entry = entries[{row.domain, row.type}];
    const bool standard = row.domain.empty();
    const int newest = standard ? onnx::newest_opset("") : 1;
    if (!row.refusal.empty()) entry.refusal = row.refusal;
    if (row.op) entry.ops.insert(std::string(row.op->name));
    if (row.reads && row.refusal.empty()) add_versions(entry.read, row.versions, 1, newest);
  }
  // No version of an operator is older than the operator.
  for (auto& [name, entry] : entries) {
    if (!name.first.empty()) continue;
    std::erase_if(entry.read, [&](int version) { return !onnx::find_schema("", name.second, version); });
  }
  return entries;
}

// The opsets at which an op of ours has a row of its own; the rest is taken apart or refused.
std::map<std::string, std::set<int>> onnx_writers() {
  std::map<std::string, std::set<int>> writers;
  for (const onnx::Row& row : onnx::all_rows().all())
    if (row.writes && row.op)
      add_versions(writers[std::string(row.op->name)], row.versions, lowest_target_opset,
                   highest_target_opset);
  return writers;
}

std::string list_text() {
  const Entries entries = onnx_operators();
  std::string text = fmt::format("{:<36} {:<12} {}\n", "ONNX operator", "read", "stands for");
  for (const auto& [name, entry] : entries) {
    const std::string type = (name.first.empty() ? "" : name.first + ".") + name.second;
    const std::string what = !entry.refusal.empty() ? "refused: " + entry.refusal : text_of(entry.ops);
    std::string line = fmt::format("{:<36} {:<12} {}", type, text_of(entry.read), what);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  text += fmt::format("\n{:<36} {}\n", "op", "written at opsets");
  for (const auto& [op, opsets] : onnx_writers()) text += fmt::format("{:<36} {}\n", op, text_of(opsets));
  return text;
}

Json list_json() {
  Json json;
  json["version"] = 1;
  json["format"] = "onnx";
  json["operators"] = Json::array();
  for (const auto& [name, entry] : onnx_operators()) {
    Json one;
    one["domain"] = name.first;
    one["type"] = name.second;
    one["read"] = json_of(entry.read);
    one["ops"] = Json::array();
    for (const std::string& op : entry.ops) one["ops"].push(op);
    if (!entry.refusal.empty()) one["refused"] = entry.refusal;
    json["operators"].push(std::move(one));
  }
  json["ops"] = Json::array();
  for (const auto& [op, opsets] : onnx_writers()) {
    Json one;
    one["op"] = op;
    one["written"] = json_of(opsets);
    json["ops"].push(std::move(one));
  }
  return json;
}

}  // namespace

std::string list_ops(const std::string& format, bool json) {
  if (!format.empty() && need_format(format).name != "onnx")
    fail("the operators of '{}' are not listed: that format cannot be read or written yet", format);
  return json ? write_json(list_json()) : list_text();
}

}  // namespace remodel
