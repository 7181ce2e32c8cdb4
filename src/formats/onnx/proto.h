// The parts of an ONNX file, as they stand in it. Weights stay views of the file.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "formats/onnx/schema.h"
#include "ir/constant.h"
#include "ir/type.h"

namespace remodel::onnx {

struct GraphProto;
struct NodeProto;

struct Attribute {
  std::string name, doc;
  std::string reference;  // inside a function: the name of the caller's attribute
  AttributeKind kind = AttributeKind::undefined;
  float real = 0;
  int64_t integer = 0;
  std::string text;
  std::vector<float> reals;
  std::vector<int64_t> integers;
  std::vector<std::string> texts;
  std::vector<ConstantPtr> tensors;  // one where kind is tensor
  std::vector<std::shared_ptr<GraphProto>> graphs;
  std::vector<Type> types;

  static Attribute of(std::string name, int64_t value);
  static Attribute of(std::string name, double value);
  static Attribute of(std::string name, std::string value);
  static Attribute of(std::string name, std::vector<int64_t> value);
  static Attribute of(std::string name, std::vector<double> value);
  static Attribute of(std::string name, std::vector<std::string> value);
  static Attribute of(std::string name, ConstantPtr value);
  static Attribute of(std::string name, std::shared_ptr<GraphProto> value);
};

using StringPairs = std::vector<std::pair<std::string, std::string>>;

struct NodeProto {
  std::string name, type, domain, overload, doc;
  std::vector<std::string> inputs, outputs;
  std::vector<Attribute> attributes;
  StringPairs metadata;
  const Attribute* find(std::string_view attribute) const;
};

struct ValueInfo {
  std::string name, doc;
  Type type;
};

struct GraphProto {
  std::string name, doc;
  std::vector<NodeProto> nodes;
  std::vector<std::pair<std::string, ConstantPtr>> initializers;
  std::vector<ValueInfo> inputs, outputs;
  std::vector<ValueInfo> values;  // what the file says of inner values
};

struct FunctionProto {
  std::string name, domain, overload;
  std::vector<std::string> inputs, outputs, attributes;
  std::vector<Attribute> attribute_defaults;
  std::vector<NodeProto> nodes;
  std::map<std::string, int64_t> opsets;
};

struct ModelProto {
  int64_t ir_version = 0, model_version = 0;
  std::string producer, producer_version, domain, doc;
  std::map<std::string, int64_t> opsets;
  StringPairs metadata;
  GraphProto graph;
  std::vector<FunctionProto> functions;
};

// ONNX's numbering of element types; refuses a number that it does not have.
DType dtype_of_code(int64_t code);
int64_t code_of_dtype(DType dtype);

// Opens a file that the model refers to, by the path that stands in it.
using OpenExternal = std::function<Bytes(const std::string& location)>;

ModelProto parse_model(const Bytes& file, const OpenExternal& open_external);

}  // namespace remodel::onnx
