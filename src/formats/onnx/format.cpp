#include "formats/onnx/format.h"

#include <algorithm>

#include "base/format.h"
#include "base/utf8.h"
#include "formats/onnx/count.h"
#include "formats/onnx/reader.h"
#include "formats/onnx/rows.h"
#include "formats/onnx/schema.h"
#include "formats/onnx/serialize.h"
#include "formats/onnx/writer.h"

namespace remodel::onnx {
namespace {

constexpr int lowest_target_opset = 9, usual_target_opset = 17, highest_target_opset = 24;
constexpr uint64_t largest_file = (uint64_t{1} << 31) - 1;  // protobuf's limit

std::string data_name_of(const std::string& name) { return name + ".data"; }

class OnnxDraft : public Draft {
 public:
  OnnxDraft(ModelProto model, bool external_data, std::vector<std::string> notes)
      : model_(std::move(model)), external_data_(external_data), notes_(std::move(notes)) {}

  OperatorCounts operators() const override {
    OperatorCounts counts;
    count_operators(model_.graph, counts);
    return counts;
  }
  std::vector<std::string> notes() const override { return notes_; }
  uint64_t size() const override { return model_size(model_); }

  std::vector<File> files(const std::string& name) const override {
    auto external = std::make_shared<ExternalData>();
    if (external_data_ || size() > largest_file) *external = plan_external_data(model_, data_name_of(name));
    std::vector<File> files;
    if (!external->weights.empty())
      files.push_back({external->location, [external](Sink& sink) { write_external_data(*external, sink); }});
    files.push_back({name, [this, external](Sink& sink) { write_model(model_, *external, sink); }});
    return files;
  }

 private:
  ModelProto model_;
  bool external_data_;
  std::vector<std::string> notes_;
};

// What stands beside the graph is text in ONNX.
std::vector<std::string> left_out(const Model& model) {
  std::vector<std::string> notes;
  for (const auto* list : {&model.blobs, &model.assets})
    for (const auto& [name, bytes] : *list)
      if (list == &model.blobs || !is_text(bytes.view()))
        notes.push_back(
            fmt::format("'{}' ({} bytes), which the model brings along, is left out: ONNX keeps text", name,
                        bytes.size()));
  return notes;
}

class OnnxFormat : public Format {
 public:
  WrittenVersions versions() const override {
    return {"opset", lowest_target_opset, usual_target_opset, highest_target_opset};
  }

  std::optional<LayoutTarget> layout() const override {
    LayoutTarget target;
    target.channels = Channels::first;
    target.softmax_last = false;
    target.swapped_right = false;
    target.transpose_rank = target.op_rank = 64;
    target.packs = false;
    return target;
  }

  ReadResult read(const SourceFiles& files, const ReadRequest& request) const override {
    return read_model(files.main, files.open, request);
  }
  std::string cannot_write(const Graph& graph, const Node& node, const WriteTarget& target) const override {
    return onnx::cannot_write(graph, node, target.version);
  }
  std::unique_ptr<Draft> write(const Model& model, const WriteTarget& target,
                               std::vector<Error>& problems) const override {
    return std::make_unique<OnnxDraft>(build_model(model, target.version, problems), target.external_data,
                                       left_out(model));
  }

  Support support() const override {
    return all_rows().support({lowest_target_opset, highest_target_opset},
                              [](std::string_view domain, std::string_view type) {
                                std::vector<int> versions;
                                const int newest = newest_opset(domain);
                                for (int version = 1; version <= std::max(1, newest); ++version)
                                  // No version of an operator is older than the operator.
                                  if (newest == 0 || find_schema(domain, type, version))
                                    versions.push_back(version);
                                return versions;
                              });
  }

  std::string data_name(const std::string& name) const override { return data_name_of(name); }
  void open_others(const SourceFiles& files) const override { parse_model(files.main, files.open); }
};

}  // namespace

const Format& format() {
  static const OnnxFormat format;
  return format;
}

}  // namespace remodel::onnx
