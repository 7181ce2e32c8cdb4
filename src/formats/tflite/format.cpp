#include "formats/tflite/format.h"

#include <set>

#include "base/nearest.h"

#include "formats/tflite/file.h"
#include "formats/tflite/reader.h"
#include "formats/tflite/rows.h"
#include "formats/tflite/writer.h"

namespace remodel::tflite {
namespace {

class TfliteDraft : public Draft {
 public:
  explicit TfliteDraft(tflite::File file) : file_(std::move(file)) {}

  OperatorCounts operators() const override {
    OperatorCounts counts;
    for (const SubGraph& graph : file_.graphs)
      for (const Operator& one : graph.operators) ++counts[one.type];
    return counts;
  }
  std::vector<std::string> notes() const override {
    std::set<std::string> custom;
    for (const SubGraph& graph : file_.graphs)
      for (const Operator& one : graph.operators)
        if (one.custom) custom.insert(one.type);
    if (custom.empty()) return {};
    return {fmt::format("the runtime needs the custom operator{} {}", custom.size() == 1 ? "" : "s",
                        quoted_list({custom.begin(), custom.end()}, "and"))};
  }
  uint64_t size() const override { return file_size(file_); }
  std::vector<File> files(const std::string& name) const override {
    return {{name, [this](Sink& sink) { write_file(file_, sink); }}};
  }

 private:
  tflite::File file_;
};

class TfliteFormat : public Format {
 public:
  WrittenVersions versions() const override { return {}; }

  ReadResult read(const SourceFiles& files, const ReadRequest& request) const override {
    return read_model(files.main, files.open, request);
  }
  std::string cannot_write(const Graph& graph, const Node& node, const WriteTarget& target) const override {
    return tflite::cannot_write(graph, node, target);
  }
  std::unique_ptr<Draft> write(const Model& model, const WriteTarget& target,
                               std::vector<Error>& problems) const override {
    return std::make_unique<TfliteDraft>(build_file(model, target, problems));
  }
  Arithmetic arithmetic() const override { return Arithmetic::litert; }
  std::optional<LayoutTarget> layout() const override { return LayoutTarget(); }
  Support support() const override {
    return all_rows().support({1, 1}, [](std::string_view, std::string_view) { return std::vector<int>{1}; });
  }
};

}  // namespace

const Format& format() {
  static const TfliteFormat format;
  return format;
}

}  // namespace remodel::tflite
