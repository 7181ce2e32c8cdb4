// ONNX files are protocol buffers (onnx.proto3). The field numbers stand at each case.
#include <algorithm>

#include "base/error.h"
#include "formats/onnx/proto.h"
#include "wire/protobuf.h"

namespace remodel::onnx {
namespace {

using Reader = ProtoReader;
constexpr int max_depth = 64;

struct Parser {
  const Bytes& file;
  const OpenExternal& open_external;

  std::string text(Reader& in) { return std::string(in.bytes()); }

  std::pair<std::string, std::string> pair(Reader in) {
    std::pair<std::string, std::string> result;
    while (in.next()) {
      if (in.field() == 1)
        result.first = text(in);
      else if (in.field() == 2)
        result.second = text(in);
      else
        in.skip();
    }
    return result;
  }

  // Without a length, what the tensor needs.
  Bytes external(const StringPairs& entries, DType dtype, const Shape& dims) {
    std::string location;
    uint64_t offset = 0, length = 0;
    bool has_length = false;
    auto number = [](const std::string& digits) {
      uint64_t value = 0;
      for (char c : digits) {
        if (c < '0' || c > '9' || value > UINT64_MAX / 10 - 10)
          fail("external data: '{}' is not a number", digits);
        value = value * 10 + static_cast<uint64_t>(c - '0');
      }
      return value;
    };
    for (const auto& [key, value] : entries) {
      if (key == "location") location = value;
      if (key == "offset") offset = number(value);
      if (key == "length") length = number(value), has_length = true;
    }
    if (location.empty()) fail("external data has no location");
    Bytes whole = open_external(location);
    if (offset > whole.size() || (has_length && length > whole.size() - offset))
      fail("external data '{}' has {} bytes; {} at {} are asked for", location, whole.size(), length, offset);
    const uint64_t rest = whole.size() - offset, count = static_cast<uint64_t>(count_of(dims));
    if (!has_length) length = count > rest ? rest : std::min(rest, (count * bits_of(dtype) + 7) / 8);
    return whole.part(offset, length);
  }

  ConstantPtr tensor(Reader in, std::string* name_out) {
    Shape dims;
    int64_t code = 0, location = 0;
    std::vector<float> float_data;
    std::vector<int64_t> int_data;
    std::vector<double> double_data;
    std::vector<std::string> string_data;
    StringPairs external_data;
    Bytes raw;
    bool has_raw = false;
    std::string name;
    while (in.next()) {
      switch (in.field()) {
        case 1:
          in.append_ints(dims);
          break;
        case 2:
          code = in.int64();
          break;
        case 4:
          in.append_floats(float_data);
          break;
        case 5:   // int32_data
        case 7:   // int64_data
        case 11:  // uint64_data
          in.append_ints(int_data);
          break;
        case 6:
          string_data.push_back(text(in));
          break;
        case 8:
          name = text(in);
          break;
        case 9:
          raw = file.part(in.bytes()), has_raw = true;
          break;
        case 10:
          in.append_doubles(double_data);
          break;
        case 13:
          external_data.push_back(pair(in.message()));
          break;
        case 14:
          location = in.int64();
          break;
        default:
          in.skip();  // 3 segment, 12 doc_string, 16 metadata_props
      }
    }
    if (name_out) *name_out = name;
    try {
      const DType dtype = dtype_of_code(code);
      if (location == 1) raw = external(external_data, dtype, dims);
      return make_tensor(dtype, std::move(dims), float_data, int_data, double_data, std::move(string_data),
                         raw, has_raw || location == 1);
    } catch (Error& error) {
      throw error.at("tensor '" + name + "'");
    }
  }

  ConstantPtr make_tensor(DType dtype, Shape dims, const std::vector<float>& float_data,
                          const std::vector<int64_t>& int_data, const std::vector<double>& double_data,
                          std::vector<std::string> string_data, Bytes raw, bool has_raw) {
    if (dtype == DType::unknown) fail("its element type is not given");
    if (dtype == DType::string) return constant_strings(std::move(dims), std::move(string_data));
    if (has_raw)
      return is_packed(dtype) ? constant_packed(dtype, dims, raw) : constant_bytes(dtype, dims, raw);
    // Typed data: float_data holds f32 and c64, double_data f64 and c128, the rest integers or codes.
    if (!float_data.empty())
      return constant_bytes(dtype, dims, Bytes::copy(float_data.data(), float_data.size() * 4));
    if (!double_data.empty())
      return constant_bytes(dtype, dims, Bytes::copy(double_data.data(), double_data.size() * 8));
    size_t size = size_of(dtype);
    if (size > sizeof(int64_t)) fail("its elements, of {}, stand in a field of integers", name_of(dtype));
    std::string packed(int_data.size() * size, '\0');
    for (size_t i = 0; i < int_data.size(); ++i) std::memcpy(packed.data() + i * size, &int_data[i], size);
    if (is_packed(dtype)) return constant_packed(dtype, dims, Bytes::own(std::move(packed)));
    return constant_bytes(dtype, dims, Bytes::own(std::move(packed)));
  }

  ConstantPtr sparse(Reader in, std::string* name_out) {
    ConstantPtr values, indices;
    Shape dims;
    std::string name;
    while (in.next()) {
      switch (in.field()) {
        case 1:
          values = tensor(in.message(), &name);
          break;
        case 2:
          indices = tensor(in.message(), nullptr);
          break;
        case 3:
          in.append_ints(dims);
          break;
        default:
          in.skip();
      }
    }
    if (name_out) *name_out = name;
    try {
      return make_sparse(values, indices, std::move(dims));
    } catch (Error& error) {
      throw error.at("sparse tensor '" + name + "'");
    }
  }

  // Values at linear or coordinate indices.
  ConstantPtr make_sparse(const ConstantPtr& values, const ConstantPtr& indices, Shape dims) {
    if (!values || !indices) fail("it lacks values or indices");
    int64_t count = count_of(dims);
    // It is dense in what is written: one far larger than what the file holds is more likely an attack than a
    // model.
    if (count > (int64_t{1} << 24) && count / 1024 > values->count())
      fail("the shape {} is too large for {} values", text_of(dims), values->count());
    std::vector<int64_t> given = indices->tensor().ints(), places;
    bool coordinates = indices->shape().size() == 2;
    size_t width = coordinates ? dims.size() : 1;
    if (given.size() != static_cast<size_t>(values->count()) * width)
      fail("{} values need {} indices, but there are {}", values->count(), values->count() * width,
           given.size());
    Shape strides = strides_of(dims);
    for (size_t i = 0; i < static_cast<size_t>(values->count()); ++i) {
      int64_t place = coordinates ? 0 : given[i];
      for (size_t axis = 0; coordinates && axis < width; ++axis) {
        int64_t at = given[i * width + axis];
        if (at < 0 || at >= dims[axis]) fail("the index {} is outside the shape {}", at, text_of(dims));
        place += at * strides[axis];
      }
      if (place < 0 || place >= count) fail("the index {} is outside the shape {}", place, text_of(dims));
      places.push_back(place);
    }
    return constant_sparse(std::move(dims), values, std::move(places));
  }

  Dims shape(Reader in, const std::string& value, bool& known) {
    Dims dims;
    while (in.next()) {
      if (in.field() != 1) {
        in.skip();
        continue;
      }
      Reader dim = in.message();
      std::optional<Dim> size;
      while (dim.next()) {
        if (dim.field() == 1) {
          int64_t number = dim.int64();
          if (number >= 0) size = Dim(number);
        } else if (dim.field() == 2) {
          std::string symbol = text(dim);
          if (!symbol.empty() && symbol != "?") size = Dim::symbol(symbol);
        } else {
          dim.skip();
        }
      }
      dims.push_back(size ? *size : Dim::symbol("_" + value + "." + std::to_string(dims.size())));
    }
    known = true;
    return dims;
  }

  Type type(Reader in, const std::string& value, int depth = 0) {
    if (depth > max_depth) fail("a type is nested too deeply");
    Type result;
    while (in.next()) {
      switch (in.field()) {
        case 1:    // tensor_type
        case 8: {  // sparse_tensor_type
          Reader tensor = in.message();
          while (tensor.next()) {
            if (tensor.field() == 1) {
              result.dtype = dtype_of_code(tensor.int64());
            } else if (tensor.field() == 2) {
              bool known = false;
              Dims dims = shape(tensor.message(), value, known);
              if (known) result.dims = std::move(dims);
            } else {
              tensor.skip();
            }
          }
          break;
        }
        case 4:    // sequence_type
        case 9: {  // optional_type
          bool list = in.field() == 4;
          Reader inner = in.message();
          Type element;
          while (inner.next()) {
            if (inner.field() == 1)
              element = type(inner.message(), value, depth + 1);
            else
              inner.skip();
          }
          if (element.dims)
            for (Dim& dim : *element.dims)
              if (!dim.is_number()) dim = any_size();
          result = list ? Type::list_of(element) : Type::optional_of(element);
          break;
        }
        case 5: {  // map_type
          Reader map = in.message();
          DType key = DType::unknown;
          Type element;
          while (map.next()) {
            if (map.field() == 1)
              key = dtype_of_code(map.int64());
            else if (map.field() == 2)
              element = type(map.message(), value, depth + 1);
            else
              map.skip();
          }
          result = Type::map_of(key, element);
          break;
        }
        default:
          in.skip();  // 6 denotation
      }
    }
    return result;
  }

  ValueInfo value_info(Reader in) {
    ValueInfo result;
    std::optional<Reader> type_part;
    while (in.next()) {
      switch (in.field()) {
        case 1:
          result.name = text(in);
          break;
        case 2:
          type_part = in.message();
          break;
        case 3:
          result.doc = text(in);
          break;
        default:
          in.skip();
      }
    }
    if (type_part) result.type = type(*type_part, result.name);
    return result;
  }

  Attribute attribute(Reader in, int depth) {
    Attribute result;
    bool kind_given = false;
    auto infer = [&](AttributeKind kind) {
      if (!kind_given) result.kind = kind;
    };
    while (in.next()) {
      switch (in.field()) {
        case 1:
          result.name = text(in);
          break;
        case 2:
          result.real = in.float32(), infer(AttributeKind::real);
          break;
        case 3:
          result.integer = in.int64(), infer(AttributeKind::integer);
          break;
        case 4:
          result.text = text(in), infer(AttributeKind::string);
          break;
        case 5:
          result.tensors.push_back(tensor(in.message(), nullptr)), infer(AttributeKind::tensor);
          break;
        case 6:
          result.graphs.push_back(std::make_shared<GraphProto>(graph(in.message(), depth + 1))),
              infer(AttributeKind::graph);
          break;
        case 7:
          in.append_floats(result.reals), infer(AttributeKind::reals);
          break;
        case 8:
          in.append_ints(result.integers), infer(AttributeKind::integers);
          break;
        case 9:
          result.texts.push_back(text(in)), infer(AttributeKind::strings);
          break;
        case 10:
          result.tensors.push_back(tensor(in.message(), nullptr)), infer(AttributeKind::tensors);
          break;
        case 11:
          result.graphs.push_back(std::make_shared<GraphProto>(graph(in.message(), depth + 1))),
              infer(AttributeKind::graphs);
          break;
        case 13:
          result.doc = text(in);
          break;
        case 14:
          result.types.push_back(type(in.message(), result.name)), infer(AttributeKind::type_proto);
          break;
        case 15:
          result.types.push_back(type(in.message(), result.name)), infer(AttributeKind::type_protos);
          break;
        case 20: {
          int64_t kind = in.int64();
          if (kind < 0 || kind > 14) fail("attribute '{}' has the unknown kind {}", result.name, kind);
          result.kind = static_cast<AttributeKind>(kind), kind_given = kind != 0;
          break;
        }
        case 21:
          result.reference = text(in);
          break;
        case 22:
          result.tensors.push_back(sparse(in.message(), nullptr)), infer(AttributeKind::sparse_tensor);
          break;
        case 23:
          result.tensors.push_back(sparse(in.message(), nullptr)), infer(AttributeKind::sparse_tensors);
          break;
        default:
          in.skip();
      }
    }
    const bool missing = (result.kind == AttributeKind::tensor && result.tensors.empty()) ||
                         (result.kind == AttributeKind::graph && result.graphs.empty()) ||
                         (result.kind == AttributeKind::type_proto && result.types.empty());
    if (missing && result.reference.empty()) fail("attribute '{}' has no value", result.name);
    return result;
  }

  NodeProto node(Reader in, int depth) {
    NodeProto result;
    while (in.next()) {
      switch (in.field()) {
        case 1:
          result.inputs.push_back(text(in));
          break;
        case 2:
          result.outputs.push_back(text(in));
          break;
        case 3:
          result.name = text(in);
          break;
        case 4:
          result.type = text(in);
          break;
        case 5:
          result.attributes.push_back(attribute(in.message(), depth));
          break;
        case 6:
          result.doc = text(in);
          break;
        case 7:
          result.domain = text(in);
          break;
        case 8:
          result.overload = text(in);
          break;
        case 9:
          result.metadata.push_back(pair(in.message()));
          break;
        default:
          in.skip();
      }
    }
    if (result.domain == "ai.onnx") result.domain.clear();
    return result;
  }

  GraphProto graph(Reader in, int depth) {
    if (depth > max_depth) fail("graphs are nested too deeply");
    GraphProto result;
    while (in.next()) {
      switch (in.field()) {
        case 1:
          result.nodes.push_back(node(in.message(), depth));
          break;
        case 2:
          result.name = text(in);
          break;
        case 5: {
          std::string name;
          ConstantPtr constant = tensor(in.message(), &name);
          result.initializers.emplace_back(std::move(name), std::move(constant));
          break;
        }
        case 10:
          result.doc = text(in);
          break;
        case 11:
          result.inputs.push_back(value_info(in.message()));
          break;
        case 12:
          result.outputs.push_back(value_info(in.message()));
          break;
        case 15: {
          std::string name;
          ConstantPtr constant = sparse(in.message(), &name);
          result.initializers.emplace_back(std::move(name), std::move(constant));
          break;
        }
        case 13:
          result.values.push_back(value_info(in.message()));
          break;
        default:
          in.skip();  // 14 quantization_annotation
      }
    }
    return result;
  }

  void opset(Reader in, std::map<std::string, int64_t>& to) {
    std::string domain;
    int64_t version = 0;
    while (in.next()) {
      if (in.field() == 1)
        domain = text(in);
      else if (in.field() == 2)
        version = in.int64();
      else
        in.skip();
    }
    to[domain == "ai.onnx" ? "" : domain] = version;
  }

  FunctionProto function(Reader in) {
    FunctionProto result;
    while (in.next()) {
      switch (in.field()) {
        case 1:
          result.name = text(in);
          break;
        case 4:
          result.inputs.push_back(text(in));
          break;
        case 5:
          result.outputs.push_back(text(in));
          break;
        case 6:
          result.attributes.push_back(text(in));
          break;
        case 7:
          result.nodes.push_back(node(in.message(), 0));
          break;
        case 9:
          opset(in.message(), result.opsets);
          break;
        case 10:
          result.domain = text(in);
          break;
        case 11:
          result.attribute_defaults.push_back(attribute(in.message(), 0));
          break;
        case 13:
          result.overload = text(in);
          break;
        default:
          in.skip();
      }
    }
    if (result.domain == "ai.onnx") result.domain.clear();
    return result;
  }

  ModelProto model(Reader in) {
    ModelProto result;
    bool has_graph = false;
    while (in.next()) {
      switch (in.field()) {
        case 1:
          result.ir_version = in.int64();
          break;
        case 2:
          result.producer = text(in);
          break;
        case 3:
          result.producer_version = text(in);
          break;
        case 4:
          result.domain = text(in);
          break;
        case 5:
          result.model_version = in.int64();
          break;
        case 6:
          result.doc = text(in);
          break;
        case 7:
          result.graph = graph(in.message(), 0), has_graph = true;
          break;
        case 8:
          opset(in.message(), result.opsets);
          break;
        case 14:
          result.metadata.push_back(pair(in.message()));
          break;
        case 25:
          result.functions.push_back(function(in.message()));
          break;
        default:
          in.skip();  // 20 training_info
      }
    }
    if (!has_graph) fail("it has no graph, so it is not an ONNX model");
    return result;
  }
};

constexpr DType dtypes[] = {
    DType::unknown,    DType::f32,    DType::u8,         DType::i8,      DType::u16,  DType::i16,
    DType::i32,        DType::i64,    DType::string,     DType::boolean, DType::f16,  DType::f64,
    DType::u32,        DType::u64,    DType::c64,        DType::c128,    DType::bf16, DType::f8e4m3fn,
    DType::f8e4m3fnuz, DType::f8e5m2, DType::f8e5m2fnuz, DType::u4,      DType::i4,   DType::f4e2m1,
    DType::f8e8m0,     DType::u2,     DType::i2,
};

}  // namespace

DType dtype_of_code(int64_t code) {
  if (code < 0 || code >= static_cast<int64_t>(std::size(dtypes)))
    fail("the element type {} is unknown", code);
  return dtypes[code];
}

int64_t code_of_dtype(DType dtype) { return std::find(std::begin(dtypes), std::end(dtypes), dtype) - dtypes; }

const Attribute* NodeProto::find(std::string_view attribute) const {
  for (const Attribute& candidate : attributes)
    if (candidate.name == attribute) return &candidate;
  return nullptr;
}

ModelProto parse_model(const Bytes& file, const OpenExternal& open_external) {
  try {
    return Parser{file, open_external}.model(Reader(file.view()));
  } catch (Error& error) {
    if (error.text().find("protobuf field") != std::string::npos)
      error.hint("the file is damaged, or it is no ONNX file");
    throw;
  }
}

Attribute Attribute::of(std::string name, int64_t value) {
  Attribute result;
  result.name = std::move(name), result.kind = AttributeKind::integer, result.integer = value;
  return result;
}
Attribute Attribute::of(std::string name, double value) {
  Attribute result;
  result.name = std::move(name), result.kind = AttributeKind::real, result.real = static_cast<float>(value);
  return result;
}
Attribute Attribute::of(std::string name, std::string value) {
  Attribute result;
  result.name = std::move(name), result.kind = AttributeKind::string, result.text = std::move(value);
  return result;
}
Attribute Attribute::of(std::string name, std::vector<int64_t> value) {
  Attribute result;
  result.name = std::move(name), result.kind = AttributeKind::integers, result.integers = std::move(value);
  return result;
}
Attribute Attribute::of(std::string name, std::vector<double> value) {
  Attribute result;
  result.name = std::move(name), result.kind = AttributeKind::reals;
  result.reals.assign(value.begin(), value.end());
  return result;
}
Attribute Attribute::of(std::string name, std::vector<std::string> value) {
  Attribute result;
  result.name = std::move(name), result.kind = AttributeKind::strings, result.texts = std::move(value);
  return result;
}
Attribute Attribute::of(std::string name, ConstantPtr value) {
  Attribute result;
  result.name = std::move(name), result.kind = AttributeKind::tensor,
  result.tensors.push_back(std::move(value));
  return result;
}
Attribute Attribute::of(std::string name, std::shared_ptr<GraphProto> value) {
  Attribute result;
  result.name = std::move(name), result.kind = AttributeKind::graph,
  result.graphs.push_back(std::move(value));
  return result;
}

}  // namespace remodel::onnx
