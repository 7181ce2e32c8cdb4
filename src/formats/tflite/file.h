// The parts of a TensorFlow Lite file, as they stand in it. Weights stay views of the file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/sink.h"
#include "formats/tflite/schema.h"
#include "ir/constant.h"

namespace remodel::tflite {

// A field of an operator's options, by the name that it has in the schema ("stride_w"). Fields that hold
// their default are left out.
struct Attribute {
  std::string name;
  FieldKind kind = FieldKind::integer;
  int64_t integer = 0;  // truths, too
  double real = 0;
  std::string text;  // of a word the schema's name ("SAME")
  std::vector<int64_t> integers;
  std::vector<double> reals;
  Bytes bytes;

  static Attribute of(std::string name, bool value);
  static Attribute of(std::string name, int64_t value);
  static Attribute of(std::string name, double value);
  static Attribute of(std::string name, std::string text);  // or a word
  static Attribute of(std::string name, std::vector<int64_t> value);
  static Attribute of(std::string name, std::vector<double> value);
  static Attribute of(std::string name, Bytes value);
};

struct Operator {
  std::string type;  // "CONV_2D"; of a custom one its own name
  bool custom = false;
  int64_t version = 1;
  std::vector<int32_t> inputs;  // tensors of the sub-graph, -1 where an optional one is not given
  std::vector<int32_t> outputs, intermediates;
  std::vector<Attribute> attributes;
  Bytes custom_options;       // of a custom one: mostly a FlexBuffer
  std::vector<bool> mutated;  // the inputs that it changes; empty where it changes none

  const Attribute* find(std::string_view attribute) const;
};

// real = (integer - zero) * scale. No scales: the tensor is not quantized.
struct Quantization {
  std::vector<float> scale;
  std::vector<int64_t> zero;    // as many as scales, or none
  int64_t axis = 0;             // of the tensor, where there is more than one scale
  std::vector<float> min, max;  // notes of a converter

  // Scales and zero points in tensors of the sub-graph, in blocks along the axis.
  int32_t scale_tensor = -1, zero_tensor = -1;
  ConstantPtr block_scale, block_zero;  // what these hold, as far as the file does
  int64_t block = 0;

  bool empty() const { return scale.empty() && scale_tensor < 0; }
  bool operator==(const Quantization& other) const = default;
};

struct Tensor {
  std::string name;
  TensorType type = TensorType::FLOAT32;
  std::vector<int32_t> shape;
  std::vector<int32_t> signature;  // the shape with -1 where a size may change; empty where none may
  ConstantPtr data;                // null for what is computed or given
  bool variable = false;           // keeps its elements from call to call
  bool sparse = false;             // `data` is all of it; the file keeps what is not zero
  Quantization quantization;
};

struct SubGraph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<int32_t> inputs, outputs;
  std::vector<Operator> operators;
};

struct Signature {
  std::string key;
  std::vector<std::pair<std::string, int32_t>> inputs, outputs;  // the outside name, the tensor
  int32_t graph = 0;
};

struct File {
  std::string description;
  std::vector<SubGraph> graphs;  // the first is the main one
  std::vector<Signature> signatures;
  std::vector<std::pair<std::string, Bytes>> metadata;
  std::vector<std::pair<std::string, Bytes>> assets;  // labels and the like, of a ZIP behind the flatbuffer
};

// Opens a file that the model refers to, by the name that stands in it.
using OpenExternal = std::function<Bytes(const std::string& name)>;

File parse_file(const Bytes& bytes, const OpenExternal& open_external);

// Bytes that the file takes.
uint64_t file_size(const File& file);
void write_file(const File& file, Sink& sink);

}  // namespace remodel::tflite
