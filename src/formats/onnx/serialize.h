// The bytes of an ONNX file from its parts.
#pragma once

#include <string>

#include "base/sink.h"
#include "formats/onnx/proto.h"

namespace remodel::onnx {

// Which weights go to a file beside the model, and where in it.
struct ExternalData {
  std::string location;  // the file's name; empty where all weights are inside
  // Weights in the order that they are written in, each at a multiple of `alignment`.
  std::vector<std::pair<ConstantPtr, uint64_t>> weights;
  uint64_t size = 0;
};
inline constexpr uint64_t external_alignment = 4096;
inline constexpr uint64_t smallest_external = 1024;

// Bytes that the file takes with all weights inside. Over 2^31 - 1 it cannot be read by anyone.
uint64_t model_size(const ModelProto& model);
ExternalData plan_external_data(const ModelProto& model, std::string location);

void write_model(const ModelProto& model, const ExternalData& external, Sink& sink);
void write_external_data(const ExternalData& external, Sink& sink);

}  // namespace remodel::onnx
