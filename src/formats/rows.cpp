#include "formats/rows.h"

#include <algorithm>
#include <map>

namespace remodel {

Slot::Slot(Kind kind, std::string_view wire, size_t field, int position, Default value,
           std::vector<ChoiceName> choices)
    : kind(kind), wire(wire), field(field), position(position), value(value), choices(std::move(choices)) {}
Slot::Slot(const Slot&) = default;
Slot::~Slot() = default;

void split_domain(RowData& row) {
  const auto colon = row.type.find(':');
  if (colon == std::string::npos) return;
  row.domain = row.type.substr(0, colon);
  row.type = row.type.substr(colon + 1);
}

void Reasons::add(const std::string& reason) {
  if (text.find(reason) == std::string::npos) text += (text.empty() ? "" : "; ") + reason;
}

Support support_of(const std::vector<const RowData*>& rows, Versions written,
                   const OperatorVersions& of_operator) {
  std::map<std::pair<std::string, std::string>, Support::Operator> operators;
  Support support;
  for (const RowData* row : rows) {
    if (row->writes && row->op)
      for (int version = std::max(written.first, row->versions.first);
           version <= std::min(written.last, row->versions.last); ++version)
        support.written[std::string(row->op->name)].insert(version);
    if (row->type.empty()) continue;
    Support::Operator& entry = operators[{row->domain, row->type}];
    entry.domain = row->domain, entry.type = row->type;
    if (!row->refusal.empty()) entry.refusal = row->refusal;
    if (row->op) entry.ops.insert(std::string(row->op->name));
    if (row->reads && row->refusal.empty())
      for (int version : of_operator(row->domain, row->type))
        if (row->versions.contain(version)) entry.read.insert(version);
  }
  for (auto& [name, entry] : operators) support.operators.push_back(std::move(entry));
  return support;
}

}  // namespace remodel
