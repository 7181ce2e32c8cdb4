#include "formats/onnx/format.h"

#include <algorithm>

#include "formats/onnx/count.h"
#include "formats/onnx/reader.h"
#include "formats/onnx/rows.h"
#include "formats/onnx/schema.h"
#include "formats/onnx/serialize.h"
#include "formats/onnx/writer.h"

namespace remodel::onnx {
namespace {

constexpr int lowest_target_opset = 9, highest_target_opset = 24;
constexpr uint64_t largest_file = (uint64_t{1} << 31) - 1;  // protobuf's limit

class OnnxDraft : public Draft {
 public:
  OnnxDraft(ModelProto model, bool external_data) : model_(std::move(model)), external_data_(external_data) {}

  OperatorCounts operators() const override {
    OperatorCounts counts;
    count_operators(model_.graph, counts);
    return counts;
  }
  uint64_t size() const override { return model_size(model_); }

  std::vector<File> files(const std::string& name) const override {
    auto external = std::make_shared<ExternalData>();
    if (external_data_ || size() > largest_file) *external = plan_external_data(model_, name + ".data");
    std::vector<File> files;
    if (!external->weights.empty())
      files.push_back({external->location, [external](Sink& sink) { write_external_data(*external, sink); }});
    files.push_back({name, [this, external](Sink& sink) { write_model(model_, *external, sink); }});
    return files;
  }

 private:
  ModelProto model_;
  bool external_data_;
};

void add_versions(std::set<int>& to, const Versions& versions, int least, int most) {
  for (int version = std::max(least, versions.first); version <= std::min(most, versions.last); ++version)
    to.insert(version);
}

class OnnxFormat : public Format {
 public:
  int64_t lowest_version() const override { return lowest_target_opset; }
  int64_t highest_version() const override { return highest_target_opset; }

  ReadResult read(const SourceFiles& files, const ReadRequest& request) const override {
    return read_model(files.main, files.open, request);
  }
  std::string cannot_write(const Graph& graph, const Node& node, int64_t version) const override {
    return onnx::cannot_write(graph, node, version);
  }
  std::unique_ptr<Draft> write(const Model& model, const WriteTarget& target,
                               std::vector<Error>& problems) const override {
    return std::make_unique<OnnxDraft>(build_model(model, target.version, problems), target.external_data);
  }

  Support support() const override {
    std::map<std::pair<std::string, std::string>, Support::Operator> operators;
    Support support;
    for (const Row& row : all_rows().all()) {
      if (row.writes && row.op)
        add_versions(support.written[std::string(row.op->name)], row.versions, lowest_target_opset,
                     highest_target_opset);
      if (row.type.empty()) continue;
      Support::Operator& entry = operators[{row.domain, row.type}];
      entry.domain = row.domain, entry.type = row.type;
      if (!row.refusal.empty()) entry.refusal = row.refusal;
      if (row.op) entry.ops.insert(std::string(row.op->name));
      if (row.reads && row.refusal.empty())
        add_versions(entry.read, row.versions, 1, std::max(1, newest_opset(row.domain)));
    }
    for (auto& [name, entry] : operators) {
      // No version of an operator is older than the operator.
      if (newest_opset(entry.domain) > 0)
        std::erase_if(entry.read,
                      [&](int version) { return !find_schema(entry.domain, entry.type, version); });
      support.operators.push_back(std::move(entry));
    }
    return support;
  }
};

}  // namespace

const Format& format() {
  static const OnnxFormat format;
  return format;
}

}  // namespace remodel::onnx
