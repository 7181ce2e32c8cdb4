#include "formats/tflite/format.h"

#include "formats/tflite/reader.h"
#include "formats/tflite/rows.h"

namespace remodel::tflite {
namespace {

class TfliteFormat : public Format {
 public:
  WrittenVersions versions() const override { return {}; }

  ReadResult read(const SourceFiles& files, const ReadRequest& request) const override {
    return read_model(files.main, files.open, request);
  }
  std::string cannot_write(const Graph&, const Node&, int64_t) const override {
    return "it cannot be written yet";
  }
  std::unique_ptr<Draft> write(const Model&, const WriteTarget&,
                               std::vector<Error>& problems) const override {
    problems.push_back(Error("it cannot be written yet"));
    return nullptr;
  }
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
