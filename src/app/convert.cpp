#include "app/convert.h"

#include "base/file.h"
#include "formats/onnx/reader.h"
#include "formats/onnx/serialize.h"
#include "formats/onnx/writer.h"
#include "passes/decompose.h"

namespace remodel {
namespace {

std::string folder_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}
std::string file_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

[[noreturn]] void throw_problems(std::vector<Error> problems, const std::string& path) {
  for (Error& problem : problems) problem.at(path);
  throw Problems(std::move(problems));
}

}  // namespace

Model load_model(const std::string& path) {
  Bytes file = map_file(path);
  std::string folder = folder_of(path);
  onnx::ReadResult read;
  try {
    read = onnx::read_model(file, [&](const std::string& location) { return map_file(inside_folder(folder, location)); });
  } catch (Error& error) {
    throw error.at(path);
  }
  if (!read.problems.empty()) throw_problems(std::move(read.problems), path);
  return std::move(read.model);
}

void convert(const ConvertOptions& options) {
  Model model = load_model(options.from);
  model.main().drop_dead();
  decompose(model.main(), [&](const Graph& graph, const Node& node) {
    return onnx::cannot_write(graph, node, options.opset).empty();
  });
  model.main().drop_dead();
  std::vector<Error> problems;
  onnx::ModelProto proto = onnx::build_model(model, {options.opset, options.external_data}, problems);
  if (!problems.empty()) throw_problems(std::move(problems), options.from);
  constexpr uint64_t limit = (uint64_t{1} << 31) - 1;
  onnx::ExternalData external;
  if (options.external_data || onnx::model_size(proto) > limit)
    external = onnx::plan_external_data(proto, file_of(options.to) + ".data");
  OutputFile out(options.to);
  FileSink sink(out);
  onnx::write_model(proto, external, sink);
  if (external.weights.empty()) return out.commit();
  OutputFile data(options.to + ".data");
  FileSink data_sink(data);
  onnx::write_external_data(external, data_sink);
  commit_together({&data, &out});
}

}  // namespace remodel
