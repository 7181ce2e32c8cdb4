// The flatbuffer is built without its weights: those are its tail, written one after the other, and only how
// far ahead each lies is patched into what is built. Where that would go past what a flatbuffer can say, they
// stand behind it, and their buffers say where in the file.
#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "formats/elements.h"
#include "formats/tflite/file.h"
#include "wire/zip.h"

namespace remodel::tflite {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::uoffset_t;
template <class T>
using Vector = Offset<flatbuffers::Vector<T>>;
using Table = Offset<flatbuffers::Table>;

constexpr uint64_t alignment = 16, largest_flatbuffer = (uint64_t{1} << 31) - 1;

flatbuffers::voffset_t field(int slot) {
  return flatbuffers::FieldIndexToOffset(static_cast<flatbuffers::voffset_t>(slot));
}
uint64_t aligned(uint64_t at) { return (at + alignment - 1) / alignment * alignment; }

// The data of one buffer: a constant's, or bytes.
struct Payload {
  ConstantPtr constant;
  Bytes bytes;

  uint64_t size() const {
    if (!constant) return bytes.size();
    if (const auto* strings = constant->strings()) {
      uint64_t size = 4 * (strings->size() + 2);
      for (const std::string& one : *strings) size += one.size();
      return size;
    }
    return file_bytes(*constant);
  }

  void write(Sink& sink) const {
    if (!constant) return sink.write(bytes);
    if (const auto* strings = constant->strings()) return write_strings(*strings, sink);
    write_elements(*constant, sink);
  }

 private:
  static void write_strings(const std::vector<std::string>& strings, Sink& sink) {
    uint64_t at = 4 * (strings.size() + 2);
    const auto put = [&](uint64_t number) {
      const auto narrow = static_cast<uint32_t>(number);
      sink.write(&narrow, sizeof narrow);
    };
    put(strings.size());
    put(at);
    for (const std::string& one : strings) put(at += one.size());
    for (const std::string& one : strings) sink.write(one);
  }
};

class Serializer {
 public:
  explicit Serializer(const File& file) : file_(file) {
    build(false);
    if (end_ > largest_flatbuffer) build(true);
  }

  uint64_t size() const {
    CountingSink sink;
    write_assets(sink);
    return end_ + sink.position();
  }

  void write(Sink& sink) {
    sink.expect(size());
    sink.write(builder_->GetBufferPointer(), builder_->GetSize());
    uint64_t at = builder_->GetSize();
    for (const Placed& one : placed_) {
      sink.write_zeros(one.at - at);
      if (!behind_) {
        const auto length = static_cast<uint32_t>(one.payload->size());
        sink.write(&length, sizeof length);
      }
      one.payload->write(sink);
      at = one.at + (behind_ ? 0 : 4) + one.payload->size();
    }
    write_assets(sink);
  }

 private:
  struct Placed {
    const Payload* payload;
    uint64_t at;  // of its length, or where it is behind the flatbuffer of its bytes
  };

  void build(bool behind) {
    behind_ = behind;
    builder_ = std::make_unique<FlatBufferBuilder>();
    payloads_.assign(1, {});  // buffer 0 is that of tensors without data
    by_constant_.clear();
    codes_.clear();
    const std::vector<Table> graphs = each(file_.graphs, [&](const SubGraph& one) { return graph(one); });
    const std::vector<Table> metadata = each(file_.metadata, [&](const auto& entry) {
      const auto name = builder_->CreateString(entry.first);
      payloads_.push_back({nullptr, entry.second});
      const auto buffer = static_cast<uint32_t>(payloads_.size() - 1);
      return table([&] {
        builder_->AddOffset(field(0), name);
        builder_->AddElement<uint32_t>(field(1), buffer, 0);
      });
    });
    const std::vector<Table> signatures =
        each(file_.signatures, [&](const Signature& one) { return signature(one); });
    std::vector<Table> codes(codes_.size());
    for (const auto& [code, index] : codes_) codes[index] = operator_code(code);
    buffer_fields_.clear();
    const std::vector<Table> buffers = each(payloads_, [&](const Payload& one) { return buffer(one); });
    const auto description = builder_->CreateString(file_.description);
    const auto code_list = builder_->CreateVector(codes), graph_list = builder_->CreateVector(graphs),
               buffer_list = builder_->CreateVector(buffers),
               metadata_list = builder_->CreateVector(metadata),
               signature_list = builder_->CreateVector(signatures);
    const Table model = table([&] {
      builder_->AddElement<uint32_t>(field(0), 3, 0);
      builder_->AddOffset(field(1), code_list);
      builder_->AddOffset(field(2), graph_list);
      builder_->AddOffset(field(3), description);
      builder_->AddOffset(field(4), buffer_list);
      if (!metadata.empty()) builder_->AddOffset(field(6), metadata_list);
      if (!signatures.empty()) builder_->AddOffset(field(7), signature_list);
    });
    builder_->Finish(model, "TFL3");
    place();
  }

  // Gives each payload its place, and patches it into the table of its buffer.
  void place() {
    placed_.clear();
    const uint64_t size = builder_->GetSize();
    uint8_t* begin = builder_->GetBufferPointer();
    end_ = size;
    for (size_t i = 0; i < payloads_.size(); ++i) {
      const Payload& payload = payloads_[i];
      if (buffer_fields_[i] == 0) continue;
      const uint64_t bytes = payload.size();
      const uint64_t field_at = size - buffer_fields_[i];
      const uint64_t data = aligned(end_ + (behind_ ? 0 : 4));
      const uint64_t at = behind_ ? data : data - 4;
      placed_.push_back({&payload, at});
      if (behind_)
        store_as<uint64_t>(begin + field_at, at);
      else
        store_as<uint32_t>(begin + field_at, static_cast<uint32_t>(at - field_at));
      end_ = data + bytes;
    }
  }

  Table buffer(const Payload& payload) {
    uint64_t where = 0;
    const bool filled = payload.constant || !payload.bytes.empty();
    const Table made = table([&] {
      if (!filled) return;
      // No field may hold its default, or it is left out.
      if (behind_) {
        builder_->AddElement<uint64_t>(field(2), std::max<uint64_t>(payload.size(), 1), 0);
        builder_->AddElement<uint64_t>(field(1), 2, 0);
      } else {
        builder_->AddElement<uoffset_t>(field(0), 1, 0);
      }
      where = builder_->GetSize();
    });
    buffer_fields_.push_back(where);
    return made;
  }

  template <class List, class Make>
  std::vector<Table> each(const List& list, Make make) {
    std::vector<Table> made;
    for (const auto& one : list) made.push_back(make(one));
    return made;
  }
  template <class Fill>
  Table table(Fill fill) {
    const uoffset_t start = builder_->StartTable();
    fill();
    return Table(builder_->EndTable(start));
  }

  uint32_t buffer_of(const ConstantPtr& constant) {
    std::vector<uint32_t>& alike = by_constant_[constant->hash()];
    for (const uint32_t index : alike)
      if (payloads_[index].constant == constant || payloads_[index].constant->equals(*constant)) return index;
    payloads_.push_back({constant, {}});
    alike.push_back(static_cast<uint32_t>(payloads_.size() - 1));
    return alike.back();
  }

  Table quantization(const Quantization& grid) {
    const auto min = builder_->CreateVector(grid.min), max = builder_->CreateVector(grid.max),
               scale = builder_->CreateVector(grid.scale);
    const auto zero = builder_->CreateVector(grid.zero);
    Table blocks;
    if (grid.scale_tensor >= 0)
      blocks = table([&] {
        builder_->AddElement<int32_t>(field(0), grid.scale_tensor, 0);
        builder_->AddElement<int32_t>(field(1), grid.zero_tensor, 0);
        builder_->AddElement<int32_t>(field(2), static_cast<int32_t>(grid.block), 0);
      });
    return table([&] {
      if (!grid.min.empty()) builder_->AddOffset(field(0), min);
      if (!grid.max.empty()) builder_->AddOffset(field(1), max);
      if (!grid.scale.empty()) builder_->AddOffset(field(2), scale);
      if (!grid.zero.empty()) builder_->AddOffset(field(3), zero);
      if (grid.scale_tensor >= 0) {
        builder_->AddElement<uint8_t>(field(4), 2, 0);
        builder_->AddOffset(field(5), blocks);
      } else {
        builder_->AddElement<int32_t>(field(6), static_cast<int32_t>(grid.axis), 0);
      }
    });
  }

  Table tensor(const Tensor& one) {
    const auto name = builder_->CreateString(one.name);
    const auto shape = builder_->CreateVector(one.shape), signature = builder_->CreateVector(one.signature);
    const bool quantized = !one.quantization.empty() || !one.quantization.min.empty();
    const Table grid = quantized ? quantization(one.quantization) : Table();
    const uint32_t buffer = one.data ? buffer_of(one.data) : 0;
    return table([&] {
      builder_->AddOffset(field(0), shape);
      builder_->AddElement<int8_t>(field(1), static_cast<int8_t>(one.type), 0);
      builder_->AddElement<uint32_t>(field(2), buffer, 0);
      builder_->AddOffset(field(3), name);
      if (quantized) builder_->AddOffset(field(4), grid);
      builder_->AddElement<uint8_t>(field(5), one.variable, 0);
      if (!one.signature.empty()) builder_->AddOffset(field(7), signature);
      builder_->AddElement<uint8_t>(field(8), 1, 0);  // the rank is known
    });
  }

  Vector<int32_t> short_numbers(const std::vector<int64_t>& numbers) {
    return builder_->CreateVector(std::vector<int32_t>(numbers.begin(), numbers.end()));
  }

  // Vectors and texts stand before the table that refers to them.
  uoffset_t field_data(const Attribute& attribute, const Field& field) {
    switch (field.kind) {
      case FieldKind::text:
        return builder_->CreateString(attribute.text).o;
      case FieldKind::bytes:
        return builder_->CreateVector(attribute.bytes.data(), attribute.bytes.size()).o;
      case FieldKind::reals:
        return builder_->CreateVector(std::vector<float>(attribute.reals.begin(), attribute.reals.end())).o;
      case FieldKind::integers:
        if (field.bytes == 1)
          return builder_
              ->CreateVector(std::vector<int8_t>(attribute.integers.begin(), attribute.integers.end()))
              .o;
        if (field.bytes == 4) return short_numbers(attribute.integers).o;
        return builder_->CreateVector(attribute.integers).o;
      default:
        return 0;
    }
  }

  void add_field(const Attribute& attribute, const Field& described, uoffset_t data) {
    const auto at = field(described.slot);
    if (data != 0) return builder_->AddOffset(at, Offset<void>(data));
    if (described.kind == FieldKind::real)
      return builder_->AddElement<float>(at, static_cast<float>(attribute.real),
                                         static_cast<float>(described.value));
    int64_t number = attribute.integer;
    if (described.kind == FieldKind::word) {
      const Choice* choice = described.find(attribute.text);
      if (!choice)
        throw Error(fmt::format("'{}' is no word of '{}'", attribute.text, described.name),
                    ErrorKind::internal);
      number = choice->number;
    }
    const auto otherwise = static_cast<int64_t>(described.value);
    if (described.bytes == 1)
      builder_->AddElement<int8_t>(at, static_cast<int8_t>(number), static_cast<int8_t>(otherwise));
    else if (described.bytes == 4)
      builder_->AddElement<int32_t>(at, static_cast<int32_t>(number), static_cast<int32_t>(otherwise));
    else
      builder_->AddElement<int64_t>(at, number, otherwise);
  }

  Table options(const Operator& one, const Options& kind) {
    std::vector<std::tuple<const Attribute*, const Field*, uoffset_t>> fields;
    for (const Attribute& attribute : one.attributes) {
      const Field* described = kind.find(attribute.name);
      if (!described)
        throw Error(fmt::format("{} has no attribute '{}'", one.type, attribute.name), ErrorKind::internal);
      fields.emplace_back(&attribute, described, field_data(attribute, *described));
    }
    return table([&] {
      for (const auto& [attribute, described, data] : fields) add_field(*attribute, *described, data);
    });
  }

  Table operator_table(const Operator& one) {
    const Builtin* builtin = one.custom ? nullptr : find_builtin(one.type);
    if (!one.custom && !builtin)
      throw Error(fmt::format("there is no operator {}", one.type), ErrorKind::internal);
    const Options* kind = builtin ? builtin->options : nullptr;
    if (!kind && !one.attributes.empty())
      throw Error(fmt::format("{} has no attributes", one.type), ErrorKind::internal);
    const auto code = codes_.emplace(Code{one.custom, one.type, one.version}, codes_.size()).first->second;
    const auto inputs = builder_->CreateVector(one.inputs), outputs = builder_->CreateVector(one.outputs),
               intermediates = builder_->CreateVector(one.intermediates);
    const Table given = kind ? options(one, *kind) : Table();
    const auto custom = builder_->CreateVector(one.custom_options.data(), one.custom_options.size());
    const auto mutated = builder_->CreateVector(std::vector<uint8_t>(one.mutated.begin(), one.mutated.end()));
    return table([&] {
      builder_->AddElement<uint32_t>(field(0), static_cast<uint32_t>(code), 0);
      builder_->AddOffset(field(1), inputs);
      builder_->AddOffset(field(2), outputs);
      if (kind) {
        const int slot = kind->part == 1 ? 3 : 11;
        builder_->AddElement<uint8_t>(field(slot), static_cast<uint8_t>(kind->number), 0);
        builder_->AddOffset(field(slot + 1), given);
      }
      if (!one.custom_options.empty()) builder_->AddOffset(field(5), custom);
      if (!one.mutated.empty()) builder_->AddOffset(field(7), mutated);
      if (!one.intermediates.empty()) builder_->AddOffset(field(8), intermediates);
    });
  }

  Table graph(const SubGraph& one) {
    const std::vector<Table> tensors = each(one.tensors, [&](const Tensor& t) { return tensor(t); });
    const std::vector<Table> operators =
        each(one.operators, [&](const Operator& o) { return operator_table(o); });
    const auto tensor_list = builder_->CreateVector(tensors),
               operator_list = builder_->CreateVector(operators);
    const auto inputs = builder_->CreateVector(one.inputs), outputs = builder_->CreateVector(one.outputs);
    const auto name = builder_->CreateString(one.name);
    return table([&] {
      builder_->AddOffset(field(0), tensor_list);
      builder_->AddOffset(field(1), inputs);
      builder_->AddOffset(field(2), outputs);
      builder_->AddOffset(field(3), operator_list);
      builder_->AddOffset(field(4), name);
    });
  }

  Table signature(const Signature& one) {
    const auto ports = [&](const auto& list) {
      return builder_->CreateVector(each(list, [&](const auto& port) {
        const auto name = builder_->CreateString(port.first);
        return table([&] {
          builder_->AddOffset(field(0), name);
          builder_->AddElement<uint32_t>(field(1), static_cast<uint32_t>(port.second), 0);
        });
      }));
    };
    const auto inputs = ports(one.inputs), outputs = ports(one.outputs);
    const auto key = builder_->CreateString(one.key);
    return table([&] {
      builder_->AddOffset(field(0), inputs);
      builder_->AddOffset(field(1), outputs);
      builder_->AddOffset(field(2), key);
      builder_->AddElement<uint32_t>(field(4), static_cast<uint32_t>(one.graph), 0);
    });
  }

  struct Code {
    bool custom;
    std::string type;
    int64_t version;
    auto operator<=>(const Code&) const = default;
  };

  Table operator_code(const Code& code) {
    constexpr int custom = 32, byte_end = 127;
    const int number = code.custom ? custom : find_builtin(code.type)->code;
    const auto name = builder_->CreateString(code.custom ? code.type : "");
    return table([&] {
      builder_->AddElement<int8_t>(field(0), static_cast<int8_t>(std::min(number, byte_end)), 0);
      if (code.custom) builder_->AddOffset(field(1), name);
      builder_->AddElement<int32_t>(field(2), static_cast<int32_t>(code.version), 1);
      builder_->AddElement<int32_t>(field(3), number, 0);
    });
  }

  void write_assets(Sink& sink) const {
    if (file_.assets.empty()) return;
    ZipWriter zip(sink);
    for (const auto& [name, bytes] : file_.assets) zip.add(name, bytes.view());
    zip.finish();
  }

  const File& file_;
  std::unique_ptr<FlatBufferBuilder> builder_;
  bool behind_ = false;
  std::vector<Payload> payloads_;
  std::vector<uint64_t>
      buffer_fields_;  // where each says its data is, from the end of what is built; 0: nowhere
  std::unordered_map<size_t, std::vector<uint32_t>> by_constant_;
  std::map<Code, size_t> codes_;
  std::vector<Placed> placed_;
  uint64_t end_ = 0;  // of the weights
};

}  // namespace

uint64_t file_size(const File& file) { return Serializer(file).size(); }
void write_file(const File& file, Sink& sink) { Serializer(file).write(sink); }

}  // namespace remodel::tflite
